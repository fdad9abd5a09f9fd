"""Downloads a file from the first host that gives it; nobody ever sees half a file.

``requests`` limits the wait for a single read. What is added here: one host after the other, a
second attempt, an end to hosts that are too slow, the checksum, and a lock between processes.
"""

import contextlib
import hashlib
import os
import socket
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import requests
import requests.utils
import urllib3
from rich.console import Console
from rich.progress import DownloadColumn, Progress

from dlbook.data.files.types import DataUnavailableError, RemoteFile, words_of

CONNECT = 5.0  # seconds to reach a host
READ = 15.0  # seconds without any answer, or between two parts of one
SLOWEST = 20_000.0  # bytes a second, on average after the first READ seconds
LOCK = 3_600.0  # seconds to wait for another process that downloads the same file

_FAULTS: dict[type[Exception], str] = {  # the first that fits
    requests.exceptions.SSLError: "no safe connection could be made (does a proxy read along?)",
    requests.exceptions.ProxyError: "the proxy could not be used",
    requests.exceptions.Timeout: "it accepted the connection but did not answer",
    requests.RequestException: "it could not be reached (the connection was closed)",
    urllib3.exceptions.ReadTimeoutError: "it fell silent",
    urllib3.exceptions.HTTPError: "the connection broke",
    OSError: "the connection broke",
}

_given_up: dict[str, str] = {}  # host -> why it is not asked again in this process


class TransferError(Exception):
    """One host did not give one file; the message says why.

    Args:
        reason: what happened, in plain words.
        reached: whether the host answered in time; else it is not asked for other files.
        passing: whether a second attempt may help.
    """

    def __init__(self, reason: str, *, reached: bool = True, passing: bool = False) -> None:
        super().__init__(reason)
        self.reached, self.passing = reached, passing


def write_verified(file: RemoteFile, folder: Path, parts: Iterable[bytes]) -> Path:
    """Writes a file under a temporary name, verifies it, and only then gives it its name.

    Args:
        file: what the content must be.
        folder: a mirror or cache folder; made when missing.
        parts: the content.

    Returns:
        The path of the finished file.

    Raises:
        DataUnavailableError: when the folder cannot be written or is full. No part is left.
        TransferError: when the content is not that of ``file``, or as raised by ``parts``.
    """
    target = file.within(folder)
    # one name for each process: on a file system without locks two may write at the same time
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            for data in parts:
                out.write(data)
                digest.update(data)
        if digest.hexdigest() != file.sha256:
            raise TransferError("it sent other bytes than the registered ones (wrong sha256)")
        os.replace(part, target)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def _cannot_write(folder: Path, error: OSError) -> DataUnavailableError:
    tried = [f"the folder {folder} cannot be written ({words_of(error)})"]
    remedies = ["make room there, get the right to write there, or DLBOOK_CACHE=<other folder>"]
    return DataUnavailableError("The file could not be kept", tried, remedies)


def download(file: RemoteFile, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Puts a file into the cache folder, unless another process has just done so.

    Args:
        file: what to fetch. A progress bar shows how far it is where stderr is a terminal.
        folder: the cache folder.

    Returns:
        "download", or "cache" when another process was quicker; and notes for the reader.

    Raises:
        DataUnavailableError: when no host gave the file, or the cache cannot be written.
    """
    target = file.within(folder)
    notes: tuple[str, ...] = ()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # a file system without locks: filelock says so, and the download is safe all the same
            warnings.simplefilter("ignore")
            with filelock.FileLock(f"{target}.lock", timeout=LOCK):  # it stays behind, empty
                fault = file.fault_of(target)
                if not fault:
                    return "cache", notes
                for part in target.parent.glob(f"{target.name}.*.part"):  # of a killed download
                    part.unlink()
                if fault != "missing":
                    set_aside = target.replace(target.with_name(target.name + ".damaged"))
                    notes = (
                        f"{file.path} in the cache was damaged ({fault}); "
                        f"it was set aside as {set_aside.name} and fetched again",
                    )
                _from_hosts(file, folder)
                return "download", notes
    except OSError as error:  # also where another process never gives the lock back
        raise _cannot_write(folder, error) from error


def _from_hosts(file: RemoteFile, folder: Path) -> None:
    tried: list[str] = []
    for url in file.urls:
        host = urlsplit(url).netloc
        if host in _given_up:
            tried.append(f"{host}: not asked for {file.path}, {_given_up[host]}")
            continue
        for attempt in (1, 2):
            try:
                return _from_host(file, folder, url)
            except TransferError as error:
                if error.passing and attempt == 1:
                    continue
                tried.append(f"{host}: {file.path}: {error}")
                if not error.reached:
                    _given_up[host] = f"{error} (earlier in this process)"
                break
    tried = tried or [f"{file.path}: no public host has this file"]
    remedies = ["`dlbook data fetch` when the network is there"]
    raise DataUnavailableError("No host gave the file", tried, remedies)


def _from_host(file: RemoteFile, folder: Path, url: str) -> None:
    _reach(url)
    columns = (*Progress.get_default_columns(), DownloadColumn())
    hidden = not sys.stderr.isatty()  # notebooks, logs
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)
    # closed by hand: after an error a traceback would keep the connection alive
    with bar, contextlib.closing(read_url(url, file.size)) as parts:
        task = bar.add_task(file.path, total=file.size)
        write_verified(file, folder, (bar.advance(task, len(part)) or part for part in parts))


def _reach(url: str) -> None:
    """Connects once, so that an absent network is known in seconds.

    A host may have sixteen addresses, and behind a firewall that swallows packets ``requests``
    waits for each of them in turn. Here two such waits end it.
    """
    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return  # then only the proxy can tell
    parts, waits, reason = urlsplit(url), 0, "its name is not known: no network?"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with contextlib.suppress(socket.gaierror):
        for family, kind, protocol, _, address in socket.getaddrinfo(
            parts.hostname, port, type=socket.SOCK_STREAM
        ):
            with socket.socket(family, kind, protocol) as caller:
                caller.settimeout(CONNECT)
                try:
                    return caller.connect(address)
                except OSError as error:
                    reason = words_of(error)
                    waits += isinstance(error, TimeoutError)
            if waits == 2:
                break
    raise TransferError(f"it could not be reached ({reason})", reached=False)


def read_url(url: str, size: int) -> Iterator[bytes]:
    """Yields the bytes behind an address, not unpacked.

    Args:
        url: the address.
        size: bytes that are expected, exactly.

    Yields:
        Parts of the file, in order, ``size`` bytes in all.

    Raises:
        TransferError: when the host does not send exactly ``size`` bytes in time.
    """
    received, began = 0, time.monotonic()
    headers = {"Accept-Encoding": "identity", "User-Agent": "dlbook"}
    try:
        with requests.get(url, stream=True, timeout=(CONNECT, READ), headers=headers) as response:
            status, announced = response.status_code, response.headers.get("Content-Length")
            if status != 200:
                reason = f"HTTP {status} ({str(response.reason).lower()})"
                raise TransferError(reason, passing=status >= 500)
            if announced not in (None, str(size)):
                reason = f"it offers {announced} bytes instead of {size}: a login or proxy page?"
                raise TransferError(reason)
            # The bytes as they are: some servers label a .gz file as a compressed transfer, and
            # unpacking it would change its hash. read1 returns what has come, so that the clock
            # is looked at even when a host sends a byte now and then.
            while part := response.raw.read1(1 << 16, decode_content=False):
                received += len(part)
                if received > size:
                    raise TransferError(f"it sends more than the {size:,} bytes of the file")
                yield part
                waited = time.monotonic() - began - READ
                if received < min(size, waited * SLOWEST):
                    raise TransferError(f"it is too slow ({received:,} bytes)", reached=False)
    except tuple(_FAULTS) as error:
        reason = next(said for kind, said in _FAULTS.items() if isinstance(error, kind))
        reached = not isinstance(error, requests.RequestException)
        where = f" after {received:,} of {size:,} bytes" if reached else ""
        raise TransferError(reason + where, reached=reached, passing=True) from error
    if received < size:
        raise TransferError(f"it stopped after {received:,} of {size:,} bytes", passing=True)
