"""Augmentation: only in training, equal to Keras and to index maps; the two nets by hand."""

import numpy as np
import pytest

from dlbook.models import image_augmentation as models

import keras  # isort: skip
from keras import layers  # isort: skip

GENERATOR = np.random.default_rng(0)
NOTHING = {"flip": None, "rotation": 0.0, "zoom": 0.0, "shear": 0.0, "shift": 0.0}
BUILDERS = {"article": models.build_article_cnn, "averaging": models.build_averaging_cnn}
EVERY_BUILDER = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
SMALL = {"filters": (4, 6, 8)}


def pictures(count: int = 3, height: int = 34, width: int = 30) -> np.ndarray:
    return GENERATOR.integers(0, 256, (count, height, width, 3)).astype("float32")


def test_augmentation_changes_pictures_in_training_only():
    layer, x = models.Augmentation(shift=0.1), pictures()
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=False), x)
    first, second = np.asarray(layer(x, training=True)), np.asarray(layer(x, training=True))
    assert first.shape == x.shape
    assert np.abs(first - x).mean() > 1
    assert np.abs(first - second).mean() > 1


@pytest.mark.parametrize("amount", ["rotation", "zoom", "shear", "shift"])
def test_every_amount_moves_pixels_and_keeps_their_range(amount):
    layer = models.Augmentation(**(NOTHING | {amount: 0.2}))
    assert len(layer.steps) == 1
    x = pictures(8)
    changed = np.asarray(layer(x, training=True))
    assert np.abs(changed - x).mean() > 1
    assert changed.min() >= -1e-3
    assert changed.max() <= 255.001


def test_nearest_takes_pixels_as_they_are_and_bilinear_mixes_them():
    x = 10 * np.round(pictures(4) / 10)
    for interpolation, share in (("nearest", 1.0), ("bilinear", 0.5)):
        layer = models.Augmentation(**(NOTHING | {"rotation": 0.1}), interpolation=interpolation)
        changed = np.asarray(layer(x, training=True))
        whole = np.isclose(changed % 10, 0, atol=1e-3) | np.isclose(changed % 10, 10, atol=1e-3)
        assert whole.mean() == 1 if share == 1 else whole.mean() < share


@pytest.mark.parametrize(("flip", "axis"), [("horizontal", 2), ("vertical", 1)])
def test_flip_is_a_reversed_index(flip, axis):
    layer = models.Augmentation(**(NOTHING | {"flip": flip}))
    x = np.repeat(pictures(1), 40, axis=0)
    changed = np.asarray(layer(x, training=True))
    kept = (changed == x).all(axis=(1, 2, 3))
    flipped = (changed == np.flip(x, axis)).all(axis=(1, 2, 3))
    assert (kept | flipped).all()
    assert kept.any()
    assert flipped.any()


def test_without_amounts_nothing_changes():
    layer, x = models.Augmentation(**NOTHING), pictures()
    assert layer.steps == []
    np.testing.assert_array_equal(layer(x, training=True), x)


def test_augmentation_is_built_anew_from_its_settings():
    layer = models.Augmentation(flip="vertical", rotation=0.1, zoom=0.3, shear=0.0, shift=0.05)
    again = models.Augmentation.from_config(layer.get_config())
    assert again.amounts == layer.amounts
    assert [type(step) for step in again.steps] == [type(step) for step in layer.steps]


@EVERY_BUILDER
def test_one_logit_for_each_picture(build):
    x = pictures().astype("uint8")
    logits = np.asarray(build((34, 30, 3), **SMALL)(x))
    assert logits.shape == (3, 1)
    assert logits.dtype == np.float32


@EVERY_BUILDER
def test_prediction_is_without_augmentation(build):
    net = build((34, 30, 3), augmentation=models.Augmentation(), dropout=0.0, **SMALL)
    plain = build((34, 30, 3), dropout=0.0, **SMALL)
    plain.set_weights(net.get_weights()[-len(plain.get_weights()) :])
    x = pictures()
    np.testing.assert_array_equal(net.predict(x, verbose=0), net.predict(x, verbose=0))
    np.testing.assert_allclose(net(x), plain(x), rtol=1e-5, atol=1e-6)
    first, second = np.asarray(net(x, training=True)), np.asarray(net(x, training=True))
    assert np.abs(first - second).max() > 1e-4


def test_parameters_of_the_article_net_by_hand():
    convolutions = (27 + 1) * 32 + (9 * 32 + 1) * 32 + (9 * 32 + 1) * 64
    for size, left in ((150, 17), (64, 6)):  # 150 → 148, 74 → 72, 36 → 34, 17
        hand = convolutions + (left * left * 64 + 1) * 64 + 64 + 1
        assert models.build_article_cnn((size, size, 3)).count_params() == hand
    assert models.build_article_cnn().count_params() == 1_212_513


def test_parameters_of_the_averaging_net_by_hand():
    hand, channels = 0, 3
    for filters in (16, 32, 64, 128):
        hand += 9 * channels * filters + 4 * filters
        channels = filters
    net = models.build_averaging_cnn()
    assert net.count_params() == hand + channels + 1
    assert models.build_averaging_cnn((96, 80, 3)).count_params() == net.count_params()


def test_averaging_net_refuses_pictures_that_are_halved_to_nothing():
    with pytest.raises(ValueError, match="4 blocks halve 15 pixels"):
        models.build_averaging_cnn((15, 64, 3))


@EVERY_BUILDER
def test_gradient_reaches_every_weight(build):
    import tensorflow as tf

    net = build((34, 30, 3), augmentation=models.Augmentation(), dropout=0.0, **SMALL)
    y = np.array([[0.0], [1.0], [0.0]], "float32")
    with tf.GradientTape() as tape:
        logits = net(pictures(), training=True)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(y, logits)
    for weight, gradient in zip(
        net.trainable_variables, tape.gradient(loss, net.trainable_variables), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.abs(gradient).max() > 0, weight.path


@EVERY_BUILDER
def test_saved_and_loaded_net_answers_the_same(build, tmp_path):
    net, x = build((34, 30, 3), augmentation=models.Augmentation(), **SMALL), pictures()
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(again(x), net(x), rtol=1e-6)
    assert again.layers[1].amounts == net.layers[1].amounts
    assert isinstance(again.layers[1].steps[0], layers.RandomFlip)


@EVERY_BUILDER
def test_one_small_batch_is_learned(build):
    keras.utils.set_random_seed(1)
    net = build((34, 30, 3), dropout=0.0, **SMALL)
    net.compile(keras.optimizers.Adam(3e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    x, y = pictures(8), np.arange(8.0)[:, None] % 2
    x[1::2] *= 0.5  # dark ones
    before = net.evaluate(x, y, verbose=0)
    net.fit(x, y, epochs=60, batch_size=8, verbose=0)
    assert net.evaluate(x, y, verbose=0) < 0.3 * before
