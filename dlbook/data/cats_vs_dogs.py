"""Cats and dogs: photographs of pets, read from the archive and made small once."""

import io
import re
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.image_folder import fault_of_picture
from dlbook.data.kinds.images import ImageData
from dlbook.data.loading import load

CLASS_NAMES = ("cat", "dog")
PER_CLASS = 700  # pictures of each class are read, in the order of their numbers
TRAIN_PER_CLASS = 500
SAME = 3  # bits of 64: fingerprints at most so far apart are taken for one photograph

# "cat/cat.12.jpg" in the small archive, "PetImages/Cat/12.jpg" in the official one
_MEMBER = re.compile(r"(?:PetImages/)?(cat|dog)/(?:(?:cat|dog)\.)?(\d+)\.jpg", re.IGNORECASE)

register(
    name="cats-vs-dogs",
    title="Cats and dogs",
    files=(
        RemoteFile(
            "cats-vs-dogs/kagglecatsanddogs_5340.zip",
            824_887_076,
            "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
            (
                "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
                "kagglecatsanddogs_5340.zip",
            ),
            # 1,399 of the photographs, with Kaggle's names
            smaller=RemoteFile(
                "cats-vs-dogs/dog_cat_1399.zip",
                32_401_868,
                "ac61cae2eeacca060c5e5ed229dc0ff48e3f864e56800383ef69480a2ac81031",
            ),
        ),
    ),
    licence=(
        "unclear: photographs of the Asirra project (Microsoft, Petfinder.com), for research; "
        "not to be published again"
    ),
    citation=(
        "J. Elson, J. Douceur, J. Howell, J. Saul: Asirra: a CAPTCHA that exploits "
        "interest-aligned manual image categorization. ACM CCS, 2007"
    ),
    homepage="https://www.microsoft.com/en-us/download/details.aspx?id=54765",
)


def load_cats_vs_dogs(size: int = 64) -> ImageData:
    """Loads photographs of cats and dogs, each squeezed to a square.

    The archive has no split. Of each class the first 500 usable pictures, by their numbers, are
    to train on and up to 200 more to test on; in both parts the classes take turns. A file that
    is corrupt, empty or no RGB picture, and a photograph that is there twice, are left out and
    named in the notes.

    Args:
        size: height and width of a picture, in pixels.

    Returns:
        1,000 training and at most 400 test pictures (uint8, RGB) with labels (int32, 0 for a cat,
        1 for a dog). The stand-in has 160 and 120 drawn animals.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
        ValueError: ``size`` is below 8.
    """
    if size < 8:
        raise ValueError(f"size must be 8 pixels or more, got {size}")
    left_out: list[str] = []
    reader = partial(_read, size=size, left_out=left_out)
    pets = load("cats-vs-dogs", ImageData, reader, class_names=CLASS_NAMES)
    if pets.is_stand_in:
        x_train, x_test = (_resized(part, size) for part in (pets.x_train, pets.x_test))
        return replace(pets, x_train=x_train, x_test=x_test)
    notes = (f"left out: {'; '.join(left_out)}",) if left_out else ()
    return replace(pets, notes=(*pets.notes, *notes))


def read_archive(path: Path, size: int, left_out: list[str]) -> tuple[list, list]:
    """Reads pictures of both classes from an archive, file by file, without unpacking it.

    Args:
        path: one of the two archives.
        size: height and width wanted, in pixels.
        left_out: gets a line for each file that is skipped.

    Returns:
        Up to ``PER_CLASS`` cats and as many dogs, each (size, size, 3), uint8.
    """
    pictures: tuple[list, list] = ([], [])
    prints: list[np.ndarray] = []
    names: list[str] = []
    with zipfile.ZipFile(path) as archive:
        members = [match for name in archive.namelist() if (match := _MEMBER.fullmatch(name))]
        members.sort(key=lambda match: (match[1].lower(), int(match[2])))
        for match in members:
            found = pictures[CLASS_NAMES.index(match[1].lower())]
            if len(found) == PER_CLASS:
                continue
            content = archive.read(match[0])
            if fault := fault_of_picture(content, match[0]):
                left_out.append(f"{match[0]} is {fault}")
                continue
            print_of = fingerprint(content)
            apart = (np.array(prints) != print_of).sum(axis=1) if prints else np.array([64])
            if apart.min() <= SAME:
                left_out.append(f"{match[0]} shows the same as {names[apart.argmin()]}")
                continue
            prints.append(print_of)
            names.append(match[0])
            found.append(_decoded(content, size))
    return pictures


def fingerprint(content: bytes) -> np.ndarray:
    """The difference hash of a picture file: is a place brighter than its left neighbour?

    Args:
        content: the bytes of the file.

    Returns:
        (64,), bool, of 8 rows and 9 columns of grey. Copies in another size or quality differ in
        few bits, other photographs in about 30.
    """
    grey = Image.open(io.BytesIO(content)).convert("L").resize((9, 8), Image.Resampling.BILINEAR)
    rows = np.asarray(grey)
    return (rows[:, 1:] > rows[:, :-1]).ravel()


def _decoded(content: bytes, size: int) -> np.ndarray:
    picture = Image.open(io.BytesIO(content))
    picture.draft("RGB", (2 * size, 2 * size))  # JPEG can leave out what is not needed: faster
    return np.asarray(picture.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))


def _resized(pictures: np.ndarray, size: int) -> np.ndarray:
    if pictures.shape[1] == size:
        return pictures
    return np.stack([np.asarray(Image.fromarray(p).resize((size, size))) for p in pictures])


def _read(paths: dict[str, Path], *, size: int, left_out: list[str]) -> dict[str, Any]:
    (path,) = paths.values()
    cats, dogs = read_archive(path, size, left_out)
    fields = {}
    for part, some in (
        ("train", slice(TRAIN_PER_CLASS)),
        ("test", slice(TRAIN_PER_CLASS, PER_CLASS)),
    ):
        pairs = list(zip(cats[some], dogs[some], strict=False))  # as many cats as dogs
        fields[f"x_{part}"] = np.stack([picture for pair in pairs for picture in pair])
        fields[f"y_{part}"] = np.arange(2 * len(pairs), dtype=np.int32) % 2
    return fields
