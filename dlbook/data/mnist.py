"""MNIST: 70,000 handwritten digits in the original idx files."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.images import ImageData
from dlbook.data.loading import load

_HOSTS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

register(
    name="mnist",
    title="MNIST",
    files=(
        RemoteFile.on_hosts(
            "mnist/train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            *_HOSTS,
        ),
        RemoteFile.on_hosts(
            "mnist/train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            *_HOSTS,
        ),
        RemoteFile.on_hosts(
            "mnist/t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            *_HOSTS,
        ),
        RemoteFile.on_hosts(
            "mnist/t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            *_HOSTS,
        ),
    ),
    licence="CC BY-SA 3.0, as stated in the Keras documentation (Yann LeCun, Corinna Cortes)",
    citation=(
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 1998"
    ),
    homepage="https://keras.io/api/datasets/mnist/",
)


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
    return load("mnist", ImageData, _read, class_names=tuple("0123456789"))


def read_idx(path: Path) -> np.ndarray:
    """Reads an idx file of unsigned bytes, compressed with gzip.

    The format: two zero bytes, the type (8: unsigned byte), the number of dimensions, each
    dimension as a big-endian 32-bit integer, then the bytes.

    Args:
        path: the file; its checksum was right, so it is whole.

    Returns:
        The array, uint8, read-only.
    """
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4).astype(int)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    fields = {}
    for part, name in (("train", "train"), ("test", "t10k")):
        fields[f"x_{part}"] = read_idx(paths[f"mnist/{name}-images-idx3-ubyte.gz"])
        labels = read_idx(paths[f"mnist/{name}-labels-idx1-ubyte.gz"])
        fields[f"y_{part}"] = labels.astype(np.int32)
    return fields
