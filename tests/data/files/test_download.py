"""Downloads from a host that behaves, and from hosts that do not."""

import contextlib
import socket
import sys
import time

import pytest
from misbehaving_host import CONTENT, make_collection, make_file

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


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("silent", "it accepted the connection but did not answer"),
        ("trickle", "it is too slow"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_host_that_keeps_us_waiting_is_given_up(host, toy, cache, behaviour, words):
    started = time.monotonic()
    with pytest.raises(DataUnavailableError, match=words):
        locate(toy(host.url(behaviour)))
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
    with pytest.raises(DataUnavailableError, match=r"could not be reached \(connection refused\)"):
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
    with pytest.raises(DataUnavailableError, match="its name is not known: no network"):
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
        with pytest.raises(
            DataUnavailableError, match=r"could not be reached .*(timed out|timeout)"
        ):
            locate(toy(f"http://127.0.0.1:{full.getsockname()[1]}/file.bin"))
        assert time.monotonic() - started < 5


@pytest.mark.usefixtures("impatient")
def test_host_with_many_addresses_does_not_keep_us_waiting_at_each(toy, monkeypatch):
    class Swallowed(socket.socket):
        """A firewall that answers nothing."""

        def connect(self, address):
            time.sleep(self.gettimeout())
            raise TimeoutError

    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [entry] * 16)
    monkeypatch.setattr(socket, "socket", Swallowed)
    started = time.monotonic()
    with pytest.raises(DataUnavailableError, match=r"could not be reached .*(timed out|timeout)"):
        locate(toy("http://data.example/file.bin"))
    assert time.monotonic() - started < 1  # 16 waits would be 3.2 s


def test_addresses_that_refuse_at_once_are_passed_over(host, toy, refusing, monkeypatch):
    """As where a host has several IPv6 addresses and the network has none."""

    def entry(address: str):
        name, port = address.split("/")[2].split(":")
        return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, int(port)))

    addresses = [*[entry(refusing)] * 3, entry(host.url("good"))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: addresses)
    assert locate(toy("http://data.example/good/file.bin")).source == "download"


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
    assert "connection refused" in message
    assert f"{other_host.name}: toy/file.bin: it sent other bytes" in message
    assert "\n" not in caught.value.summary


@pytest.mark.usefixtures("impatient")
def test_host_that_was_not_reached_is_not_asked_again(host, other_host):
    files = [
        make_file(host.url("silent"), other_host.url("good"), path=f"toy/{i}.bin") for i in range(3)
    ]
    assert locate(make_collection(*files)).source == "download"
    assert host.asked["silent"] == 2  # one more try, for the first file only
    assert other_host.asked["good"] == 3

    with pytest.raises(DataUnavailableError, match="earlier in this process"):
        locate(make_collection(make_file(host.url("good"), path="toy/4.bin")))
    assert host.asked["good"] == 0


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
