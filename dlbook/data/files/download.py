"""Downloads a file from the first host that gives it; nobody ever sees half a file.

``requests`` limits the wait for a single read, and ``urllib3`` tries again what broke before the
first byte. What is added here: one host after the other, an end to hosts that are too slow, the
checksum, and a lock between processes. ``pooch`` has none of the last three.
"""

import contextlib
import hashlib
import os
import secrets
import socket
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dlbook.data.files.types import RemoteFile

CONNECT = 5.0  # seconds to reach a host
READ = 15.0  # seconds without any answer, or between two parts of one
SLOWEST = 20_000.0  # bytes a second, on average after the first READ seconds
LOCK = 3_600.0  # seconds to wait for another process that downloads the same file

_given_up: dict[str, str] = {}  # host -> why it is not asked again in this process


class FolderError(Exception):
    """A folder that cannot be written; the message names it."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"{folder} cannot be written ({words_of(error)})")


class DownloadError(Exception):
    """No host gave the file; ``tried`` has one line for each."""

    def __init__(self, tried: list[str]) -> None:
        super().__init__("; ".join(tried))
        self.tried = tried


class TransferError(Exception):
    """One host did not give one file; the message says why.

    Args:
        reason: what happened, in plain words.
        reached: whether the host answered in time; else it is not asked for other files.
    """

    def __init__(self, reason: str, *, reached: bool = True) -> None:
        super().__init__(reason)
        self.reached = reached


class BrokenOffError(TransferError):
    """The connection broke inside the file, so a second attempt may help."""


def fault_of(path: Path, file: RemoteFile) -> str:
    """What is wrong with a copy of a file.

    Args:
        path: the copy.
        file: what it should be.

    Returns:
        "" when size and hash are right, "missing" when there is no such file, else what is wrong
        in plain words.
    """
    try:
        size = path.stat().st_size
        if size != file.size:
            return f"{size:,} bytes instead of {file.size:,}"
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return f"cannot be read ({words_of(error)})"
    return "" if digest == file.sha256 else "its content is altered (wrong sha256)"


def write_verified(file: RemoteFile, folder: Path, parts: Iterable[bytes]) -> Path:
    """Writes a file under a temporary name, verifies it, and only then gives it its name.

    Args:
        file: what the content must be.
        folder: a mirror or cache folder; made when missing.
        parts: the content.

    Returns:
        The path of the finished file.

    Raises:
        FolderError: when the folder cannot be written or is full. No part of the file is left.
        TransferError: when the content is not that of ``file``, or as raised by ``parts``.
    """
    target = file.within(folder)
    # one name for each writer: on a file system without locks two may write at the same time
    part = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    digest = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as out:
            for data in parts:
                out.write(data)
                digest.update(data)
        if digest.hexdigest() != file.sha256:
            raise TransferError("it sent other bytes than the registered ones (wrong sha256)")
        os.replace(part, target)
    except OSError as error:
        raise FolderError(folder, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def download(file: RemoteFile, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Puts a file into the cache folder, unless another process has just done so.

    Args:
        file: what to fetch. A progress bar shows how far it is where stderr is a terminal.
        folder: the cache folder.

    Returns:
        "download", or "cache" when another process was quicker; and notes for the reader.

    Raises:
        DownloadError: when no host gave the file.
        FolderError: when the cache cannot be written.
    """
    if not file.urls:
        raise DownloadError([f"{file.path}: no public host has this file"])
    import filelock

    target = file.within(folder)
    lock = target.with_name(target.name + ".lock")  # it stays behind, empty
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # a file system without locks: filelock says so, and the download is safe all the same
            warnings.simplefilter("ignore")
            with filelock.FileLock(lock, timeout=LOCK):
                return _download(file, folder, target)
    except filelock.Timeout as error:
        busy = TimeoutError(f"another process has held {lock.name} for {LOCK:.0f} s")
        raise FolderError(folder, busy) from error
    except OSError as error:
        raise FolderError(folder, error) from error


def _download(file: RemoteFile, folder: Path, target: Path) -> tuple[str, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    fault = fault_of(target, file)
    if not fault:
        return "cache", notes
    for part in target.parent.glob(f"{target.name}.*.part"):  # left by a killed download
        part.unlink()
    if fault != "missing":
        set_aside = target.with_name(target.name + ".damaged")
        os.replace(target, set_aside)
        notes = (
            f"{file.path} in the cache was damaged ({fault}); "
            f"it was set aside as {set_aside.name} and fetched again",
        )
    _from_hosts(file, folder)
    return "download", notes


def _from_hosts(file: RemoteFile, folder: Path) -> None:
    tried: list[str] = []
    for url in file.urls:
        host = urlsplit(url).netloc
        if host in _given_up:
            tried.append(f"{host}: not asked for {file.path}, {_given_up[host]}")
            continue
        try:
            try:
                _from_host(file, folder, url)
            except BrokenOffError:
                _from_host(file, folder, url)
            return
        except TransferError as error:
            tried.append(f"{host}: {file.path}: {error}")
            if not error.reached:
                _given_up[host] = f"{error} (earlier in this process)"
    raise DownloadError(tried)


def _from_host(file: RemoteFile, folder: Path, url: str) -> None:
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress

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
    import requests.utils

    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return  # then only the proxy can tell
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        reason = "it could not be reached (its name is not known: no network?)"
        raise TransferError(reason, reached=False) from error
    waits = 0
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as caller:
            caller.settimeout(CONNECT)
            try:
                caller.connect(address)
                return
            except TimeoutError:
                reason = "it could not be reached in time"
                waits += 1
                if waits == 2:
                    break
            except OSError as error:
                reason = f"it could not be reached ({words_of(error)})"
    raise TransferError(reason, reached=False)


def read_url(url: str, size: int) -> Iterator[bytes]:
    """Yields the bytes behind an address, not unpacked.

    Args:
        url: the address.
        size: bytes that are expected, exactly.

    Yields:
        Parts of the file, in order, ``size`` bytes in all.

    Raises:
        TransferError: when the host does not send exactly ``size`` bytes in time, or sends
            something that is plainly no data file.
    """
    import requests
    import urllib3

    again = urllib3.Retry(
        connect=0,  # that was tried by ``_reach``
        read=1,
        status=1,
        status_forcelist=(500, 502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    received = 0
    try:
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=again))
            response = session.get(
                url,
                stream=True,
                timeout=(CONNECT, READ),
                headers={"Accept-Encoding": "identity", "User-Agent": "dlbook"},
            )
            if response.status_code != 200:
                raise TransferError(f"HTTP {response.status_code} ({str(response.reason).lower()})")
            began = time.monotonic()
            # The bytes as they are: some servers label a .gz file as a compressed transfer, and
            # unpacking it would change its hash. read1 returns what has come, so that the clock
            # is looked at even when a host sends a byte now and then.
            while part := response.raw.read1(1 << 16, decode_content=False):
                if not received:
                    _refuse_other_files(part, response.headers, size)
                received += len(part)
                if received > size:
                    raise TransferError(f"it sends more than the {size:,} bytes of the file")
                yield part
                waited = time.monotonic() - began - READ
                if received < min(size, waited * SLOWEST):
                    raise TransferError(f"it is too slow ({received:,} bytes)", reached=False)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _connection_fault(error, f" after {received:,} of {size:,} bytes") from error
    if received < size:
        raise BrokenOffError(f"it stopped after {received:,} of {size:,} bytes")


def _connection_fault(error: Exception, place: str) -> TransferError:
    import requests
    import urllib3

    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return TransferError(f"it fell silent{place}")
    if not isinstance(error, requests.RequestException):
        return BrokenOffError(f"the connection broke{place}")
    if isinstance(error, requests.exceptions.SSLError):
        reason = "no safe connection could be made (does a proxy read the traffic?)"
    elif isinstance(error, requests.exceptions.ProxyError):
        reason = "the proxy could not be used"
    elif "timed out" in str(error):
        reason = "it accepted the connection but did not answer"
    elif isinstance(error, requests.ConnectionError):
        reason = "it could not be reached (the connection was closed)"
    else:
        return TransferError(f"{type(error).__name__}: {error}")
    return TransferError(reason, reached=False)


def _refuse_other_files(start: bytes, headers, size: int) -> None:
    """Refuses a web page, which networks with a login send for everything, and a wrong size."""
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise TransferError("the server sent a web page: a login or proxy page?")
    announced = headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) != size:
        raise TransferError(f"it offers {int(announced):,} bytes instead of {size:,}")


def words_of(error: OSError) -> str:
    """The operating system's words for an error."""
    return (error.strerror or str(error) or type(error).__name__).lower()
