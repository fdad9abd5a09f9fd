"""The GAN: its losses and its step against NumPy, its state saved and resumed, and bad input."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from dlbook import train
from dlbook.models import gan as module
from dlbook.models.gan import GAN

RNG = np.random.default_rng(0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def small(**settings) -> GAN:
    keras.utils.set_random_seed(0)
    return GAN(
        module.build_mlp_generator(3, 2, hidden_units=(8,)),
        module.build_mlp_discriminator(2, hidden_units=(6,), activation="tanh"),
        **settings,
    )


def straight(slope: float = 0.5, **settings) -> GAN:
    """Dirac-GAN: the generator is a bias, the discriminator a slope."""
    noise = keras.Input((1,))
    place = keras.layers.Dense(1, kernel_initializer="zeros")
    place_net = keras.Model(noise, place(noise))
    place.kernel.trainable = False
    example = keras.Input((1,))
    judge = keras.layers.Dense(1, use_bias=False)
    judge_net = keras.Model(example, judge(example))
    place.bias.assign([1.0])
    judge.kernel.assign([[slope]])
    return GAN(place_net, judge_net, **settings)


def compiled(model: GAN, rate: float = 0.01, **settings) -> GAN:
    model.compile(
        keras.optimizers.Adam(rate), keras.optimizers.Adam(rate), jit_compile=False, **settings
    )
    return model


def dots(count: int = 64) -> np.ndarray:
    """Two clusters in the plane."""
    rng = np.random.default_rng(1)
    return (np.where(rng.random(count) < 0.5, -1, 1)[:, None] + 0.1 * rng.normal(size=(count, 2))
            ).astype("float32")  # fmt: skip


def state(model: GAN) -> list[np.ndarray]:
    variables = [
        *model.variables, *model.optimizer.variables, *model.discriminator_optimizer.variables
    ]  # fmt: skip
    return [ops.convert_to_numpy(variable).copy() for variable in variables]


# --- losses


def test_losses_are_cross_entropies_and_do_not_overflow() -> None:
    real, fake = RNG.normal(size=(7, 1)), RNG.normal(size=(7, 1))
    wanted = -np.log(sigmoid(real)).mean() - np.log(1 - sigmoid(fake)).mean()
    assert float(module.discriminator_loss(real, fake)) == pytest.approx(wanted, rel=1e-5)
    by_hand = -np.log(sigmoid(fake)).mean()
    assert float(module.non_saturating_loss(fake)) == pytest.approx(by_hand, rel=1e-5)
    by_hand = np.log(1 - sigmoid(fake)).mean()
    assert float(module.saturating_loss(fake)) == pytest.approx(by_hand, rel=1e-5)
    assert float(module.discriminator_loss(np.zeros(3), np.zeros(3))) == pytest.approx(
        2 * np.log(2), rel=1e-5
    )
    for loss in (module.non_saturating_loss, module.saturating_loss):
        assert np.isfinite(float(loss(np.float32([-500.0, 500.0]))))


@pytest.mark.parametrize("penalty", [0.0, 2.0])
@pytest.mark.parametrize("loss", ["non-saturating", "saturating"])
def test_a_step_equals_the_formulas_of_the_dirac_gan(penalty: float, loss: str) -> None:
    place, slope, rate = 1.0, 0.5, 0.1
    model = straight(slope, penalty=penalty, generator_loss=loss)
    model.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate), jit_compile=False)
    logs = train.fit(model, np.zeros((4, 1), "float32"), batch_size=4, table=False).history
    assert logs["loss"][0] == pytest.approx(np.log(2) + np.log1p(np.exp(0.5)), rel=1e-5)
    assert logs["penalty"][0] == pytest.approx(slope**2 if penalty else 0.0)
    # the discriminator first: slope of softplus(slope · place), and of the penalty γ/2 · slope²
    slope -= rate * (sigmoid(slope * place) * place + penalty * slope)
    factor = sigmoid(-slope * place) if loss == "non-saturating" else sigmoid(slope * place)
    place += rate * factor * slope
    found = float(model.discriminator.weights[0][0, 0]), float(model.generator.output.shape[1])
    assert found[0] == pytest.approx(slope, rel=1e-5)
    assert model.generate(1, seed=0)[0, 0] == pytest.approx(place, rel=1e-5)


def test_the_penalty_is_the_squared_slope_at_real_examples() -> None:
    model = small(penalty=1.0)
    x = RNG.normal(size=(5, 2)).astype("float32")
    _, found = model._judge_real(tf.constant(x), [])
    kernel, bias, last, _ = (np.asarray(w) for w in model.discriminator.weights)
    hidden = np.tanh(x @ kernel + bias)
    slopes = ((1 - hidden**2) * last[:, 0]) @ kernel.T  # (5, 2)
    assert float(found) == pytest.approx((slopes**2).sum(axis=1).mean(), rel=1e-4)


def test_each_optimizer_moves_its_own_net() -> None:
    for rates in ((0.1, 0.0), (0.0, 0.1)):
        model = small(penalty=1.0)
        before = [
            [w.numpy() for w in net.weights] for net in (model.generator, model.discriminator)
        ]
        model.compile(*(keras.optimizers.SGD(rate) for rate in rates), jit_compile=False)
        train.fit(model, dots(), table=False)
        for net, old, rate in zip(
            (model.generator, model.discriminator), before, rates, strict=True
        ):
            moved = [np.abs(w.numpy() - o).max() > 0 for w, o in zip(net.weights, old, strict=True)]
            assert all(moved) if rate else not any(moved)


def test_it_learns_two_clusters() -> None:
    model = small(penalty=0.3)
    model.compile(
        *(keras.optimizers.Adam(0.01, beta_1=0.0, beta_2=0.99) for _ in range(2)),
        jit_compile=False,
        steps_per_execution=8,
    )
    train.fit(model, dots(512), epochs=50, batch_size=64, table=False)
    made = model.generate(400, seed=1)
    signs = np.sign(made).sum(axis=1)
    assert min((signs == 2).mean(), (signs == -2).mean()) > 0.25
    assert np.abs(np.abs(made) - 1).mean() < 0.35


# --- saved, loaded, resumed


@pytest.mark.parametrize("num_classes", [None, 3])
def test_it_is_saved_and_loaded_with_both_optimizers(
    tmp_path: Path, num_classes: int | None
) -> None:
    keras.utils.set_random_seed(0)
    if num_classes is None:
        model, x = small(penalty=0.7, generator_loss="saturating", seed=3), dots(32)
    else:
        model = module.build_dcgan(4, filters=2, num_classes=num_classes, penalty=0.7, seed=3)
        x = (RNG.uniform(-1, 1, (32, 28, 28, 1)).astype("float32"), np.arange(32) % 3)
    compiled(model)
    train.fit(model, x, batch_size=16, table=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.penalty, loaded.generator_loss, loaded.seed) == (0.7, model.generator_loss, 3)
    for one, other in zip(state(model), state(loaded), strict=True):
        np.testing.assert_array_equal(one, other)
    for net in (model, loaded):  # and goes on as the other does
        train.fit(net, x, batch_size=16, table=False)
    for one, other in zip(state(model), state(loaded), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_broken_run_is_resumed(tmp_path: Path) -> None:
    whole = compiled(small(penalty=1.0))
    train.fit(whole, dots(), epochs=4, batch_size=16, table=False)

    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    backup = [keras.callbacks.BackupAndRestore(tmp_path / "backup")]
    broken = compiled(small(penalty=1.0))
    with pytest.raises(KeyboardInterrupt):
        train.fit(
            broken, dots(), epochs=4, batch_size=16, table=False, callbacks=[*backup, Break()]
        )
    resumed = compiled(small(penalty=1.0))
    history = train.fit(
        resumed, dots(), epochs=4, batch_size=16, table=False, callbacks=backup
    ).history
    assert len(history["loss"]) == 2
    for one, other in zip(state(whole), state(resumed), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_model_that_was_not_compiled_is_saved(tmp_path: Path) -> None:
    model = small()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(5, seed=1), model.generate(5, seed=1))


# --- builders


def test_shapes_and_parameters_of_the_dcgan() -> None:
    model = module.build_dcgan(5, filters=4)
    images = model.generate(3, seed=0)
    assert images.shape == (3, 28, 28, 1)
    assert np.abs(images).max() <= 1
    assert model.discriminator(images).shape == (3, 1)
    norms = 4 * 7 * 7 * 8 + 4 * 4
    generator = 5 * 7 * 7 * 8 + 16 * 8 * 4 + 16 * 4 + 1 + norms
    assert model.generator.count_params() == generator
    discriminator = 16 * 4 + 4 + 16 * 4 * 8 + 8 + 7 * 7 * 8 + 1
    assert model.discriminator.count_params() == discriminator


def test_classes_change_the_image_and_the_verdict() -> None:
    model = module.build_dcgan(5, filters=4, num_classes=3)
    images = model.generate(1, np.array([0]), seed=4)
    other = model.generate(1, np.array([2]), seed=4)
    assert np.abs(images - other).max() > 0
    verdicts = [float(model.discriminator([images, np.array([k])])[0, 0]) for k in range(3)]
    assert len(set(verdicts)) == 3


def test_a_gradient_reaches_every_weight() -> None:
    model = module.build_dcgan(5, filters=2, num_classes=3)
    classes = tf.constant(np.arange(6) % 3)
    noise = tf.constant(RNG.normal(size=(6, 5)).astype("float32"))
    with tf.GradientTape() as tape:
        fake = model.generator([noise, classes], training=True)
        loss = module.non_saturating_loss(model.discriminator([fake, classes]))
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.abs(np.asarray(gradient)).max() > 0


def test_images_are_scaled_there_and_back() -> None:
    pixels = RNG.integers(0, 256, (3, 4, 5), dtype=np.uint8)
    images = module.scale_images(pixels)
    assert (images.shape, images.dtype) == ((3, 4, 5, 1), np.float32)
    np.testing.assert_array_equal(module.to_pixels(images)[..., 0], pixels)
    np.testing.assert_array_equal(module.to_pixels([-7.0, 7.0]), [0, 255])


def test_generated_examples_do_not_depend_on_how_many_are_made_at_once() -> None:
    model = small()
    many = model.generate(1500, seed=2)
    assert many.shape == (1500, 2)
    np.testing.assert_array_equal(many, model.generate(1500, seed=2))
    assert np.abs(many - model.generate(1500, seed=3)).max() > 0


def test_one_class_only_is_learnt_as_one_class() -> None:
    model = compiled(module.build_dcgan(4, filters=2, num_classes=3))
    images = RNG.uniform(-1, 1, (8, 28, 28, 1)).astype("float32")
    history = train.fit(model, (images, np.full(8, 1)), batch_size=8, table=False).history
    assert np.isfinite(history["loss"]).all()


# --- bad input


@pytest.mark.parametrize(
    "pixels",
    [
        RNG.random((2, 4, 4)),
        RNG.uniform(-1, 1, (2, 4, 4)),
        np.full((2, 4, 4), 300.0),
        np.full((2, 4, 4), np.nan),
    ],
)
def test_images_outside_the_range_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="grey values from 0 to 255"):
        module.scale_images(pixels)


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        module.scale_images(np.zeros((2, 784)))
    with pytest.raises(ValueError, match="at least one"):
        module.scale_images(np.zeros((0, 28, 28)))


def test_nets_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"makes examples of shape \(1024,\).*takes \(784,\)"):
        GAN(module.build_mlp_generator(3, 1024), module.build_mlp_discriminator(784))
    with pytest.raises(ValueError, match="or into neither"):
        GAN(
            module.build_dcgan_generator(4, filters=2, num_classes=3),
            module.build_dcgan_discriminator(filters=2),
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty": -1.0}, "penalty must be 0 or more"),
        ({"penalty": float("nan")}, "penalty must be 0 or more"),
        ({"generator_loss": "wasserstein"}, "non-saturating or saturating"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_one_optimizer_or_a_loss_is_refused() -> None:
    one = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="two objects"):
        small().compile(one, one)
    with pytest.raises(ValueError, match="own losses"):
        small().compile(one, keras.optimizers.Adam(), loss="mse")


def test_a_request_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="count must be 1 or more"):
        small().generate(0, seed=0)
    with pytest.raises(ValueError, match="leave classes= out"):
        small().generate(2, np.array([0, 1]), seed=0)
    conditional = module.build_dcgan(4, filters=2, num_classes=3)
    with pytest.raises(ValueError, match="say which"):
        conditional.generate(2, seed=0)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        conditional.generate(2, np.array([0]), seed=0)


def test_zero_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match="epochs must be 1 or more"):
        train.fit(compiled(small()), dots(), epochs=0, table=False)


def test_training_that_diverges_stops_with_a_message() -> None:
    with pytest.raises(ValueError, match="NaN"):
        train.fit(compiled(small()), np.full((8, 2), np.nan, "float32"), table=False)
    model = straight(penalty=1e3)  # a step of 1 overshoots the foot of such a steep penalty
    model.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0), jit_compile=False)
    with pytest.raises(train.TrainingDivergedError, match="learning rate"):
        train.fit(model, np.zeros((64, 1), "float32"), epochs=50, batch_size=16, table=False)
