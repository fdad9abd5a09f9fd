"""Training steps of the book's radiance fields, in rays per second, against plain PyTorch.

Keras runs ``RadianceField.train_step``, compiled, fed by ``dlbook.train.fit``. PyTorch runs
eagerly, as most listings do: rays cut into even pieces with a random place in each, the field at
every sample, volume rendering by ``cumsum``. The look-up in the grid is PyTorch's own
``grid_sample``. All cells of space count as occupied, so that both sides compute every sample:
what the book's model gains by leaving empty ones out is no part of the comparison.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np
import timing

from dlbook import train
from dlbook.models import nerf

import keras  # isort: skip
import torch  # isort: skip

from torch import nn  # isort: skip
from torch.nn import functional as F  # isort: skip

RAYS, SAMPLES, STEPS = 1024, 64, 10
RESOLUTION = 64
UNITS, DEPTH, FREQUENCIES, DIRECTION_FREQUENCIES = 64, 4, 6, 2
LOW, HIGH = nerf.SCENE_BOX

Field = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class TorchGrid(nn.Module):
    """``VoxelGrid`` of degree 1; the axes of its values are z, y, x, as ``grid_sample`` wants."""

    def __init__(self, grid: nerf.VoxelGrid):
        super().__init__()
        self.values = nn.Parameter(torch.zeros(1, 13, *[RESOLUTION] * 3))
        self.bias, self.scale = grid.density_bias, grid.density_scale

    def forward(
        self, points: torch.Tensor, directions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Densities and colours at places."""
        low, high = torch.tensor(LOW), torch.tensor(HIGH)
        places = (2 * (points - low) / (high - low) - 1)[None, None, None]
        found = F.grid_sample(
            self.values, places, align_corners=True, padding_mode="border"
        ).reshape(13, -1)
        density = self.scale * F.softplus(found[0] + self.bias)
        x, y, z = directions.T
        waves = torch.stack([torch.full_like(x, 0.282), 0.489 * y, 0.489 * z, 0.489 * x])
        return density, torch.sigmoid((found[1:].reshape(3, 4, -1) * waves).sum(1)).T


class TorchNet(nn.Module):
    """``build_mlp`` with the sizes of this benchmark."""

    def __init__(self) -> None:
        super().__init__()
        place, direction = 3 * (1 + 2 * FREQUENCIES), 3 * (1 + 2 * DIRECTION_FREQUENCIES)
        sizes = [place, *[UNITS] * DEPTH]
        pairs = itertools.pairwise(sizes)
        self.trunk = nn.Sequential(
            *(part for a, b in pairs for part in (nn.Linear(a, b), nn.ReLU()))
        )
        self.density, self.feature = nn.Linear(UNITS, 1), nn.Linear(UNITS, UNITS)
        self.colour = nn.Sequential(
            *(nn.Linear(UNITS + direction, UNITS // 2), nn.ReLU()),
            *(nn.Linear(UNITS // 2, 3), nn.Sigmoid()),
        )

    def forward(
        self, points: torch.Tensor, directions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Densities and colours at places."""
        low, high = torch.tensor(LOW), torch.tensor(HIGH)
        x = self.trunk(encoded(2 * (points - low) / (high - low) - 1, FREQUENCIES))
        density = F.softplus(self.density(x))[:, 0]
        seen_from = encoded(directions, DIRECTION_FREQUENCIES)
        return density, self.colour(torch.cat([self.feature(x), seen_from], -1))


def encoded(x: torch.Tensor, octaves: int) -> torch.Tensor:
    """The positional encoding."""
    angles = [math.pi * 2**octave * x for octave in range(octaves)]
    return torch.cat([x, *(wave(angle) for angle in angles for wave in (torch.sin, torch.cos))], -1)


def torch_colours(field: Field, origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """What is seen along rays, on white."""
    first, second = ((torch.tensor(c) - origins) / directions for c in (LOW, HIGH))
    entry = torch.minimum(first, second).amax(-1).clamp(min=0)
    leave = torch.maximum(torch.maximum(first, second).amin(-1), entry)
    length = ((leave - entry) / SAMPLES)[:, None]
    inside = torch.arange(SAMPLES) + torch.rand(len(origins), SAMPLES)
    points = origins[:, None] + directions[:, None] * (entry[:, None] + length * inside)[..., None]
    every = directions.repeat_interleave(SAMPLES, 0)
    density, colour = field(points.reshape(-1, 3), every)
    thickness = density.reshape(-1, SAMPLES) * length
    before = thickness.cumsum(-1) - thickness
    weights = -torch.expm1(-thickness) * torch.exp(-before)
    seen = (weights[..., None] * colour.reshape(-1, SAMPLES, 3)).sum(1)
    return seen + 1 - weights.sum(1, keepdim=True)


def made_rays(count: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Rays from a sphere of radius 4 to places in the scene, and colours at random."""
    rng = np.random.default_rng(0)
    origins = rng.normal(size=(count, 3))
    origins *= 4 / np.linalg.norm(origins, axis=1, keepdims=True)
    towards = rng.uniform(-1, 1, (count, 3)) - origins
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    rays = origins.astype("float32"), towards.astype("float32")
    return rays, rng.random((count, 3), dtype="float32")


def keras_field(kind: str) -> keras.layers.Layer:
    """The book's field."""
    if kind == "grid":
        return nerf.VoxelGrid(RESOLUTION, degree=1)
    return nerf.build_mlp(
        units=UNITS,
        depth=DEPTH,
        skip=None,
        position_frequencies=FREQUENCIES,
        direction_frequencies=DIRECTION_FREQUENCIES,
    )


def keras_side(field: keras.layers.Layer, steps: int) -> timing.Side:
    """Rounds of the book's way."""
    rays, colours = made_rays(steps * RAYS)
    model = nerf.RadianceField(field, samples=SAMPLES)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)

    def round_of_steps() -> float:
        history = train.fit(model, rays, colours, batch_size=RAYS, table=False)
        return 1000 * history.history["seconds"][0] / steps

    return round_of_steps


def torch_side(field: nn.Module, steps: int) -> timing.Side:
    """Rounds of PyTorch's plain loop."""
    rays, colours = made_rays(steps * RAYS)
    origins, directions, truth = (torch.from_numpy(x) for x in (*rays, colours))
    optimizer = torch.optim.Adam(field.parameters(), lr=1e-3)

    def epoch() -> None:
        for rows in torch.randperm(len(truth)).split(RAYS):
            optimizer.zero_grad()
            seen = torch_colours(field, origins[rows], directions[rows])
            F.mse_loss(seen, truth[rows]).backward()
            optimizer.step()

    return lambda: timing.milliseconds(epoch, steps)


def table(quick: bool) -> str:
    """Measure both kinds of field on both sides."""
    steps, rounds = (2, timing.QUICK_ROUNDS) if quick else (STEPS, timing.ROUNDS // 3)
    cells = []
    titles = {
        "grid": f"voxel grid, {RESOLUTION}³ points",
        "net": f"MLP, {DEPTH} layers of {UNITS} units",
    }
    for kind, title in titles.items():
        keras.utils.set_random_seed(0)
        torch.manual_seed(0)
        field = keras_field(kind)
        other = TorchGrid(field) if kind == "grid" else TorchNet()
        ours = sum(math.prod(weight.shape) for weight in field.trainable_variables)
        theirs = sum(weight.numel() for weight in other.parameters())
        if ours != theirs:
            raise ValueError(f"{title}: Keras has {ours:,} parameters, PyTorch {theirs:,}")
        sides = keras_side(field, steps), torch_side(other, steps)
        found = timing.compare(f"nerf, {kind}", *sides, rounds)
        speeds = [timing.figure(1000 * RAYS / side) for side in (found.left, found.right)]
        name = f"{title}: {RAYS:,} rays × {SAMPLES} samples{found.note}"
        cells.append([name, *speeds, f"**{found.ratio:.2f}**", "jit_compile=False"])
    head = ["radiance field, training", "Keras, rays/s", "PyTorch, rays/s", "Keras / PyTorch"]
    return timing.markdown([*head, "Keras's settings"], cells)
