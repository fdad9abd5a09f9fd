"""MNIST: 70,000 handwritten digits in the original idx files, and the stand-in for them."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from dlbook.data.files.locate import STAND_IN, Located
from dlbook.data.files.types import get_collection
from dlbook.data.kinds.dataset import ImageData
from dlbook.data.loading import load
from dlbook.data.stand_ins import mnist as digits

_DIGITS = tuple("0123456789")


def load_mnist() -> ImageData:
    """Loads MNIST, handwritten digits of 28×28 pixels.

    Returns:
        60,000 training and 10,000 test pictures (uint8, 0 is paper, 255 is ink) with labels
        (int32, 0 to 9). The stand-in has 2,400 and 500 pictures of the same kind, made from
        scikit-learn's real digits; its ``notes`` say why it was used.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("mnist", _read, _stand_in)


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Reads an idx file of unsigned bytes, compressed with gzip.

    The format: two zero bytes, the type (8: unsigned byte), the number of dimensions, each
    dimension as a big-endian 32-bit integer, then the bytes.

    Args:
        path: the file.
        dimensions: how many dimensions it must have: 3 for pictures, 1 for labels.

    Returns:
        The array, uint8, read-only.

    Raises:
        ValueError: when it is no complete idx file of this kind; the message names the file.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is no complete gzip file: {error}") from error
    header = 4 + 4 * dimensions
    magic = bytes((0, 0, 8, dimensions))
    if len(content) < header or content[:4] != magic:
        raise ValueError(
            f"{path.name} is no idx file of bytes with {dimensions} dimension(s): "
            f"it starts with {content[:4].hex() or 'nothing'} instead of {magic.hex()}"
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", count=dimensions, offset=4))
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - header != expected:
        raise ValueError(
            f"{path.name} should hold {expected:,} bytes for the shape {shape}, "
            f"but holds {len(content) - header:,}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _read(located: Located) -> ImageData:
    def images(part: str) -> np.ndarray:
        return read_idx(located.paths[f"mnist/{part}-images-idx3-ubyte.gz"], 3)

    def labels(part: str) -> np.ndarray:
        path = located.paths[f"mnist/{part}-labels-idx1-ubyte.gz"]
        return read_idx(path, 1).astype(np.int32)

    collection = get_collection("mnist")
    return ImageData(
        name=collection.name,
        title=collection.title,
        source=located.source,
        licence=collection.licence,
        citation=collection.citation,
        notes=located.notes,
        x_train=images("train"),
        y_train=labels("train"),
        x_test=images("t10k"),
        y_test=labels("t10k"),
        class_names=_DIGITS,
    )


def _stand_in(notes: tuple[str, ...]) -> ImageData:
    pictures = digits.make()
    return ImageData(
        name="mnist",
        title="MNIST",
        source=STAND_IN,
        licence=digits.LICENCE,
        citation=digits.CITATION,
        notes=(*notes, digits.HOW),
        x_train=pictures.x_train,
        y_train=pictures.y_train,
        x_test=pictures.x_test,
        y_test=pictures.y_test,
        class_names=_DIGITS,
        originals=pictures.originals,
        real_train_size=60_000,
    )
