"""Diffusion: formulas against simulation and exact solutions, samplers, nets, and bad input."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest

from dlbook import train
from dlbook.models import diffusion as module
from dlbook.models.diffusion import DiffusionModel

RNG = np.random.default_rng(0)
KINDS = module.PREDICTIONS
SCHEDULES = tuple(module.SCHEDULES)


def small_unet(**settings) -> keras.Model:
    keras.utils.set_random_seed(0)
    settings = {"channels": (4, 8), "num_hidden": 6, "embedding_dim": 8, **settings}
    return module.build_unet(8, **settings)


def small(**settings) -> DiffusionModel:
    net = small_unet(num_classes=settings.get("num_classes", 0))
    for weight in net.trainable_variables:  # what begins at zero must not hide a mistake
        weight.assign(weight + 0.1 * RNG.normal(size=weight.shape))
    return DiffusionModel(net, **settings)


def pictures(count: int = 64) -> np.ndarray:
    """Images of 8×8 with one of two halves inked."""
    images = -np.ones((count, 8, 8, 1), "float32")
    images[::2, :4] = 1
    images[1::2, 4:] = 1
    return images


# --- the forward process


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_goes_from_the_image_to_noise(schedule: str) -> None:
    alpha, sigma = map(np.asarray, module.signal_and_noise(np.linspace(0, 1, 50), schedule))
    np.testing.assert_allclose([alpha[0], sigma[0]], [1, 0], atol=1e-6)
    assert alpha[-1] < 0.01
    assert sigma[-1] > 0.99
    assert (np.diff(alpha) < 0).all()
    assert (np.diff(sigma) > 0).all()
    total = alpha + sigma if schedule == "straight" else alpha**2 + sigma**2
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_the_linear_schedule_is_that_of_ddpm() -> None:
    betas = np.linspace(1e-4, 0.02, 1000)  # Ho, Jain & Abbeel, section 4
    alpha, _ = module.signal_and_noise(np.arange(1, 1001) / 1000, "linear")
    np.testing.assert_allclose(alpha, np.sqrt(np.cumprod(1 - betas)), rtol=0.06, atol=1e-3)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_closed_form_has_the_moments_of_noise_added_step_by_step(schedule: str) -> None:
    draws = np.random.default_rng(1)
    x = np.full(200_000, 0.7)
    alphas, _ = map(np.asarray, module.signal_and_noise(np.linspace(0, 0.6, 31), schedule))
    z = x.copy()
    for before, after in itertools.pairwise(alphas):
        keep = after / before
        z = keep * z + np.sqrt(1 - keep**2) * draws.normal(size=z.shape)
    at_once = np.asarray(module.diffuse(x, draws.normal(size=x.shape), 0.6, schedule))
    alpha, sigma = (float(part) for part in module.signal_and_noise(0.6, schedule))
    for found in (z, at_once):
        assert found.mean() == pytest.approx(alpha * 0.7, abs=0.01)
        assert found.std() == pytest.approx(sigma, rel=0.01)


def test_every_image_gets_its_own_time() -> None:
    images, noise = np.ones((2, 3, 3, 1)), np.zeros((2, 3, 3, 1))
    noisy = np.asarray(module.diffuse(images, noise, np.array([0.0, 0.5])))
    np.testing.assert_allclose(noisy[0], 1, atol=1e-6)
    np.testing.assert_allclose(noisy[1], np.cos(np.pi / 4), atol=1e-6)


@pytest.mark.parametrize("t", [-0.1, 1.01, np.nan, [0.5, 2.0]])
def test_a_time_outside_the_schedule_is_refused(t) -> None:
    with pytest.raises(ValueError, match="t must be from 0"):
        module.signal_and_noise(t)


# --- predictions


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_convert_into_image_and_noise(kind: str, schedule: str) -> None:
    image, noise = RNG.normal(size=(2, 5, 3))
    alpha, sigma = (float(part) for part in module.signal_and_noise(0.3, schedule))
    asked = module.target(kind, image, noise, alpha, sigma)
    found = module.image_and_noise(kind, asked, alpha * image + sigma * noise, alpha, sigma)
    np.testing.assert_allclose(found[0], image, atol=1e-9)
    np.testing.assert_allclose(found[1], noise, atol=1e-9)


def test_on_the_straight_path_v_is_not_the_flow() -> None:
    image, noise = np.array([1.0]), np.array([0.0])
    assert module.target("v", image, noise, 0.75, 0.25) == -0.25
    assert module.target("flow", image, noise, 0.75, 0.25) == -1


# --- samplers


def gaussian_guess(mean: float, spread: float, schedule: str = "cosine"):
    """The best guess when the data are normally distributed."""

    def guess(noisy, t):
        alpha, sigma = (float(part) for part in module.signal_and_noise(t, schedule))
        gain = alpha * spread**2 / (alpha**2 * spread**2 + sigma**2)
        return mean + gain * (noisy - alpha * mean)

    return guess


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("freshness", [0.0, 0.5, 1.0])
def test_with_the_exact_guess_a_gaussian_comes_out(schedule: str, freshness: float) -> None:
    start = RNG.normal(size=(20_000, 1))
    guess = gaussian_guess(2.0, 0.5, schedule)
    made = module.sample(guess, start, 200, schedule=schedule, freshness=freshness, seed=1)
    assert made.mean() == pytest.approx(2.0, abs=0.03)
    assert made.std() == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_a_fresh_step_is_the_posterior_by_bayes(schedule: str) -> None:
    x, noisy, s, t = 0.4, -0.3, 0.3, 0.5
    (alpha_s, sigma_s), (alpha_t, sigma_t) = (
        tuple(float(part) for part in module.signal_and_noise(u, schedule)) for u in (s, t)
    )
    grid = np.linspace(-8, 8, 40_001)
    keep = alpha_t / alpha_s
    added = sigma_t**2 - keep**2 * sigma_s**2
    log_p = -((grid - alpha_s * x) ** 2) / (2 * sigma_s**2) - (noisy - keep * grid) ** 2 / (
        2 * added
    )
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    mean = (p * grid).sum()
    spread = np.sqrt((p * (grid - mean) ** 2).sum())
    step = lambda fresh: module.step_back(noisy, x, t, s, fresh, schedule=schedule)  # noqa: E731
    assert step(0.0) == pytest.approx(mean, abs=1e-5)
    assert step(1.0) - step(0.0) == pytest.approx(spread, rel=1e-4)


def test_ddim_on_the_straight_path_is_eulers_method() -> None:
    noisy, image = RNG.normal(size=(2, 6))
    flow = (noisy - image) / 0.8
    stepped = module.step_back(noisy, image, 0.8, 0.5, 0.0, schedule="straight", freshness=0.0)
    np.testing.assert_allclose(stepped, noisy + (0.5 - 0.8) * flow, atol=1e-6)


def test_a_guess_of_the_cosine_schedule_answers_on_the_straight_path() -> None:
    straight = module.on_straight_path(gaussian_guess(2.0, 0.5))
    noisy = RNG.normal(size=5)
    for t in (0.1, 0.5, 0.9):
        expected = gaussian_guess(2.0, 0.5, "straight")(noisy, t)
        np.testing.assert_allclose(straight(noisy, t), expected, atol=1e-5)
    with pytest.raises(ValueError, match="schedule must be"):
        module.on_straight_path(straight, "linear")


def test_the_exact_guess_of_a_training_set_copies_it() -> None:
    examples = RNG.normal(size=(20, 2))
    made = module.sample(module.exact_guess(examples), RNG.normal(size=(200, 2)), 200)
    distances = np.linalg.norm(made[:, None] - examples, axis=-1).min(axis=1)
    assert (distances < 0.01).mean() > 0.95


def test_the_exact_guess_is_the_average_by_bayes() -> None:
    examples, noisy = np.array([[0.0], [1.0]]), np.array([[0.3]])
    alpha = sigma = np.sqrt(0.5)
    odds = np.exp(-((0.3 - alpha * examples[:, 0]) ** 2) / (2 * sigma**2))
    expected = odds[1] / odds.sum()
    assert module.exact_guess(examples)(noisy, 0.5)[0, 0] == pytest.approx(expected, abs=1e-5)


def test_sampling_keeps_the_path_when_asked() -> None:
    path, guesses = module.sample(gaussian_guess(0.0, 1.0), np.ones((3, 2)), 4, keep=True)
    assert path.shape == (5, 3, 2)
    assert guesses.shape == (4, 3, 2)
    np.testing.assert_allclose(path[-1], guesses[-1], atol=1e-6)


@pytest.mark.parametrize("steps", [0, -1])
def test_zero_steps_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps must be 1 or more"):
        module.sample(gaussian_guess(0.0, 1.0), np.ones((1, 1)), steps)


@pytest.mark.parametrize(("t", "earlier"), [(0.5, 0.5), (0.4, 0.5), (0.5, -0.1), (1.1, 0.5)])
def test_a_step_must_go_back(t: float, earlier: float) -> None:
    with pytest.raises(ValueError, match="earlier"):
        module.step_back(np.ones(1), np.ones(1), t, earlier, 0.0)


# --- the model


def test_nets_side_by_side_are_nets_of_their_own() -> None:
    nets = module.build_point_nets(3, hidden_units=(5, 4), time_features=4)
    noisy = RNG.normal(size=(6, 3, 2)).astype("float32")
    times = np.linspace(0.1, 0.9, 6).astype("float32")
    found = np.asarray(nets([noisy, times]))
    told = np.asarray(module.TimeFeatures(4)(times))
    parts = [np.asarray(weight) for weight in nets.weights]
    for k in range(3):
        x = np.concatenate([noisy[:, k], told], axis=1)
        for kernel, bias in zip(parts[::2], parts[1::2], strict=True):
            x = x @ kernel[k] + bias[k]
            x = x / (1 + np.exp(-x)) if kernel is not parts[-2] else x
        np.testing.assert_allclose(found[:, k], x, atol=1e-5)
    assert nets.count_params() == 3 * ((6 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 2)
    # every net begins like build_point_net: within Glorot's limits for its own sizes
    assert 0.8 < np.abs(parts[0]).max() / np.sqrt(6 / (6 + 5)) <= 1


def test_nets_side_by_side_are_saved_whole(tmp_path: Path) -> None:
    nets = module.build_point_nets(2, hidden_units=(4,))
    nets.save(tmp_path / "nets.keras")
    again = keras.models.load_model(tmp_path / "nets.keras")
    inputs = [RNG.normal(size=(3, 2, 2)).astype("float32"), np.full(3, 0.5, "float32")]
    np.testing.assert_allclose(np.asarray(again(inputs)), np.asarray(nets(inputs)), rtol=1e-5)


def test_shapes_and_parameters_of_the_unet() -> None:
    net = module.build_unet()
    noisy = RNG.normal(size=(2, 28, 28, 1))
    assert net([noisy, np.array([0.1, 0.9]), np.array([3, 10])]).shape == (2, 28, 28, 1)

    def block(before: int, after: int) -> int:
        shortcut = 0 if before == after else before * after + after
        return 9 * before * after + after + 9 * after * after + after + 65 * after + shortcut

    told = 33 * 64 + 11 * 64 + 65 * 64
    down = 9 * 4 * 16 + 16 + block(16, 16) + 4 * 16 * 64 + 64 + block(64, 64)
    middle = 65 * 256 + (3136 + 1) * 256 + (256 + 1) * 3136
    up = 4 * 64 * 16 + 16 + block(32, 16) + 9 * 16 * 4 + 4
    assert net.count_params() == told + down + middle + up


def test_class_vectors_begin_with_a_spread_of_one() -> None:
    """Otherwise the net is slow to hear the class beside the time."""
    keras.utils.set_random_seed(0)
    net = module.build_unet(8, channels=(4, 8), num_hidden=6)
    (named,) = (part for part in net.layers if isinstance(part, keras.layers.Embedding))
    assert np.std(named.embeddings) == pytest.approx(1, abs=0.1)


def test_the_unet_puts_pixels_back_where_they_were() -> None:
    net = small_unet(num_classes=0)  # its blocks add nothing yet
    convolutions = [layer for layer in net.layers if type(layer) is keras.layers.Conv2D]
    first, last = convolutions[0], convolutions[-1]
    [shortcut] = [layer for layer in convolutions if layer.kernel_size == (1, 1)]
    for layer, place in ((first, (1, 1)), (last, (1, 1)), (shortcut, (0, 0))):
        kernel = np.zeros(layer.kernel.shape)
        kernel[place][-4:] = np.eye(4)  # the last four channels straight through: the skip
        layer.kernel.assign(kernel)
    noisy = RNG.uniform(20, 30, size=(2, 8, 8, 1))  # silu leaves large numbers as they are
    np.testing.assert_allclose(net([noisy, np.zeros(2)]), noisy, rtol=1e-5)


def test_gradients_reach_every_weight(check_gradients) -> None:
    model = small(num_classes=3)
    x = [
        RNG.normal(size=(8, 8, 8, 1)).astype("float32"),
        RNG.uniform(size=8).astype("float32"),
        np.arange(8) % 4,
    ]
    check_gradients(model.net, x)


def test_saved_and_loaded_it_invents_the_same(tmp_path: Path) -> None:
    model = small(num_classes=3, prediction="v")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    settings = {"steps": 3, "classes": np.array([0, 2]), "strength": 1.0, "freshness": 1.0}
    np.testing.assert_array_equal(loaded.generate(2, **settings), model.generate(2, **settings))
    assert loaded.prediction == "v"
    assert loaded.limits == (-1.0, 1.0)


def test_ddim_is_deterministic_and_ddpm_depends_on_the_seed() -> None:
    model = small()
    start = RNG.normal(size=(2, 8, 8, 1))
    ddim = [module.sample(model.guess, start, 3, seed=seed) for seed in (0, 1)]
    np.testing.assert_array_equal(*ddim)
    ddpm = [module.sample(model.guess, start, 3, freshness=1.0, seed=seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(*ddpm[:2])
    assert np.abs(ddpm[0] - ddpm[2]).max() > 1e-3


def test_guidance_of_zero_and_minus_one() -> None:
    model = small(num_classes=3, limits=None)
    noisy, classes = RNG.normal(size=(4, 8, 8, 1)), np.array([0, 1, 2, 0])
    told, untold = model.guess(noisy, 0.5, classes), model.guess(noisy, 0.5)
    assert np.abs(np.asarray(told - untold)).max() > 1e-4
    guided = model.guess(noisy, 0.5, classes, strength=-1.0)
    np.testing.assert_allclose(guided, untold, atol=1e-5)
    guided = model.guess(noisy, 0.5, classes, strength=1.5)
    np.testing.assert_allclose(guided, told + 1.5 * (told - untold), atol=1e-4)
    same = model.guess(noisy, 0.5, np.full(4, 3), strength=2.0)
    np.testing.assert_allclose(same, untold, atol=1e-5)


def test_guesses_stay_within_the_limits() -> None:
    guess = small(limits=(-0.01, 0.01)).guess(10 * RNG.normal(size=(4, 8, 8, 1)), 0.9)
    assert np.abs(np.asarray(guess)).max() <= 0.01 + 1e-7


def test_batches_do_not_change_what_is_invented() -> None:
    model = small()
    whole, parts = (model.generate(5, steps=2, batch_size=size) for size in (5, 2))
    np.testing.assert_allclose(whole, parts, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_one_small_batch_is_learnt(kind: str) -> None:
    keras.utils.set_random_seed(0)
    net = small_unet(channels=(8, 16), num_hidden=16, num_classes=0)
    model = DiffusionModel(net, prediction=kind)
    model.compile(keras.optimizers.Adam(5e-3), jit_compile=False)
    history = train.fit(model, pictures(), epochs=120, batch_size=64, table=False)
    losses = history.history["loss"]
    assert np.mean(losses[-10:]) < 0.5 * losses[0]


def test_it_learns_points_and_classes() -> None:
    """Two clusters: told which, it draws that one."""
    keras.utils.set_random_seed(0)
    classes = RNG.integers(2, size=2048)
    points = (4.0 * classes[:, None] - 2 + 0.2 * RNG.normal(size=(2048, 2))).astype("float32")
    noisy, times = keras.Input((2,)), keras.Input(())
    told = keras.Input((), dtype="int32")
    x = keras.layers.Concatenate()(
        [noisy, module.TimeFeatures(8)(times), keras.layers.Embedding(3, 4)(told)]
    )
    x = keras.layers.Dense(64, activation="silu")(x)
    net = keras.Model([noisy, times, told], keras.layers.Dense(2)(x))
    model = DiffusionModel(net, num_classes=2, limits=None)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    train.fit(model, (points, classes), epochs=25, batch_size=128, table=False)
    wanted = np.arange(100) % 2
    made = model.generate(100, steps=20, classes=wanted)
    assert ((made.mean(axis=1) > 0) == (wanted == 1)).mean() > 0.95


def test_the_average_of_the_weights_is_put_in_place() -> None:
    model = small()
    model.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9), jit_compile=False)
    train.fit(model, pictures(), epochs=2, batch_size=32, table=False)
    averages = model.optimizer._model_variables_moving_average
    for weight, average in zip(model.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(weight, average)


# --- bad input


def test_nan_in_a_batch_is_refused() -> None:
    model = small()
    model.compile(keras.optimizers.Adam(), jit_compile=False)
    images = pictures()
    images[3, 0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        train.fit(model, images, table=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "square"}, "schedule must be one of"),
        ({"prediction": "score"}, "prediction must be one of"),
        ({"num_classes": 10}, "does not fit a net"),
    ],
)
def test_settings_that_do_not_fit(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DiffusionModel(small_unet(num_classes=0), **settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count must be 1"),
        ({"count": 2, "steps": 0}, "steps must be 1"),
        ({"count": 2, "classes": [0]}, "classes must be 2"),
        ({"count": 2, "classes": [0, 4]}, "classes must be 2"),
        ({"count": 2, "classes": [0, -1]}, "classes must be 2"),
        ({"count": 2, "classes": [0.0, 1.0]}, "classes must be 2"),
        ({"count": 2, "strength": 1.0}, "guidance needs classes"),
    ],
)
def test_what_cannot_be_generated(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(num_classes=3).generate(**arguments)


def test_a_net_without_classes_cannot_be_told_any() -> None:
    with pytest.raises(ValueError, match="told no classes"):
        small().generate(2, classes=[0, 1])


@pytest.mark.parametrize("t", [0.0, -0.5, 1.5, np.nan])
def test_a_guess_needs_a_time_of_the_schedule(t: float) -> None:
    with pytest.raises(ValueError, match="t must be above 0"):
        small().guess(np.zeros((1, 8, 8, 1)), t)


@pytest.mark.parametrize("size", [0, 6, 27])
def test_a_size_that_cannot_be_halved_twice(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        module.build_unet(size)


def test_odd_time_features() -> None:
    with pytest.raises(ValueError, match="even"):
        module.TimeFeatures(3)
