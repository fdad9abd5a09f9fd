"""A language model as they are built today: GPT with its parts exchanged.

With its defaults the architecture is Llama's, and equal to KerasHub's ``LlamaBackbone`` with the
same weights: root-mean-square normalisation, rotary positions, grouped queries, SwiGLU, no biases.
Each part can be the older one of GPT-2 instead, so that each change can be measured alone.

Paper: Touvron and others, "LLaMA: open and efficient foundation language models", 2023.
"""

import keras
import numpy as np
from keras import layers, ops

from dlbook.layers.attention import causal_mask
from dlbook.models.llm.parts import LLMBlock, normalisation, rotary_angles

_CHOICES = {
    "norm": ("rms", "layer"),
    "positions": ("rotary", "learned"),
    "feed_forward": ("swiglu", "gelu"),
}


@keras.saving.register_keras_serializable(package="dlbook")
class LLM(keras.Model):
    """Decoder-only Transformer with today's parts, from tokens to logits of the next token.

    It writes with ``dlbook.models.gpt.generation``, as GPT does.

    Args:
        vocabulary_size: Number of tokens.
        max_length: Context: the most tokens that the model sees at once.
        num_layers: Number of blocks.
        num_heads: Heads of queries in each block.
        num_key_value_heads: Heads of keys and values. None: as many.
        hidden_dim: Width of the vectors between the blocks; a multiple of ``num_heads``.
        feed_forward_dim: Units of the hidden layers. None: four widths for GELU, and for SwiGLU,
            which has a third matrix, two thirds of that, so that the number of weights is equal.
        norm: "rms" or "layer".
        positions: "rotary", which turn queries and keys, or "learned", which are added.
        feed_forward: "swiglu" or "gelu".
        use_bias: Whether the dense layers have biases.

    Raises:
        ValueError: An unknown choice, or numbers of heads that do not fit.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        max_length: int = 64,
        num_layers: int = 2,
        num_heads: int = 4,
        num_key_value_heads: int | None = None,
        hidden_dim: int = 128,
        feed_forward_dim: int | None = None,
        norm: str = "rms",
        positions: str = "rotary",
        feed_forward: str = "swiglu",
        use_bias: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        chosen = {"norm": norm, "positions": positions, "feed_forward": feed_forward}
        for name, choice in chosen.items():
            if choice not in _CHOICES[name]:
                known = " or ".join(map(repr, _CHOICES[name]))
                raise ValueError(f"{name} must be {known}, not {choice!r}")
        if hidden_dim % num_heads:
            raise ValueError(f"num_heads={num_heads} must divide hidden_dim={hidden_dim}")
        key_dim = hidden_dim // num_heads
        if positions == "rotary" and key_dim % 2:
            raise ValueError(
                f"rotary positions turn pairs of features: hidden_dim / num_heads = {key_dim} "
                "must be even"
            )
        shared = num_heads if num_key_value_heads is None else num_key_value_heads
        if feed_forward_dim is None:
            whole = 4 * hidden_dim
            feed_forward_dim = whole if feed_forward == "gelu" else -(-2 * whole // 3)
        self.vocabulary_size, self.max_length = vocabulary_size, max_length
        self.num_heads, self.num_key_value_heads = num_heads, shared
        self.hidden_dim, self.feed_forward_dim = hidden_dim, feed_forward_dim
        self.norm, self.positions, self.feed_forward = norm, positions, feed_forward
        self.use_bias = use_bias
        self.token_embedding = _embedding(vocabulary_size, hidden_dim, "tokens")
        if positions == "learned":
            self.position_embedding = _embedding(max_length, hidden_dim, "positions")
        output_std = 0.02 * (2 * num_layers) ** -0.5
        self.blocks = [
            LLMBlock(
                num_heads,
                shared,
                feed_forward_dim,
                norm,
                feed_forward == "swiglu",
                use_bias,
                output_std,
                name=f"block_{number}",
            )
            for number in range(num_layers)
        ]
        for block in self.blocks:
            block.build((None, None, hidden_dim))
        self.last_norm = normalisation(norm, "last_norm")
        self.last_norm.build((None, None, hidden_dim))
        self.built = True

    def call(self, tokens, training=None):
        """(batch, tokens) of integers to logits (batch, tokens, vocabulary), float32."""
        return self._run(tokens, None, 0)[0]

    def step(self, tokens, cache, start):
        """Logits of new tokens, with what earlier ones left in the cache.

        Args:
            tokens: (batch, new tokens).
            cache: From ``empty_cache`` or an earlier step.
            start: Position of the first new token.

        Returns:
            Logits (batch, new tokens, vocabulary), and the renewed cache.
        """
        return self._run(tokens, cache, start)

    def empty_cache(self, batch: int):
        """Zeros (layers, 2, batch, key-value heads, max_length, key_dim): keys and values."""
        key_dim = self.hidden_dim // self.num_heads
        shape = (len(self.blocks), 2, batch, self.num_key_value_heads, self.max_length, key_dim)
        return ops.zeros(shape, dtype=self.compute_dtype)

    def attention_maps(self, tokens) -> np.ndarray:
        """Attention weights (layers, batch, heads, query, key); every row sums to 1."""
        x, angles, maps = *self._embed(tokens, 0), []
        mask = causal_mask(tokens.shape[1], tokens.shape[1])
        for block in self.blocks:
            weights = block.attention.attention_weights(block.norm_1(x), angles, mask)
            maps.append(ops.convert_to_numpy(weights))
            x = block(x, angles, mask)
        return np.stack(maps)

    def _embed(self, tokens, start):
        """Vectors of the tokens (batch, tokens, width), and the angles of their places."""
        if len(tokens.shape) != 2 or 0 in tokens.shape:
            raise ValueError(
                f"tokens must be (batch, tokens) with at least one of each, not {tokens.shape}"
            )
        length = tokens.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"tokens: {length} are more than max_length={self.max_length}; cut the text, or "
                "build the model with a larger max_length"
            )
        places, x = start + ops.arange(ops.shape(tokens)[1]), self.token_embedding(tokens)
        if self.positions == "learned":
            return x + self.position_embedding(places), None
        return x, rotary_angles(places, self.hidden_dim // self.num_heads)

    def _run(self, tokens, cache, start):
        """Logits, and the renewed cache where one was given."""
        x, angles = self._embed(tokens, start)
        length = ops.shape(tokens)[1]
        mask = causal_mask(length, length if cache is None else self.max_length, start)
        renewed = []
        for number, block in enumerate(self.blocks):
            if cache is None:
                x = block(x, angles, mask)
            else:
                x, of_block = block(x, angles, mask, cache=cache[number], start=start)
                renewed.append(of_block)
        table = ops.cast(self.token_embedding.embeddings, x.dtype)
        logits = ops.cast(ops.matmul(self.last_norm(x), ops.transpose(table)), "float32")
        return logits, None if cache is None else ops.stack(renewed)

    def get_config(self):
        settings = {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "num_layers": len(self.blocks),
            "num_heads": self.num_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "hidden_dim": self.hidden_dim,
            "feed_forward_dim": self.feed_forward_dim,
            "norm": self.norm,
            "positions": self.positions,
            "feed_forward": self.feed_forward,
            "use_bias": self.use_bias,
        }
        return {**super().get_config(), **settings}


def _embedding(count: int, width: int, name: str) -> layers.Embedding:
    first = keras.initializers.RandomNormal(stddev=0.02)
    embedding = layers.Embedding(count, width, embeddings_initializer=first, name=name)
    embedding.build((None, None))
    return embedding
