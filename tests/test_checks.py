"""check(): what it lets pass, what it says when it does not, and what it records."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dlbook import CheckError, check, output
from dlbook.checks import checks

ROOT = Path(__file__).resolve().parent.parent
REAL = SimpleNamespace(is_stand_in=False)
STAND_IN = SimpleNamespace(is_stand_in=True)


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        (0.99, {"at_least": 0.99}),
        (1.0, {"at_least": 0.99}),
        (3, {"at_most": 3}),
        (-1, {"at_most": 0}),
        (0.0, {"at_least": 0}),
        (np.float32(0.5), {"at_least": 0.5}),
        (np.array([0.5, 0.9]), {"at_least": 0.5}),
        ([[1, 2], [3, 4]], {"at_most": 4}),
        (math.inf, {"at_least": 5}),
        (7, {"equals": 7}),
        (7.0, {"equals": 7}),
        ("relu", {"equals": "relu"}),
        ((3, 4), {"equals": (3, 4)}),
        (np.arange(3), {"equals": np.arange(3)}),
        (np.array([3, 4]), {"equals": (3, 4)}),
        ((), {"equals": ()}),
        (True, {"equals": True}),
        (1.05, {"equals": 1, "tolerance": 0.1}),
        (np.ones((2, 2)), {"equals": np.ones((2, 2)) + 1e-8, "tolerance": 1e-6}),
        (True, {}),
        (np.bool_(True), {}),
        (np.array([True, True]), {}),
    ],
    ids=str,
)
def test_what_holds(value, claim: dict, capsys: pytest.CaptureFixture):
    check("claim", value, **claim)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("✓ claim: ")


@pytest.mark.parametrize(
    ("value", "claim", "message"),
    [
        (0.95, {"at_least": 0.99}, "0.95, 0.04 below the bar of 0.99"),
        (3.5, {"at_most": 3}, "3.5, 0.5 above the bar of 3"),
        (-math.inf, {"at_least": 0}, "-inf, inf below the bar of 0"),
        (
            np.array([0.9, 0.2]),
            {"at_least": 0.5},
            "an array of shape (2,), its worst element 0.3 below the bar of 0.5",
        ),
        (math.nan, {"at_least": 0}, "not a number, the bar is 0"),
        (math.nan, {"at_most": 0}, "not a number, the bar is 0"),
        (np.array([1, math.nan]), {"at_least": 0}, "an array with NaN, the bar is 0"),
        (np.zeros(0), {"at_least": 0}, "an empty array, the bar is 0"),
        (6, {"equals": 7}, "6 instead of 7"),
        (np.float64(6), {"equals": 7}, "6.0 instead of 7"),
        ("tanh", {"equals": "relu"}, "'tanh' instead of 'relu'"),
        ((3, 5), {"equals": (3, 4)}, "(3, 5) instead of (3, 4)"),
        ([3, 4, 5], {"equals": (3, 4)}, "(3, 4, 5) instead of (3, 4)"),
        (np.arange(3), {"equals": np.array([0, 5, 6])}, "2 differences"),
        (np.arange(3), {"equals": np.arange(4)}, "shape (3,) instead of (4,)"),
        (np.zeros(0), {"equals": np.zeros(0)}, "empty arrays show nothing"),
        (math.nan, {"equals": math.nan}, "nan instead of nan"),
        (1.25, {"equals": 1, "tolerance": 0.1}, "differs by 0.25, over 0.1"),
        (np.ones(2), {"equals": np.ones(3), "tolerance": 1}, "shape (2,) instead of (3,)"),
        (math.nan, {"equals": 1, "tolerance": 0.1}, "differs by nan, over 0.1"),
        (1.0, {"equals": math.nan, "tolerance": 0.1}, "differs by nan, over 0.1"),
        (False, {}, "false"),
        (np.array([True, False, False]), {}, "false in 2 places"),
        (np.zeros(0, bool), {}, "an empty array shows nothing"),
    ],
    ids=str,
)
def test_what_does_not_hold_says_by_how_much(value, claim: dict, message: str, capsys):
    with pytest.raises(CheckError) as error:
        check("claim", value, **claim)
    assert str(error.value) == f"claim: {message}"
    assert capsys.readouterr().out == ""


def test_a_failed_check_is_an_assertion_error():
    assert issubclass(CheckError, AssertionError)


@pytest.fixture
def bundles(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What a notebook would be given."""
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(output, "in_notebook", lambda: True)
    monkeypatch.setattr(output, "display_bundle", lambda **forms: shown.append(forms))
    return shown


@pytest.mark.parametrize(
    ("name", "value", "claim", "line"),
    [
        ("test accuracy", 0.9955, {"at_least": 0.992}, "<b>99.55 %</b>, at least 99.2 %"),
        # as many digits as keep value and bar apart, and in their order
        ("accuracy", 0.992004, {"at_least": 0.992}, "<b>99.2004 %</b>, at least 99.2 %"),
        ("accuracy", 0.991546, {"at_least": 0.99154}, "<b>99.155 %</b>, at least 99.154 %"),
        ("accuracy", 0.57, {"at_least": 0.57}, "<b>57 %</b>, at least 57 %"),
        ("share", np.float32(0.9), {"at_least": 0.9}, "<b>90 %</b>, at least 90 %"),
        ("share", [0.1234, 0.5], {"at_least": 0.1}, "<b>smallest of 2: 12.34 %</b>, at least 10 %"),
        # no shares: a difference, a number over 1, a bar over 1, another quantity
        ("accuracy over the baseline", 0.5123, {"at_least": 0.4}, "<b>0.5123</b>, at least 0.4"),
        ("accuracy lost by shuffling", 0.2, {"at_least": 0.1}, "<b>0.2</b>, at least 0.1"),
        ("accuracy", 1.2, {"at_least": 0.4}, "<b>1.2</b>, at least 0.4"),
        ("accuracy", 99.123456, {"at_least": 98}, "<b>99.12</b>, at least 98"),
        ("nats", 1.82345, {"at_most": 1.9}, "<b>1.823</b>, at most 1.9"),
        ("left", 1.3e-31, {"at_most": 1e-30}, "<b>1.3e-31</b>, at most 1e-30"),
        ("steps", [7, 38412], {"at_most": 39_000}, "<b>largest of 2: 38,412</b>, at most 39,000"),
        ("far", math.inf, {"at_least": 5}, "<b>inf</b>, at least 5"),
        ("third", 1.0, {"at_least": 1 / 3}, "<b>1</b>, at least 0.333333"),
        ("count", 93322, {"equals": 93322}, "equals 93,322"),
        ("array", np.ones(2), {"equals": np.ones(2)}, "<b>all 2 values</b> equal exactly"),
        (
            "error",
            0.167123,
            {"equals": 1 / 6, "tolerance": 0.02},
            "<b>0.1671</b>, 0.00046 from 0.1667, within 0.02",
        ),
        (
            "layer",
            np.ones(2),
            {"equals": np.ones(2) + 3e-8, "tolerance": 1e-6},
            "<b>largest difference 3e-08</b> in 2 values, within 1e-06",
        ),
        ("condition", True, {}, "holds"),
        ("conditions", np.ones(3, bool), {}, "<b>all 3 values</b> hold"),
    ],
    ids=str,
)
def test_the_reader_sees_value_and_bar(name: str, value, claim: dict, line: str, bundles, capsys):
    check(name, value, **claim)
    assert bundles[0]["html"] == f"<div>✓ {name}: {line}</div>"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "claim", "line"),
    [
        (0.991234, {"at_least": 0.99}, "at least 0.99"),
        (93322, {"equals": 93322}, "equals 93,322"),
        ([3, 4], {"equals": (3, 4)}, "equals (3, 4)"),
        (np.ones(2), {"equals": np.ones(2)}, "equal exactly"),
        (1.001, {"equals": 1, "tolerance": 1e-2}, "equal within 0.01"),
        (5, {"at_most": 10_000}, "at most 10,000"),
        (True, {}, "holds"),
    ],
    ids=str,
)
def test_the_plain_text_that_nbval_compares(value, claim: dict, line: str, bundles):
    check("claim", value, **claim)
    assert bundles[0]["plain"] == f"✓ claim: {line}"


def test_outside_a_notebook_value_and_bar_are_printed(capsys):
    check("test accuracy", 0.9955, at_least=0.992)
    assert capsys.readouterr().out == "✓ test accuracy: 99.55 %, at least 99.2 %\n"


def test_names_are_no_html(bundles: list):
    check("a < b & c", True)
    assert bundles[0]["html"] == "<div>✓ a &lt; b &amp; c: holds</div>"


def test_the_plain_text_depends_neither_on_the_value_nor_on_the_data(bundles: list):
    check("accuracy", 0.991, at_least=0.99, stand_in=0.7, data=REAL)
    check("accuracy", 0.999, at_least=0.99, stand_in=0.7, data=REAL)
    check("accuracy", 0.712, at_least=0.99, stand_in=0.7, data=STAND_IN)
    plain = [forms["plain"] for forms in bundles]
    assert plain == ["✓ accuracy: at least 0.99 (0.7 on stand-in data)"] * 3
    assert bundles[0]["html"].endswith("<b>99.1 %</b>, at least 99 %</div>")
    assert bundles[2]["html"].endswith("<b>71.2 %</b>, at least 70 % on stand-in data</div>")


@pytest.mark.parametrize(
    ("value", "claim", "holds"),
    [
        (float(np.float32(0.9)), {"at_least": 0.9}, True),
        (np.float32([0.9, 0.95]), {"at_least": 0.9}, True),
        (1 - float(np.float32(0.9)), {"at_most": 0.1}, True),
        (100 * float(np.float32(0.95)), {"at_least": 95}, True),
        (float(np.float32(0.9)), {"equals": 0.9}, True),
        (float(np.float32(1.1)), {"equals": 1, "tolerance": 0.1}, True),
        (0.8999, {"at_least": 0.9}, False),
        (0.89999, {"at_least": 0.9}, False),
        (0.899999, {"at_least": 0.9}, False),
        (-1e-9, {"at_least": 0}, False),
        (2e-30, {"at_most": 1e-30}, False),
        (10_000_001, {"at_most": 10_000_000}, False),  # integers are exact
        (0.9000001, {"equals": 0.9}, False),
    ],
    ids=str,
)
def test_no_bar_is_missed_by_the_rounding_of_float32(value, claim: dict, holds: bool):
    if holds:
        check("claim", value, **claim)
    else:
        with pytest.raises(CheckError):
            check("claim", value, **claim)


@pytest.mark.parametrize(
    ("claim", "value", "data", "holds"),
    [
        ({"at_least": 0.99, "stand_in": 0.7}, 0.8, STAND_IN, True),
        ({"at_least": 0.99, "stand_in": 0.7}, 0.8, REAL, False),
        ({"at_least": 0.99, "stand_in": 0.7}, 0.6, STAND_IN, False),
        ({"at_most": 1.0, "stand_in": 2.0}, 1.5, STAND_IN, True),
        ({"at_most": 1.0, "stand_in": 2.0}, 1.5, REAL, False),
        ({"at_most": 1.0, "stand_in": 0}, 0.5, STAND_IN, False),  # a bar of 0 is a bar
        ({"at_least": 0.99}, 0.8, STAND_IN, False),  # no bar of its own: the same for all data
    ],
)
def test_the_stand_in_bar_is_for_stand_in_data_only(claim: dict, value, data, holds: bool):
    if holds:
        check("accuracy", value, data=data, **claim)
        assert checks()[-1]["bar"] == claim["stand_in"]
    else:
        with pytest.raises(CheckError):
            check("accuracy", value, data=data, **claim)


@pytest.mark.parametrize(
    ("value", "claim", "message"),
    [
        (1, {"at_least": 0, "at_most": 2}, "not several"),
        (1, {"at_least": 0, "equals": 1}, "not several"),
        (1, {"at_least": 0, "stand_in": 0}, "needs data="),
        (1, {"equals": 1, "stand_in": 0, "data": STAND_IN}, "one of at_least= and at_most="),
        (1, {"at_least": 1, "tolerance": 0.1}, "goes with equals="),
        (1, {}, "got int and no claim"),
        (np.ones(3), {}, "got ndarray and no claim"),
        (None, {}, "got NoneType and no claim"),
    ],
    ids=str,
)
def test_a_check_without_one_claim_is_refused(value, claim: dict, message: str):
    before = checks()
    with pytest.raises(ValueError, match=message):
        check("claim", value, **claim)
    assert checks() == before


def test_all_checks_are_recorded_also_the_failed_ones():
    before = len(checks())
    check("a", np.float32(0.5), at_least=0.25)
    check("b", np.arange(3), equals=np.arange(3))
    with pytest.raises(CheckError):
        check("c", 1, at_most=0, stand_in=0.5, data=STAND_IN)
    check("d", True)
    recorded = checks()[before:]
    assert recorded == [
        {"name": "a", "value": 0.5, "passed": True, "bar": 0.25, "side": "at least"},
        {"name": "b", "value": None, "passed": True, "bar": None, "side": None},
        {"name": "c", "value": 1.0, "passed": False, "bar": 0.5, "side": "at most"},
        {"name": "d", "value": None, "passed": True, "bar": None, "side": None},
    ]
    assert json.loads(json.dumps(recorded, allow_nan=False)) == recorded
    # what is handed out is a copy
    checks()[before]["passed"] = False
    assert checks()[before]["passed"] is True


def test_a_recorded_nan_is_json(capsys):
    with pytest.raises(CheckError):
        check("nan", math.nan, at_least=0)
    assert json.dumps(checks()[-1], allow_nan=False)


def test_strict_nbval_passes_another_value_and_fails_another_claim(tmp_path: Path):
    import nbclient
    import nbformat

    code = "from dlbook import check\ncheck('accuracy', 0.95, at_least=0.9)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    data = notebook.cells[0].outputs[0].data
    assert data == {
        "text/plain": "✓ accuracy: at least 0.9",
        "text/html": "<div>✓ accuracy: <b>95 %</b>, at least 90 %</div>",
    }
    data["text/html"] = data["text/html"].replace("95 %", "97 %")
    nbformat.write(notebook, tmp_path / "value.ipynb")
    data["text/plain"] = data["text/plain"].replace("0.9", "0.8")
    nbformat.write(notebook, tmp_path / "claim.ipynb")
    # the book's own settings, on notebooks that lie elsewhere
    options = "-m pytest -c pyproject.toml -p conftest -p no:cacheprovider -rA"
    done = subprocess.run(
        [sys.executable, *options.split(" "), tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "PASSED" in done.stdout, done.stdout + done.stderr
    ends = re.findall(r"^(PASSED|FAILED) (?:.*/)?(\w+)\.ipynb", done.stdout, re.MULTILINE)
    assert sorted(ends) == [("FAILED", "claim"), ("PASSED", "value")]
