""".ci/run on a made-up checkout whose tools are stubs: when it fails, and what it leaves out."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / ".ci" / "run"

# `make setup` puts the stubs of .venv/bin in place; each tool ends with the status that its
# variable names
MAKE = """#!/bin/sh
echo "make $1" >> "$LOG"
[ "$1" = setup ] && mkdir -p .venv/bin && cp stubs/* .venv/bin/
[ "$1" = lint ] && exit "${LINT:-0}"
[ "$1" = test ] && exit "${TEST:-0}"
exit 0
"""
DLBOOK = """#!/bin/sh
echo "dlbook $*" >> "$LOG"
case "$*" in
    "run --check") exit "${STALE:-0}" ;;
    "data fetch") exit "${FETCH:-0}" ;;
esac
"""
PYTEST = """#!/bin/sh
echo "pytest $* $DLBOOK_DATA $DLBOOK_DATA_DIR" >> "$LOG"
[ "$3" = nbgrader ] && exit "${PIPELINE:-0}"
exit "${REAL:-0}"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "work" / "book"
    for name, text in {
        "tools/make": MAKE,
        "stubs/dlbook": DLBOOK,
        "stubs/pytest": PYTEST,
        "stubs/python": '#!/bin/sh\nexec python3 "$@"\n',
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(SCRIPT, folder / ".ci" / "run")
    (folder / "notebooks").mkdir()
    add_chapter(folder, "01_toy", 20.0, day=2)
    add_chapter(folder, "00_begin", 5.0, day=3)
    return folder


def add_chapter(folder: Path, stem: str, seconds: float, day: int) -> None:
    record = {"seconds": seconds, "stored_at": f"2026-11-{day:02}T08:00:00+00:00"}
    path = folder / "notebooks" / f"{stem}.ipynb"
    path.write_text(json.dumps({"metadata": {"dlbook": record}}))


def run(folder: Path, **settings: str) -> tuple[int, str, list[str]]:
    """Exit status, what was printed, and what was called, in order."""
    log = folder / "log"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DLBOOK_", "CI", "PYTHON"))}
    path = f"{folder / 'tools'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", ".ci/run"],
        cwd=folder,
        env={**kept, "PATH": path, "LOG": str(log), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()


def test_all_is_done_in_order(checkout: Path) -> None:
    status, text, calls = run(checkout)
    assert status == 0, text
    assert calls == [
        "make setup",
        "dlbook doctor",
        "make lint",
        "make test",
        "pytest -q -m nbgrader tests  ",
        "dlbook run --check",
        "dlbook data fetch",
        "pytest -q -n 0 notebooks/00_begin.ipynb real ",
        "pytest -q -n 0 notebooks/01_toy.ipynb real ",
    ]
    assert "all checks passed" in text


@pytest.mark.parametrize(
    "settings",
    [
        {"LINT": "1"},
        {"TEST": "1"},
        {"TEST": "5"},
        {"PIPELINE": "1"},
        {"PIPELINE": "5"},
        {"STALE": "1"},
        {"REAL": "1"},
    ],
)
def test_it_fails_when_a_part_fails(checkout: Path, settings: dict[str, str]) -> None:
    status, text, _ = run(checkout, **settings)
    assert status != 0
    assert "all checks passed" not in text


def test_it_fails_when_no_test_ran_on_the_real_data(checkout: Path) -> None:
    status, text, calls = run(checkout, REAL="5")  # pytest's status for "nothing collected"
    assert status == 1
    assert "FAILED on the real data: notebooks/00_begin.ipynb notebooks/01_toy.ipynb" in text
    assert len([call for call in calls if "notebooks/" in call]) == 2


def test_it_fails_when_there_are_no_chapters(checkout: Path) -> None:
    shutil.rmtree(checkout / "notebooks")
    status, text, _ = run(checkout)
    assert status == 1
    assert "no chapters" in text


def test_chapters_that_would_take_too_long_are_named(checkout: Path) -> None:
    # three minutes, less the one that is kept: 00 needs 70 s and 01 needs 100 s; 02 needs 2,060 s
    add_chapter(checkout, "03_late", 1.0, day=5)
    add_chapter(checkout, "04_later", 1.0, day=6)
    add_chapter(checkout, "02_long", 1000, day=1)
    status, text, calls = run(checkout, CI_MINUTES="3")
    assert status == 0, text
    assert "LEFT OUT, time ran short: notebooks/02_long.ipynb" in text
    order = [call.split("/")[1].split(".")[0] for call in calls if "notebooks/" in call]
    assert order == ["04_later", "03_late", "00_begin", "01_toy"]


def test_it_fails_when_one_of_the_last_four_stored_was_left_out(checkout: Path) -> None:
    add_chapter(checkout, "02_long", 1000, day=4)
    status, text, calls = run(checkout, CI_MINUTES="3")
    assert status == 1
    assert "LEFT OUT, time ran short: notebooks/02_long.ipynb" in text
    assert "notebooks/02_long.ipynb (left out, although just stored)" in text
    assert not any("02_long" in call for call in calls)
    assert any("00_begin" in call for call in calls)


def test_data_come_from_the_named_folder_a_sibling_or_the_network(checkout: Path) -> None:
    named = checkout.parent / "named"
    named.mkdir()
    _, _, calls = run(checkout, DLBOOK_DATA_DIR="../named")
    assert calls[-1] == f"pytest -q -n 0 notebooks/01_toy.ipynb real {named}"
    sibling = checkout.parent / "common" / "data"
    sibling.mkdir(parents=True)
    (sibling / "MANIFEST.md").touch()
    _, _, calls = run(checkout)
    assert calls[-1] == f"pytest -q -n 0 notebooks/01_toy.ipynb real {sibling}"
    assert "dlbook data fetch" not in calls[-4:]


def test_it_says_so_when_there_are_no_real_data(checkout: Path) -> None:
    status, text, calls = run(checkout, FETCH="3")
    assert status == 0
    assert "LEFT OUT: the real data could not be had" in text
    assert calls[-1] == "dlbook data fetch"


def test_a_wrong_data_folder_is_an_error(checkout: Path) -> None:
    (checkout / "log").touch()
    status, text, _ = run(checkout, DLBOOK_DATA_DIR="nowhere")
    assert status == 1
    assert "nowhere is no folder" in text
