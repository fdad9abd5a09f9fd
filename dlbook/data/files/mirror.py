"""Fills a mirror folder, for `dlbook data mirror`."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from dlbook.data.files.locate import MIRROR, find_copy, locate
from dlbook.data.files.settings import absolute
from dlbook.data.files.types import (
    Collection,
    DataSettingError,
    DataUnavailableError,
    FolderError,
    RemoteFile,
    get_collection,
)


def make_mirror(folder: str | Path, collections: Iterable[str | Collection]) -> dict[str, str]:
    """Fills a mirror folder, for a classroom or a machine without a network.

    Args:
        folder: where to; made when missing. Good files that lie there are kept.
        collections: collections or names.

    Returns:
        Path of each file, or of its smaller form, in the folder -> what was done: "copied", "kept"
        (a good copy was there) or "replaced" (a damaged one was). Every file is verified as it is
        written.

    Raises:
        DataUnavailableError: when a file cannot be had or the folder cannot be written. Files
            that were finished before stay.
        DataSettingError: on an unknown name, or when there is a file in the folder's place.
    """
    folder = absolute(folder)
    if folder.exists() and not folder.is_dir():
        raise DataSettingError(f"{folder} is a file, no folder")
    done: dict[str, str] = {}
    for collection in [get_collection(chosen) for chosen in collections]:
        present = [find_copy(file, {MIRROR: folder}) for file in collection.files]
        # a finished mirror needs neither the cache nor the network to be checked again
        origin = {} if all(entry.good for entry in present) else locate(collection).paths
        for file, entry in zip(collection.files, present, strict=True):
            if entry.good:
                done[entry.file.path] = "kept"
                continue
            found = origin[file.path]
            form = next(form for form in file.forms if form.name == found.name)
            _copy(form, found, folder)
            done[form.path] = "replaced" if entry.faults else "copied"
    return done


def _copy(file: RemoteFile, origin: Path, folder: Path) -> None:
    from dlbook.data.files.download import TransferError, write_verified

    try:
        with origin.open("rb") as content:
            write_verified(file, folder, iter(partial(content.read, 1 << 20), b""))
    except (FolderError, TransferError, OSError) as error:
        raise DataUnavailableError(
            "The mirror folder could not be filled",
            [f"{origin} was copied: {error}"],
            ["make room there, get the right to write there, or choose another folder"],
        ) from error
