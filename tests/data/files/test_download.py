"""Downloads from a host that behaves, and from hosts that do not."""

import contextlib
import socket
import sys
import time

import pytest
from misbehaving_host import CONTENT

from dlbook.data import DataUnavailableError, locate
from dlbook.data.files import download
from dlbook.data.files.download import TransferError, read_url


def files_in(folder):
    """Everything that is left in a folder but for the lock files, which stay by design."""
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")


def test_good_file_is_downloaded_once_and_then_read_from_the_cache(host, toy, cache):
    collection = toy(host.url("good"))
    first = locate(collection)
    assert first.source == "download"
    assert first.paths["toy/file.bin"] == cache / "toy" / "file.bin"
    assert first.paths["toy/file.bin"].read_bytes() == CONTENT
    assert first.notes == ()
    second = locate(collection)
    assert second.source == "cache"
    assert host.asked["good"] == 1
    assert files_in(cache) == ["file.bin"]


def test_downloaded_file_can_be_read_by_others(host, toy):
    path = locate(toy(host.url("good"))).paths["toy/file.bin"]
    (path.parent / "probe").touch()  # what the user's umask gives to any new file
    assert path.stat().st_mode == (path.parent / "probe").stat().st_mode


@pytest.mark.parametrize(
    ("behaviour", "words", "requests"),
    [
        ("truncated", "the connection broke after", 2),
        ("short", "it stopped after 90,000 of 200,000 bytes", 2),
        ("empty", "it offers 0 bytes instead of 200000", 1),
        ("altered", "it sent other bytes than the registered ones (wrong sha256)", 1),
        ("page", "it offers 78 bytes instead of 200000: a login or proxy page?", 1),
        ("missing", "HTTP 404 (not found)", 1),
        ("broken", "HTTP 500 (internal server error)", 2),
        ("hangup", "it could not be reached", 2),
        ("too_much", "it sends more than the 200,000 bytes of the file", 1),
        ("larger", "it offers 200010 bytes instead of 200000", 1),
    ],
)
def test_bad_answer_is_named_and_leaves_nothing(host, toy, cache, behaviour, words, requests):
    with pytest.raises(DataUnavailableError) as caught:
        locate(toy(host.url(behaviour)))
    message = str(caught.value)
    assert f"{host.name}: toy/file.bin: {words}" in message
    assert "Toy data" in message
    for remedy in ("dlbook data fetch", "DLBOOK_DATA_DIR", "DLBOOK_DATA=stand-in"):
        assert remedy in message
    assert host.asked[behaviour] == requests
    assert files_in(cache) == []


@pytest.mark.usefixtures("impatient")
def test_host_that_keeps_us_waiting_is_given_up(host, toy, cache):
    started = time.monotonic()
    with pytest.raises(DataUnavailableError, match="it did not answer in time"):
        locate(toy(host.url("silent")))
    assert time.monotonic() - started < 5
    assert files_in(cache) == []


@pytest.mark.usefixtures("impatient")
def test_host_that_falls_silent_halfway_is_given_up(host, toy, cache):
    with pytest.raises(DataUnavailableError, match="it fell silent after 90,000 of 200,000 bytes"):
        locate(toy(host.url("stalled")))
    assert files_in(cache) == []


def test_slow_but_steady_host_is_borne(host, toy, monkeypatch):
    monkeypatch.setattr(download, "READ", 0.1)
    assert locate(toy(host.url("slow"))).source == "download"


@pytest.mark.parametrize("behaviour", ["flaky", "hangup_then_good"])
def test_second_attempt_mends_a_passing_fault(host, toy, behaviour):
    assert locate(toy(host.url(behaviour))).source == "download"
    assert host.asked[behaviour] == 2


def test_redirect_is_followed(host, toy):
    assert locate(toy(host.url("moved"))).source == "download"


def test_archive_labelled_as_compressed_transfer_is_kept_as_it_is(host, toy):
    path = locate(toy(host.url("labelled_gzip"))).paths["toy/file.bin"]
    assert path.read_bytes() == CONTENT


def test_refused_connection_is_named(refusing, toy):
    with pytest.raises(DataUnavailableError, match="it could not be reached"):
        locate(toy(refusing))


def test_missing_encryption_is_named(host, toy):
    with pytest.raises(DataUnavailableError, match="no safe connection could be made"):
        locate(toy(host.url("good").replace("http://", "https://")))


def test_proxy_that_cannot_be_used_is_named(refusing, toy, monkeypatch):
    monkeypatch.setenv("http_proxy", refusing)
    with pytest.raises(DataUnavailableError, match="the proxy could not be used"):
        locate(toy("http://data.example/file.bin"))


def test_unknown_host_name_is_named(toy, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DataUnavailableError, match="is there a network"):
        locate(toy("http://data.example/file.bin"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems answer from the backlog")
@pytest.mark.usefixtures("impatient")
def test_host_that_never_accepts_is_given_up(toy):
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # these fill the queue; further callers get no answer at all
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        started = time.monotonic()
        with pytest.raises(DataUnavailableError, match="it did not answer in time"):
            locate(toy(f"http://127.0.0.1:{full.getsockname()[1]}/file.bin"))
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("behaviour", ["truncated", "altered", "page", "missing", "broken"])
def test_next_mirror_steps_in(host, other_host, toy, behaviour):
    located = locate(toy(host.url(behaviour), other_host.url("good")))
    assert located.source == "download"
    assert host.asked[behaviour] >= 1
    assert other_host.asked["good"] == 1


def test_every_mirror_is_named_when_all_fail(host, other_host, toy, refusing):
    with pytest.raises(DataUnavailableError) as caught:
        locate(toy(host.url("missing"), refusing, other_host.url("altered")))
    message = str(caught.value)
    assert f"{host.name}: toy/file.bin: HTTP 404" in message
    assert "it could not be reached" in message
    assert f"{other_host.name}: toy/file.bin: it sent other bytes" in message
    assert "\n" not in caught.value.summary


def test_file_without_public_host_says_so(toy):
    with pytest.raises(DataUnavailableError, match="no public host has this file"):
        locate(toy())


def test_reader_stops_soon_after_the_size_is_passed(host):
    received = []
    with pytest.raises(TransferError, match="sends more"):
        received.extend(read_url(host.url("too_much"), 200_000))
    assert sum(len(part) for part in received) <= 200_000


@pytest.mark.parametrize("visible", [True, False])
def test_progress_bar_only_where_stderr_is_a_terminal(host, toy, capsys, monkeypatch, visible):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: visible)
    locate(toy(host.url("good")))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert bool(shown.err) is visible
