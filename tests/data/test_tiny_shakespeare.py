"""Tiny Shakespeare and its stand-in."""

import os

import pytest

from dlbook.data import load_tiny_shakespeare

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")


def test_stand_in_is_english_and_short(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_tiny_shakespeare()
    assert data.is_stand_in
    assert 115_000 < len(data.text) <= 120_000
    assert data.text.isascii()
    assert len(set(data.text)) < 100
    assert " the " in data.text
    kept, held = data.train_validation_split(0.1)
    assert kept + held == data.text
    assert abs(len(held) - 0.1 * len(data.text)) <= 1
    for share in (0, 1, -0.5):
        with pytest.raises(ValueError, match="share must be between 0 and 1"):
            data.train_validation_split(share)


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real text")
def test_real_text_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_tiny_shakespeare()
    assert (len(data.text), len(set(data.text))) == (1_115_394, 65)
    assert data.text.startswith("First Citizen:\n")
    assert data.source == "mirror folder"
