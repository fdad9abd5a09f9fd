"""The lowest temperature of each day in Melbourne, 1981 to 1990."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.series import SeriesData
from dlbook.data.loading import load

_FILE = "timeseries/daily-min-temperatures.csv"
_YEAR = 365

register(
    name="daily-temperatures",
    title="daily minimum temperatures in Melbourne",
    files=(
        RemoteFile(
            _FILE,
            67_921,
            "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da",
            (
                "https://raw.githubusercontent.com/jbrownlee/Datasets/"
                "d20fcb6402ae34e653d4513b00f39257bb37ed7f/daily-min-temperatures.csv",
            ),
        ),
    ),
    licence="none stated; measured by the Australian Bureau of Meteorology",
    citation="Australian Bureau of Meteorology; the file: J. Brownlee's collection of data sets",
    homepage="https://github.com/jbrownlee/Datasets",
)


def load_daily_temperatures() -> SeriesData:
    """Loads the lowest temperature of each day in Melbourne.

    Returns:
        3,650 days in °C: ten years of 365, since the file leaves out the last day of leap years.
        Six years to train, two to validate, two to test. The stand-in is a made-up series of as
        many days.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    parts = {"train_end": 6 * _YEAR, "validation_end": 8 * _YEAR, "test_end": 10 * _YEAR}
    common = {"columns": ("minimum temperature",), "unit": "°C", "period": _YEAR, "step": "day"}
    return load("daily-temperatures", SeriesData, _read, **common, **parts)


def read_daily_temperatures(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reads the file: a date and a temperature in each line.

    Args:
        path: the file.

    Returns:
        Times (days,); values (days, 1).
    """
    with path.open(encoding="utf-8", newline="") as lines:
        _, *rows = csv.reader(lines)
    times = np.array([row[0] for row in rows], "datetime64[D]")
    return times, np.array([[row[1]] for row in rows], np.float32)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    times, values = read_daily_temperatures(paths[_FILE])
    return {"times": times, "values": values}
