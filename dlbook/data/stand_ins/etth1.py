"""A stand-in for ETTh1: a hundred days of a made-up temperature, hour by hour."""

from typing import Any

import numpy as np

_DAYS, _TRAIN_DAYS, _VALIDATION_DAYS = 100, 60, 20
_SEED = 20240815

LICENCE = "made by dlbook (the licence of this package)"
CITATION = "none: a made-up series"
NOTE = (
    "An invented temperature: a daily cycle of changing strength, a slow drift that makes the test "
    "days colder than the training days, and noise that fades within some hours, so that the next "
    "day can be foretold in part. Six loads that follow the daily cycle. Results on it say nothing "
    "about results on ETTh1."
)


def make() -> dict[str, Any]:
    """Makes the series: daily cycle, trend, autocorrelated noise.

    Returns:
        Fields of a ``SeriesData``, the same in every process.
    """
    rng = np.random.default_rng(_SEED)
    hours = np.arange(24 * _DAYS)
    weather = _fading(rng, len(hours), keep=0.995, size=0.25)  # over days
    short = _fading(rng, len(hours), keep=0.8, size=0.5)  # over hours
    strength = 3 + _fading(rng, len(hours), keep=0.998, size=0.05)
    cycle = np.sin(2 * np.pi * (hours - 9) / 24) + 0.3 * np.sin(4 * np.pi * hours / 24)
    temperature = 20 - 5 * hours / len(hours) + strength * cycle + weather + short
    sizes = np.array([7.0, 2.0, 5.0, 1.0, 3.0, 1.0])
    loads = sizes * (1 + 0.3 * cycle[:, None] + 0.2 * rng.normal(size=(len(hours), 6)))
    values = np.concatenate([temperature[:, None], loads], axis=1)
    return {
        "times": np.datetime64("2016-07-01T00", "h") + hours,
        "values": values.astype(np.float32),
        "columns": ("oil temperature", "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL"),
        "train_end": 24 * _TRAIN_DAYS,
        "validation_end": 24 * (_TRAIN_DAYS + _VALIDATION_DAYS),
        "test_end": 24 * _DAYS,
    }


def _fading(rng: np.random.Generator, steps: int, keep: float, size: float) -> np.ndarray:
    """Noise that keeps a share of itself from step to step; ``size`` is that of what is added."""
    noise, added = np.zeros(steps), size * rng.normal(size=steps)
    for step in range(1, steps):
        noise[step] = keep * noise[step - 1] + added[step]
    return noise
