"""GPT: the model, writing with it (``generation``), and GPT-2's own weights (``pretrained``)."""

from dlbook.models.gpt.model import GPT, DecoderBlock

__all__ = ["GPT", "DecoderBlock"]
