"""A radiance field without a net: numbers on a grid of points, read in between.

Papers: Sun, Sun & Chen, "Direct voxel grid optimization" (DVGO), CVPR 2022; Fridovich-Keil, Yu and
others, "Plenoxels: radiance fields without neural networks", CVPR 2022.
"""

import itertools

import keras
import numpy as np
from keras import layers, ops

from dlbook.models.nerf.encoding import spherical_harmonics
from dlbook.models.nerf.mlp import SCENE_BOX
from dlbook.models.nerf.rays import Box

_CORNERS = np.array(list(itertools.product((0, 1), repeat=3)), "int32")  # (8, 3)


def trilinear(values: keras.KerasTensor, points: keras.KerasTensor, box: Box) -> keras.KerasTensor:
    """Values between the points of a grid: a weighted mean of the eight nearest.

    Args:
        values: (nx, ny, nz, channels); the outermost points lie on the faces of the box.
        points: (points, 3). One outside the box gets the value at the nearest place of its faces.
        box: Lowest and highest corner.

    Returns:
        (points, channels).
    """
    counts = np.array(values.shape[:3])
    low, high = (ops.convert_to_tensor(corner, "float32") for corner in box)
    places = (points - low) / (high - low) * ops.convert_to_tensor(counts - 1, "float32")
    places = ops.clip(places, 0.0, ops.convert_to_tensor(counts - 1, "float32"))
    first = ops.minimum(ops.cast(places, "int32"), ops.convert_to_tensor(counts - 2, "int32"))
    part = places - ops.cast(first, "float32")  # (points, 3), 0 to 1
    weights = ops.where(_CORNERS == 1, part[:, None], 1.0 - part[:, None])  # (points, 8, 3)
    weights = weights[..., 0] * weights[..., 1] * weights[..., 2]
    strides = ops.convert_to_tensor([counts[1] * counts[2], counts[2], 1], "int32")
    rows = ops.sum(first * strides, axis=-1)[:, None] + ops.sum(_CORNERS * strides, axis=-1)
    corners = ops.take(ops.reshape(values, (-1, values.shape[-1])), rows, axis=0)
    return ops.sum(weights[..., None] * corners, axis=1)


@keras.saving.register_keras_serializable(package="dlbook")
class VoxelGrid(layers.Layer):
    """Density and colour on a grid, with trilinear look-up.

    The grid holds, at each of its points, one number whose softplus is the density, and for each
    colour channel the factors of the spherical harmonics of the viewing direction, whose sum goes
    through a sigmoid.

    Args:
        resolution: Grid points along each axis; one number for all, or three.
        degree: Of the spherical harmonics: 0 means that the colour does not depend on the
            direction.
        box: Lowest and highest corner of the grid.
        density_bias: Added before the softplus: the smaller, the emptier is a grid of zeros.
        density_scale: The softplus is multiplied with it, so that a step of the optimizer moves
            the density by more.

    Call it with places (points, 3) and directions (points, 3): it gives densities (points,) and
    colours (points, 3).
    """

    def __init__(
        self,
        resolution: int | tuple[int, int, int] = 64,
        *,
        degree: int = 1,
        box: Box = SCENE_BOX,
        density_bias: float = -4.0,
        density_scale: float = 30.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        counts = (resolution,) * 3 if isinstance(resolution, int) else tuple(resolution)
        if len(counts) != 3 or min(counts) < 2:
            raise ValueError(f"resolution must be 2 or more along each axis, not {resolution}")
        self.resolution, self.degree = counts, degree
        self.box = tuple(tuple(float(edge) for edge in corner) for corner in box)
        self.density_bias, self.density_scale = density_bias, density_scale
        self.values = self.add_weight(
            shape=(*counts, 1 + 3 * (degree + 1) ** 2), initializer="zeros", name="values"
        )
        self.built = True

    def call(self, inputs):
        points, directions = inputs
        found = trilinear(self.values, points, self.box)  # (points, 1 + 3 (degree + 1)²)
        density = self.density_scale * ops.softplus(found[:, 0] + self.density_bias)
        waves = spherical_harmonics(directions, self.degree)  # (points, (degree + 1)²)
        factors = ops.reshape(found[:, 1:], (-1, 3, waves.shape[-1]))
        return density, ops.sigmoid(ops.sum(factors * waves[:, None], axis=-1))

    def resampled(self, resolution: int, box: Box) -> "VoxelGrid":
        """A finer grid with the values of this one, over a part of its box.

        Args:
            resolution: Points along the longest side of the box; the others get points as dense.
            box: The part.
        """
        sides = np.subtract(box[1], box[0])
        counts = tuple(int(n) for n in np.maximum(2, np.ceil(resolution * sides / sides.max())))
        axes = [np.linspace(*ends, n) for *ends, n in zip(*box, counts, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        new = VoxelGrid(**{**self.get_config(), "resolution": counts, "box": box, "name": None})
        found = trilinear(self.values, ops.convert_to_tensor(points, "float32"), self.box)
        new.values.assign(ops.reshape(found, new.values.shape))
        return new

    def get_config(self):
        own = ("resolution", "degree", "box", "density_bias", "density_scale")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
