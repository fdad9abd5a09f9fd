"""The nets of the benchmark in plain PyTorch: the articles' listings, written anew.

They take pictures as (batch, channels, height, width), pixels from 0 to 1, and return logits.
"""

import torch
from torch import nn


def xor_net() -> nn.Module:
    """Two inputs, four tanh units, one probability."""
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())


def dense_net() -> nn.Module:
    """As many hidden units as ``build_dense_net`` has: 126."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 126), nn.ReLU(), nn.Linear(126, 10))


def language_cnn() -> nn.Module:
    """The net of "Language" §3."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(64 * 3 * 3, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def ten_cnn() -> nn.Module:
    """The net of "Ten" §2."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def primer_cnn() -> nn.Module:
    """The net of "Primer"."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 6 * 6, 120), nn.ReLU(), nn.Linear(120, 10)),
    )


class RandomShift(nn.Module):
    """Move each picture by up to two whole pixels, as the book's net does in training."""

    def __init__(self, most: int = 2):
        super().__init__()
        self.most = most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        batch, _, height, width = x.shape
        padded = nn.functional.pad(x, [self.most] * 4)
        corners = torch.randint(0, 2 * self.most + 1, (2, batch, 1))
        rows = (corners[0] + torch.arange(height))[:, None, :, None]
        columns = (corners[1] + torch.arange(width))[:, None, None, :]
        pictures = torch.arange(batch)[:, None, None, None]
        channels = torch.arange(x.shape[1])[None, :, None, None]
        return padded[pictures, channels, rows, columns]


def book_cnn() -> nn.Module:
    """The net of ``build_cnn``."""
    return nn.Sequential(
        RandomShift(),
        *(nn.Conv2d(1, 24, 5, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(24), nn.ReLU()),
        *(nn.Conv2d(24, 48, 5, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(48), nn.ReLU()),
        *(nn.Flatten(), nn.Dropout(0.25), nn.Linear(48 * 4 * 4, 128, bias=False)),
        *(nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10)),
    )
