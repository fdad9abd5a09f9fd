"""Pinhole cameras: the ray of every pixel, and the part of a ray that lies in a box."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

Box = tuple[Sequence[float], Sequence[float]]


def camera_rays(
    poses: np.ndarray, height: int, width: int, focal: float
) -> tuple[np.ndarray, np.ndarray]:
    """The ray through the middle of every pixel of one camera or several.

    The camera looks along its own −z; x points to the right of the picture and y up, as in
    OpenGL and Blender. Row 0 of the picture is at the top.

    Args:
        poses: (..., 4, 4), camera to world: the columns are the camera's x, y and z axes and its
            place, in world coordinates.
        height: Rows of the picture.
        width: Columns of the picture.
        focal: Focal length in pixels.

    Returns:
        Origins and directions, both (..., height, width, 3), float32. Directions have length 1,
        so a distance along the ray is in the units of the world.

    Raises:
        ValueError: Poses of another shape or with NaN; a size or focal length that is not positive.
    """
    poses = np.asarray(poses, dtype="float64")
    if poses.shape[-2:] != (4, 4):
        raise ValueError(f"poses must be (..., 4, 4), camera to world, not {poses.shape}")
    if not np.isfinite(poses).all():
        raise ValueError("poses contain NaN or infinite values")
    if height < 1 or width < 1 or not focal > 0:
        raise ValueError(f"{height=}, {width=} and {focal=} must be positive")
    x = (np.arange(width) + 0.5 - width / 2) / focal
    y = -(np.arange(height) + 0.5 - height / 2) / focal  # rows count downwards, y upwards
    x, y = np.meshgrid(x, y)
    in_camera = np.stack([x, y, -np.ones_like(x)], axis=-1)  # (height, width, 3)
    in_camera /= np.linalg.norm(in_camera, axis=-1, keepdims=True)
    directions = np.einsum("hwk,...jk->...hwj", in_camera, poses[..., :3, :3])
    origins = np.broadcast_to(poses[..., None, None, :3, 3], directions.shape)
    return origins.astype("float32"), directions.astype("float32")


def clip_to_box(
    origins: keras.KerasTensor, directions: keras.KerasTensor, box: Box
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Where rays enter a box and leave it.

    A ray is inside the box while it is between both planes of each axis; the three stretches are
    intersected. What lies behind the origin does not count.

    Args:
        origins: (rays, 3).
        directions: (rays, 3), of length 1.
        box: The lowest and the highest corner, three numbers each.

    Returns:
        Distances of entry and exit, both (rays,). They are equal for a ray that misses the box.
    """
    low, high = (ops.convert_to_tensor(corner, "float32") for corner in box)
    # a direction of exactly 0 would give 0/0 for a ray in one of the planes
    safe = ops.where(ops.abs(directions) < 1e-9, 1e-9, directions)
    first, second = (low - origins) / safe, (high - origins) / safe
    entry = ops.maximum(ops.max(ops.minimum(first, second), axis=-1), 0.0)
    leave = ops.min(ops.maximum(first, second), axis=-1)
    return entry, ops.maximum(leave, entry)


def look_at(azimuth: float, elevation: float, distance: float = 4.0) -> np.ndarray:
    """The pose of a camera that looks at the origin, with the world's z upwards in its picture.

    Args:
        azimuth: Degrees round the z axis, from the x axis.
        elevation: Degrees above the plane z = 0, less than 90 either way.
        distance: From the origin.

    Returns:
        (4, 4) float32, camera to world.

    Raises:
        ValueError: An elevation of 90° or more: "up" is then not defined.
    """
    if not abs(elevation) < 90:
        raise ValueError(f"elevation must be between -90 and 90 degrees, not {elevation}")
    around, above = np.deg2rad([azimuth, elevation])
    backward = np.array([np.cos(around) * np.cos(above), np.sin(around) * np.cos(above), 0])
    backward[2] = np.sin(above)
    right = np.array([-np.sin(around), np.cos(around), 0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(backward, right), backward], axis=1)
    pose[:3, 3] = distance * backward
    return pose.astype("float32")
