"""The VAE: its formulas against NumPy and numerical integration, its parts, and bad input."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from dlbook import train
from dlbook.models import vae as module
from dlbook.models.vae import VAE

RNG = np.random.default_rng(0)


def small(**settings) -> VAE:
    keras.utils.set_random_seed(0)
    return module.build_vae(12, 3, hidden_units=(8, 6), **settings)


def small_conditional() -> VAE:
    keras.utils.set_random_seed(0)
    return module.build_conditional_vae(12, 3, 4, hidden_units=(8, 6), seed=2)


def bars(count: int = 64) -> np.ndarray:
    """Images of 3×4 pixels, each with one of four columns inked."""
    pictures = np.zeros((count, 3, 4), np.uint8)
    pictures[np.arange(count), :, np.arange(count) % 4] = 255
    return pictures.reshape(count, 12)


# --- formulas


def test_reparameterised_draws_have_the_mean_and_the_variance() -> None:
    mean, log_variance = np.array([2.0, -1.0]), np.array([0.0, np.log(4.0)])
    draws = module.reparameterise(mean, log_variance, RNG.normal(size=(40_000, 2)))
    np.testing.assert_allclose(np.mean(draws, axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.std(draws, axis=0), [1.0, 2.0], rtol=0.02)


def test_gradients_reach_mean_and_log_variance() -> None:
    mean, log_variance, noise = (tf.constant([value]) for value in (0.5, 0.8, -1.5))
    with tf.GradientTape() as tape:
        tape.watch([mean, log_variance])
        draw = module.reparameterise(mean, log_variance, noise)
    by_mean, by_log_variance = tape.gradient(draw, [mean, log_variance])
    assert float(by_mean[0]) == pytest.approx(1.0)
    assert float(by_log_variance[0]) == pytest.approx(0.5 * np.exp(0.4) * -1.5, rel=1e-5)


@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (1.5, 0.3), (-2.0, 4.0)])
def test_kl_equals_numerical_integration(mean: float, variance: float) -> None:
    z = np.linspace(-30, 30, 200_001)
    log_q = -0.5 * ((z - mean) ** 2 / variance + np.log(2 * np.pi * variance))
    log_p = -0.5 * (z**2 + np.log(2 * np.pi))
    integral = np.trapezoid(np.exp(log_q) * (log_q - log_p), z)
    kl = float(module.gaussian_kl(np.float64(mean), np.log(np.float64(variance))))
    assert kl == pytest.approx(integral, abs=1e-5)


def test_log_likelihood_is_the_sum_over_pixels_and_does_not_overflow() -> None:
    pixels = RNG.integers(0, 2, (5, 7)).astype("float32")
    logits = RNG.normal(size=(5, 7)).astype("float32")
    p = 1 / (1 + np.exp(-logits))
    wanted = (pixels * np.log(p) + (1 - pixels) * np.log(1 - p)).sum(axis=1)
    np.testing.assert_allclose(module.bernoulli_log_likelihood(pixels, logits), wanted, rtol=1e-5)
    extreme = module.bernoulli_log_likelihood(np.float32([[1, 0]]), np.float32([[-500, 500]]))
    np.testing.assert_allclose(extreme, [-1000.0])


def test_binarise_draws_ink_with_the_probability_of_the_grey_value() -> None:
    grey = np.tile(np.array([0, 64, 255], np.uint8), (20_000, 1))
    drawn = np.asarray(module.binarise(grey, seed=1))
    assert drawn.dtype == np.float32
    assert set(np.unique(drawn)) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(axis=0), [0, 64 / 255, 1], atol=0.01)
    np.testing.assert_array_equal(drawn, module.binarise(grey, seed=1))
    assert (drawn != np.asarray(module.binarise(grey, seed=2))).any()


def test_every_batch_is_binarised_anew() -> None:
    grey = np.full((2, 12), 128, np.uint8)
    model = small()
    first, second = (np.asarray(model(grey)["pixels"]) for _ in range(2))
    assert (first != second).any()


# --- the model


@pytest.mark.parametrize("num_classes", [0, 4])
def test_shapes_and_parameters(num_classes: int) -> None:
    model = small_conditional() if num_classes else small()
    pixels = bars(5)
    outputs = model((pixels, np.arange(5) % 4) if num_classes else pixels)
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {
        "pixels": (5, 12),
        "mean": (5, 3),
        "log_variance": (5, 3),
        "logits": (5, 12),
    }
    encoder = (12 + num_classes + 1) * 8 + 9 * 6 + 2 * 7 * 3
    decoder = (3 + num_classes + 1) * 6 + 7 * 8 + 9 * 12
    assert model.encoder.count_params() == encoder
    assert model.decoder.count_params() == decoder


def test_loss_is_the_negative_elbo_by_hand() -> None:
    model = small(kl_weight=0.5)
    outputs = {name: np.asarray(value) for name, value in model(bars(4)).items()}
    p = 1 / (1 + np.exp(-outputs["logits"]))
    likelihood = np.where(outputs["pixels"] == 1, p, 1 - p)
    kl = (outputs["mean"] ** 2 + np.exp(outputs["log_variance"]) - 1 - outputs["log_variance"]) / 2
    by_hand = (-np.log(likelihood).sum(axis=1) + 0.5 * kl.sum(axis=1)).mean()
    assert float(model.compute_loss(y_pred=outputs)) == pytest.approx(by_hand, rel=1e-5)
    tracked = {m.name: float(m.result()) for m in (model.reconstruction_tracker, model.kl_tracker)}
    assert tracked["kl"] == pytest.approx(kl.sum(axis=1).mean(), rel=1e-5)
    assert tracked["reconstruction"] + 0.5 * tracked["kl"] == pytest.approx(by_hand, rel=1e-5)


def test_a_gradient_reaches_every_weight() -> None:
    model = small_conditional()
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y_pred=model((bars(16), np.arange(16) % 4)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) == 2 * 4 + 2 * 3
    assert all(np.abs(np.asarray(g)).max() > 0 for g in gradients)


def test_it_learns_a_handful_of_pictures() -> None:
    model = small()
    model.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    history = train.fit(model, bars(), epochs=80, batch_size=16, table=False).history
    # four pictures, equally likely: the bound cannot be better than log 4
    assert np.log(4) - 0.01 < history["loss"][-1] < np.log(4) + 2.0
    assert history["loss"][0] > 6
    np.testing.assert_allclose(
        np.add(history["reconstruction"], history["kl"]), history["loss"], rtol=1e-3
    )
    copies = model.decode(model.encoder(bars(8) / 255)[0])
    np.testing.assert_array_equal(np.round(copies), bars(8) / 255)
    elbo, bound = module.importance_weighted_bound(model, bars(16), num_samples=64)
    assert elbo.mean() < bound.mean() <= -np.log(4) + 0.05


def test_a_conditional_vae_draws_the_class_that_was_asked_for() -> None:
    model = small_conditional()
    model.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    classes = np.arange(64) % 4
    train.fit(model, (bars(), classes), epochs=40, batch_size=32, table=False)
    drawn = model.decode(RNG.normal(size=(4, 3)), np.arange(4))
    np.testing.assert_array_equal(np.round(drawn), bars(4) / 255)


@pytest.mark.parametrize("name", ["vae", "conditional", "autoencoder"])
def test_it_is_saved_and_loaded(tmp_path: Path, name: str) -> None:
    keras.utils.set_random_seed(0)
    model = {
        "vae": lambda: small(kl_weight=0.7),
        "conditional": small_conditional,
        "autoencoder": lambda: module.build_autoencoder(12, 3, hidden_units=(8, 6)),
    }[name]()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.seed == model.seed
    assert getattr(loaded, "kl_weight", None) == {"vae": 0.7, "conditional": 1.0}.get(name)
    inputs = (bars(4), np.arange(4)) if name == "conditional" else bars(4)
    outputs = loaded(inputs)
    for key, value in model(inputs).items():  # the same noise as well
        np.testing.assert_array_equal(outputs[key], value)


def test_the_autoencoder_copies() -> None:
    keras.utils.set_random_seed(0)
    model = module.build_autoencoder(12, 2, hidden_units=(16,))
    model.compile(keras.optimizers.Adam(0.02), jit_compile=False)
    history = train.fit(model, bars(), epochs=60, batch_size=32, table=False).history
    codes = model.encoder(bars(4) / 255)
    assert codes.shape == (4, 2)
    copies = model.decode(codes)
    np.testing.assert_array_equal(np.round(copies), bars(4) / 255)
    wanted = -np.log(np.where(bars(4) > 0, copies, 1 - copies)).sum(axis=1).mean()
    assert history["loss"][-1] == pytest.approx(wanted, abs=0.05)
    assert model.count_params() == 13 * 16 + 17 * 2 + 3 * 16 + 17 * 12


def test_parts_can_have_another_activation() -> None:
    encoder = module.build_encoder(12, 3, hidden_units=(8,), activation="relu")
    decoder = module.build_decoder(12, 3, hidden_units=(8,), activation="relu")
    used = {layer.activation.__name__ for half in (encoder, decoder) for layer in half.layers[1:2]}
    assert used == {"relu"}


# --- the bound


def test_the_bound_approaches_the_likelihood_by_integration() -> None:
    model = module.build_vae(4, 1, hidden_units=(5,))
    rng = np.random.default_rng(3)
    model.decoder.set_weights([rng.normal(size=w.shape) for w in model.decoder.get_weights()])
    model.encoder.set_weights([np.zeros(w.shape) for w in model.encoder.get_weights()])
    picture = np.array([[255, 0, 255, 0]], np.uint8)
    z = np.linspace(-8, 8, 4001, dtype="float32")
    log_joint = module.bernoulli_log_likelihood(
        np.float32(picture / 255), model.decoder(z[:, None])
    ) - 0.5 * (z**2 + np.log(2 * np.pi))
    likelihood = np.log(np.trapezoid(np.exp(log_joint), z))
    elbo, bound = module.importance_weighted_bound(
        model, picture, num_samples=50_000, rows_at_once=50_000
    )
    assert elbo[0] < likelihood - 0.05  # this posterior knows nothing of the picture
    assert bound[0] == pytest.approx(likelihood, abs=0.05)
    one, same = module.importance_weighted_bound(model, picture, num_samples=1)
    np.testing.assert_allclose(one, same, rtol=1e-6)


def test_the_bound_with_another_prior_is_that_of_shifted_codes() -> None:
    """Codes moved by 1 under a prior moved by 1: the same model, so the same bounds."""
    model = small()
    moved = small()
    moved.set_weights(model.get_weights())
    moved.encoder.get_layer("mean").bias.assign_add(np.ones(3))
    first = moved.decoder.layers[1]
    first.bias.assign_add(-ops.sum(first.kernel, axis=0))
    found = module.importance_weighted_bound(
        moved,
        bars(6),
        num_samples=5,
        log_prior=lambda z: -0.5 * ((z - 1) ** 2 + np.log(2 * np.pi)).sum(axis=1),
    )
    wanted = module.importance_weighted_bound(model, bars(6), num_samples=5)
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_the_bound_is_the_same_for_the_same_seed_in_pieces_too() -> None:
    model = small()
    whole = module.importance_weighted_bound(model, bars(6), num_samples=5, seed=4)
    again = module.importance_weighted_bound(model, bars(6), num_samples=5, seed=4)
    np.testing.assert_array_equal(whole, again)
    pieces = module.importance_weighted_bound(model, bars(6), num_samples=5, rows_at_once=10)
    assert pieces[0].shape == pieces[1].shape == (6,)


# --- bad input


def test_inputs_of_another_form_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected shape=\(None, 12\)"):
        small()(np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="expects 2 "):
        module.importance_weighted_bound(small_conditional(), bars(2))


def test_scaled_pixels_are_refused_by_the_bound() -> None:
    for pixels in (bars(2) / 255, np.full((1, 12), np.nan)):
        with pytest.raises(ValueError, match="0 to 255"):
            module.importance_weighted_bound(small(), pixels)


def test_training_on_nan_stops_with_a_message() -> None:
    model = small()
    model.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match="NaN"):
        train.fit(model, np.full((8, 12), np.nan, "float32"), table=False)
    model.compile(keras.optimizers.SGD(1e6), jit_compile=False)
    with pytest.raises(train.TrainingDivergedError):
        train.fit(model, bars(), epochs=50, batch_size=8, table=False)
