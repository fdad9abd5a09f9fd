"""Downloads a file from the first host that gives it; nobody ever sees half a file.

``requests`` limits the wait for a connection and for a single read. What is added here: one host
after the other, a second attempt, the checksum, and a lock between processes.
"""

import contextlib
import hashlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import filelock
import requests
import urllib3
from rich.console import Console
from rich.progress import DownloadColumn, Progress

from dlbook.data.files.types import DataUnavailableError, RemoteFile, words_of

CONNECT = 5.0  # seconds to reach a host
READ = 15.0  # seconds without any answer, or between two parts of one
LOCK = 3_600.0  # seconds to wait for another process that downloads the same file

_FAULTS: dict[type[Exception], str] = {  # the first that fits
    requests.exceptions.SSLError: "no safe connection could be made (does a proxy read along?)",
    requests.exceptions.ProxyError: "the proxy could not be used",
    requests.exceptions.Timeout: "it did not answer in time",
    requests.RequestException: "it could not be reached: is there a network?",
    urllib3.exceptions.ReadTimeoutError: "it fell silent",
    urllib3.exceptions.HTTPError: "the connection broke",
}


class TransferError(Exception):
    """One host did not give one file; ``passing`` says whether a second attempt may help."""

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


def write_verified(file: RemoteFile, folder: Path, parts: Iterable[bytes]) -> None:
    """Writes a file under a temporary name, verifies it, and only then gives it its name.

    Raises:
        DataUnavailableError: when the folder cannot be written or is full. No part is left.
        TransferError: when the content is not that of ``file``, or as raised by ``parts``.
    """
    target = folder / file.path
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


def _cannot_write(folder: Path, error: OSError) -> DataUnavailableError:
    tried = [f"the folder {folder} cannot be written ({words_of(error)})"]
    remedies = ["make room there, get the right to write there, or DLBOOK_CACHE=<other folder>"]
    return DataUnavailableError("The file could not be kept", tried, remedies)


def download(file: RemoteFile, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Puts a file into the cache folder, unless another process has just done so.

    A progress bar shows how far it is where stderr is a terminal.

    Returns:
        "download", or "cache" when another process was quicker; and notes for the reader.

    Raises:
        DataUnavailableError: when no host gave the file, or the cache cannot be written.
    """
    target = folder / file.path
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
    urls, tried = list(file.urls), {}
    for url in urls:
        try:
            return _from_host(file, folder, url)
        except TransferError as error:
            if error.passing and url not in tried:
                urls.append(url)  # once more, after the other hosts
            tried[url] = f"{urlsplit(url).netloc}: {file.path}: {error}"
    faults = list(tried.values()) or [f"{file.path}: no public host has this file"]
    remedies = ["`dlbook data fetch` when the network is there"]
    raise DataUnavailableError("No host gave the file", faults, remedies)


def _from_host(file: RemoteFile, folder: Path, url: str) -> None:
    columns = (*Progress.get_default_columns(), DownloadColumn())
    hidden = not sys.stderr.isatty()  # notebooks, logs
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden)
    # closed by hand: after an error a traceback would keep the connection alive
    with bar, contextlib.closing(read_url(url, file.size)) as parts:
        task = bar.add_task(file.path, total=file.size)
        write_verified(file, folder, (bar.advance(task, len(part)) or part for part in parts))


def read_url(url: str, size: int) -> Iterator[bytes]:
    """Yields the bytes behind an address in parts, not unpacked.

    Raises:
        TransferError: when the host does not send exactly ``size`` bytes.
    """
    received = 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "dlbook"}
    try:
        with requests.get(url, stream=True, timeout=(CONNECT, READ), headers=headers) as response:
            status, announced = response.status_code, response.headers.get("Content-Length")
            if status != 200:
                raise TransferError(
                    f"HTTP {status} ({str(response.reason).lower()})", status >= 500
                )
            if announced not in (None, str(size)):
                reason = f"it offers {announced} bytes instead of {size}: a login or proxy page?"
                raise TransferError(reason)
            # as they are: some servers label a .gz file as a compressed transfer, and unpacking
            # it would change its hash
            while part := response.raw.read1(1 << 16, decode_content=False):
                received += len(part)
                if received > size:
                    raise TransferError(f"it sends more than the {size:,} bytes of the file")
                yield part
    except tuple(_FAULTS) as error:
        reason = next(said for kind, said in _FAULTS.items() if isinstance(error, kind))
        where = f" after {received:,} of {size:,} bytes" if received else ""
        raise TransferError(reason + where, passing=True) from error
    if received < size:
        raise TransferError(f"it stopped after {received:,} of {size:,} bytes", passing=True)
