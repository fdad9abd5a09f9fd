"""Diffusion models side by side: each is what it would be alone."""

import keras
import numpy as np
import pytest

from dlbook.models import diffusion as module

RNG = np.random.default_rng(0)
PREDICTIONS = ["image", "noise", "v", "image"]
SCHEDULES = ["cosine", "linear", "cosine", "straight"]


def made() -> module.ManyDiffusions:
    keras.utils.set_random_seed(0)
    nets = module.build_point_nets(4, hidden_units=(5,), time_features=4)
    return module.ManyDiffusions(nets, PREDICTIONS, SCHEDULES)


def test_every_net_is_asked_for_its_own_prediction_on_its_own_schedule() -> None:
    """With points that are all 0 the noisy ones are σ noise, and every target is known."""
    many = made()
    seen = {}
    many.net = lambda inputs, training: seen.setdefault("noisy", inputs[0])
    answers = many(np.zeros((64, 4, 2), "float32"))
    noisy, targets = (np.asarray(part) for part in (seen["noisy"], answers["target"]))
    np.testing.assert_array_equal(targets[:, [0, 3]], 0)
    noise = targets[:, 1]
    ratio = noisy[:, 1] / noise  # σ of the linear schedule
    np.testing.assert_allclose(ratio[:, 0], ratio[:, 1], rtol=1e-3)
    alpha = targets[:, 2] * np.asarray(noisy[:, 2]) / np.square(noisy[:, 2])  # α noise / σ noise
    np.testing.assert_allclose(alpha[:, 0], alpha[:, 1], rtol=1e-3)
    # one time for all nets of a row: from α/σ of the cosine follows t, and σ of the linear one
    t = np.arctan2(1, alpha[:, 0]) * 2 / np.pi
    np.testing.assert_allclose(
        ratio[:, 0], np.asarray(module.signal_and_noise(t, "linear")[1]), rtol=2e-3
    )


def test_drawing_is_what_each_net_draws_alone() -> None:
    many = made()
    start = RNG.normal(size=(6, 4, 2)).astype("float32")
    times = module.sampling_times(7)
    together = many.generate(start, times)
    for k, (prediction, schedule) in enumerate(zip(PREDICTIONS, SCHEDULES, strict=True)):

        def guess(z, t, k=k, prediction=prediction, schedule=schedule):
            whole = np.repeat(np.asarray(z)[:, None], 4, axis=1)
            answer = many.net([whole, np.full(len(z), t, "float32")])[:, k]
            pair = module.signal_and_noise(t, schedule)
            return module.image_and_noise(prediction, answer, z, *pair)[0]

        alone = module.sample(guess, start[:, k], 7, schedule=schedule)
        np.testing.assert_allclose(together[:, k], alone, rtol=1e-3, atol=1e-3)


def test_they_learn() -> None:
    many = made()
    many.compile(keras.optimizers.Adam(0.01), jit_compile=False)
    points = np.ones((512, 4, 2), "float32")
    first, *_, last = many.fit(points, batch_size=32, epochs=8, verbose=0).history["loss"]
    assert last < 0.7 * first


@pytest.mark.parametrize(
    ("predictions", "schedules", "message"),
    [
        (PREDICTIONS[:3], SCHEDULES, "4 nets need as many"),
        (PREDICTIONS, SCHEDULES[:3], "4 nets need as many"),
        (["picture", *PREDICTIONS[1:]], SCHEDULES, "prediction must be one of"),
        (PREDICTIONS, ["sine", *SCHEDULES[1:]], "schedule must be one of"),
    ],
)
def test_what_does_not_fit_is_refused(predictions, schedules, message) -> None:
    nets = module.build_point_nets(4, hidden_units=(5,), time_features=4)
    with pytest.raises(ValueError, match=message):
        module.ManyDiffusions(nets, predictions, schedules)
