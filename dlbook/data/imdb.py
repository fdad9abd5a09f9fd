"""IMDB: 50,000 film reviews, negative and positive."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.texts import TextClassificationData, Texts, labels_in_turn
from dlbook.data.loading import load

_MEMBER = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+)_\d+\.txt")
_ARCHIVE, _WORD_INDEX = "imdb/aclImdb_v1.tar.gz", "imdb/imdb_word_index.json"

register(
    name="imdb",
    title="IMDB film reviews",
    files=(
        RemoteFile(
            _ARCHIVE,
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
            _WORD_INDEX,
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


def load_imdb() -> TextClassificationData:
    """Loads film reviews from the Internet Movie Database with their verdicts.

    The training and the test part are about different films. Within a part the reviews are in the
    archive's order, a negative one and a positive one in turn; up to thirty of a class in a row
    are of one film, so hold out neighbours (``train_validation_split`` does). They are as written,
    with ``<br />`` for a line break. A few hundred of them occur twice.

    Returns:
        25,000 training and 25,000 test texts with labels (int32, 0 negative, 1 positive), half of
        each. The stand-in has 2,000 and 600 texts made by a grammar.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("imdb", TextClassificationData, _read, class_names=("negative", "positive"))


def read_archive(path: Path) -> tuple[Texts, Texts]:
    """Reads the labelled reviews from the archive, file by file, without unpacking it to disk.

    Args:
        path: the official archive, or one with only a part of its files; gzip, xz or none.

    Returns:
        The training and the test texts, by number; negative and positive ones take turns.
    """
    found: dict[tuple[str, int, str], str] = {}
    with tarfile.open(path, "r|*") as archive:  # a stream: never more than one file in memory
        for member in archive:
            match = _MEMBER.fullmatch(member.name)
            if match:
                text = archive.extractfile(member).read().decode("utf-8")
                found[match[1], int(match[3]), match[2]] = text
    order = sorted(found)  # "neg" comes before "pos"
    return tuple(tuple(found[key] for key in order if key[0] == part) for part in ("train", "test"))


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    train, test = read_archive(paths[_ARCHIVE])
    return {
        "x_train": train,
        "y_train": labels_in_turn(train),
        "x_test": test,
        "y_test": labels_in_turn(test),
        "word_index": json.loads(paths[_WORD_INDEX].read_text(encoding="utf-8")),
    }
