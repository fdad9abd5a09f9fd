"""Every file that dlbook reads: where it comes from, its size and hash, and its terms.

One table for the whole book. A file has the same relative path in a mirror folder, in the cache
and here, so a cache folder can serve as a mirror folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dlbook.data.errors import DataSettingError


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Args:
        path: the place in a mirror folder and in the cache: relative, with forward slashes.
        size: bytes.
        sha256: the hash of the content, 64 hexadecimal digits in lower case.
        urls: addresses of the same bytes, tried in this order. Empty when no public host has
            these bytes; the file then comes from a mirror folder only.

    Raises:
        ValueError: when the entry could never be found or verified.
    """

    path: str
    size: int
    sha256: str
    urls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        # a path that leaves its folder would let a registry entry overwrite any file
        if not parts or self.path.startswith("/") or "\\" in self.path or ".." in parts:
            raise ValueError(f"path must be relative and stay in its folder, got {self.path!r}")
        if self.size <= 0:
            raise ValueError(f"size of {self.path} must be positive, got {self.size}")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256 of {self.path} must be 64 hexadecimal digits in lower case")
        for url in self.urls:
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"url of {self.path} must be http or https, got {url!r}")

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return PurePosixPath(self.path).name

    def within(self, folder: Path) -> Path:
        """The place of this file in a mirror or cache folder."""
        return folder.joinpath(*PurePosixPath(self.path).parts)


@dataclass(frozen=True)
class Collection:
    """The files that one loader needs.

    Args:
        name: the word used on the command line, as "mnist".
        title: the name that a reader knows, as "MNIST".
        files: all files; a loader needs every one of them.
        licence: the terms, in a sentence.
        citation: the paper or person to name.
        homepage: where to read more.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    licence: str
    citation: str
    homepage: str

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def _on_hosts(path: str, size: int, sha256: str, hosts: tuple[str, ...]) -> RemoteFile:
    """A file which several hosts keep under the same name."""
    name = PurePosixPath(path).name
    return RemoteFile(path, size, sha256, tuple(host + name for host in hosts))


_MNIST_HOSTS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

_MNIST = Collection(
    name="mnist",
    title="MNIST",
    files=(
        _on_hosts(
            "mnist/train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            _MNIST_HOSTS,
        ),
        _on_hosts(
            "mnist/train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            _MNIST_HOSTS,
        ),
        _on_hosts(
            "mnist/t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            _MNIST_HOSTS,
        ),
        _on_hosts(
            "mnist/t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            _MNIST_HOSTS,
        ),
    ),
    licence="CC BY-SA 3.0, as stated in the Keras documentation (Yann LeCun, Corinna Cortes)",
    citation=(
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 1998"
    ),
    homepage="https://keras.io/api/datasets/mnist/",
)

COLLECTIONS: dict[str, Collection] = {collection.name: collection for collection in (_MNIST,)}


def get_collection(collection: str | Collection) -> Collection:
    """Looks a collection up by its name.

    Args:
        collection: a name in ``COLLECTIONS``; a ``Collection`` is returned as it is.

    Returns:
        The collection.

    Raises:
        DataSettingError: when no collection has this name; the message lists those that exist.
    """
    if isinstance(collection, Collection):
        return collection
    if collection not in COLLECTIONS:
        known = ", ".join(sorted(COLLECTIONS))
        raise DataSettingError(f"no data set is called {collection!r}; dlbook knows: {known}")
    return COLLECTIONS[collection]


def get_collections(collections: Iterable[str | Collection] | None) -> tuple[Collection, ...]:
    """Looks several collections up; ``None`` means all of them."""
    if isinstance(collections, str | Collection):
        collections = (collections,)
    return tuple(get_collection(c) for c in (COLLECTIONS if collections is None else collections))
