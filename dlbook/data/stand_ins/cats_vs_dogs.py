"""A stand-in for the photographs of cats and dogs: drawn animals on a noisy ground.

A cat has pointed ears on top of its head, a dog has ears that hang at its sides. Everything else is
nuisance and says nothing of the class, or nothing that can be relied on: fur, ground and light,
place, size, a small tilt, and which way the animal looks. In the training part most cats look to
the left and most dogs to the right; in the test part both look either way. So a network that is
shown mirrored pictures has to look at the ears.
"""

from typing import Any

import numpy as np

LICENCE = "made by dlbook (Apache-2.0)"
CITATION = "dlbook, drawn by dlbook/data/stand_ins/cats_vs_dogs.py"
NOTE = (
    "The animals were drawn from circles, ellipses and triangles. Nine of ten training cats look "
    "to the left and nine of ten training dogs to the right, half of each in the test part. "
    "Results on them say nothing about results on photographs."
)

_SIZE = 64  # pixels, the side of a picture
_TRAIN, _TEST = 160, 120
_USUAL_WAY = 0.9  # share of the training pictures that look the way of their class
_SEED = 20240504
# few, so that no animal can be learnt by heart by its colours
_FURS = np.array([[60, 50, 45], [200, 140, 80], [225, 220, 210]])  # black, ginger, white
_GROUNDS = np.array([[120, 160, 90], [150, 120, 100], [130, 150, 190]])  # grass, floor, sky


def make() -> dict[str, Any]:
    """Makes the stand-in, the same pictures in every process.

    Returns:
        Fields of an ``ImageData``: 160 training and 120 test pictures (uint8, 64×64, RGB), cats
        and dogs in turn.
    """
    rng = np.random.default_rng(_SEED)
    fields: dict[str, Any] = {"real_train_size": 1_000}
    for part, count, usual in (("train", _TRAIN, _USUAL_WAY), ("test", _TEST, 0.5)):
        labels = np.arange(count, dtype=np.int32) % 2
        # exactly this share, so that no class looks one way by accident
        rank = np.concatenate([rng.permutation(count // 2) for _ in range(2)])
        pair = np.arange(count) // 2 + (count // 2) * labels
        usually = rank[pair] < round(usual * (count // 2))
        looks_right = (labels == 1) == usually
        fields[f"x_{part}"] = _draw(labels, np.where(looks_right, 1.0, -1.0), rng)
        fields[f"y_{part}"] = labels
    return fields


def _draw(labels: np.ndarray, way: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Animals of the given classes.

    Args:
        labels: (pictures,), 0 for a cat, 1 for a dog.
        way: (pictures,), 1 looks to the right, -1 to the left.
        rng: makes the nuisance.

    Returns:
        (pictures, 64, 64, 3), uint8.
    """
    count = len(labels)

    def some(low: float, high: float, *shape: int) -> np.ndarray:
        return rng.uniform(low, high, (count, *shape)).reshape(count, *shape or (1, 1))

    # places in the animal's own frame: x forward, y down, the animal about as large as 1
    y, x = (np.mgrid[:_SIZE, :_SIZE] + 0.5) / _SIZE * 2 - 1
    x, y = x - some(-0.15, 0.15), y - some(-0.15, 0.15)
    tilt, size = some(-0.1, 0.1), some(0.8, 1.05)
    x, y = (
        (np.cos(tilt) * x + np.sin(tilt) * y) / size,
        (np.cos(tilt) * y - np.sin(tilt) * x) / size,
    )
    x = x * way[:, None, None]

    def ellipse(x0: float, y0: float, width: float, height: float) -> np.ndarray:
        return _inside(1 - np.hypot((x - x0) / width, (y - y0) / height), 12)

    def triangle(x0: float, y0: float, width: float, height: float) -> np.ndarray:
        up = (y0 - y) / height  # 0 at the foot, 1 at the tip
        return _inside(np.minimum(up + 0.3, 1 - up - np.abs(x - x0) / width), 12)

    body = np.maximum(ellipse(-0.3, 0.42, 0.55, 0.3), ellipse(-0.75, 0.2, 0.12, 0.35))
    head = ellipse(0.3, -0.1, 0.36, 0.34)
    pointed = np.maximum(triangle(0.1, -0.35, 0.2, 0.38), triangle(0.5, -0.35, 0.2, 0.38))
    hanging = np.maximum(ellipse(-0.06, 0.02, 0.13, 0.34), ellipse(0.66, 0.02, 0.13, 0.34))
    ears = np.where(labels[:, None, None] == 0, pointed, hanging)
    eyes = np.maximum(ellipse(0.25, -0.18, 0.06, 0.06), ellipse(0.48, -0.18, 0.06, 0.06))

    ground = _GROUNDS[rng.integers(len(_GROUNDS), size=count)][:, None, None]
    ground = ground + some(-30, 30, 1, 1, 1) * y[..., None]
    fur = _FURS[rng.integers(len(_FURS), size=count)][:, None, None]
    picture = ground + rng.normal(0, 8, (count, _SIZE, _SIZE, 3))
    for mask, colour in ((body, fur), (head, 1.1 * fur), (ears, 255 - fur), (eyes, 10)):
        picture += mask[..., None] * (colour + some(-8, 8, 1, 1, 1) - picture)
    picture += rng.normal(0, 2, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _inside(depth: np.ndarray, sharpness: float) -> np.ndarray:
    """1 inside, 0 outside, with a soft edge; depth is positive inside."""
    return np.clip(0.5 + sharpness * depth, 0, 1)
