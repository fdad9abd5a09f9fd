"""Tatoeba's sentence pairs and their stand-in."""

import zipfile

import pytest

from dlbook.data import load_cmn_eng
from dlbook.data.cmn_eng import read_pairs


def archive(path, **members: str):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name.replace("__", "/", 1) + ".txt", text)
    return path


def test_pairs_are_read(tmp_path):
    text = "Hi.\t嗨。\tCC-BY\nI eat apples.\t我吃蘋果。\tCC-BY\n\n"
    path = archive(tmp_path / "a.zip", **{"cmn-eng__cmn": text, "about": "terms"})
    assert read_pairs(path) == (("Hi.", "嗨。"), ("I eat apples.", "我吃蘋果。"))


def test_an_archive_without_the_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no cmn\.txt"):
        read_pairs(archive(tmp_path / "b.zip", other="a\tb"))


def test_stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_cmn_eng()
    assert data.is_stand_in
    assert len(data.pairs) == 3_000
    assert all(chinese.endswith("。") and english.endswith(".") for english, chinese in data.pairs)
    assert sum("苹果" in chinese for _, chinese in data.pairs) > 50
    assert load_cmn_eng().pairs == data.pairs
    assert "3,000 pairs of sentences" in repr(data)
