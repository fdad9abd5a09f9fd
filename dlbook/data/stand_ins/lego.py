"""A stand-in for lego: coloured solids, drawn by meeting each ray with each solid exactly.

Every surface has a formula, so its depth is known without an error. Checks and stripes are finer
than a net without positional encoding can learn, and the gate is a shape with a hole.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

LICENCE = "drawn by dlbook (the licence of this package)"
CITATION = "none: these pictures come from formulas"
NOTE = (
    "The pictures show a sphere, a cylinder, a cone, a box and a gate on a slab, seen by the same "
    "camera. Results on them say nothing about results on lego."
)
FOCAL = 1.388888789922103  # focal length of lego in widths of a picture

_SIZE = 100  # pixels, the side of a picture
_TRAIN, _VALIDATION, _TEST = 40, 6, 10  # views
_RADIUS = 4.0311  # of the sphere on which the cameras stand
_FINE = 2  # rays for each pixel, down and across
_SUN = np.array([0.48, -0.36, 0.8])  # towards it; of length 1
_SEED = 20241005

Meeting = tuple[np.ndarray, np.ndarray]  # how far (rays,), infinite for a miss; normals (3, rays)


def make() -> dict[str, Any]:
    """Makes the views: to train and validate from anywhere above, to test an orbit.

    Returns:
        Fields of a ``ViewData`` without ``near`` and ``far``, the same in every process.
    """
    rng = np.random.default_rng(_SEED)
    fields: dict[str, Any] = {"focal": FOCAL * _SIZE}
    for part, count in (("train", _TRAIN), ("val", _VALIDATION)):
        # the height on a sphere is evenly spread, as the lego cameras' is
        heights = rng.permutation((np.arange(count) + rng.random(count)) / count)
        turns = 2 * np.pi * rng.permutation((np.arange(count) + rng.random(count)) / count)
        fields[f"poses_{part}"] = _poses(turns, 0.12 + 0.86 * heights)
    turns = 2 * np.pi * np.arange(_TEST) / _TEST
    fields["poses_test"] = _poses(turns, 0.43 + 0.3 * np.cos(turns))
    for part in ("train", "val", "test"):
        fields[f"images_{part}"] = _pictures(fields[f"poses_{part}"], _SIZE, FOCAL * _SIZE)
    return fields


def draw(poses: np.ndarray, size: int, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and depths of the solids; see ``dlbook.data.draw_solids``."""
    poses = np.asarray(poses, np.float32)
    if poses.ndim != 3 or poses.shape[1:] != (4, 4):
        raise ValueError(f"poses must have the shape (views, 4, 4), not {poses.shape}")
    if size < 1 or not focal > 0:
        raise ValueError(f"size and focal must be positive, got {size} and {focal}")
    depths = [_meet(*_rays(pose, size, focal, 1))[0].reshape(size, size) for pose in poses]
    depths = np.array(depths, np.float32).reshape(-1, size, size)
    return _pictures(poses, size, focal), depths


def _poses(turns: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Cameras that look at the origin; ``heights`` are sines of the angle above the ground."""
    poses = np.zeros((len(turns), 4, 4))
    zero, width = np.zeros_like(turns), np.sqrt(1 - heights**2)
    right = np.stack([-np.sin(turns), np.cos(turns), zero], axis=1)
    back = np.stack([width * np.cos(turns), width * np.sin(turns), heights], axis=1)
    poses[:, :3, 0], poses[:, :3, 1] = right, np.cross(back, right)
    poses[:, :3, 2], poses[:, :3, 3] = back, _RADIUS * back
    poses[:, 3, 3] = 1
    return poses.astype(np.float32)


def _pictures(poses: np.ndarray, size: int, focal: float) -> np.ndarray:
    """(views, size, size, 4), uint8: the mean of four rays for each pixel."""
    pictures = np.empty((len(poses), size, size, 4), np.uint8)
    for picture, pose in zip(pictures, poses, strict=True):
        origin, rays = _rays(pose, size, focal, _FINE)
        far, normals, colours = _meet(origin, rays)
        hit = np.isfinite(far)
        light = 0.45 + 0.55 * np.clip(_SUN @ normals, 0, 1)  # Lambert
        shown = np.concatenate([colours * light, np.ones((1, len(far)))]) * hit
        mean = shown.reshape(4, size, _FINE, size, _FINE).mean((2, 4))
        picture[...] = np.round(255 * mean).transpose(1, 2, 0)
    return pictures


def _rays(pose: np.ndarray, size: int, focal: float, fine: int) -> Meeting:
    """The camera's place (3, 1) and directions (3, rays) of length 1, row by row."""
    places = ((np.arange(size * fine) + 0.5) / fine - size / 2) / focal
    across, down = np.meshgrid(places, places)
    directions = np.stack([across.ravel(), -down.ravel(), np.full(across.size, -1.0)])
    pose = pose.astype(float)
    rays = pose[:3, :3] @ directions
    # now, because the axes of a float32 pose have length 1 to six digits only
    return pose[:3, 3:], rays / np.sqrt((rays**2).sum(axis=0))


def _meet(origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far the first surface is (rays,), its normals (3, rays) and its colours (3, rays)."""
    count = rays.shape[1]
    nearest, normals, colours = np.full(count, np.inf), np.zeros((3, count)), np.zeros((3, count))
    for solid, middle, measures, paint in _SOLIDS:
        start = origin - np.reshape(middle, (3, 1))
        # only rays that pass near enough can meet it
        along = start[:, 0] @ rays
        bound = np.square(measures if solid is _box else (max(measures[:2]), measures[-1])).sum()
        rows = np.flatnonzero(along**2 >= (start**2).sum() - bound)
        far, across = solid(start, rays[:, rows], *measures)
        first = far < nearest[rows]
        rows, far, across = rows[first], far[first], across[:, first]
        nearest[rows], normals[:, rows] = far, across
        colours[:, rows] = paint(start + far * rays[:, rows])
    return nearest, normals, colours


def _ball(start: np.ndarray, rays: np.ndarray, radius: float) -> Meeting:
    along = start[:, 0] @ rays
    root = along**2 - (start**2).sum() + radius**2
    far = _outside(-along - np.sqrt(np.maximum(root, 0)), root >= 0)
    return far, (start + _finite(far) * rays) / radius


def _box(start: np.ndarray, rays: np.ndarray, *half: float) -> Meeting:
    sides = np.reshape(half, (3, 1))
    slow = np.where(np.abs(rays) < 1e-12, 1e-12, rays)  # parallel to a side: met far away
    middle, width = -start / slow, sides / np.abs(slow)
    enter, leave = middle - width, middle + width
    far = np.maximum(np.maximum(enter[0], enter[1]), enter[2])
    good = far <= np.minimum(np.minimum(leave[0], leave[1]), leave[2])
    return _outside(far, good), np.where(enter == far, -np.sign(slow), 0.0)


def _round(start: np.ndarray, rays: np.ndarray, bottom: float, top: float, half: float) -> Meeting:
    """A cylinder, or a cone cut off: its radius goes from ``bottom`` to ``top``, z from −half."""
    slope = (top - bottom) / (2 * half)
    reach = (bottom + top) / 2 + slope * start[2]  # the radius at the ray's beginning
    steep = slope * rays[2]
    a = rays[0] ** 2 + rays[1] ** 2 - steep**2
    b = start[0] * rays[0] + start[1] * rays[1] - reach * steep
    root = b**2 - a * (start[0] ** 2 + start[1] ** 2 - reach**2)
    a = np.where(np.abs(a) < 1e-12, 1e-12, a)
    best, normals = np.full(rays.shape[1], np.inf), np.zeros_like(rays)
    for sign in (-1, 1):  # a cone may be met first by the second root
        far = (-b + sign * np.sqrt(np.maximum(root, 0))) / a
        height = start[2] + far * rays[2]
        good = (root >= 0) & (np.abs(height) <= half) & (reach + steep * far >= 0)
        far = _outside(far, good)
        point = start + _finite(far) * rays
        flank = np.stack([point[0], point[1], -slope * np.hypot(point[0], point[1])])
        flank /= np.maximum(np.sqrt(1 + slope**2) * np.hypot(point[0], point[1]), 1e-12)
        best, normals = _first(best, normals, far, flank)
    for height, radius, up in ((half, top, 1.0), (-half, bottom, -1.0)):
        far = (height - start[2]) / np.where(np.abs(rays[2]) < 1e-12, 1e-12, rays[2])
        point = start[:2] + far * rays[:2]
        far = _outside(far, point[0] ** 2 + point[1] ** 2 <= radius**2)
        lid = np.broadcast_to(np.array([[0.0], [0.0], [up]]), rays.shape)
        best, normals = _first(best, normals, far, lid)
    return best, normals


def _first(far: np.ndarray, normals: np.ndarray, other: np.ndarray, others: np.ndarray) -> Meeting:
    return np.minimum(far, other), np.where(other < far, others, normals)


def _outside(far: np.ndarray, good: np.ndarray) -> np.ndarray:
    return np.where(good & (far > 0), far, np.inf)


def _finite(far: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(far), far, 0.0)


def _plain(*colour: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: np.broadcast_to(np.reshape(colour, (3, 1)), points.shape)


def _checks(points: np.ndarray) -> np.ndarray:
    # no border of a check lies in a side of the slab, where rounding would choose the colour
    odd = (np.floor(points[0] / 0.2 + 0.5) + np.floor(points[1] / 0.2 + 0.5)) % 2
    return np.where(odd, np.array([[0.86], [0.84], [0.78]]), np.array([[0.25], [0.33], [0.30]]))


def _stripes(points: np.ndarray) -> np.ndarray:
    odd = np.floor(points[2] / 0.11) % 2
    return np.where(odd, np.array([[0.85], [0.15], [0.12]]), np.array([[0.95], [0.85], [0.8]]))


_GATE = _plain(0.30, 0.32, 0.36)
# what it is, its middle, its measures (half sides; a radius; two radii and half a height), paint
_SOLIDS: tuple[tuple[Callable[..., Meeting], tuple, tuple, Callable], ...] = (
    (_box, (0.0, 0.0, -0.4), (1.0, 1.0, 0.06), _checks),
    (_ball, (0.42, -0.38, 0.06), (0.4,), _stripes),
    (_round, (-0.55, -0.5, 0.06), (0.24, 0.24, 0.4), _plain(0.93, 0.72, 0.10)),
    (_round, (0.55, 0.55, 0.06), (0.34, 0.02, 0.4), _plain(0.12, 0.55, 0.30)),
    (_box, (-0.05, 0.1, -0.19), (0.16, 0.14, 0.15), _plain(0.15, 0.35, 0.80)),
    (_box, (-0.75, 0.6, 0.01), (0.09, 0.12, 0.35), _GATE),
    (_box, (-0.15, 0.6, 0.01), (0.09, 0.12, 0.35), _GATE),
    (_box, (-0.45, 0.6, 0.45), (0.45, 0.14, 0.09), _plain(0.95, 0.50, 0.12)),
)
