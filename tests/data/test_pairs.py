"""The reader of sentence pairs."""

import zipfile

import pytest

from dlbook.data.kinds.pairs import read_pairs


def archive(path, **members: str):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name.replace("__", "/", 1) + ".txt", text)
    return path


def test_pairs_are_read(tmp_path):
    text = "Hi.\t嗨。\tCC-BY\nI eat apples.\t我吃蘋果。\n\n"
    path = archive(tmp_path / "a.zip", **{"cmn-eng__cmn": text, "about": "terms"})
    assert read_pairs(path, "cmn.txt") == (("Hi.", "嗨。"), ("I eat apples.", "我吃蘋果。"))


def test_an_archive_without_the_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no cmn\.txt"):
        read_pairs(archive(tmp_path / "b.zip", other="a\tb"), "cmn.txt")


def test_a_line_without_a_tab_is_named(tmp_path):
    path = archive(tmp_path / "c.zip", fra="Hi.\tSalut !\nGo on.\n")
    with pytest.raises(ValueError, match=r"line 2 of fra\.txt has no tab: 'Go on\.'"):
        read_pairs(path, "fra.txt")
