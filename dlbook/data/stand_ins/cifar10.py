"""A stand-in for CIFAR-10: drawn shapes of ten kinds, in colour, on a coloured ground.

Place, size, angle and colours of a shape are drawn at random, so no single pixel and no colour
says what it is: a linear model is lost, and edges have to be put together to corners and shapes.
"""

from typing import Any

import numpy as np

LICENCE = "drawn by dlbook (MIT)"
CITATION = "none: these pictures come from a formula"
NOTE = (
    "The pictures are drawn shapes of random place, size, angle and colour. "
    "Results on them say nothing about results on CIFAR-10."
)
CLASS_NAMES = (
    *("disc", "ring", "square", "frame", "triangle"),
    *("plus", "stripes", "crescent", "bar", "three dots"),
)

_SIZE = 32  # pixels, the side of a picture
_TRAIN, _TEST = 1_500, 500
_SEED = 20261126


def make() -> dict[str, Any]:
    """Makes the stand-in, the same pictures in every process.

    Returns:
        Fields of an ``ImageData``: 1,500 training and 500 test pictures (uint8, 32×32×3), every
        class equally often, in random order.
    """
    rng = np.random.default_rng(_SEED)
    fields: dict[str, Any] = {"class_names": CLASS_NAMES, "real_train_size": 10_000}
    for part, count in (("train", _TRAIN), ("test", _TEST)):
        labels = rng.permutation(np.arange(count) % len(CLASS_NAMES))
        fields[f"x_{part}"] = _draw(labels, rng)
        fields[f"y_{part}"] = labels.astype(np.int32)
    return fields


def _draw(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pictures of the shapes with these numbers: (pictures, 32, 32, 3), uint8."""
    count = len(labels)
    places = (np.arange(_SIZE) + 0.5) / _SIZE * 2 - 1  # -1 to 1
    centre = rng.uniform(-0.3, 0.3, (2, count, 1, 1))
    radius = rng.uniform(0.42, 0.62, (count, 1, 1))
    turn = rng.uniform(-0.35, 0.35, (count, 1, 1))  # radians
    down = (places[:, None] - centre[0]) / radius
    right = (places[None, :] - centre[1]) / radius
    v = np.cos(turn) * down - np.sin(turn) * right
    u = np.sin(turn) * down + np.cos(turn) * right
    inside = np.empty_like(u)
    for label in range(len(CLASS_NAMES)):
        inside[labels == label] = _distance(label, u[labels == label], v[labels == label])
    # a soft edge of about one pixel
    ink = np.clip(0.5 - inside * radius * _SIZE / 2, 0, 1)[..., None]

    ground = rng.uniform(0, 1, (count, 1, 1, 3))
    colour = rng.uniform(0, 1, (count, 1, 1, 3))
    # shape and ground differ by half the range in one channel at least
    channel = rng.integers(0, 3, count)
    rows = np.arange(count), 0, 0, channel
    colour[rows] = np.where(ground[rows] < 0.5, 1, -1) * rng.uniform(0.45, 0.6, count)
    colour[rows] += ground[rows]
    slope = rng.normal(0, 0.12, (2, count, 1, 1, 3))
    ground = ground + slope[0] * places[:, None, None] + slope[1] * places[None, :, None]
    pictures = ground * (1 - ink) + colour * ink + rng.normal(0, 0.06, (count, _SIZE, _SIZE, 3))
    return np.round(255 * np.clip(pictures, 0, 1)).astype(np.uint8)


def _distance(label: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A number that is negative inside a shape; about 1 at its size from the middle."""
    r = np.hypot(u, v)
    box = np.maximum(abs(u), abs(v)) - 0.85
    dots = ((-0.6, 0.5), (0.6, 0.5), (0.0, -0.55))
    return [
        lambda: r - 1,
        lambda: abs(r - 0.8) - 0.2,
        lambda: box,
        lambda: abs(box + 0.17) - 0.17,
        lambda: np.maximum(0.87 * abs(u) - 0.5 * v - 0.5, v - 0.7),
        lambda: np.maximum(np.minimum(abs(u), abs(v)) - 0.24, box - 0.1),
        lambda: np.maximum(box, 0.2 - abs(abs(v) - 0.42)),
        lambda: np.maximum(r - 1, 0.75 - np.hypot(u - 0.5, v)),
        lambda: np.maximum(abs(u) - 1, abs(v) - 0.3),
        lambda: np.minimum.reduce([np.hypot(u - x, v - y) for x, y in dots]) - 0.36,
    ][label]()
