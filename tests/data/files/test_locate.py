"""Where files are looked for, and what the environment variables decide."""

import dataclasses
import socket

import pytest
from misbehaving_host import CONTENT, make_collection, make_file, put

from dlbook.data import (
    COLLECTIONS,
    DataSettingError,
    DataUnavailableError,
    load_iris,
    load_mnist,
    loaded,
    locate,
    make_mirror,
    mirror_folder,
    mode,
    status,
)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(folder))
    return folder


class NetworkUsed(BaseException):
    """Not an Exception: no code of dlbook may catch it."""


@pytest.fixture
def no_network(monkeypatch):
    """Any use of a socket is an error."""

    def forbidden(*args, **kwargs):
        raise NetworkUsed

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)


@pytest.fixture
def unreachable_mnist(monkeypatch, refusing):
    """MNIST is registered as ever, but its hosts refuse."""
    real = COLLECTIONS["mnist"]
    files = tuple(dataclasses.replace(file, urls=(refusing,)) for file in real.files)
    monkeypatch.setitem(COLLECTIONS, "mnist", dataclasses.replace(real, files=files))


def test_mirror_folder_comes_first(host, toy, mirror, cache, no_network):
    path = put(mirror)
    put(cache)
    located = locate(toy(host.url("good")))
    assert located.source == "mirror folder"
    assert located.paths == {"toy/file.bin": path}
    assert located.notes == ()


def test_mirror_folder_that_lacks_the_file_falls_through(host, toy, mirror, cache):
    assert locate(toy(host.url("good"))).source == "download"
    assert locate(toy(host.url("good"))).source == "cache"
    assert list(mirror.iterdir()) == []  # a mirror folder is only read


def test_damaged_file_in_the_mirror_folder_is_named_and_passed_over(host, toy, mirror, capfd):
    path = put(mirror, CONTENT[:-1])
    first = locate(toy(host.url("good")))
    second = locate(toy(host.url("good")))
    assert (first.source, second.source) == ("download", "cache")
    for located in (first, second):
        assert located.notes == (
            "toy/file.bin in the mirror folder is damaged (199,999 bytes instead of 200,000) "
            "and was passed over",
        )
    assert path.read_bytes() == CONTENT[:-1]  # it belongs to someone else: left as it is
    assert capfd.readouterr() == ("", "")


def test_damaged_file_in_the_mirror_folder_is_named_in_the_error(toy, mirror):
    put(mirror, b"?" + CONTENT[1:])
    with pytest.raises(DataUnavailableError, match=r"mirror folder is damaged.*wrong sha256"):
        locate(toy())


def test_source_of_several_files_is_the_least_direct_one(host, mirror):
    put(mirror)
    files = [make_file(), make_file(host.url("good"), path="toy/other.bin")]
    located = locate(make_collection(*files))
    assert located.source == "download"
    assert locate(make_collection(*files)).source == "cache"


def test_relative_mirror_folder_counts_from_the_current_folder(mirror, monkeypatch, toy):
    put(mirror)
    monkeypatch.chdir(mirror.parent)
    monkeypatch.setenv("DLBOOK_DATA_DIR", "mirror")
    assert mirror_folder() == mirror
    assert locate(toy()).source == "mirror folder"


@pytest.mark.parametrize("wanted", ["auto", "real"])
@pytest.mark.parametrize(("wrong", "words"), [("absent", "does not exist"), ("file", "is a file")])
def test_wrong_mirror_folder_is_an_error_in_every_real_mode(
    tmp_path, monkeypatch, wanted, wrong, words
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLBOOK_DATA", wanted)
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / wrong))
    with pytest.raises(DataSettingError, match=words) as caught:
        load_mnist()
    assert str(tmp_path / wrong) in str(caught.value)
    with pytest.raises(DataSettingError, match=words):
        status("mnist")


@pytest.mark.parametrize("value", ["fake", "standin", "REAL"])
def test_wrong_mode_is_an_error(monkeypatch, value):
    monkeypatch.setenv("DLBOOK_DATA", value)
    with pytest.raises(ValueError, match=f"auto, real or stand-in, got '{value}'"):
        load_mnist()


@pytest.mark.parametrize("value", [None, "", " ", "auto"])
def test_mode_is_auto_by_default(monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("DLBOOK_DATA", value)
    assert mode() == "auto"


def test_stand_in_mode_never_opens_a_socket_nor_looks_for_files(monkeypatch, no_network, cache):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    monkeypatch.setenv("DLBOOK_DATA_DIR", "/no/such/folder")
    data = load_mnist()
    assert data.is_stand_in
    assert "DLBOOK_DATA=stand-in" in data.describe()
    assert not cache.exists()
    with pytest.raises(DataUnavailableError, match="DLBOOK_DATA=stand-in"):
        locate("mnist")


def test_network_guard_can_fail(no_network):
    with pytest.raises(NetworkUsed), socket.socket() as caller:
        caller.connect(("127.0.0.1", 1))
    with pytest.raises(NetworkUsed):
        socket.create_connection(("127.0.0.1", 1))


@pytest.mark.usefixtures("unreachable_mnist")
def test_auto_mode_gives_the_stand_in_with_the_reason(capfd):
    data = load_mnist()
    assert data.source == "stand-in"
    assert any("could not be reached" in note for note in data.notes)
    text = data.describe()
    assert text.startswith("A STAND-IN for MNIST")
    assert "dlbook data fetch mnist" in text
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("unreachable_mnist")
def test_real_mode_raises_instead_of_standing_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    with pytest.raises(DataUnavailableError, match="could not be reached"):
        load_mnist()


def test_loaded_remembers_the_sources(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    load_mnist()
    load_iris()
    assert loaded()["mnist"] == "stand-in"
    assert loaded()["iris"] == "scikit-learn"
    loaded().clear()  # a copy: nobody can spoil the record
    assert "mnist" in loaded()


def test_a_smaller_form_serves_in_place_of_the_file(tmp_path, mirror, host):
    words = b"the part that matters"
    small = make_file(path="toy/small.bin", content=words)
    whole = dataclasses.replace(make_file(host.url("good")), smaller=small)
    toy = make_collection(whole)
    target = mirror / small.path
    target.parent.mkdir(parents=True)
    target.write_bytes(words)

    assert locate(toy).paths == {whole.path: target}
    assert [entry.file for entry in status(toy)] == [small]
    for action in ("copied", "kept"):
        assert make_mirror(tmp_path / "copy", [toy]) == {small.path: action}
    assert (tmp_path / "copy" / small.path).read_bytes() == words

    target.write_bytes(words.upper())
    found = locate(toy)  # the whole file is fetched instead
    assert found.source == "download"
    assert found.paths[whole.path].name == whole.name
    assert "toy/small.bin in the mirror folder is damaged" in found.notes[0]
