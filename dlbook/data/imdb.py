"""IMDB: 50,000 film reviews, negative and positive, and the stand-in for them.

The archive has one file for each review. Reading it takes seconds, so the texts are kept in the
cache folder as well, in one file that NumPy reads in a fraction of a second.
"""

from __future__ import annotations

import contextlib
import json
import lzma
import os
import re
import secrets
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dlbook.data.files import settings
from dlbook.data.files.locate import STAND_IN, Located
from dlbook.data.files.types import get_collection
from dlbook.data.kinds.texts import TextClassificationData, Texts
from dlbook.data.loading import load
from dlbook.data.stand_ins import imdb as reviews

_PARTS, _CLASSES = ("train", "test"), ("neg", "pos")
_CLASS_NAMES = ("negative", "positive")
_PER_CLASS = 12_500  # reviews of each class in each part
_MEMBER = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+)_\d+\.txt")
_ARCHIVE, _WORD_INDEX = "imdb/aclImdb_v1.tar.gz", "imdb/imdb_word_index.json"
_QUICK = "imdb/reviews-1.npz"  # the number goes up when the form of the file changes


class Reviews(NamedTuple):
    """The texts of both parts; negative and positive ones take turns in each."""

    train: Texts
    test: Texts


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
    return load("imdb", _read, _stand_in)


def read_archive(path: Path, per_class: int = _PER_CLASS) -> Reviews:
    """Reads the labelled reviews from the archive, file by file, without unpacking it to disk.

    Args:
        path: the official archive, or one with only a part of its files; gzip, xz or none.
        per_class: reviews that each class must have in each part, numbered from 0.

    Returns:
        The texts.

    Raises:
        ValueError: when reviews are missing or unreadable; the message names the file.
    """
    found: dict[tuple[str, str], dict[int, str]] = {
        (part, kind): {} for part in _PARTS for kind in _CLASSES
    }
    try:
        with tarfile.open(path, "r|*") as archive:  # a stream: never more than one file in memory
            for member in archive:
                match = _MEMBER.fullmatch(member.name)
                if match and member.isfile():
                    text = archive.extractfile(member).read().decode("utf-8")
                    found[match[1], match[2]][int(match[3])] = text
    except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise ValueError(f"{path.name} is no complete archive of reviews: {error}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name}: {member.name} is no UTF-8 text: {error}") from error
    for (part, kind), texts in found.items():
        if sorted(texts) != list(range(per_class)):
            raise ValueError(
                f"{path.name} should hold aclImdb/{part}/{kind} 0 to {per_class - 1}, "
                f"but holds {len(texts):,} reviews there"
            )
    return Reviews(
        *(
            tuple(found[part, kind][number] for number in range(per_class) for kind in _CLASSES)
            for part in _PARTS
        )
    )


def read_quick(path: Path, archive_sha256: frozenset[str]) -> Reviews:
    """Reads the texts from the file that ``write_quick`` made.

    Args:
        path: the file.
        archive_sha256: the archives that it may have been made from.

    Returns:
        The texts.

    Raises:
        ValueError: when the file is damaged or was made from another archive.
        FileNotFoundError: when there is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:  # zip checks a checksum of each array
            made_from, split = str(file["made_from"]), int(file["train"])
            blob, ends = file["blob"].tobytes(), file["ends"].tolist()
        if made_from not in archive_sha256:
            raise ValueError("it was made from another archive")
        starts = [0, *ends[:-1]]
        texts = tuple(str(blob[a:b], "utf-8") for a, b in zip(starts, ends, strict=True))
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    return Reviews(texts[:split], texts[split:])


def write_quick(path: Path, texts: Reviews, made_from: str) -> None:
    """Writes the texts as one block of UTF-8 with the place where each ends.

    The file gets its name when it is complete. A folder that cannot be written is no error: the
    next load reads the archive again.

    Args:
        path: where to.
        texts: the texts.
        made_from: sha256 of the archive.
    """
    blocks = [text.encode() for part in texts for text in part]
    part = path.with_name(f"{path.stem}.{os.getpid()}-{secrets.token_hex(4)}.part.npz")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            np.savez(
                part,
                made_from=np.array(made_from),
                train=np.array(len(texts.train)),
                blob=np.frombuffer(b"".join(blocks), np.uint8),
                ends=np.cumsum([len(block) for block in blocks]),
            )
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def _read(located: Located) -> TextClassificationData:
    collection = get_collection("imdb")
    archive = next(file for file in collection.files if file.path == _ARCHIVE)
    forms = {form.name: form.sha256 for form in archive.forms}
    notes = located.notes
    quick = settings.cache_folder() / _QUICK
    try:
        texts = read_quick(quick, frozenset(forms.values()))
    except (FileNotFoundError, ValueError) as error:
        path = located.paths[_ARCHIVE]
        texts = read_archive(path)
        write_quick(quick, texts, forms[path.name])
        if isinstance(error, ValueError):
            notes = (*notes, f"In the cache {error}. It was made anew.")
    with located.paths[_WORD_INDEX].open(encoding="utf-8") as file:
        word_index = json.load(file)
    return TextClassificationData(
        name=collection.name,
        title=collection.title,
        source=located.source,
        licence=collection.licence,
        citation=collection.citation,
        notes=notes,
        x_train=texts.train,
        y_train=_labels(texts.train),
        x_test=texts.test,
        y_test=_labels(texts.test),
        class_names=_CLASS_NAMES,
        word_index=word_index,
    )


def _labels(texts: Texts) -> np.ndarray:
    return np.arange(len(texts), dtype=np.int32) % len(_CLASSES)


def _stand_in(notes: tuple[str, ...]) -> TextClassificationData:
    train, test = reviews.make()
    return TextClassificationData(
        name="imdb",
        title=get_collection("imdb").title,
        source=STAND_IN,
        licence=reviews.LICENCE,
        citation=reviews.CITATION,
        notes=(*notes, reviews.HOW),
        x_train=train,
        y_train=_labels(train),
        x_test=test,
        y_test=_labels(test),
        class_names=_CLASS_NAMES,
        word_index=reviews.word_ranks(train),
        real_train_size=2 * _PER_CLASS,
    )
