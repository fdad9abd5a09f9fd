"""PyTorch's side of the step benchmarks: the Transformers of chapters 12 and 13."""

import torch
import torch.nn.functional as F
from torch import nn


class TranslationBlock(nn.Module):
    """A block of ``dlbook.models.translation``; with ``across`` it is the decoder's."""

    def __init__(self, width: int, num_heads: int, across: bool):
        super().__init__()
        self.num_heads, self.norm_1, self.norm_2 = (
            num_heads,
            nn.LayerNorm(width),
            nn.LayerNorm(width),
        )
        self.query_key_value, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        if across:
            self.norm_cross, self.query = nn.LayerNorm(width), nn.Linear(width, width)
            self.key_value = nn.Linear(width, 2 * width)
            self.project_cross = nn.Linear(width, width)

    def _attend(self, query, key, value, **mask) -> torch.Tensor:
        query, key, value = (
            part.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for part in (query, key, value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, **mask)
        return mixed.transpose(1, 2).flatten(2)

    def forward(self, x: torch.Tensor, real: torch.Tensor, memory=None) -> torch.Tensor:
        parts = self.query_key_value(self.norm_1(x)).chunk(3, dim=2)
        mask = {"attn_mask": real} if memory is None else {"is_causal": True}
        x = x + self.project(self._attend(*parts, **mask))
        if memory is not None:
            parts = self.query(self.norm_cross(x)), *self.key_value(memory).chunk(2, dim=2)
            x = x + self.project_cross(self._attend(*parts, attn_mask=real))
        return x + self.contract(F.gelu(self.expand(self.norm_2(x))))


class Translator(nn.Module):
    """The net of ``dlbook.models.translation.Translator``; source and target in one array."""

    def __init__(self, vocabulary_size: int, source: int, *, width: int = 128, num_heads: int = 4):
        super().__init__()
        self.source, self.width = source, width
        self.tokens = nn.Embedding(vocabulary_size, width)
        nn.init.normal_(self.tokens.weight, std=width**-0.5)
        self.encoder, self.decoder = (
            nn.ModuleList(TranslationBlock(width, num_heads, across) for _ in range(2))
            for across in (False, True)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        rates = 10_000.0 ** (-torch.arange(width // 2) / (width // 2))
        angles = torch.arange(64)[:, None] * rates
        self.register_buffer("positions", torch.cat([angles.sin(), angles.cos()], dim=1))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        source, target = tokens[:, : self.source], tokens[:, self.source :]
        real = (source != 0)[:, None, None]
        x, y = (
            self.tokens(part) * self.width**0.5 + self.positions[: part.shape[1]]
            for part in (source, target)
        )
        for block in self.encoder:
            x = block(x, real)
        x = self.norms[0](x)
        for block in self.decoder:
            y = block(y, real, x)
        return F.linear(self.norms[1](y), self.tokens.weight)


class BertBlock(nn.Module):
    """The block of ``dlbook.models.bert``, with PyTorch's own attention."""

    def __init__(self, width: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.query_key_value, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.expand, self.contract = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        parts = self.query_key_value(x).split(width, dim=2)
        heads = (batch, tokens, self.num_heads, width // self.num_heads)
        query, key, value = (part.view(heads).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None], dropout_p=0.1 * self.training
        )
        mixed = self.project(mixed.transpose(1, 2).reshape(batch, tokens, width))
        x = self.norm_1(x + self.drop(mixed))
        hidden = F.gelu(self.expand(x), approximate="tanh")
        return self.norm_2(x + self.drop(self.contract(hidden)))


class BertClassifier(nn.Module):
    """The net of ``dlbook.models.bert.build_classifier`` with one logit."""

    def __init__(self, num_words: int, length: int, num_layers: int, num_heads: int, width: int):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(num_words, width), nn.Embedding(length, width)
        self.segments, self.norm = nn.Embedding(2, width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(BertBlock(width, num_heads) for _ in range(num_layers))
        self.drop, self.answer = nn.Dropout(0.1), nn.Linear(width, 1)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        keep = words != 0
        x = self.tokens(words) + self.positions(torch.arange(words.shape[1]))
        x = self.drop(self.norm(x + self.segments(torch.zeros_like(words))))
        for block in self.blocks:
            x = block(x, keep)
        kept = keep[..., None]
        mean = (x * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)
        return self.answer(self.drop(mean))
