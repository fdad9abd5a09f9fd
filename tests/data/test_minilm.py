"""The published BERT: where its folder is found, and that nobody gets it without asking."""

import dataclasses

import pytest

from dlbook.data import COLLECTIONS, DataUnavailableError, minilm, minilm_folder
from dlbook.data.files.types import RemoteFile


@pytest.fixture
def tiny(monkeypatch):
    """The same collection with small files."""
    import hashlib

    content = {file.path: file.name.encode() for file in minilm.MINILM.files}
    files = tuple(
        RemoteFile(path, len(text), hashlib.sha256(text).hexdigest(), ())
        for path, text in content.items()
    )
    monkeypatch.setattr(minilm, "MINILM", dataclasses.replace(minilm.MINILM, files=files))
    return content


def put(folder, content):
    for path, text in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)


def test_it_is_no_data_set():
    assert "minilm" not in COLLECTIONS
    assert sum(file.size for file in minilm.MINILM.files) == 91_100_846
    assert all(len(file.sha256) == 64 for file in minilm.MINILM.files)


def test_the_mirror_folder_has_it(tiny, tmp_path, monkeypatch):
    put(tmp_path / "mirror", tiny)
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "mirror"))
    assert minilm_folder() == tmp_path / "mirror" / "minilm"


def test_parts_are_brought_together(tiny, tmp_path, monkeypatch):
    first, *others = tiny.items()
    put(tmp_path / "mirror", dict([first]))
    put(tmp_path / "cache", dict(others))
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "mirror"))
    folder = minilm_folder()
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") == sorted(
        file.name for file in minilm.MINILM.files
    )


def test_without_it_one_error_says_what_helps(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    with pytest.raises(DataUnavailableError, match="all-MiniLM-L6-v2"):
        minilm_folder()
