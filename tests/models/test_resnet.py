"""The residual nets: the paper's counts, the sum by hand, blocks taken out, gradients, saving."""

import numpy as np
import pytest

from dlbook.models import resnet

import keras  # isort: skip
import tensorflow as tf  # isort: skip

GENERATOR = np.random.default_rng(0)
SMALL = {"n": 2, "input_shape": (12, 10, 3), "num_classes": 5, "filters": (4, 6)}
KINDS = pytest.mark.parametrize("kind", resnet.SHORTCUTS)


def pictures(count: int, *shape: int) -> np.ndarray:
    return GENERATOR.integers(0, 256, size=(count, *shape), dtype="uint8")


def shaken(model: keras.Model) -> keras.Model:
    """The model with statistics and scales of normalisation that are not those of the start."""
    for weight in model.weights:
        if "norm" in weight.path:
            weight.assign(weight + GENERATOR.uniform(0.0, 0.5, weight.shape))
    return model


# ---- the family of the paper ----


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
)
def test_parameters_are_those_of_the_paper(depth: int, millions: float):
    """Table 6 of the paper, where running averages do not count."""
    model = resnet.build_resnet((depth - 2) // 6)
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    digits = 1 if millions > 1 else 2
    assert round(trained / 1e6, digits) == millions


@pytest.mark.parametrize("n", [1, 3, 5])
def test_parameters_by_hand(n: int):
    expected = 3 * 3 * 3 * 16 + 2 * 16
    before = 16
    for filters in (16, 32, 64):
        first = 9 * before * filters + 2 * filters
        rest = (2 * n - 1) * (9 * filters * filters + 2 * filters)
        expected += first + rest
        before = filters
    expected += (64 + 1) * 10
    counts = {}
    for kind in resnet.SHORTCUTS:
        model = resnet.build_resnet(n, shortcut=kind)
        counts[kind] = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert counts["identity"] == counts["none"] == expected  # a shortcut costs nothing
    assert counts["projection"] == expected + 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64


def test_layers_are_counted_as_the_paper_does():
    model = resnet.build_resnet(3)
    weighted = [x for x in model.layers if isinstance(x, keras.layers.Conv2D | keras.layers.Dense)]
    assert len(weighted) == 20
    assert model.name == "resnet20"
    assert resnet.build_resnet(2, shortcut="none").name == "plain14"


def test_every_stage_but_the_first_halves_the_map():
    model = resnet.build_resnet(2, (32, 24, 3))
    shapes = [model.get_layer(f"stage{k}_block2_relu").output.shape[1:] for k in (1, 2, 3)]
    assert shapes == [(32, 24, 16), (16, 12, 32), (8, 6, 64)]


@KINDS
def test_logits_have_one_column_per_class(kind):
    model = resnet.build_resnet(**SMALL, shortcut=kind)
    x = pictures(3, 12, 10, 3)
    logits = model(x)
    assert (logits.shape, logits.dtype) == ((3, 5), tf.float32)
    np.testing.assert_array_equal(logits, model(x.astype("float32")))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "one block or more"),
        ({"shortcut": "dense"}, "must be one of identity, projection, none"),
        ({"filters": (16, 8)}, "must not become fewer"),
    ],
)
def test_what_makes_no_net_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        resnet.build_resnet(**wrong)


# ---- a block ----


def numpy_block(model: keras.Model, name: str, x: np.ndarray, shortcut: np.ndarray) -> np.ndarray:
    """relu(F(x) + shortcut) with F from the layers' weights; filters of 3×3, stride 1."""

    def convolved(x, part):
        kernel = model.get_layer(f"{name}_{part}_conv").kernel.numpy()
        norm = model.get_layer(f"{name}_{part}_norm")
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        rows, columns = x.shape[1:3]
        y = sum(
            padded[:, i : i + rows, j : j + columns] @ kernel[i, j] for i, j in np.ndindex(3, 3)
        )
        scale, shift, mean, variance = norm.get_weights()
        return scale * (y - mean) / np.sqrt(variance + norm.epsilon) + shift

    y = convolved(np.maximum(convolved(x, 1), 0), 2)
    return np.maximum(y + shortcut, 0)


@pytest.mark.parametrize("kind", ["identity", "none"])
def test_a_block_is_relu_of_the_sum(kind):
    inputs = keras.Input((5, 6, 4))
    outputs = resnet.residual_block(inputs, 4, shortcut=kind, name="b")
    block = shaken(keras.Model(inputs, outputs))
    x = GENERATOR.normal(size=(2, 5, 6, 4)).astype("float32")
    expected = numpy_block(block, "b", x, x if kind == "identity" else 0 * x)
    np.testing.assert_allclose(block(x), expected, rtol=1e-4, atol=1e-5)


def test_the_identity_shortcut_takes_every_second_pixel_and_adds_zeros():
    x = GENERATOR.normal(size=(2, 5, 6, 3)).astype("float32")
    y = resnet.IdentityShortcut(7)(x).numpy()
    np.testing.assert_array_equal(y[..., :3], x[:, ::2, ::2])
    assert y.shape == (2, 3, 3, 7)
    assert not y[..., 3:].any()


def test_the_projection_is_a_convolution_of_one_pixel():
    inputs = keras.Input((6, 6, 2))
    outputs = resnet.residual_block(inputs, 5, 2, "projection", name="b")
    block = keras.Model(inputs, outputs)
    assert block.output_shape == (None, 3, 3, 5)
    assert block.get_layer("b_projection_conv").kernel.shape == (1, 1, 2, 5)


def test_the_gradient_has_a_one_of_its_own():
    """With a branch that gives nothing, the gradient comes through unchanged, or not at all."""
    x = tf.constant(GENERATOR.uniform(0.5, 1, (1, 4, 4, 3)), tf.float32)
    for kind, expected in (("identity", 1.0), ("none", 0.0)):
        inputs = keras.Input((4, 4, 3))
        outputs = resnet.residual_block(inputs, 3, shortcut=kind, name="b")
        block = keras.Model(inputs, outputs)
        block.get_layer("b_2_norm").gamma.assign(np.zeros(3))
        block.get_layer("b_2_norm").beta.assign(np.zeros(3))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(block(x))
        np.testing.assert_allclose(tape.gradient(y, x), np.full(x.shape, expected), atol=1e-6)


# ---- blocks taken out ----


@KINDS
def test_a_removed_block_hands_on_what_it_gets(kind):
    model = shaken(resnet.build_resnet(**SMALL, shortcut=kind))
    blocks = resnet.removable_blocks(model)
    assert blocks == ["stage1_block1", "stage1_block2", "stage2_block2"]
    x = pictures(2, 12, 10, 3)
    weights = model.get_weights()
    before = {"stage1_block1": "stem_relu", "stage1_block2": "stage1_block1_relu"}
    before["stage2_block2"] = "stage2_block1_relu"
    whole = model(x).numpy()
    for block in blocks:
        resnet.remove_block(model, block)
        ends = [model.get_layer(name).output for name in (before[block], f"{block}_relu")]
        given, handed_on = keras.Model(model.input, ends)(x)
        np.testing.assert_allclose(handed_on, given, rtol=1e-5, atol=1e-5)
        assert not np.allclose(model(x), whole)
        model.set_weights(weights)
        np.testing.assert_array_equal(model(x), whole)


def test_a_block_that_changes_the_shape_stays():
    model = resnet.build_resnet(**SMALL)
    with pytest.raises(ValueError, match="'stage2_block1' is none of stage1_block1"):
        resnet.remove_block(model, "stage2_block1")


# ---- training and saving ----


@KINDS
def test_a_gradient_reaches_every_weight(kind):
    keras.utils.set_random_seed(0)
    model = resnet.build_resnet(**SMALL, shortcut=kind)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(np.arange(16) % 5, model(pictures(16, 12, 10, 3), training=True))
    gradients = tape.gradient(value, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


@KINDS
def test_a_saved_model_gives_the_same_output(kind, tmp_path):
    model = shaken(resnet.build_resnet(**SMALL, shortcut=kind))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = pictures(2, 12, 10, 3)
    np.testing.assert_array_equal(loaded(x), model(x))


def test_one_small_batch_is_learned_by_heart():
    keras.utils.set_random_seed(0)
    model = resnet.build_resnet(1, (12, 10, 3), 5, filters=(8, 16))
    x, y = pictures(16, 12, 10, 3), np.arange(16) % 5
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    model.fit(np.tile(x, (60, 1, 1, 1)), np.tile(y, 60), batch_size=16, shuffle=False, verbose=0)
    assert loss(y, model(x, training=True)) < 0.1


# ---- the fast net ----

FAST = {"input_shape": (16, 12, 3), "num_classes": 5, "filters": (4, 6, 8)}


def test_parameters_of_the_fast_net_by_hand():
    expected = 4 * 4 * 3 * 48 + 48 * 24 + 4 * 24  # whitening, then 1×1
    channels = 24
    for filters in (48, 96):
        expected += 9 * channels * filters + 4 * filters
        expected += 2 * (9 * filters * filters + 4 * filters)
        channels = filters
    expected += (96 + 1) * 10
    model = resnet.build_fast_resnet()
    assert model.count_params() == expected
    assert model.output_shape == (None, 10)


def test_the_map_is_halved_once_by_the_first_layer_and_once_by_each_stage():
    model = resnet.build_fast_resnet((32, 24, 3))
    names = ("stem_relu", "stage1_block1_relu", "stage2_block1_relu")
    shapes = [model.get_layer(name).output.shape[1:] for name in names]
    assert shapes == [(16, 12, 24), (8, 6, 48), (4, 3, 96)]


def test_whitened_patches_are_uncorrelated_with_variance_near_one():
    keras.utils.set_random_seed(0)
    x = GENERATOR.normal(size=(200, 8, 8, 3)).cumsum(axis=1).cumsum(axis=2) * 5 + 100
    mean, deviation = x.mean((0, 1, 2)), x.std((0, 1, 2))
    filters = resnet.whitening_filters(x, mean, deviation, floor=1e-7)
    assert filters.shape == (4, 4, 3, 48)
    standard = (x - mean) / deviation
    maps = keras.ops.conv(standard.astype("float32"), filters, strides=2, padding="valid")
    covariance = np.cov(np.reshape(maps, (-1, 48)), rowvar=False)
    np.testing.assert_allclose(covariance, np.eye(48), atol=0.02)


def test_the_first_layer_is_not_trained():
    model = resnet.build_fast_resnet(**FAST)
    assert not any("whiten" in weight.path for weight in model.trainable_weights)
    keras.utils.set_random_seed(0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(np.arange(16) % 5, model(pictures(16, 16, 12, 3), training=True))
    for gradient in tape.gradient(value, model.trainable_variables):
        assert np.abs(gradient).max() > 0


def test_augmentation_gives_moved_and_mirrored_images_and_no_others():
    image = np.arange(6 * 8 * 3, dtype="float32").reshape(1, 6, 8, 3)
    layer = resnet.FlipAndShift(1, seed=0)
    padded = np.pad(image[0], ((1, 1), (1, 1), (0, 0)), mode="reflect")
    moved = [padded[i : i + 6, j : j + 8] for i in range(3) for j in range(3)]
    expected = moved + [one[:, ::-1] for one in moved]
    found = layer(np.repeat(image, 300, axis=0), training=True).numpy()
    counts = [sum(np.array_equal(one, other) for other in found) for one in expected]
    assert sum(counts) == 300
    assert min(counts) > 0


def test_augmentation_is_for_training_only():
    x = pictures(3, 16, 12, 3)
    model = resnet.build_fast_resnet(**FAST)
    np.testing.assert_array_equal(model(x), model(x, training=False))
    without = resnet.build_fast_resnet(**FAST, max_shift=0)
    without.set_weights([w for w in model.get_weights() if w.dtype.kind == "f"])
    np.testing.assert_allclose(without(x), model.predict(x, verbose=0), atol=1e-5)


def test_the_fast_net_is_saved(tmp_path):
    model = shaken(resnet.build_fast_resnet(**FAST))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = pictures(2, 16, 12, 3)
    np.testing.assert_array_equal(loaded(x), model(x))
