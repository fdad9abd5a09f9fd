"""Lego: four hundred views of a toy bulldozer, rendered with the camera's place for each."""

from pathlib import Path
from typing import Any

import numpy as np

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.views import ViewData
from dlbook.data.loading import load
from dlbook.data.stand_ins import lego as stand_in

NEAR, FAR = 2.0, 6.0  # in units of the scene; the cameras stand 4.03 from its middle

_FILE = "nerf/lego_100x100.npz"

register(
    name="lego",
    title="Lego bulldozer",
    # No public host has this file: it is the 400 official pictures, premultiplied by their
    # opacity and made small by the mean of each block of pixels.
    files=(
        RemoteFile(
            _FILE,
            4_489_537,
            "b245e483831c57ec41519e978b638df6376f64428296459c475651af812bc7b7",
        ),
    ),
    licence="CC BY-NC (the model, by Heinzelnisse, blendswap.com 11490): not for sale",
    citation=(
        "B. Mildenhall, P. Srinivasan, M. Tancik, J. Barron, R. Ramamoorthi, R. Ng: NeRF: "
        "representing scenes as neural radiance fields for view synthesis. ECCV 2020"
    ),
    homepage="https://www.matthewtancik.com/nerf",
)


def load_lego() -> ViewData:
    """Loads the lego scene of the NeRF paper, made small.

    Returns:
        400 views of 100×100 pixels (uint8; colours times opacity, then opacity), each with its
        pose (float32, 4×4, camera to scene): 100 to train on and 100 to choose on, seen from
        anywhere above the ground, and 200 to test on, an orbit. The stand-in has 40, 6 and 10
        views of coloured solids, of the same size and with the same camera.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
        ValueError: the file's arrays are not of the shapes that belong together.
    """
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


def read_lego(path: Path) -> dict[str, Any]:
    """Reads the file.

    Args:
        path: an .npz with ``images_*``, ``poses_*`` (train, val, test) and ``focal``.

    Returns:
        Fields of a ``ViewData``, without ``near`` and ``far``.

    Raises:
        ValueError: when an array is missing.
    """
    names = [f"{kind}_{part}" for part in ("train", "val", "test") for kind in ("images", "poses")]
    with np.load(path, allow_pickle=False) as arrays:
        missing = sorted({*names, "focal"} - set(arrays.files))
        if missing:
            raise ValueError(f"{path.name} lacks {', '.join(missing)}")
        return {name: arrays[name] for name in names} | {"focal": float(arrays["focal"])}


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    return read_lego(paths[_FILE])
