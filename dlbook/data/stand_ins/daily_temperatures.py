"""A stand-in for the daily temperatures: ten made-up years."""

from typing import Any

import numpy as np

_YEARS = 10
_SEED = 20240816

LICENCE = "made by dlbook (the licence of this package)"
CITATION = "none: a made-up series"
NOTE = (
    "Ten invented years of 365 days: a yearly cycle like that of the real temperatures, and "
    "weather of which half is left from one day to the next. Results on it say nothing about "
    "results on the real temperatures."
)


def make() -> dict[str, Any]:
    """Makes the series: yearly cycle and weather.

    Returns:
        Fields of a ``SeriesData``, the same in every process.
    """
    rng = np.random.default_rng(_SEED)
    days = np.arange(365 * _YEARS)
    angle = 2 * np.pi * (days % 365) / 365
    weather, added = np.zeros(len(days)), rng.normal(size=len(days))
    for day in days[1:]:
        weather[day] = 0.5 * weather[day - 1] + 2.4 * added[day]
    values = 11.2 + 1.8 * np.sin(angle) + 3.8 * np.cos(angle) + weather
    first = np.array([f"{1981 + year}-01-01" for year in range(_YEARS)], "datetime64[D]")
    times = (first[:, None] + np.arange(365)).ravel()  # the last day of a leap year is left out
    return {"times": times, "values": values[:, None].round(1).astype(np.float32)}
