"""ETTh1: two years of an electricity transformer's oil temperature, hour by hour."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.series import SeriesData
from dlbook.data.loading import load

_FILE = "timeseries/ETTh1.csv"
_MONTH = 30 * 24  # hours, as the papers count

register(
    name="etth1",
    title="ETTh1",
    files=(
        RemoteFile(
            _FILE,
            2_589_657,
            "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
            (
                "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/"
                "1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETTh1.csv",
            ),
        ),
    ),
    licence="CC BY-ND 4.0: the file is used as it is, unmodified",
    citation=(
        "H. Zhou, S. Zhang, J. Peng, S. Zhang, J. Li, H. Xiong, W. Zhang: Informer: beyond "
        "efficient transformer for long sequence time-series forecasting. AAAI 2021"
    ),
    homepage="https://github.com/zhouhaoyi/ETDataset",
)


def load_etth1() -> SeriesData:
    """Loads ETTh1, measured at an electricity transformer in China from July 2016 to June 2018.

    Returns:
        17,420 hours: the temperature of the transformer's oil in °C, then six loads. The parts are
        those of most papers: 12 months of 30 days to train, 4 to validate, 4 to test; the rest
        has no part. The stand-in is a made-up series of 2,400 hours.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("etth1", SeriesData, _read, unit="°C", period=24, step="hour")


def read_etth1(path: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Reads the file: a date, six loads, the oil temperature ("OT").

    Args:
        path: the file.

    Returns:
        Times (hours,); values (hours, 7), the temperature first; the names of the columns.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        (_, *loads, _), *rows = csv.reader(lines)
    times = np.array([row[0] for row in rows], "datetime64[h]")
    table = np.array([row[1:] for row in rows], np.float32)
    return times, np.roll(table, 1, axis=1), ("oil temperature", *loads)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    times, values, columns = read_etth1(paths[_FILE])
    return {
        "times": times,
        "values": values,
        "columns": columns,
        "train_end": 12 * _MONTH,
        "validation_end": 16 * _MONTH,
        "test_end": 20 * _MONTH,
    }
