"""Finds the files of a data set: in a mirror folder, in the cache, on a host; fills a mirror."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dlbook.data.files import settings
from dlbook.data.files.types import Collection, DataUnavailableError, RemoteFile, get_collection

MIRROR, CACHE, DOWNLOAD = "mirror folder", "cache", "download"
MISSING, DAMAGED = "missing", "damaged"
_REMEDIES = [
    "DLBOOK_DATA_DIR=<folder> to read the files from a mirror folder",
    "DLBOOK_DATA=stand-in to work with small stand-in data",
]


@dataclass(frozen=True)
class FileStatus:
    """Where one file lies."""

    file: RemoteFile  # the registered file, or its smaller form where that was found
    state: str  # where a good copy lies; "missing"; "damaged" if there are copies but no good one
    path: Path | None  # the good copy: its size and hash are right
    faults: dict[str, str]  # where a copy is no good -> a sentence that says so

    @property
    def detail(self) -> str:
        """What is wrong with the copies that are no good; "" when nothing is."""
        return "; ".join(self.faults.values())


@dataclass(frozen=True)
class Located:
    """All files of a collection, verified."""

    paths: dict[str, Path]  # where each lies, by ``RemoteFile.path``
    source: str  # the least direct way needed: "mirror folder", "cache" or "download"
    notes: tuple[str, ...] = ()  # for the reader, as damaged copies that were passed over


def find_copy(file: RemoteFile, folders: dict[str, Path]) -> FileStatus:
    """The first good copy of a file, or its faults; folders go by the state of a copy in them."""
    faults: dict[str, str] = {}
    for state, folder in folders.items():
        for form in file.forms:
            path = folder / form.path
            fault = form.fault_of(path)
            if not fault:
                return FileStatus(form, state, path, faults)
            if fault != MISSING:
                faults[state] = f"{form.path} in the {state} is damaged ({fault})"
    return FileStatus(file, DAMAGED if faults else MISSING, None, faults)


def status(collection: str | Collection) -> tuple[FileStatus, ...]:
    """Says where each file of a collection lies. Downloads and changes nothing.

    Args:
        collection: a collection or its name.

    Returns:
        One entry for each file, in the order of the registry.

    Raises:
        DataSettingError: on an unknown name or a wrong folder in the environment.
    """
    mirror = settings.mirror_folder()
    folders = ({MIRROR: mirror} if mirror else {}) | {CACHE: settings.cache_folder()}
    return tuple(find_copy(file, folders) for file in get_collection(collection).files)


def locate(collection: str | Collection) -> Located:
    """Finds every file of a collection, downloading those that are not here yet.

    Args:
        collection: a collection or its name.

    Returns:
        The verified files.

    Raises:
        DataUnavailableError: when a file cannot be had, or DLBOOK_DATA forbids to look.
        DataSettingError: on an unknown name or a wrong folder in the environment.
    """
    collection = get_collection(collection)
    headline = f"The real data of {collection.title} could not be had"
    if settings.mode() == "stand-in":
        tried = ["DLBOOK_DATA=stand-in asks for stand-in data"]
        remedies = ["unset DLBOOK_DATA, or set it to auto or real"]
        raise DataUnavailableError(headline, tried, remedies)
    found = status(collection)
    cache = settings.cache_folder()
    paths, sources, notes = {}, set(), []
    for file, copy in zip(collection.files, found, strict=True):
        path, source = copy.path, copy.state
        if MIRROR in copy.faults:
            notes.append(f"{copy.faults[MIRROR]} and was passed over")
        if not copy.path:
            from dlbook.data.files.download import download

            try:
                source, told = download(file, cache)
            except DataUnavailableError as error:
                tried = [f"{sum(not c.path for c in found)} of {len(found)} files are not here"]
                tried += [c.detail for c in found if c.detail] + error.tried
                raise DataUnavailableError(headline, tried, error.remedies + _REMEDIES) from error
            path = cache / file.path
            notes += told
        paths[file.path] = path
        sources.add(source)
    return Located(paths, max(sources, key=(MIRROR, CACHE, DOWNLOAD).index), tuple(notes))


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
    from dlbook.data.files.download import write_verified

    folder = settings.folder_at(folder, "the mirror folder")
    done: dict[str, str] = {}
    for collection in [get_collection(chosen) for chosen in collections]:
        present = [find_copy(file, {MIRROR: folder}) for file in collection.files]
        # a finished mirror needs neither the cache nor the network to be checked again
        origin = {} if all(entry.path for entry in present) else locate(collection).paths
        for file, entry in zip(collection.files, present, strict=True):
            form, action = entry.file, "kept"
            if not entry.path:
                action = "replaced" if entry.faults else "copied"
                found = origin[file.path]
                form = next(form for form in file.forms if form.name == found.name)
                with found.open("rb") as content:
                    write_verified(form, folder, iter(partial(content.read, 1 << 20), b""))
            done[form.path] = action
    return done
