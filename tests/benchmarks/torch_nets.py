"""The nets of the benchmark in plain PyTorch: the articles' listings, written anew.

The convolutional nets take pictures as (batch, channels, height, width), the VAE as (batch,
pixels), all with pixels from 0 to 1. The others take numbers of words or characters (batch, steps).
They return logits, the VAE all parts of its loss.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


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


class ResidualBlock(nn.Module):
    """Two convolutions and an identity shortcut (option A of the paper)."""

    def __init__(self, channels: int, filters: int, stride: int):
        super().__init__()
        self.stride, self.more = stride, filters - channels
        self.branch = nn.Sequential(
            *(nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False),),
            *(nn.BatchNorm2d(filters), nn.ReLU()),
            *(nn.Conv2d(filters, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters)),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.branch(x)
        if self.stride > 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(y + x)


def resnet(n: int = 3) -> nn.Module:
    """The net of ``build_resnet``: 6n + 2 layers."""
    blocks, channels = [], 16
    for stage, filters in enumerate((16, 32, 64)):
        for number in range(n):
            stride = 2 if stage and number == 0 else 1
            blocks.append(ResidualBlock(channels, filters, stride))
            channels = filters
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *blocks,
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )


class SentimentRNN(nn.Module):
    """The net of ``build_sentiment_rnn``, for texts without padding."""

    def __init__(self, num_words: int = 10_000, embedding_dim: int = 100, num_units: int = 32):
        super().__init__()
        self.embedding = nn.Embedding(num_words, embedding_dim, padding_idx=0)
        self.hide_features, self.hide_state = nn.Dropout1d(0.2), nn.Dropout(0.2)
        self.rnn = nn.RNN(embedding_dim, num_units, num_layers=2, batch_first=True)
        self.logit = nn.Linear(num_units, 1)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        # a feature is hidden in all words of a text: as channels, they are the second dimension
        x = self.hide_features(self.embedding(words).transpose(1, 2)).transpose(1, 2)
        _, last = self.rnn(x)
        return self.logit(self.hide_state(last[-1]))


class SentimentLSTM(nn.Module):
    """The net of ``build_sentiment_lstm``."""

    def __init__(self, num_words: int = 10_000, embedding_dim: int = 64, num_units: int = 32):
        super().__init__()
        self.embedding = nn.Embedding(num_words, embedding_dim, padding_idx=0)
        self.hide_features, self.hide_pooled = nn.Dropout1d(0.2), nn.Dropout(0.2)
        self.lstm = nn.LSTM(embedding_dim, num_units, batch_first=True)
        self.logit = nn.Linear(2 * num_units, 1)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        # a feature is hidden in all words of a text: as channels, they are the second dimension
        x = self.hide_features(self.embedding(words).transpose(1, 2)).transpose(1, 2)
        x, _ = self.lstm(x)
        keep = (words != 0)[..., None]
        mean = (x * keep).sum(dim=1) / keep.sum(dim=1).clamp(min=1)
        largest = x.masked_fill(~keep, -torch.inf).amax(dim=1)
        return self.logit(self.hide_pooled(torch.cat([mean, largest], dim=1)))


class DecoderBlock(nn.Module):
    """The block of ``dlbook.models.gpt``, with PyTorch's own attention."""

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        parts = self.query_key_value(self.norm_1(x)).split(width, dim=2)
        heads = (batch, tokens, self.num_heads, width // self.num_heads)
        query, key, value = (part.view(heads).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.project(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.contract(F.gelu(self.expand(self.norm_2(x)), approximate="tanh"))


class GPT(nn.Module):
    """The net of ``dlbook.models.gpt.GPT``."""

    def __init__(
        self,
        vocabulary_size: int,
        *,
        max_length: int = 64,
        num_layers: int = 4,
        num_heads: int = 4,
        width: int = 128,
    ):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary_size, width)
        self.positions = nn.Embedding(max_length, width)
        self.blocks = nn.Sequential(*(DecoderBlock(width, num_heads) for _ in range(num_layers)))
        self.norm = nn.LayerNorm(width)
        for weight in (self.tokens.weight, self.positions.weight):
            nn.init.normal_(weight, std=0.02)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight)


class EncoderBlock(nn.Module):
    """The block of ``dlbook.models.transformer``, with PyTorch's own attention."""

    def __init__(self, width: int, num_heads: int, feed_forward_dim: int):
        super().__init__()
        self.num_heads = num_heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand = nn.Linear(width, feed_forward_dim)
        self.contract = nn.Linear(feed_forward_dim, width)
        self.drop = nn.Dropout(0.05)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        parts = self.query_key_value(self.norm_1(x)).split(width, dim=2)
        heads = (batch, tokens, self.num_heads, width // self.num_heads)
        query, key, value = (part.view(heads).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None])
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.drop(self.project(mixed))
        return x + self.drop(self.contract(F.relu(self.expand(self.norm_2(x)))))


class TextEncoder(nn.Module):
    """The net of ``build_text_classifier``."""

    def __init__(self, num_words: int, positions: np.ndarray, num_layers: int, num_heads: int):
        super().__init__()
        width = positions.shape[1]
        self.embedding = nn.Embedding(num_words, width)
        self.register_buffer("positions", torch.from_numpy(positions))
        self.hide_features, self.hide_pooled = nn.Dropout1d(0.05), nn.Dropout(0.2)
        self.blocks = nn.ModuleList(
            EncoderBlock(width, num_heads, 4 * width) for _ in range(num_layers)
        )
        self.logit = nn.Linear(2 * width, 1)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        keep = words != 0
        x = self.embedding(words) * self.positions.shape[1] ** 0.5
        x = x + self.positions[: words.shape[1]]
        # a feature is hidden in all words of a text: as channels, they are the second dimension
        x = self.hide_features(x.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x, keep)
        kept = keep[..., None]
        mean = (x * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)
        largest = x.masked_fill(~kept, -torch.inf).amax(dim=1)
        return self.logit(self.hide_pooled(torch.cat([mean, largest], dim=1)))


class VAE(nn.Module):
    """The net of ``dlbook.models.vae.VAE``; returns what ``negative_elbo`` takes."""

    def __init__(self, pixels: int = 784, latent: int = 32, hidden: int = 512):
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Linear(pixels, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU())
        )
        self.mean, self.log_variance = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU()),
            nn.Linear(hidden, pixels),
        )

    def forward(self, ink: torch.Tensor) -> tuple[torch.Tensor, ...]:
        pixels = torch.bernoulli(ink)
        hidden = self.encoder(pixels)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        latent = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return pixels, mean, log_variance, self.decoder(latent)


def negative_elbo(outputs: tuple[torch.Tensor, ...], _: torch.Tensor) -> torch.Tensor:
    """Nats per picture, mean over the batch."""
    pixels, mean, log_variance, logits = outputs
    reconstruction = F.binary_cross_entropy_with_logits(logits, pixels, reduction="sum")
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
    return (reconstruction + kl) / len(pixels)
