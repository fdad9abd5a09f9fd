"""BERT: the encoder and its heads, gaps to fill in (``masking``), weights (``pretrained``)."""

from dlbook.models.bert.masking import Masked, mask_words
from dlbook.models.bert.model import (
    BertBlock,
    BertEncoder,
    MaskedLanguageModel,
    MaskedWordHead,
    MeanOfTokens,
    Summary,
    build_classifier,
    build_tagger,
    check_tokens,
)

__all__ = [
    "BertBlock",
    "BertEncoder",
    "Masked",
    "MaskedLanguageModel",
    "MaskedWordHead",
    "MeanOfTokens",
    "Summary",
    "build_classifier",
    "build_tagger",
    "check_tokens",
    "mask_words",
]
