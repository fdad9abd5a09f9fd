"""Writes files into a folder so that nobody ever sees half a file, and downloads into the cache.

It stands on ``requests`` and ``filelock`` rather than on ``pooch``: that has no limit on size or
total time, no lock between processes, and temporary files that are readable by their owner only
and keep random names when the process is killed. All of this would have to be built around it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from dlbook.data.files.transfer import Limits, TransferError, host_of, read_url
from dlbook.data.files.types import RemoteFile

LIMITS = Limits()  # tests put a more impatient one here

_given_up: dict[str, str] = {}  # host -> why it is not asked again in this process


class FolderError(Exception):
    """A folder that cannot be written; the message names it."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"{folder} cannot be written ({_words(error)})")


class DownloadError(Exception):
    """No host gave the file; ``tried`` has one line for each."""

    def __init__(self, tried: list[str]) -> None:
        super().__init__("; ".join(tried))
        self.tried = tried


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
        return f"cannot be read ({_words(error)})"
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
    size = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as out:
            for data in parts:
                out.write(data)
                digest.update(data)
                size += len(data)
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            raise TransferError("it sent other bytes than the registered ones (wrong sha256)")
        os.replace(part, target)
    except OSError as error:
        raise FolderError(folder, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def download(file: RemoteFile, folder: Path, bar: DownloadBar) -> tuple[str, tuple[str, ...]]:
    """Puts a file into the cache folder, unless another process has just done so.

    Args:
        file: what to fetch.
        folder: the cache folder.
        bar: shows how far it is.

    Returns:
        "download", or "cache" when another process was quicker; and notes for the reader.

    Raises:
        DownloadError: when no host gave the file.
        FolderError: when the cache cannot be written.
    """
    if not file.urls:
        raise DownloadError([f"{file.path}: no public host has this file"])
    target = file.within(folder)
    notes: tuple[str, ...] = ()
    patience = len(file.urls) * LIMITS.longest(file.size)
    with locked(folder, target.with_name(target.name + ".lock"), patience):
        fault = fault_of(target, file)
        if not fault:
            return "cache", notes
        _remove_parts(target)
        if fault != "missing":
            set_aside = target.with_name(target.name + ".damaged")
            try:
                os.replace(target, set_aside)
            except OSError as error:
                raise FolderError(folder, error) from error
            notes = (
                f"{file.path} in the cache was damaged ({fault}); "
                f"it was set aside as {set_aside.name} and fetched again",
            )
        _from_hosts(file, folder, bar)
    return "download", notes


@contextlib.contextmanager
def locked(folder: Path, lock: Path, patience: float) -> Iterator[None]:
    """Holds a lock file against other processes.

    Args:
        folder: the folder that is about to be written; named in errors.
        lock: the lock file; it stays behind, empty.
        patience: seconds to wait for a process that holds it.

    Raises:
        FolderError: when the lock cannot be made or is not given in time.
    """
    import filelock

    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # a file system without locks: filelock says so, and the download is safe all the same
            warnings.simplefilter("ignore")
            held = filelock.FileLock(lock, timeout=patience)
            held.acquire()
    except filelock.Timeout as error:
        busy = TimeoutError(f"another process has held {lock.name} for {patience:.0f} s")
        raise FolderError(folder, busy) from error
    except OSError as error:
        raise FolderError(folder, error) from error
    try:
        yield
    finally:
        held.release()


def forget_hosts() -> None:
    """Asks hosts again that could not be reached before."""
    _given_up.clear()


def _from_hosts(file: RemoteFile, folder: Path, bar: DownloadBar) -> None:
    tried: list[str] = []
    for url in file.urls:
        host = host_of(url)
        if host in _given_up:
            tried.append(f"{host}: not asked for {file.path}, {_given_up[host]}")
            continue
        try:
            _from_host(file, folder, url, bar)
            return
        except TransferError as error:
            tried.append(f"{host}: {file.path}: {error.reason}")
            if not error.reached:
                _given_up[host] = f"{error.reason} (earlier in this process)"
    raise DownloadError(tried)


def _from_host(file: RemoteFile, folder: Path, url: str, bar: DownloadBar) -> None:
    for attempt in range(1, LIMITS.attempts + 1):
        try:
            # closed by hand: after an error a traceback would keep bar and connection alive
            with (
                contextlib.closing(read_url(url, file.size, LIMITS)) as parts,
                contextlib.closing(bar.watch(file, parts)) as watched,
            ):
                write_verified(file, folder, watched)
            return
        except TransferError as error:
            if not error.retry or attempt == LIMITS.attempts:
                raise
            time.sleep(LIMITS.pause)


def _remove_parts(target: Path) -> None:
    """Removes what a killed download left; the caller holds the lock, so nobody is writing."""
    for part in target.parent.glob(f"{target.name}.*.part"):
        with contextlib.suppress(OSError):
            part.unlink()


class DownloadBar:
    """A progress bar on stderr, or nothing where stderr is no terminal (notebooks, logs).

    Args:
        show: ``True`` or ``False`` to decide; ``None`` to look at stderr.
    """

    def __init__(self, show: bool | None = None) -> None:
        self._show = sys.stderr.isatty() if show is None else show

    def watch(self, file: RemoteFile, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Passes the parts of a file on and shows how many came."""
        if not self._show:
            yield from parts
            return
        from rich import console, progress

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
        )
        with progress.Progress(
            *columns, console=console.Console(stderr=True), transient=True
        ) as bar:
            task = bar.add_task(file.path, total=file.size)
            for part in parts:
                yield part
                bar.advance(task, len(part))


def _words(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
