"""ETTh1, the daily temperatures, and their stand-ins."""

import os

import numpy as np
import pytest

from dlbook.data import load_daily_temperatures, load_etth1
from dlbook.data.daily_temperatures import read_daily_temperatures
from dlbook.data.etth1 import read_etth1
from dlbook.data.kinds.series import SeriesData
from dlbook.data.stand_ins import daily_temperatures as made_days
from dlbook.data.stand_ins import etth1 as made_hours

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")
needs_real = pytest.mark.skipif(
    not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real data"
)
LOADERS = {"etth1": load_etth1, "daily-temperatures": load_daily_temperatures}
EVERY_SET = pytest.mark.parametrize("name", LOADERS)


def correlation(values: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


def check_hours(data: SeriesData):
    assert data.values.dtype == np.float32
    assert data.values.shape[1] == len(data.columns) == 7
    assert data.columns[0] == "oil temperature"
    assert (data.unit, data.period, data.step) == ("°C", 24, "hour")
    assert set(np.diff(data.times)) == {np.timedelta64(1, "h")}
    assert -10 < data.values[:, 0].min() < data.values[:, 0].max() < 60
    train = data.values[: data.train_end, 0]
    test = data.values[data.validation_end : data.test_end, 0]
    assert test.mean() < train.mean()  # the level drifts away from that of the training part
    changes = np.diff(train)
    assert correlation(changes, 24) > correlation(changes, 12)  # a daily cycle


def check_days(data: SeriesData):
    assert data.values.dtype == np.float32
    assert data.values.shape == (3_650, 1)
    assert (data.unit, data.period, data.step) == ("°C", 365, "day")
    assert data.times[0] == np.datetime64("1981-01-01")
    steps = np.diff(data.times)
    assert (steps == np.timedelta64(2, "D")).sum() == 2  # two leap years lack a day
    assert (steps == np.timedelta64(1, "D")).sum() == 3_647
    temperatures = data.values[:, 0]
    assert -5 < temperatures.min() < temperatures.max() < 35
    angle = 2 * np.pi * np.arange(3_650) / 365
    table = np.column_stack([np.ones(3_650), np.sin(angle), np.cos(angle)])
    weather = temperatures - table @ np.linalg.lstsq(table, temperatures, rcond=None)[0]
    assert 0.4 < correlation(weather, 1) < 0.6
    assert 2 < weather.std() < 3.5


@pytest.fixture
def stand_ins(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")


def test_the_stand_in_is_like_etth1(stand_ins):
    data = load_etth1()
    check_hours(data)
    assert data.is_stand_in
    assert "invented temperature" in data.describe()
    assert "hours to train, validate, test: 1,440, 480, 480" in data.sizes()


def test_the_stand_in_is_like_the_daily_temperatures(stand_ins):
    data = load_daily_temperatures()
    check_days(data)
    assert data.is_stand_in
    assert "invented years" in data.describe()
    assert "days to train, validate, test: 2,190, 730, 730" in data.sizes()


@pytest.mark.parametrize("module", [made_hours, made_days])
def test_the_stand_ins_are_the_same_every_time(module):
    first, second = module.make(), module.make()
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name


@EVERY_SET
def test_the_arrays_cannot_be_changed(name, stand_ins):
    with pytest.raises(ValueError, match="read-only"):
        LOADERS[name]().values[0] = 0


def series(**fields) -> SeriesData:
    given = {
        "name": "toy",
        "title": "toy",
        "source": "stand-in",
        "licence": "none",
        "citation": "none",
        "values": np.zeros((10, 2), np.float32),
        "times": np.datetime64("2000-01-01") + np.arange(10),
        "columns": ("a", "b"),
        "unit": "°C",
        "period": 2,
        "step": "day",
        "train_end": 4,
        "validation_end": 6,
        "test_end": 10,
    }
    return SeriesData(**(given | fields))


def test_a_series_refuses_what_does_not_fit():
    assert series().sizes() == "10 days, 2 columns; days to train, validate, test: 4, 2, 4"
    with pytest.raises(ValueError, match="finite"):
        series(values=np.full((10, 2), np.nan, np.float32))
    with pytest.raises(ValueError, match="finite"):
        series(values=np.zeros(10, np.float32))
    with pytest.raises(ValueError, match="10 steps and 2 columns"):
        series(columns=("a",))
    for wrong in ({"train_end": 0}, {"validation_end": 4}, {"test_end": 11}, {"test_end": 6}):
        with pytest.raises(ValueError, match="follow each other"):
            series(**wrong)


def test_the_files_are_read(tmp_path):
    hours = tmp_path / "hours.csv"
    hours.write_text("date,A,B,OT\n2016-07-01 00:00:00,1.5,2,30.5\n2016-07-01 01:00:00,1,-2,31\n")
    times, values, columns = read_etth1(hours)
    assert times.tolist() == np.array(["2016-07-01T00", "2016-07-01T01"], "M8[h]").tolist()
    assert values.tolist() == [[30.5, 1.5, 2.0], [31.0, 1.0, -2.0]]
    assert columns == ("oil temperature", "A", "B")
    days = tmp_path / "days.csv"
    days.write_text('"Date","Temp"\n"1981-01-01",20.7\n"1981-01-02",17.9')
    times, values = read_daily_temperatures(days)
    assert times.tolist() == np.array(["1981-01-01", "1981-01-02"], "M8[D]").tolist()
    np.testing.assert_allclose(values, [[20.7], [17.9]], rtol=1e-6)


@needs_real
def test_the_real_etth1_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_etth1()
    check_hours(data)
    assert data.source == "mirror folder"
    assert data.values.shape == (17_420, 7)
    assert data.columns[1:] == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL")
    assert data.times[0] == np.datetime64("2016-07-01T00")
    assert data.times[-1] == np.datetime64("2018-06-26T19")
    assert np.isclose(data.values[0, 0], 30.531)
    assert np.isclose(data.values[-1, 0], 9.567)
    assert "8,640, 2,880, 2,880" in data.sizes()


@needs_real
def test_the_real_daily_temperatures_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_daily_temperatures()
    check_days(data)
    assert data.source == "mirror folder"
    assert np.isclose(data.values[0, 0], 20.7)
    assert np.isclose(data.values[-1, 0], 13.0)
