"""What `dlbook data` is built on: status, fetch and mirror folders."""

import pytest
from misbehaving_host import CONTENT, make_collection, make_file, put

from dlbook.data import (
    DataSettingError,
    DataUnavailableError,
    locate,
    make_mirror,
    status,
)


@pytest.fixture
def collection(host):
    """Two files, one of which a folder may lack."""
    return make_collection(
        make_file(host.url("good")), make_file(host.url("good"), path="toy/deep/other.bin")
    )


def states(entries) -> list[str]:
    return [entry.state for entry in entries]


def test_status_downloads_and_changes_nothing(host, collection, cache):
    assert states(status(collection)) == ["missing", "missing"]
    assert not cache.exists()
    damaged = put(cache, b"half")
    first, second = status(collection)
    assert (first.state, first.path) == ("damaged", None)
    assert first.detail == "toy/file.bin in the cache is damaged (4 bytes instead of 200,000)"
    assert (second.state, second.path, second.detail) == ("missing", None, "")
    assert damaged.read_bytes() == b"half"
    assert sum(host.asked.values()) == 0


def test_status_names_the_place(host, collection, cache, tmp_path, monkeypatch):
    path = put(tmp_path / "mirror")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "mirror"))
    put(cache)
    first, _ = status(collection)
    assert (first.state, first.path, first.detail) == ("mirror folder", path, "")
    path.write_bytes(b"?")
    first, _ = status(collection)
    assert (first.state, first.path) == ("cache", cache / "toy/file.bin")
    assert "mirror folder is damaged" in first.detail


def test_locating_fills_the_cache(collection, cache):
    located = locate(collection)
    assert located.source == "download"
    assert list(located.paths) == ["toy/file.bin", "toy/deep/other.bin"]
    assert states(status(collection)) == ["cache", "cache"]


def test_mirror_is_filled_verified_and_usable(host, collection, tmp_path, monkeypatch):
    folder = tmp_path / "for" / "class"
    made = make_mirror(folder, [collection])
    assert list(made.values()) == ["copied", "copied"]
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert files == ["toy/deep/other.bin", "toy/file.bin"]
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(folder))
    assert locate(collection).source == "mirror folder"
    assert host.asked["good"] == 2


def test_mirror_keeps_good_files_and_replaces_damaged_ones(host, collection, tmp_path):
    put(tmp_path / "mirror", b"half")
    made = make_mirror(tmp_path / "mirror", [collection])
    assert made == {"toy/file.bin": "replaced", "toy/deep/other.bin": "copied"}
    asked = sum(host.asked.values())
    made = make_mirror(tmp_path / "mirror", [collection])
    assert list(made.values()) == ["kept", "kept"]
    assert sum(host.asked.values()) == asked


def test_finished_mirror_needs_no_cache(collection, tmp_path, monkeypatch, cache):
    make_mirror(tmp_path / "mirror", [collection])
    for path in sorted(cache.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    made = make_mirror(tmp_path / "mirror", [collection])
    assert list(made.values()) == ["kept", "kept"]


def test_mirror_is_copied_from_another_mirror(host, tmp_path, monkeypatch):
    put(tmp_path / "old")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "old"))
    make_mirror(tmp_path / "new", [make_collection(make_file(host.url("good")))])
    assert (tmp_path / "new" / "toy" / "file.bin").read_bytes() == CONTENT
    assert sum(host.asked.values()) == 0


def test_mirror_refuses_aloud(host, tmp_path, toy):
    with pytest.raises(DataUnavailableError, match="HTTP 404"):
        make_mirror(tmp_path / "mirror", [toy(host.url("missing"))])
    (tmp_path / "file").write_text("")
    with pytest.raises(DataSettingError, match="is a file"):
        make_mirror(tmp_path / "file", [toy(host.url("good"))])
    with pytest.raises(DataUnavailableError, match="below cannot be written"):
        make_mirror(tmp_path / "file" / "below", [toy(host.url("good"))])
    with pytest.raises(DataSettingError, match="no data set is called"):
        make_mirror(tmp_path / "mirror", ["mnits"])


def test_mirror_that_cannot_be_written_names_the_folder(host, tmp_path, toy):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "toy").write_text("a file where a folder is needed")
    with pytest.raises(DataUnavailableError, match="mirror cannot be written"):
        make_mirror(tmp_path / "mirror", [toy(host.url("good"))])
