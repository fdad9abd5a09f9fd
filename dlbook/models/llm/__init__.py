"""Large language models in small: today's parts, the model, and adapters (``lora``)."""

from dlbook.models.llm.lora import add_lora, merge_lora
from dlbook.models.llm.model import LLM
from dlbook.models.llm.parts import (
    FeedForward,
    GroupedQueryAttention,
    LLMBlock,
    RMSNorm,
    rotary_angles,
    rotate,
)

__all__ = [
    "LLM",
    "FeedForward",
    "GroupedQueryAttention",
    "LLMBlock",
    "RMSNorm",
    "add_lora",
    "merge_lora",
    "rotary_angles",
    "rotate",
]
