"""What `dlbook data` does with whole collections: fetch them, verify them, fill a mirror folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dlbook.data.files import download as store
from dlbook.data.files.errors import DataSettingError, DataUnavailableError
from dlbook.data.files.locate import MIRROR, FileStatus, find_copy, locate, status
from dlbook.data.files.transfer import TransferError
from dlbook.data.files.types import Collection, RemoteFile, get_collections


@dataclass(frozen=True)
class MirroredFile:
    """One file of a mirror folder.

    Args:
        file: the registered file.
        path: where it lies now.
        action: "copied", "kept" (a good copy was there) or "replaced" (a damaged one was).
    """

    file: RemoteFile
    path: Path
    action: str


def verify(
    collections: Iterable[str | Collection] | None = None, *, folder: str | Path | None = None
) -> tuple[FileStatus, ...]:
    """Compares the size and hash of every file with the registry. Changes nothing.

    Args:
        collections: collections or names; ``None``: all.
        folder: look only there, as in a mirror folder; ``None``: where the loaders look.

    Returns:
        One entry for each file. In a given folder the state is "mirror folder" for a good file.

    Raises:
        DataSettingError: on an unknown name or a folder that does not exist.
    """
    chosen = get_collections(collections)
    if folder is None:
        return tuple(entry for collection in chosen for entry in status(collection))
    if not os.path.isdir(folder):
        raise DataSettingError(f"there is no folder {folder}")
    folders = {MIRROR: Path(folder)}
    return tuple(find_copy(file, folders) for collection in chosen for file in collection.files)


def make_mirror(
    folder: str | Path,
    collections: Iterable[str | Collection] | None = None,
    *,
    progress: bool | None = None,
) -> tuple[MirroredFile, ...]:
    """Fills a mirror folder, for a classroom or a machine without a network.

    Args:
        folder: where to; made when missing. Good files that lie there are kept.
        collections: collections or names; ``None``: all.
        progress: whether to show a progress bar; ``None``: when stderr is a terminal.

    Returns:
        One entry for each file. Every file is verified as it is written.

    Raises:
        DataUnavailableError: when a file cannot be had or the folder cannot be written. Files
            that were finished before stay.
        DataSettingError: on an unknown name, or when there is a file in the folder's place.
    """
    folder = Path(os.path.abspath(os.path.expanduser(folder)))
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise DataSettingError(f"{folder} is a file, no folder")
    done: list[MirroredFile] = []
    for collection in get_collections(collections):
        present = _look(folder, collection)
        # a finished mirror needs neither the cache nor the network to be checked again
        complete = all(entry.good for entry in present)
        origin = {} if complete else locate(collection, progress=progress).paths
        for file, entry in zip(collection.files, present, strict=True):
            if entry.good:
                done.append(MirroredFile(entry.file, entry.file.within(folder), "kept"))
                continue
            found = origin[file.path]
            form = next(form for form in file.forms if form.name == found.name)
            action = "replaced" if entry.faults else "copied"
            done.append(MirroredFile(form, _copy(form, found, folder), action))
    return tuple(done)


def _look(folder: Path, collection: Collection) -> list[FileStatus]:
    return [find_copy(file, {MIRROR: folder}) for file in collection.files]


def _copy(file: RemoteFile, origin: Path, folder: Path) -> Path:
    headline = "The mirror folder could not be filled"
    try:
        return store.write_verified(file, folder, _parts(origin))
    except store.FolderError as error:
        remedies = ["make room there, get the right to write there, or choose another folder"]
        raise DataUnavailableError(headline, [str(error)], remedies) from error
    except TransferError as error:
        tried = [f"{origin} changed or could not be read while it was copied: {error.reason}"]
        raise DataUnavailableError(headline, tried, ["try again"]) from error


def _parts(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as content:
            while part := content.read(1 << 20):
                yield part
    except OSError as error:  # else a fault of the origin would be laid to the target
        raise TransferError(str(error)) from error
