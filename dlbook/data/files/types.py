"""What the files of a data set are, the register of all of them, and what can go wrong.

A file has the same relative path in a mirror folder, in the cache and here, so a cache folder can
serve as a mirror folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any


class DataSettingError(ValueError):
    """A setting that names something which is not there or makes no sense."""


class DataUnavailableError(RuntimeError):
    """Files of a data set could not be had, or not be put where they were wanted.

    ``str(error)`` is several plain lines: what could not be done, a line for each thing that was
    tried, and one for each that helps. ``summary`` is the same in one sentence, without remedies.
    """

    def __init__(self, headline: str, tried: list[str], remedies: list[str]) -> None:
        self.tried, self.remedies = tried, remedies
        self.summary = f"{headline}: {'; '.join(tried)}."
        lines = [f"{headline}.", "What was tried:", *(f"  - {line}" for line in tried)]
        lines += ["What helps:", *(f"  - {line}" for line in remedies)]
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set."""

    path: str  # in a mirror folder and in the cache: relative, with forward slashes
    size: int  # bytes
    sha256: str  # of the content, 64 hexadecimal digits in lower case
    # addresses of the same bytes, tried in this order; empty when no public host has these bytes,
    # so that the file comes from a mirror folder only
    urls: tuple[str, ...] = ()
    # a file with all that the loader needs of this one, which some mirror folders have instead
    smaller: RemoteFile | None = None

    @classmethod
    def on_hosts(cls, path: str, size: int, sha256: str, *hosts: str) -> RemoteFile:
        """A file that several hosts keep under the same name; each host ends with a slash."""
        name = PurePosixPath(path).name
        return cls(path, size, sha256, tuple(host + name for host in hosts))

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return PurePosixPath(self.path).name

    @property
    def forms(self) -> tuple[RemoteFile, ...]:
        """The files that serve: the smaller one, where there is one, and this one."""
        return (self.smaller, self) if self.smaller else (self,)

    def fault_of(self, copy: Path) -> str:
        """What is wrong with a copy: "" when size and hash are right, "missing", or words."""
        try:
            size = copy.stat().st_size
            if size != self.size:
                return f"{size:,} bytes instead of {self.size:,}"
            with copy.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        except OSError as error:
            return f"cannot be read ({words_of(error)})"
        return "" if digest == self.sha256 else "its content is altered (wrong sha256)"


@dataclass(frozen=True)
class Collection:
    """The files that one loader needs."""

    name: str  # the word used on the command line, as "mnist"
    title: str  # the name that a reader knows, as "MNIST"
    files: tuple[RemoteFile, ...]  # a loader needs every one of them
    licence: str  # the terms, in a sentence
    citation: str  # the paper or person to name
    homepage: str  # where to read more

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


COLLECTIONS: dict[str, Collection] = {}
"""Every collection by its name; the modules of the data sets fill it as they are imported."""


def register(**fields: Any) -> None:
    """Makes a ``Collection`` with these fields known to the loaders and to ``dlbook data``."""
    COLLECTIONS[fields["name"]] = Collection(**fields)


def get_collection(collection: str | Collection) -> Collection:
    """Looks a collection up by its name; a ``Collection`` is returned as it is.

    Raises:
        DataSettingError: when no collection has this name; the message lists those that exist.
    """
    if isinstance(collection, Collection):
        return collection
    if collection not in COLLECTIONS:
        known = ", ".join(sorted(COLLECTIONS))
        raise DataSettingError(f"no data set is called {collection!r}; dlbook knows: {known}")
    return COLLECTIONS[collection]


def words_of(error: OSError) -> str:
    """The operating system's words for an error."""
    return (error.strerror or str(error) or type(error).__name__).lower()
