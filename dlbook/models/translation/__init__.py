"""Translation: the encoder–decoder Transformer, its recurrent rival, and searching with either."""

from dlbook.models.translation.model import (
    CrossAttention,
    DecoderBlock,
    EncoderBlock,
    Translator,
    sinusoids,
    smoothed_cross_entropy,
)
from dlbook.models.translation.recurrent import RecurrentTranslator

__all__ = [
    "CrossAttention",
    "DecoderBlock",
    "EncoderBlock",
    "RecurrentTranslator",
    "Translator",
    "sinusoids",
    "smoothed_cross_entropy",
]
