"""The convolutional nets: shapes, hand counts, the convolution itself, gradients, saving."""

import itertools

import numpy as np
import pytest

from dlbook.models import cnn

import keras  # isort: skip
import tensorflow as tf  # isort: skip

GENERATOR = np.random.default_rng(0)
SMALL = {"filters": (4, 6), "kernel_size": 3, "num_hidden": 16}


def build_small(input_shape: cnn.Shape = (20, 18, 2), num_classes: int = 5, **settings):
    return cnn.build_cnn(input_shape, num_classes, **(SMALL | settings))


BUILDERS = {
    "cnn": build_small,
    "language": cnn.build_language_cnn,
    "ten": cnn.build_ten_cnn,
    "primer": cnn.build_primer_cnn,
    "dense": lambda *shape: cnn.build_dense_net(*shape, num_parameters=20_000),
}
EVERY_BUILDER = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


def pictures(count: int, shape: cnn.Shape) -> np.ndarray:
    return GENERATOR.integers(0, 256, size=(count, *shape), dtype="uint8")


@EVERY_BUILDER
def test_logits_have_one_column_per_class(build):
    model = build((20, 18, 2), 5)
    assert model.input_shape == (None, 20, 18, 2)
    logits = model(pictures(3, (20, 18, 2)))
    assert (logits.shape, logits.dtype) == ((3, 5), tf.float32)
    # logits, not probabilities
    assert not np.allclose(logits.numpy().sum(axis=1), 1)


@EVERY_BUILDER
def test_whole_numbers_and_floats_are_the_same_pixels(build):
    model = build((20, 18, 2), 5)
    x = pictures(2, (20, 18, 2))
    np.testing.assert_array_equal(
        model(x, training=False), model(x.astype("float32"), training=False)
    )


def test_parameters_of_the_article_nets_by_hand():
    language = (
        (3 * 3 * 1 + 1) * 32  # 28 → 26, pooled 13
        + (3 * 3 * 32 + 1) * 64  # 13 → 11, pooled 5
        + (3 * 3 * 64 + 1) * 64  # 5 → 3
        + (3 * 3 * 64 + 1) * 64
        + (64 + 1) * 10
    )
    assert cnn.build_language_cnn().count_params() == language == 93_322
    ten = (
        (3 * 3 * 1 + 1) * 32  # 28 → 26
        + (3 * 3 * 32 + 1) * 64  # 26 → 24, pooled 12
        + (12 * 12 * 64 + 1) * 128
        + (128 + 1) * 10
    )
    assert cnn.build_ten_cnn().count_params() == ten == 1_199_882
    primer = (
        (3 * 3 * 3 + 1) * 32  # 32 → 30, pooled 15
        + (3 * 3 * 32 + 1) * 64  # 15 → 13, pooled 6
        + (6 * 6 * 64 + 1) * 120
        + (120 + 1) * 10
    )
    assert cnn.build_primer_cnn().count_params() == primer == 297_202


@pytest.mark.parametrize(
    ("shape", "classes", "filters", "kernel", "hidden"),
    [
        ((28, 28, 1), 10, (24, 48), 5, 128),
        ((32, 32, 3), 7, (8, 12, 16), 3, 20),
        ((20, 14, 2), 2, (6,), 4, 5),
    ],
)
def test_parameters_of_the_books_net_by_hand(shape, classes, filters, kernel, hidden):
    height, width, channels = shape
    expected = 0
    for count in filters:
        # no bias: the normalisation has one. Four numbers of normalisation for each filter
        expected += kernel * kernel * channels * count + 4 * count
        height, width = (height - kernel + 1) // 2, (width - kernel + 1) // 2
        channels = count
    expected += height * width * channels * hidden + 4 * hidden + (hidden + 1) * classes
    model = cnn.build_cnn(shape, classes, filters=filters, kernel_size=kernel, num_hidden=hidden)
    assert model.count_params() == expected
    # two of the four numbers of normalisation are learned
    trainable = sum(np.prod(variable.shape) for variable in model.trainable_variables)
    assert trainable == expected - 2 * (sum(filters) + hidden)


def test_the_defaults_are_those_of_the_hand_count():
    model = cnn.build_cnn()
    again = cnn.build_cnn((28, 28, 1), 10, filters=(24, 48), kernel_size=5, num_hidden=128)
    assert model.count_params() == again.count_params()
    assert model.output_shape == (None, 10)


def test_a_convolution_is_four_loops():
    model = build_small((12, 11, 2))
    layer = model.get_layer("block1_conv")
    x = GENERATOR.normal(size=(8, 7, 2)).astype("float32")
    kernel = layer.kernel.numpy()  # (height, width, channels, filters)
    expected = np.zeros((6, 5, 4))
    for row, column, number in np.ndindex(expected.shape):
        for i, j in np.ndindex(3, 3):
            for channel in range(2):
                weight = kernel[i, j, channel, number]
                expected[row, column, number] += x[row + i, column + j, channel] * weight
    np.testing.assert_allclose(layer(x[None])[0], expected, rtol=1e-4, atol=1e-5)


def test_pooling_before_or_after_normalisation_and_relu_is_the_same_at_a_positive_scale():
    """The reason that the docstring of the block gives, on a whole block."""
    inputs = keras.Input((9, 9, 1))
    block = keras.Model(inputs, cnn.convolution_block(inputs, 3, 2, name="b"))
    x = GENERATOR.normal(size=(2, 9, 9, 1)).astype("float32")
    maps = block.get_layer("b_conv")(x)
    late = keras.layers.MaxPooling2D(2)(keras.ops.relu(block.get_layer("b_norm")(maps)))
    assert block.output_shape == (None, 4, 4, 3)
    np.testing.assert_allclose(block(x), late, rtol=1e-6)


@EVERY_BUILDER
def test_a_gradient_reaches_every_weight(build):
    keras.utils.set_random_seed(0)
    model = build((20, 18, 2), 5)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(np.arange(16) % 5, model(pictures(16, (20, 18, 2)), training=True))
    gradients = tape.gradient(value, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


@EVERY_BUILDER
def test_a_saved_model_gives_the_same_output(build, tmp_path):
    model = build((20, 18, 2), 5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = pictures(2, (20, 18, 2))
    np.testing.assert_array_equal(loaded(x, training=False), model(x, training=False))


@pytest.mark.parametrize("name", ["cnn", "dense"])
def test_one_small_batch_is_learned_by_heart(name: str):
    keras.utils.set_random_seed(0)
    build = BUILDERS[name]
    if name == "cnn":
        build = lambda *shape: build_small(*shape, dropout=0, max_shift=0)  # noqa: E731
    model = build((20, 18, 2), 5)
    x, y = pictures(16, (20, 18, 2)), np.arange(16) % 5
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss, jit_compile=False)
    assert loss(y, model(x)) > 1
    model.fit(np.tile(x, (60, 1, 1, 1)), np.tile(y, 60), batch_size=16, shuffle=False, verbose=0)
    assert loss(y, model(x)) < 0.1


# ---- the shift ----


def test_the_shift_moves_whole_pixels_and_blends_none():
    keras.utils.set_random_seed(0)
    layer = build_small((12, 10, 1), max_shift=2).get_layer("shift")
    picture = pictures(1, (12, 10, 1)).astype("float32") + 1  # no pixel is empty
    paper = np.pad(picture[0], ((2, 2), (2, 2), (0, 0)))
    moved = {
        (down, right): paper[2 - down : 14 - down, 2 - right : 12 - right]
        for down, right in itertools.product(range(-2, 3), repeat=2)
    }
    seen = set()
    for shifted in layer(np.repeat(picture, 200, axis=0), training=True).numpy():
        matches = [shift for shift, expected in moved.items() if np.array_equal(shifted, expected)]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) > 15  # of 25


def test_shift_and_dropout_are_for_training_only():
    model = build_small(max_shift=2, dropout=0.5)
    plain = build_small(max_shift=0, dropout=0)
    plain.set_weights(model.get_weights())
    x = pictures(4, (20, 18, 2))
    np.testing.assert_array_equal(model(x, training=False), plain(x))
    np.testing.assert_array_equal(model.predict(x, verbose=0), plain(x))
    # and in training they are at work, each alone too
    for settings in ({"max_shift": 2, "dropout": 0}, {"max_shift": 0, "dropout": 0.5}):
        noisy = build_small(**settings)
        assert not np.array_equal(noisy(x, training=True), noisy(x, training=True))


def test_calling_the_model_does_not_shift():
    model = build_small(max_shift=2)
    x = pictures(4, (20, 18, 2))
    np.testing.assert_array_equal(model(x), model(x, training=False))


def test_without_shift_there_is_no_layer_for_it():
    assert "shift" not in [layer.name for layer in build_small(max_shift=0).layers]


# ---- the dense net ----


@pytest.mark.parametrize("wanted", [900, 10_000, 100_000, 1_199_882])
@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), 10), ((5, 4, 3), 7)])
def test_the_dense_net_is_within_half_a_unit_of_the_wanted_size(wanted, shape, classes):
    model = cnn.build_dense_net(shape, classes, num_parameters=wanted)
    per_unit = np.prod(shape) + 1 + classes
    assert abs(model.count_params() - wanted) <= per_unit / 2
    units = model.get_layer("hidden").units
    assert model.count_params() == units * per_unit + classes


def test_a_dense_net_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match=r"num_parameters=300 is too few: .* takes 795"):
        cnn.build_dense_net(num_parameters=300)


# ---- the yardstick of later chapters ----


def test_the_feature_net_is_the_same_after_storing():
    keras.utils.set_random_seed(0)
    model = cnn.build_cnn()
    for weight in model.weights:  # statistics of normalisation too
        weight.assign(weight + GENERATOR.uniform(0.0, 0.1, weight.shape))
    x = pictures(5, (28, 28, 1))
    arrays = cnn.feature_net_arrays(model)
    assert sum(2 * array.size for array in arrays.values()) < 2e6  # bytes in float16
    loaded = cnn.load_feature_net(arrays)(x)
    expected = cnn.build_feature_net(model)(x)
    assert loaded["features"].shape == (5, 128)
    np.testing.assert_array_equal(loaded["features"], expected["features"])
    np.testing.assert_array_equal(loaded["logits"], model(x))
    halves = {name: array.astype("float16") for name, array in arrays.items()}
    rounded = cnn.load_feature_net(halves)(x)["features"]
    np.testing.assert_allclose(rounded, expected["features"], rtol=0.01)


def test_the_logits_are_a_dense_layer_on_the_features():
    model = build_small()
    outputs = cnn.build_feature_net(model)(pictures(3, (20, 18, 2)))
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(outputs["logits"], outputs["features"] @ kernel + bias, atol=1e-5)
