"""A reader's own folder of pictures: what Keras cannot use, or should not use unseen, is named."""

import io
import shutil
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from PIL import Image

# the endings that keras.utils.image_dataset_from_directory reads, and the format that each promises
FORMAT_OF_ENDING = {".bmp": "BMP", ".gif": "GIF", ".jpeg": "JPEG", ".jpg": "JPEG", ".png": "PNG"}

KINDS = ("wrongly named", "empty", "corrupt", "animated", "grey", "CMYK")


class PictureFault(NamedTuple):
    """Why a file should not be trained on unseen.

    Attributes:
        kind: One of ``KINDS``.
        detail: The same for a person, in a few words.
    """

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})"


class CleanedFolder(NamedTuple):
    """What ``clean_image_folder`` did.

    Attributes:
        folder: The new folder, with the usable files only.
        kept: Class -> how many files it has there.
        skipped: Path in the old folder, with forward slashes -> why it was left out.
    """

    folder: Path
    kept: dict[str, int]
    skipped: dict[str, PictureFault]


def fault_of_picture(content: bytes, name: str) -> PictureFault | None:
    """Looks for a reason not to train on a picture file.

    The file is decoded to its end, so that one which breaks off in the middle is found as well.

    Args:
        content: All bytes of the file.
        name: Its name; the ending must say what the content is.

    Returns:
        The first fault in the order of ``KINDS``, or None for a still RGB picture, with or
        without a palette or transparency, under a fitting name.
    """
    ending = Path(name).suffix.lower()
    if ending not in FORMAT_OF_ENDING:
        return PictureFault("wrongly named", f"Keras passes over {ending or 'no ending'}")
    if not content:
        return PictureFault("empty", "0 bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as picture:
                found, frames = picture.format, getattr(picture, "n_frames", 1)
                if found != FORMAT_OF_ENDING[ending]:
                    return PictureFault("wrongly named", f"{found} content under {ending}")
                picture.load()
                mode = picture.mode
    except Exception as error:  # decoders fail in many ways on bytes that are no picture
        return PictureFault("corrupt", _words_of(error))
    if frames > 1:
        return PictureFault("animated", f"{frames} frames")
    if mode == "CMYK":
        return PictureFault("CMYK", "four printing inks")
    if mode in ("1", "L", "LA", "I", "F") or mode.startswith("I;"):
        return PictureFault("grey", "one channel")
    return None


def clean_image_folder(
    source: Path | str, target: Path | str, *, keep: Collection[str] = ()
) -> CleanedFolder:
    """Copies the usable pictures of a folder with one folder per class to a new place.

    The old folder is only read. The new one is for
    ``keras.utils.image_dataset_from_directory``, which stops at the first file that it cannot
    decode, without its name, and passes in silence over endings that it does not know.

    Args:
        source: A folder that has one folder for each class.
        target: A folder that is empty or does not exist yet, outside ``source``.
        keep: Kinds of fault that are copied all the same, as ``("grey",)``. Keras turns grey
            and CMYK pictures into RGB and takes the first frame of an animation.

    Returns:
        The new folder, how many files of each class it has, and every file that was left out.

    Raises:
        ValueError: ``source`` has no class folder; ``target`` is not empty or lies inside
            ``source``; ``keep`` has a kind that does not exist, or one that cannot be decoded.
    """
    source, target = Path(source), Path(target)
    possible = {"grey", "CMYK", "animated"}
    if not set(keep) <= possible:
        raise ValueError(f"keep may have {', '.join(sorted(possible))}, got {sorted(keep)}")
    classes = sorted(path.name for path in source.iterdir() if path.is_dir())
    if not classes:
        raise ValueError(f"{source.name} has no folder inside: each class needs one")
    if target.resolve().is_relative_to(source.resolve()):
        raise ValueError("target lies inside source: it would become a class of its own")
    if target.exists() and any(target.iterdir()):
        raise ValueError(f"{target.name} is not empty: choose a new folder")
    kept, skipped = dict.fromkeys(classes, 0), {}
    for name in classes:
        (target / name).mkdir(parents=True, exist_ok=True)
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        place = path.relative_to(source)
        if len(place.parts) == 1:
            fault = PictureFault("wrongly named", "in no class folder")
        else:
            fault = fault_of_picture(path.read_bytes(), path.name)
        if fault and fault.kind not in keep:
            skipped[place.as_posix()] = fault
            continue
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)
        kept[place.parts[0]] += 1
    return CleanedFolder(target, kept, skipped)


def _words_of(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "no picture format"
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return "too many pixels"
    return "cannot be decoded to its end"
