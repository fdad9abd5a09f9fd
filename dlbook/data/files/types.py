"""Every file that dlbook reads: where it comes from, its size and hash, and its terms.

One table for the whole book. A file has the same relative path in a mirror folder, in the cache
and here, so a cache folder can serve as a mirror folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dlbook.data.files.errors import DataSettingError


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Args:
        path: the place in a mirror folder and in the cache: relative, with forward slashes.
        size: bytes.
        sha256: the hash of the content, 64 hexadecimal digits in lower case.
        urls: addresses of the same bytes, tried in this order. Empty when no public host has
            these bytes; the file then comes from a mirror folder only.
        smaller: a smaller file with all that the loader needs of this one, which some mirror
            folders have in its place.

    Raises:
        ValueError: when the entry could never be found or verified.
    """

    path: str
    size: int
    sha256: str
    urls: tuple[str, ...] = ()
    smaller: RemoteFile | None = None

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

    @property
    def forms(self) -> tuple[RemoteFile, ...]:
        """The files that serve: the smaller one, where there is one, and this one."""
        return (self.smaller, self) if self.smaller else (self,)

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

_IMDB = Collection(
    name="imdb",
    title="IMDB film reviews",
    files=(
        RemoteFile(
            "imdb/aclImdb_v1.tar.gz",
            84_125_825,
            "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
            ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
            # the labelled reviews alone, packed again
            smaller=RemoteFile(
                "imdb/aclImdb_labelled.tar.xz",
                19_968_568,
                "d1364be4f61d87b315b2d6b2ae2354067470bf28dd239b2a017238dadff78abd",
            ),
        ),
        RemoteFile(
            "imdb/imdb_word_index.json",
            1_641_221,
            "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
            ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json",),
        ),
    ),
    licence="no explicit licence; free to use with citation (Stanford University)",
    citation=(
        "A. Maas, R. Daly, P. Pham, D. Huang, A. Ng, C. Potts: Learning word vectors for "
        "sentiment analysis. ACL, 2011"
    ),
    homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
)

_SHAKESPEARE = Collection(
    name="tiny-shakespeare",
    title="tiny Shakespeare",
    files=(
        RemoteFile(
            "text/tinyshakespeare.txt",
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            (
                "https://raw.githubusercontent.com/karpathy/char-rnn/"
                "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
            ),
        ),
    ),
    licence="public domain text",
    citation="W. Shakespeare; selected by A. Karpathy for char-rnn, 2015",
    homepage="https://github.com/karpathy/char-rnn",
)

_TANG_HOST = (
    "https://raw.githubusercontent.com/chinese-poetry/chinese-poetry/"
    "99ebbef7e1345c0985c44b9fd96a3f9e776f117b/%E5%85%A8%E5%94%90%E8%AF%97/",
)

_TANG_POEMS = Collection(
    name="tang-poems",
    title="Tang poems · 唐詩",
    files=tuple(
        _on_hosts(f"text/chinese-poetry/poet.tang.{number}.json", size, sha256, _TANG_HOST)
        for number, size, sha256 in (
            (0, 408_405, "4f88f429938082523cdc72a1612bd7a7c3e3f7a33f8192c61ae51340efc3c92d"),
            (1000, 477_519, "6e703b8d8dcedbd6110f6d48d043665ca2131db2035a5bfcef5e59a19aeb6d75"),
            (2000, 417_948, "ec28efa7e2ae9cdbbba09f0ed186e32ccae47a325ad1e5816b7ad56071c1665a"),
            (3000, 453_811, "9e4ba2323752b6b9fbdba875cdbc6a26636fe0cabc85fd066370d4915952001f"),
            (4000, 488_655, "b8a7946c879b9658a6c667a4c55f776fae7e5e00a17789ab06b274c1429afc66"),
            (5000, 467_225, "a0306e6962cff01639ad9a00b042a201b8dec1f30fa5d768a7b112589887861e"),
            (6000, 470_031, "982a21d2b15922b406911f1c825785054314c686da86b2155d7aebb362d22771"),
            (7000, 474_558, "a6fb69d7b4343c904dc56ae5aae34facc2478d196b51c37ceba9d1e2f171b342"),
            (8000, 574_248, "ac3848e95b02736168003863795de4474838c2d6a71a24ca2a4a280ea5177773"),
            (9000, 476_882, "b99d6596e3a1fe1a661652383083f92d196b8baf4e461d087081d5e1e1b7a51f"),
        )
    ),
    licence="MIT (chinese-poetry); the poems are in the public domain",
    citation="Complete Tang Poems (全唐詩), 1705; typed in by the chinese-poetry project",
    homepage="https://github.com/chinese-poetry/chinese-poetry",
)

_CORA_HOST = (
    "https://raw.githubusercontent.com/benedekrozemberczki/APPNP/"
    "338d98980ee8748e652630dd422341ef8b2a354a/input/",
)

_CORA = Collection(
    name="cora",
    title="Cora",
    files=(
        _on_hosts(
            "cora-text/cora_edges.csv",
            96_882,
            "a04e55f3bc812b9d2e57ce89da06446991a77183c423861817076ccbdc59ea88",
            _CORA_HOST,
        ),
        _on_hosts(
            "cora-text/cora_features.json",
            287_700,
            "01ed032fa148d302183ff2225a6f687b6d51998fc7a39b49669ed181f0c8d8a5",
            _CORA_HOST,
        ),
        _on_hosts(
            "cora-text/cora_target.csv",
            17_856,
            "5462297aefd41881e576a1f60a457dd116c57a80159d6e119d0cfd53633e7904",
            _CORA_HOST,
        ),
        _on_hosts(
            "planetoid/data/ind.cora.test.index",
            5_000,
            "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
            (
                "https://raw.githubusercontent.com/kimiyoung/planetoid/"
                "af6abf468a772cc055bec88c52e4d6f51b7c37e3/data/",
            ),
        ),
    ),
    licence="none stated for the data (LINQS); the Planetoid repository is under MIT",
    citation=(
        "P. Sen, G. Namata, M. Bilgic, L. Getoor, B. Gallagher, T. Eliassi-Rad: Collective "
        "classification in network data. AI Magazine 29(3), 2008; split: Z. Yang, W. Cohen, "
        "R. Salakhutdinov, ICML 2016"
    ),
    homepage="https://linqs.org/datasets/",
)

COLLECTIONS: dict[str, Collection] = {
    collection.name: collection for collection in (_MNIST, _IMDB, _SHAKESPEARE, _TANG_POEMS, _CORA)
}


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
