"""A stand-in for MNIST, made from the 1,797 real handwritten digits that scikit-learn ships.

Each original has 8×8 pixels of 17 shades. It is enlarged to MNIST's 20×20 box with smooth
interpolation, its blurred strokes are sharpened to MNIST's contrast, and its centre of mass is
put into the middle of 28×28 pixels, as in MNIST. Small random turns, shears, stretches and
shifts make several pictures of one original.
"""

from typing import Any

import numpy as np

LICENCE = "shipped with scikit-learn (BSD-3-Clause); from the UCI repository, CC BY 4.0"
CITATION = (
    "E. Alpaydin, C. Kaynak: Optical recognition of handwritten digits. "
    "UCI Machine Learning Repository, 1998"
)
NOTE = (
    "The pictures were made from scikit-learn's real 8×8 handwritten digits: enlarged, sharpened "
    "and slightly moved at random. Results on them say nothing about results on MNIST."
)

_SIZE = 28  # pixels, the side of a picture
_BOX = 20  # pixels, the side that an original is enlarged to
_TRAIN_ORIGINALS, _TRAIN_VARIANTS = 120, 2  # for each class
_TEST_ORIGINALS = 50
_SEED = 20240501


def make() -> dict[str, Any]:
    """Makes the stand-in, the same pictures in every process.

    Returns:
        Fields of an ``ImageData``: 2,400 training pictures of 1,200 originals and 500 test
        pictures of 500 other ones (uint8, 28×28), every class equally often, in random order.
    """
    from sklearn import datasets

    source = datasets.load_digits()
    rng = np.random.default_rng(_SEED)
    train, test = [], []
    for digit in range(10):
        # the originals are divided before anything is made of them
        numbers = rng.permutation(np.flatnonzero(source.target == digit))
        train.append(numbers[:_TRAIN_ORIGINALS])
        test.append(numbers[_TRAIN_ORIGINALS : _TRAIN_ORIGINALS + _TEST_ORIGINALS])
    originals = rng.permutation(np.repeat(np.concatenate(train), _TRAIN_VARIANTS))
    test_originals = rng.permutation(np.concatenate(test))
    return {
        "x_train": _enlarge(source.images[originals], rng),
        "y_train": source.target[originals].astype(np.int32),
        "originals": originals,
        "x_test": _enlarge(source.images[test_originals], rng),
        "y_test": source.target[test_originals].astype(np.int32),
        "real_train_size": 60_000,
    }


def _enlarge(small: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """MNIST-like pictures of 8×8 originals, each slightly different.

    Args:
        small: (pictures, 8, 8), 0 to 16.
        rng: makes the differences.

    Returns:
        (pictures, 28, 28), uint8.
    """
    from scipy import ndimage

    count = len(small)
    turn = rng.uniform(-0.14, 0.14, count)  # radians
    shear = rng.uniform(-0.15, 0.15, count)
    stretch = rng.uniform((0.9, 1.0), (1.04, 1.2), (count, 2))  # scikit-learn's digits are narrow
    shift = rng.uniform(-1.0, 1.0, (count, 2))  # pixels of the large picture

    # a margin, so that the spline sees paper around the digit
    ink = np.pad(small / 16, ((0, 0), (2, 2), (2, 2)))
    places = np.arange(ink.shape[1])
    total = ink.sum((1, 2))
    centre = np.stack([ink.sum(2) @ places / total, ink.sum(1) @ places / total], axis=1)
    # thin strokes are grey at 8×8 pixels: held against the darkest neighbour, they count in full
    ink /= 0.35 + 0.65 * ndimage.maximum_filter(ink, size=(1, 3, 3))
    for axis in (1, 2):
        ink = ndimage.spline_filter1d(ink, order=3, axis=axis)

    # from a pixel of the large picture to its place in the small one
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = np.stack([cosine - sine * shear, -sine, sine + cosine * shear, cosine], axis=1)
    matrix = matrix.reshape(count, 2, 2) / stretch[:, :, None] * (small.shape[1] / _BOX)
    middle = (_SIZE - 1) / 2 + shift
    offset = centre - np.einsum("nij,nj->ni", matrix, middle)
    large = np.empty((count, _SIZE, _SIZE))
    for i in range(count):
        ndimage.affine_transform(
            ink[i], matrix[i], offset[i], output=large[i], output_shape=(_SIZE, _SIZE),
            order=3, mode="constant", prefilter=False,
        )  # fmt: skip
    return np.round(255 * _sharpen(large)).astype(np.uint8)


def _sharpen(ink: np.ndarray) -> np.ndarray:
    """Turns blurred strokes into dark ones with a soft edge; 0 to 1."""
    edge = np.clip((ink - 0.45) / 0.36, 0, 1)
    return edge * edge * (3 - 2 * edge)
