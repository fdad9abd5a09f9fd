"""CIFAR-10: small colour photographs of ten kinds of things."""

import lzma
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from dlbook.data.files import settings
from dlbook.data.files.locate import status
from dlbook.data.files.types import Collection, RemoteFile, get_collection, register
from dlbook.data.kinds.images import ImageData
from dlbook.data.loading import load

CLASS_NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
TRAIN, TEST = 10_000, 2_000  # photographs that the loader gives unless asked for all

_ARCHIVE = "cifar10/cifar-10-binary.tar.gz"
_MEMBER = re.compile(r"cifar-10-batches-bin/(data|test)_batch(?:_(\d))?\.bin")
_RECORD = 1 + 3 * 32 * 32  # bytes: the class, then all red, all green, all blue ones

register(
    name="cifar10",
    title="CIFAR-10",
    files=(
        RemoteFile(
            _ARCHIVE,
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
        ),
    ),
    licence="no explicit licence; free to use with citation (Alex Krizhevsky)",
    citation=(
        "A. Krizhevsky: Learning multiple layers of features from tiny images. "
        "University of Toronto, 2009"
    ),
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
)

# The first photographs of both parts, packed anew: some mirror folders have these instead. No
# public host has them, so they are in no register and are never asked for by name.
_PART = Collection(
    name="cifar10",
    title="CIFAR-10, its first photographs",
    files=(
        RemoteFile(
            "cifar10/x_train_10000.npy.xz",
            20_366_320,
            "ba9c6ed30e4df52b0cde957f934934ef05bd4ba050a1323c06cc734e4a4a72e6",
        ),
        RemoteFile(
            "cifar10/y_train_10000.npy",
            10_128,
            "ea38c21f22083329899457a6a5d4bb6836743cbfa01ee4b534e976b8b16bbb48",
        ),
        RemoteFile(
            "cifar10/x_test_2000.npy.xz",
            4_088_632,
            "db61fd79909cf568d7cc60b00fd169f44ccada0aca94fff80afcc6576f11701c",
        ),
        RemoteFile(
            "cifar10/y_test_2000.npy",
            2_128,
            "238368989fcc802a82c92ac1845b6e5afed16cf999703e96a904d152ab3f5412",
        ),
    ),
    licence=get_collection("cifar10").licence,
    citation=get_collection("cifar10").citation,
    homepage=get_collection("cifar10").homepage,
)


def load_cifar10(*, everything: bool = False) -> ImageData:
    """Loads CIFAR-10, photographs of 32×32 pixels in ten classes.

    As a rule only the first 10,000 training and the first 2,000 test photographs are given, in the
    official order, whatever file they come from: results are then the same everywhere. A mirror
    folder may have these alone, packed anew, which is a seventh of the official archive.

    Args:
        everything: All 50,000 training and 10,000 test photographs; needs the official archive.

    Returns:
        Photographs (uint8, height, width, then red, green and blue) with labels (int32, 0 to 9).
        ``describe()`` says how many and from where. The stand-in has 1,500 and 500 drawn shapes in
        ten classes of their own.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    if not everything and settings.mode() != "stand-in" and all(f.path for f in status(_PART)):
        return load(_PART, ImageData, _read_part)

    def read(paths: dict[str, Path]) -> dict[str, Any]:
        parts = read_archive(paths[_ARCHIVE])
        if not everything:
            parts = {key: part[: TEST if "test" in key else TRAIN] for key, part in parts.items()}
        return parts | {"class_names": CLASS_NAMES}

    return load("cifar10", ImageData, read)


def read_archive(path: Path) -> dict[str, np.ndarray]:
    """Reads the official binary archive member by member, without unpacking it to disk.

    Args:
        path: ``cifar-10-binary.tar.gz``. (The better known ``cifar-10-python.tar.gz`` has pickled
            dictionaries, and to unpickle a file is to run whatever program it holds.)

    Returns:
        ``x_train``, ``y_train``, ``x_test`` and ``y_test``, in the official order.

    Raises:
        ValueError: A member is no whole number of photographs, or a part has none.
    """
    found: dict[tuple[str, str], np.ndarray] = {}
    with tarfile.open(path, "r|*") as archive:  # a stream: one member after another
        for member in archive:
            match = _MEMBER.fullmatch(member.name)
            if match:
                content = np.frombuffer(archive.extractfile(member).read(), np.uint8)
                if len(content) % _RECORD:
                    raise ValueError(f"{member.name} is no whole number of photographs")
                found[match[1], match[2] or ""] = content.reshape(-1, _RECORD)
    fields = {}
    for part, kind in (("train", "data"), ("test", "test")):
        batches = [found[key] for key in sorted(found) if key[0] == kind]
        if not batches:
            raise ValueError(f"the archive has no {part} part")
        records = np.concatenate(batches)
        pixels = records[:, 1:].reshape(-1, 3, 32, 32)
        fields[f"x_{part}"] = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        fields[f"y_{part}"] = records[:, 0].astype(np.int32)
    return fields


def _read_part(paths: dict[str, Path]) -> dict[str, Any]:
    fields: dict[str, Any] = {"class_names": CLASS_NAMES}
    for file in _PART.files:
        name = "_".join(file.name.split("_")[:2])
        path = paths[file.path]
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as content:
            fields[name] = np.load(content, allow_pickle=False)
    for part in ("train", "test"):
        fields[f"y_{part}"] = fields[f"y_{part}"].astype(np.int32)
    return fields
