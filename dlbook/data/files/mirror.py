"""What `dlbook data` does with whole collections: verify them, fill a mirror folder."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dlbook.data.files.download import FolderError, TransferError, write_verified
from dlbook.data.files.locate import MIRROR, FileStatus, find_copy, locate, status
from dlbook.data.files.settings import absolute
from dlbook.data.files.types import (
    Collection,
    DataSettingError,
    DataUnavailableError,
    RemoteFile,
    get_collections,
)


class MirroredFile(NamedTuple):
    """One file of a mirror folder, or its smaller form, and what was done for it."""

    file: RemoteFile
    action: str  # "copied", "kept" (a good copy was there) or "replaced" (a damaged one was)


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
    folder = absolute(folder)
    if not folder.is_dir():
        raise DataSettingError(f"there is no folder {folder}")
    return tuple(entry for collection in chosen for entry in _look(folder, collection))


def make_mirror(
    folder: str | Path, collections: Iterable[str | Collection] | None = None
) -> tuple[MirroredFile, ...]:
    """Fills a mirror folder, for a classroom or a machine without a network.

    Args:
        folder: where to; made when missing. Good files that lie there are kept.
        collections: collections or names; ``None``: all.

    Returns:
        One entry for each file. Every file is verified as it is written.

    Raises:
        DataUnavailableError: when a file cannot be had or the folder cannot be written. Files
            that were finished before stay.
        DataSettingError: on an unknown name, or when there is a file in the folder's place.
    """
    folder = absolute(folder)
    if folder.exists() and not folder.is_dir():
        raise DataSettingError(f"{folder} is a file, no folder")
    done: list[MirroredFile] = []
    for collection in get_collections(collections):
        present = _look(folder, collection)
        # a finished mirror needs neither the cache nor the network to be checked again
        origin = {} if all(entry.good for entry in present) else locate(collection).paths
        for file, entry in zip(collection.files, present, strict=True):
            if entry.good:
                done.append(MirroredFile(entry.file, "kept"))
                continue
            found = origin[file.path]
            form = next(form for form in file.forms if form.name == found.name)
            _copy(form, found, folder)
            done.append(MirroredFile(form, "replaced" if entry.faults else "copied"))
    return tuple(done)


def _look(folder: Path, collection: Collection) -> list[FileStatus]:
    return [find_copy(file, {MIRROR: folder}) for file in collection.files]


def _copy(file: RemoteFile, origin: Path, folder: Path) -> None:
    headline = "The mirror folder could not be filled"
    try:
        with origin.open("rb") as content:
            write_verified(file, folder, iter(partial(content.read, 1 << 20), b""))
    except FolderError as error:
        remedies = ["make room there, get the right to write there, or choose another folder"]
        raise DataUnavailableError(headline, [str(error)], remedies) from error
    except (TransferError, OSError) as error:
        tried = [f"{origin} changed or could not be read while it was copied: {error}"]
        raise DataUnavailableError(headline, tried, ["try again"]) from error
