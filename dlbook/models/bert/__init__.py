"""BERT: encoder (``model``), ``heads``, gaps (``masking``), published weights (``pretrained``)."""

from dlbook.models.bert.heads import (
    MaskedLanguageModel,
    MaskedWordHead,
    MeanOfTokens,
    Summary,
    build_classifier,
    build_tagger,
)
from dlbook.models.bert.masking import Masked, mask_words
from dlbook.models.bert.model import BertBlock, BertEncoder, check_tokens

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
