"""A training step of the book's small diffusion U-Net, against the same step in plain PyTorch.

Keras runs ``DiffusionModel`` with ``build_unet``, compiled, fed by ``dlbook.train.fit``. PyTorch
runs eagerly, as the article's listing does, with an equal net. Both sides have the chapter's sizes,
draw times, noise and hidden classes anew in every step, and use Adam without an average of weights.
"""

import math

import numpy as np
import timing

from dlbook import train
from dlbook.models import diffusion

import keras  # isort: skip
import torch  # isort: skip

from torch import nn  # isort: skip
from torch.nn import functional as F  # isort: skip

BATCH, CHANNELS, HIDDEN, TOLD, CLASSES, STEPS = 64, (16, 64), 256, 64, 10, 40


class Block(nn.Module):
    """``residual_block``: between its two convolutions comes what is told."""

    def __init__(self, before: int, after: int):
        super().__init__()
        self.told = nn.Linear(TOLD, after)
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        h = self.first(F.silu(x)) + self.told(told)[:, :, None, None]
        return self.shortcut(x) + self.second(F.silu(h))


class UNet(nn.Module):
    """``build_unet`` of one block at each size."""

    def __init__(self) -> None:
        super().__init__()
        a, b = CHANNELS
        self.time = nn.Linear(32, TOLD)
        self.named = nn.Embedding(CLASSES + 1, TOLD)
        self.both = nn.Linear(TOLD, TOLD)
        self.begin = nn.Conv2d(4, a, 3, padding=1)
        self.halve = nn.Conv2d(a, b, 2, stride=2)
        self.down, self.low = Block(a, a), Block(b, b)
        self.hidden, self.hidden_told = nn.Linear(49 * b, HIDDEN), nn.Linear(TOLD, HIDDEN)
        self.whole = nn.Linear(HIDDEN, 49 * b)
        self.enlarge, self.up = nn.ConvTranspose2d(b, a, 2, stride=2), Block(2 * a, a)
        self.end = nn.Conv2d(a, 4, 3, padding=1)
        frequencies = np.exp(np.linspace(0, math.log(100), 16)) * math.pi / 5
        self.register_buffer("frequencies", torch.tensor(frequencies, dtype=torch.float32))

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, classes: torch.Tensor):
        angles = times[:, None] * self.frequencies
        told = self.time(torch.cat([angles.sin(), angles.cos()], dim=1)) + self.named(classes)
        told = F.silu(self.both(F.silu(told)))
        skip = self.down(self.begin(F.pixel_unshuffle(noisy, 2)), told)
        x = self.low(self.halve(skip), told)
        whole = self.whole(F.silu(self.hidden(x.flatten(1)) + self.hidden_told(told)))
        x = self.enlarge(x + whole.view_as(x))
        x = self.up(torch.cat([x, skip], dim=1), told)
        return F.pixel_shuffle(self.end(F.silu(x)), 2)


def torch_side(images: np.ndarray, classes: np.ndarray, steps: int) -> tuple[int, timing.Side]:
    """Parameters, and rounds of PyTorch's plain loop."""
    torch.manual_seed(0)
    net = UNet()
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    data = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    named = torch.from_numpy(classes.astype("int64"))

    def epoch() -> None:
        for start in range(0, len(data), BATCH):
            x, told = data[start : start + BATCH], named[start : start + BATCH]
            times = ((torch.arange(len(x)) + torch.rand(())) / len(x)).clamp(0.001, 0.999)
            hidden = torch.rand(len(x)) < 0.2
            angle = math.pi / 2 * times[:, None, None, None]
            noisy = angle.cos() * x + angle.sin() * torch.randn_like(x)
            adam.zero_grad()
            F.mse_loss(net(noisy, times, told.masked_fill(hidden, CLASSES)), x).backward()
            adam.step()

    size = sum(weight.numel() for weight in net.parameters())
    return size, lambda: timing.milliseconds(epoch, steps)


def table(quick: bool) -> str:
    """Measure the step on both sides."""
    steps = 2 if quick else STEPS
    draws = np.random.default_rng(0)
    images = draws.uniform(-1, 1, (steps * BATCH, 28, 28, 1)).astype("float32")
    classes = draws.integers(CLASSES, size=len(images)).astype("int32")
    size, theirs = torch_side(images, classes, steps)
    ours, keras_side = keras_round(images, classes, steps)
    if ours != size:
        raise ValueError(f"Keras has {ours:,} parameters, PyTorch {size:,}")
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS
    found = timing.compare("unet", keras_side, theirs, rounds)
    head = ["training step", "Keras, ms", "PyTorch, ms", "PyTorch / Keras", "Keras's settings"]
    title = f"U-Net for diffusion, {BATCH} × 28×28{found.note}"
    return timing.markdown(head, [[title, *found.cells(), "jit_compile=False"]])


def keras_round(images: np.ndarray, classes: np.ndarray, steps: int) -> tuple[int, timing.Side]:
    """Parameters, and rounds of ``train.fit``."""
    keras.utils.set_random_seed(0)
    net = diffusion.build_unet(channels=CHANNELS, num_hidden=HIDDEN)
    model = diffusion.DiffusionModel(net, num_classes=CLASSES)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)

    def side() -> float:
        history = train.fit(model, (images, classes), batch_size=BATCH, table=False)
        return 1000 * history.history["seconds"][0] / steps

    return net.count_params(), side
