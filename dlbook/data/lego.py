"""Lego: four hundred views of a toy bulldozer, rendered with the camera's place for each."""

import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dlbook.data.files import settings
from dlbook.data.files.locate import status
from dlbook.data.files.types import Collection, RemoteFile, get_collection, register
from dlbook.data.kinds.views import ViewData
from dlbook.data.loading import load
from dlbook.data.stand_ins import lego as stand_in

NEAR, FAR = 2.0, 6.0  # in units of the scene; the cameras stand 4.03 from its middle
PARTS = ("train", "val", "test")

_SIZE = 100  # pixels, the side of a picture as the loader gives it
_FOLDER = "nerf/lego/"
_HOST = (
    "https://raw.githubusercontent.com/weixinhum2023/simple_nerf/"
    "cb15b69ae3187956b65e269964d18a16c188d505/lego/"
)


def _registered() -> tuple[RemoteFile, ...]:
    """Three lists of cameras and 400 pictures of 400×400 pixels, from the table of their sums."""
    table = files("dlbook.data").joinpath("sums/lego.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in table.splitlines()]
    return tuple(
        RemoteFile(_FOLDER + name, int(size), sha256, (_HOST + name,))
        for sha256, size, name in rows
    )


register(
    name="lego",
    title="Lego bulldozer",
    files=_registered(),
    licence="CC BY-NC (the model, by Heinzelnisse, blendswap.com 11490): not for sale",
    citation=(
        "B. Mildenhall, P. Srinivasan, M. Tancik, J. Barron, R. Ramamoorthi, R. Ng: NeRF: "
        "representing scenes as neural radiance fields for view synthesis. ECCV 2020"
    ),
    homepage="https://www.matthewtancik.com/nerf",
)

# What the loader makes of the pictures, in one file: some mirror folders have this instead. No
# public host has it, so it is in no register and is never asked for by name.
_SMALL = Collection(
    name="lego",
    title="Lego bulldozer",
    files=(
        RemoteFile(
            "nerf/lego_100x100.npz",
            4_489_537,
            "b245e483831c57ec41519e978b638df6376f64428296459c475651af812bc7b7",
        ),
    ),
    licence=get_collection("lego").licence,
    citation=get_collection("lego").citation,
    homepage=get_collection("lego").homepage,
)


def load_lego() -> ViewData:
    """Loads the lego scene of the NeRF paper, made small: each pixel is the mean of 4×4.

    The pictures are read from the 400 files of 400×400 pixels, or from one file that has them
    small already, where a mirror folder has that: the arrays are the same.

    Returns:
        400 views of 100×100 pixels (uint8; colours times opacity, then opacity), each with its
        pose (float32, 4×4, camera to scene): 100 to train on and 100 to choose on, seen from
        anywhere above the ground, and 200 to test on, an orbit. The stand-in has 40, 6 and 10
        views of coloured solids, of the same size and with the same camera.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
        ValueError: pictures and poses do not belong together.
    """
    if settings.mode() != "stand-in" and all(file.path for file in status(_SMALL)):
        small = _SMALL.files[0].path
        return load(_SMALL, ViewData, lambda paths: read_small(paths[small]), near=NEAR, far=FAR)
    return load("lego", ViewData, _read, near=NEAR, far=FAR)


def draw_solids(
    poses: np.ndarray, *, size: int = 100, focal: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draws the scene of the stand-in, whose depth is known exactly, from anywhere outside it.

    Args:
        poses: (views, 4, 4): camera to scene, as in a ``ViewData``.
        size: height and width of a picture, in pixels.
        focal: the focal length in pixels; by default that of lego in proportion.

    Returns:
        Pictures (views, size, size, 4), uint8, as in a ``ViewData``; and depths
        (views, size, size), float32: how far it is from the camera to the first surface, along
        the ray through the pixel's middle, in units of the scene; infinite where there is none.

    Raises:
        ValueError: ``poses`` has another shape, or ``size`` or ``focal`` is not positive.
    """
    return stand_in.draw(poses, size, stand_in.FOCAL * size if focal is None else focal)


def read_views(paths: dict[str, Path], part: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Reads one part from its list of cameras and the pictures that the list names.

    Args:
        paths: where each file lies, by its path in the register: some may be in a mirror folder
            and others in the cache.
        part: "train", "val" or "test".

    Returns:
        Pictures (views, 100, 100, 4), uint8; poses (views, 4, 4), float32; the focal length.

    Raises:
        ValueError: when a picture is not square, or its side no multiple of 100 pixels.
    """
    listed = paths[f"{_FOLDER}transforms_{part}.json"].read_text(encoding="utf-8")
    cameras = json.loads(listed)
    frames = cameras["frames"]
    names = [_FOLDER + frame["file_path"].removeprefix("./") + ".png" for frame in frames]
    pictures = [_small(paths[name]) for name in names]
    poses = np.array([frame["transform_matrix"] for frame in frames], np.float32)
    return np.stack(pictures), poses, _SIZE / 2 / math.tan(cameras["camera_angle_x"] / 2)


def read_small(path: Path) -> dict[str, Any]:
    """Reads the file that has all views small.

    Args:
        path: an .npz with ``images_*``, ``poses_*`` (train, val, test) and ``focal``.

    Returns:
        Fields of a ``ViewData``, without ``near`` and ``far``.

    Raises:
        ValueError: when an array is missing.
    """
    names = [f"{kind}_{part}" for part in PARTS for kind in ("images", "poses")]
    with np.load(path, allow_pickle=False) as arrays:
        missing = sorted({*names, "focal"} - set(arrays.files))
        if missing:
            raise ValueError(f"{path.name} lacks {', '.join(missing)}")
        return {name: arrays[name] for name in names} | {"focal": float(arrays["focal"])}


def _small(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGBA")) / 255
    block, rest = divmod(len(pixels), _SIZE)
    if rest or not block or pixels.shape[0] != pixels.shape[1]:
        raise ValueError(f"{path.name} has {pixels.shape[:2]} pixels, no multiple of {_SIZE}")
    # first times the opacity, then the mean: the colour of an empty pixel counts for nothing
    pixels[..., :3] *= pixels[..., 3:]
    mean = pixels.reshape(_SIZE, block, _SIZE, block, 4).mean((1, 3))
    return np.round(255 * mean).astype(np.uint8)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in PARTS:
        images, poses, fields["focal"] = read_views(paths, part)
        fields |= {f"images_{part}": images, f"poses_{part}": poses}
    return fields
