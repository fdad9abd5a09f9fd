"""A radiance field that is trained on rays, whatever it is made of."""

import keras
import numpy as np
from keras import ops

from dlbook.models.nerf.mlp import SCENE_BOX
from dlbook.models.nerf.rays import Box, camera_rays, clip_to_box
from dlbook.models.nerf.rendering import render_weights
from dlbook.models.nerf.voxels import VoxelGrid


@keras.saving.register_keras_serializable(package="dlbook")
class RadianceField(keras.Model):
    """Renders rays through a field of density and colour, and learns the field from their colours.

    The part of a ray in the box is cut into pieces of equal length, each with a sample at a random
    place (training) or in its middle. Samples in cells of space that are marked as empty are left
    out: all cells count as occupied until ``update_occupancy`` is called. Compile it without a
    loss; inputs are the pair of origins and directions, both (rays, 3), targets are colours
    (rays, 3), 0 to 1. The log has "loss" and "psnr".

    A ray that misses the box has the colour of the background, opacity 0 and depth 0.

    Args:
        field: From places and directions, both (points, 3), to densities (points,) and colours
            (points, 3): ``build_mlp`` or a ``VoxelGrid``.
        box: Lowest and highest corner of the part of space that is looked at.
        samples: Pieces of a ray.
        cells: Cells along each axis of the box that are marked as occupied or empty.
        background: Colour of what is behind the box; 1 is white.
        seed: Seed of the places of the samples.
    """

    def __init__(
        self,
        field: keras.layers.Layer,
        box: Box = SCENE_BOX,
        *,
        samples: int = 64,
        cells: int = 48,
        background: float = 1.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if samples < 1 or cells < 1:
            raise ValueError(f"{samples=} and {cells=} must be positive")
        if not np.all(np.less(*box)):
            raise ValueError(f"the box's lowest corner must be below its highest, not {box}")
        self.supports_jit = False  # how many samples are left out is known only at run time
        self.field, self.samples, self.cells = field, samples, cells
        self.box = tuple(tuple(float(edge) for edge in corner) for corner in box)
        self.background, self.seed = background, seed
        self.noise = keras.random.SeedGenerator(seed)
        self.occupied = self.add_weight(
            shape=(cells**3,), initializer="ones", trainable=False, name="occupied"
        )
        self.error_tracker = keras.metrics.Mean(name="squared_error")
        self.built = True  # the field is

    def call(self, rays, training=False):
        """Render rays.

        Returns:
            A dictionary: "colour" (rays, 3), "opacity" and "depth" (rays,).
        """
        origins, directions = rays
        count = ops.shape(origins)[0]
        entry, leave = clip_to_box(origins, directions, self.box)
        length = (leave - entry) / self.samples  # (rays,)
        inside = ops.arange(self.samples, dtype="float32")[None]
        if training:
            inside += keras.random.uniform((count, self.samples), seed=self.noise)
        else:
            inside += 0.5
        distances = entry[:, None] + length[:, None] * inside  # (rays, samples)
        points = origins[:, None] + directions[:, None] * distances[..., None]
        points = ops.reshape(points, (-1, 3))
        wanted = ops.take(self.occupied, self.cell_of(points)) > 0.5
        wanted = ops.logical_and(wanted, ops.repeat(length > 0, self.samples))
        (kept,) = ops.nonzero(wanted)
        kept = ops.cast(kept, "int32")
        ray = kept // self.samples  # (kept,): the ray that a sample belongs to
        density, colour = self.field([ops.take(points, kept, 0), ops.take(directions, ray, 0)])
        density = ops.scatter(kept[:, None], density, (count * self.samples,))
        density = ops.reshape(density, (-1, self.samples))
        weights = render_weights(density, length[:, None])  # (rays, samples), 0 if left out
        opacity = ops.sum(weights, axis=-1)
        shares = ops.take(ops.reshape(weights, (-1,)), kept)[:, None] * colour
        seen = ops.segment_sum(shares, ray, count)
        depth = ops.sum(weights * distances, axis=-1) / ops.maximum(opacity, 1e-6)
        colour = seen + (1.0 - opacity)[:, None] * self.background
        return {"colour": colour, "opacity": opacity, "depth": depth}

    def cell_of(self, points):
        """Number of the cell of each point (points, 3); outside the box, the nearest cell."""
        low, high = (ops.convert_to_tensor(corner, "float32") for corner in self.box)
        place = ops.cast((points - low) / (high - low) * self.cells, "int32")
        place = ops.clip(place, 0, self.cells - 1)
        return (place[:, 0] * self.cells + place[:, 1]) * self.cells + place[:, 2]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean squared error of the colours."""
        error = ops.mean(ops.square(y_pred["colour"] - y))
        self.error_tracker.update_state(error)
        return error

    def get_metrics_result(self):
        results = super().get_metrics_result()
        error = ops.maximum(results.pop("squared_error"), 1e-12)
        return {**results, "psnr": -10.0 * ops.log10(error)}

    def update_occupancy(self, threshold: float = 0.02, *, rows_at_once: int = 32_768) -> float:
        """Mark the cells where something is, and their neighbours.

        A cell is occupied when a piece of a ray as long as the cell's side would stop more than
        ``threshold`` of the light, by the density in its middle or at one of its corners.

        Returns:
            Share of occupied cells. If there were none, nothing could ever be learnt, so then all
            cells stay as they are, and the share is 0.
        """
        low, high = map(np.asarray, self.box)
        half = 2 * self.cells + 1  # corners and middles lie on a grid of half cells
        axes = [np.linspace(*ends, half) for ends in zip(low, high, strict=True)]
        solid = np.zeros((self.cells,) * 3, bool)
        for first in (0, 1):  # the corners, then the middles
            some = [axis[first::2] for axis in axes]
            points = np.stack(np.meshgrid(*some, indexing="ij"), axis=-1).reshape(-1, 3)
            found = self._density(points.astype("float32"), rows_at_once)
            found = found.reshape([len(axis) for axis in some])
            seen = 1 - np.exp(-found * ((high - low) / self.cells).min()) > threshold
            if first == 0:
                seen = _any_of_two(seen)
            solid |= seen
        share = float(solid.mean())
        if share:
            grown = _any_of_two(_any_of_two(np.pad(solid, 1)))
            self.occupied.assign(grown.reshape(-1).astype("float32"))
        return share

    def _density(self, points, rows_at_once):
        step = [
            points[start : start + rows_at_once] for start in range(0, len(points), rows_at_once)
        ]
        found = [self.field([some, np.zeros_like(some)])[0] for some in step]
        return np.concatenate([ops.convert_to_numpy(some) for some in found])

    def occupied_box(self, margin: float = 0.0) -> Box:
        """The smallest box around the occupied cells, ``margin`` wider on each side."""
        where = np.argwhere(ops.convert_to_numpy(self.occupied).reshape((self.cells,) * 3) > 0.5)
        low, high = map(np.asarray, self.box)
        side = (high - low) / self.cells
        lowest = np.maximum(low, low + side * where.min(axis=0) - margin)
        highest = np.minimum(high, low + side * (where.max(axis=0) + 1) + margin)
        return tuple(map(float, lowest)), tuple(map(float, highest))

    def render(
        self,
        pose: np.ndarray,
        height: int,
        width: int,
        focal: float,
        *,
        rays_at_once: int = 10_000,
    ) -> dict[str, np.ndarray]:
        """A whole picture: "colour" (height, width, 3), "opacity" and "depth" (height, width).

        Raises:
            ValueError: As ``camera_rays``.
        """
        rays = [part.reshape(-1, 3) for part in camera_rays(pose, height, width, focal)]
        parts = [
            self.predict_on_batch(tuple(part[start : start + rays_at_once] for part in rays))
            for start in range(0, height * width, rays_at_once)
        ]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return {name: x.reshape(height, width, *x.shape[1:]) for name, x in joined.items()}

    def save_own_variables(self, store):
        store["occupied"] = ops.convert_to_numpy(self.occupied)
        store["noise"] = ops.convert_to_numpy(self.noise.state)  # Keras would leave it out

    def load_own_variables(self, store):
        self.occupied.assign(store["occupied"])
        self.noise.state.assign(store["noise"])

    def get_config(self):
        own = ("box", "samples", "cells", "background", "seed")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            "field": keras.saving.serialize_keras_object(self.field),
        }

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("field")), **config)


def refine(
    model: RadianceField, resolution: int, *, samples: int, cells: int = 64
) -> RadianceField:
    """Go on with a finer voxel grid, over the box around what the coarse one found.

    Call it after ``update_occupancy``. The new model is not compiled.

    Args:
        model: A model of a ``VoxelGrid``.
        resolution: Grid points along the longest side of the smaller box.
        samples: Pieces of a ray of the new model.
        cells: Its cells along each axis.

    Raises:
        ValueError: The field is no voxel grid.
    """
    if not isinstance(model.field, VoxelGrid):
        raise ValueError(f"refine needs a VoxelGrid, not {type(model.field).__name__}")
    box = model.occupied_box()
    grid = model.field.resampled(resolution, box)
    settings = {"samples": samples, "cells": cells, "background": model.background}
    new = RadianceField(grid, box, **settings, seed=model.seed)
    new.update_occupancy()
    return new


def _any_of_two(solid: np.ndarray) -> np.ndarray:
    """Whether one of two neighbours is set, along each axis: one element less on each."""
    for axis in range(3):
        first, second = (np.delete(solid, place, axis) for place in (-1, 0))
        solid = first | second
    return solid
