"""Tatoeba's English–French pairs and their stand-in."""

import zipfile

import pytest

from dlbook.data import load_fra_eng
from dlbook.data.fra_eng import read_pairs


def archive(path, **members: str):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name.replace("__", "/", 1) + ".txt", text)
    return path


def test_pairs_are_read_and_spaces_made_plain(tmp_path):
    text = "Hi.\tSalut\u202f!\nGo on.\tContinue\u00a0!\tCC-BY\n"
    path = archive(tmp_path / "a.zip", **{"fra-eng__fra": text, "about": "terms"})
    assert read_pairs(path) == (("Hi.", "Salut !"), ("Go on.", "Continue !"))


def test_an_archive_without_the_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no fra\.txt"):
        read_pairs(archive(tmp_path / "b.zip", other="a\tb"))


def test_a_line_without_a_tab_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"line 2 of fra\.txt has no tab: 'Go on\.'"):
        read_pairs(archive(tmp_path / "c.zip", fra="Hi.\tSalut !\nGo on.\n"))


def test_stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_fra_eng()
    assert data.is_stand_in
    assert len(data.pairs) == 4_000
    assert all(one.endswith(".") and two.endswith(".") for one, two in data.pairs)
    assert dict(data.pairs)["Tom sees a green car."] == "Tom voit une voiture verte."
    assert max(len(english.split()) for english, _ in data.pairs) <= 8
    assert load_fra_eng().pairs == data.pairs
    assert "4,000 pairs of sentences" in repr(data)
