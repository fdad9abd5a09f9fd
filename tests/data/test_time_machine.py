"""The Time Machine and its stand-in."""

import os

import pytest

from dlbook.data import load_time_machine

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")


def test_stand_in_is_a_short_report_and_always_the_same(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_time_machine()
    assert data.is_stand_in
    assert len(data.text) == 60_000
    assert data.text.isascii()
    assert 40 < len(set(data.text)) < 70
    assert max(map(len, data.text.splitlines())) <= 68
    assert data.text == load_time_machine().text
    kept, held = data.train_validation_split(0.1)
    assert kept + held == data.text
    assert set(held) <= set(kept)


def test_a_paragraph_of_the_stand_in_has_one_name(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    names = {"Filby", "Weena", "Blank", "Dash", "Chose", "Wells", "Hillyer", "Watchett"}
    paragraphs = load_time_machine().text.split("\n\n")
    found = [sum(name in paragraph for name in names) for paragraph in paragraphs]
    assert max(found) == 1
    assert sum(found) > 0.8 * len(found)


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real text")
def test_real_text_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_time_machine()
    assert (len(data.text), len(set(data.text))) == (178_979, 70)
    assert data.text.startswith("The Time Machine, by H. G. Wells")
    assert data.source == "mirror folder"
