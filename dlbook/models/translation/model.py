"""The encoder–decoder Transformer: one stack reads a sentence, another writes its translation.

The layout is the paper's, with three later habits: layer normalisation before each part instead of
after it, GELU for ReLU, and one table of vectors for both languages and for the scores.

Paper: Vaswani and others, "Attention is all you need", NeurIPS 2017.
"""

import keras
import numpy as np
from keras import layers, ops

from dlbook.layers.attention import SelfAttention, attend, causal_mask

PADDING = 0


def sinusoids(length: int, width: int) -> np.ndarray:
    """Positions as waves: pairs of sine and cosine whose wavelengths grow from 2π to 10,000 · 2π.

    Args:
        length: Number of positions.
        width: Numbers of a position; even.

    Returns:
        (length, width), float32: the sines of a position, then its cosines.
    """
    if width % 2:
        raise ValueError(f"width={width} must be even: sines and cosines come in pairs")
    rates = 10_000.0 ** (-np.arange(width // 2) / (width // 2))
    angles = np.arange(length)[:, None] * rates  # (length, width / 2)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype("float32")


def smoothed_cross_entropy(targets, logits, smoothing: float = 0.1):
    """Cross-entropy against targets that are only nearly sure, averaged over all but padding.

    Args:
        targets: (batch, length) of integers; 0 is padding and does not count.
        logits: (batch, length, vocabulary).
        smoothing: Share of a target's probability that is spread over the whole vocabulary.

    Returns:
        (), nats per token. Its least value is not 0 but the entropy of the smoothed target.

    Paper: Szegedy and others, "Rethinking the Inception architecture for computer vision",
    CVPR 2016.
    """
    logits = ops.cast(logits, "float32")
    targets = ops.cast(targets, "int32")
    total = ops.logsumexp(logits, axis=-1)
    right = ops.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    nats = total - (1 - smoothing) * right - smoothing * ops.mean(logits, axis=-1)
    counted = ops.cast(targets != PADDING, "float32")
    return ops.sum(nats * counted) / ops.maximum(ops.sum(counted), 1.0)


@keras.saving.register_keras_serializable(package="dlbook")
class CrossAttention(layers.Layer):
    """Multi-head attention of the tokens of one text to those of another.

    ``get_weights()``: ``query`` (width, width) and its bias, ``key_value`` (width, 2 width; the
    keys of all heads, then the values) and its bias, ``project`` (width, width) and its bias.

    Args:
        num_heads: Number of heads; it must divide the width.
    """

    def __init__(self, num_heads: int, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.num_heads:
            raise ValueError(f"num_heads={self.num_heads} must divide the width, {width}")
        self.query = layers.Dense(width, name="query")
        self.key_value = layers.Dense(2 * width, name="key_value")
        self.project = layers.Dense(width, name="project")
        for layer in (self.query, self.key_value, self.project):
            layer.build((None, None, width))

    def keys_and_values(self, memory):
        """What is looked at, computed once for a text.

        Args:
            memory: (batch, source, width).

        Returns:
            (2, batch, heads, source, key_dim): keys and values.
        """
        batch, source, width = ops.shape(memory)
        parts = (batch, source, 2, self.num_heads, width // self.num_heads)
        return ops.transpose(ops.reshape(self.key_value(memory), parts), (2, 0, 3, 1, 4))

    def call(self, x, keys_and_values, attention_mask=None):
        """Attend.

        Args:
            x: (batch, target, width): the tokens that look.
            keys_and_values: Of the text that is looked at.
            attention_mask: Boolean, broadcast to (batch, heads, target, source).

        Returns:
            (batch, target, width).
        """
        mixed, _ = attend(self._queries(x), *ops.unstack(keys_and_values, 2), attention_mask)
        return self.project(ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), ops.shape(x)))

    def attention_weights(self, x, keys_and_values, attention_mask=None):
        """(batch, heads, target, source): where each token looks; rows sum to 1."""
        return attend(self._queries(x), *ops.unstack(keys_and_values, 2), attention_mask)[1]

    def _queries(self, x):
        batch, target, width = ops.shape(x)
        parts = (batch, target, self.num_heads, width // self.num_heads)
        return ops.transpose(ops.reshape(self.query(x), parts), (0, 2, 1, 3))

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads}


class _Block(layers.Layer):
    """What both kinds of block have: self-attention, a feed-forward part, dropout, settings."""

    def __init__(self, num_heads: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.dropout = num_heads, dropout
        self.norm_1 = layers.LayerNormalization(epsilon=1e-5, name="norm_1")
        self.attention = SelfAttention(num_heads, initial_std=0.06, name="attention")
        self.norm_2 = layers.LayerNormalization(epsilon=1e-5, name="norm_2")
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width = input_shape[-1]
        self.expand = layers.Dense(4 * width, activation="gelu", name="expand")
        self.contract = layers.Dense(width, name="contract")
        for layer in (self.norm_1, self.attention, self.norm_2, self.expand):
            layer.build((None, None, width))
        self.contract.build((None, None, 4 * width))

    def feed_forward(self, x):
        return x + self.drop(self.contract(self.expand(self.norm_2(x))))

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "dropout": self.dropout}


@keras.saving.register_keras_serializable(package="dlbook")
class EncoderBlock(_Block):
    """Attention to all tokens of the text, then a feed-forward part, each added to what came in.

    Args:
        num_heads: Heads of the attention.
        dropout: Share of features set to zero in training.
    """

    def call(self, x, attention_mask=None):
        """(batch, source, width) to the same; see ``attend`` for the mask."""
        x = x + self.drop(self.attention(self.norm_1(x), attention_mask))
        return self.feed_forward(x)


@keras.saving.register_keras_serializable(package="dlbook")
class DecoderBlock(_Block):
    """Attention back, attention to the source, a feed-forward part, each added to what came in.

    Args:
        num_heads: Heads of each attention.
        dropout: Share of features set to zero in training.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, **kwargs):
        super().__init__(num_heads, dropout, **kwargs)
        self.norm_cross = layers.LayerNormalization(epsilon=1e-5, name="norm_cross")
        self.cross = CrossAttention(num_heads, name="cross")

    def build(self, input_shape):
        super().build(input_shape)
        self.norm_cross.build((None, None, input_shape[-1]))
        self.cross.build((None, None, input_shape[-1]))

    def call(self, x, keys_and_values, causal=None, source_mask=None, cache=None, start=0):
        """One block of the decoder.

        Args:
            x: (batch, target, width).
            keys_and_values: ``cross.keys_and_values`` of the encoded source.
            causal: Mask of the attention back.
            source_mask: Mask of the attention to the source.
            cache: See ``SelfAttention.call``.
            start: See ``SelfAttention.call``.

        Returns:
            (batch, target, width); with a cache, the pair of it and the renewed cache.
        """
        attended = self.attention(self.norm_1(x), causal, cache=cache, start=start)
        if cache is not None:
            attended, cache = attended
        x = x + self.drop(attended)
        x = x + self.drop(self.cross(self.norm_cross(x), keys_and_values, source_mask))
        x = self.feed_forward(x)
        return x if cache is None else (x, cache)


@keras.saving.register_keras_serializable(package="dlbook")
class Translator(keras.Model):
    """Encoder–decoder Transformer, from a source and the beginning of its translation to scores.

    ``model((source, target))``: (batch, source) and (batch, target) of integers, where 0 is
    padding, to logits (batch, target, vocabulary) of the token after each one of the target. Train
    it with ``smoothed_cross_entropy`` on targets that are the inputs moved by one.

    Args:
        vocabulary_size: Number of tokens, both languages and the signs for start and end together.
        num_layers: Blocks of the encoder, and of the decoder.
        num_heads: Heads of each attention.
        hidden_dim: Width of the vectors between the blocks; even, a multiple of ``num_heads``.
        dropout: Share of features set to zero in training.
        max_length: The most tokens of a source or a target.

    Raises:
        ValueError: ``num_heads`` does not divide ``hidden_dim``, or it is odd.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        num_layers: int = 2,
        num_heads: int = 4,
        hidden_dim: int = 128,
        dropout: float = 0.0,
        max_length: int = 64,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.hidden_dim = vocabulary_size, hidden_dim
        self.num_heads, self.dropout, self.max_length = num_heads, dropout, max_length
        first = keras.initializers.RandomNormal(stddev=hidden_dim**-0.5)
        self.embedding = layers.Embedding(
            vocabulary_size, hidden_dim, embeddings_initializer=first, name="embedding"
        )
        self.drop = layers.Dropout(dropout)
        self.encoder, self.decoder = (
            [kind(num_heads, dropout, name=f"{name}_{n}") for n in range(num_layers)]
            for kind, name in ((EncoderBlock, "encoder"), (DecoderBlock, "decoder"))
        )
        self.encoder_norm, self.decoder_norm = (
            layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm")
            for name in ("encoder", "decoder")
        )
        self.positions = sinusoids(max_length, hidden_dim)
        self.embedding.build((None, None))
        for layer in (*self.encoder, self.encoder_norm, *self.decoder, self.decoder_norm):
            layer.build((None, None, hidden_dim))
        self.built = True

    def call(self, inputs, training=None):
        """See the class."""
        source, target = inputs
        memory = self.encode(source)  # Keras hands ``training`` on to every layer inside
        x, length = self.embed(target), target.shape[1]
        causal = self.causal_mask(length, length)
        for block, keys_and_values in zip(self.decoder, memory[1], strict=True):
            x = block(x, keys_and_values, causal, memory[0])
        return self._logits(x)

    def encode(self, source):
        """Read the source: all of it that the decoder needs.

        Args:
            source: (batch, source) of integers; 0 is padding.

        Returns:
            The mask (batch, 1, 1, source), and for each block of the decoder its keys and values,
            (2, batch, heads, source, key_dim).
        """
        mask = (source != PADDING)[:, None, None, :]
        x = self.embed(source)
        for block in self.encoder:
            x = block(x, mask)
        x = self.encoder_norm(x)
        return mask, tuple(block.cross.keys_and_values(x) for block in self.decoder)

    def step(self, tokens, memory, cache, position):
        """Logits of the next token, with what earlier steps left in the cache.

        Args:
            tokens: (batch,): the newest token of each translation.
            memory: From ``encode``.
            cache: From ``empty_cache`` or an earlier step.
            position: Place of these tokens in the translation.

        Returns:
            Logits (batch, vocabulary), and the renewed cache.
        """
        x, renewed = self.embed(tokens[:, None], position), []
        causal = self.causal_mask(1, cache[0].shape[3], position)
        for block, keys_and_values, of_block in zip(self.decoder, memory[1], cache, strict=True):
            x, of_block = block(
                x, keys_and_values, causal, memory[0], cache=of_block, start=position
            )
            renewed.append(of_block)
        return self._logits(x)[:, 0], tuple(renewed)

    def causal_mask(self, num_queries: int, num_keys: int, start=0):
        """Who may look at whom in the target. A subclass may answer otherwise."""
        return causal_mask(num_queries, num_keys, start)

    def empty_cache(self, memory, length: int):
        """For each block zeros (2, batch, heads, length, key_dim): keys and values."""
        batch = memory[0].shape[0]
        shape = (2, batch, self.num_heads, length, self.hidden_dim // self.num_heads)
        return tuple(ops.zeros(shape, self.compute_dtype) for _ in self.decoder)

    def select(self, cache, rows):
        """The cache of other rows of the batch: (batch,) of integers, a row may occur twice."""
        return tuple(ops.take(of_block, rows, axis=1) for of_block in cache)

    def repeat(self, memory, times: int):
        """The memory with every sentence several times, one after the other."""
        mask, parts = memory
        parts = tuple(ops.repeat(part, times, axis=1) for part in parts)
        return ops.repeat(mask, times, axis=0), parts

    def cross_attention(self, source, target) -> np.ndarray:
        """Where each token of the target looks: (blocks, batch, heads, target, source)."""
        (mask, parts), x, maps = self.encode(source), self.embed(target), []
        causal = self.causal_mask(target.shape[1], target.shape[1])
        for block, part in zip(self.decoder, parts, strict=True):
            # as in the block: first back, then to the source
            after = x + block.attention(block.norm_1(x), causal)
            weights = block.cross.attention_weights(block.norm_cross(after), part, mask)
            maps.append(ops.convert_to_numpy(weights))
            x = block(x, part, causal, mask)
        return np.stack(maps)

    def embed(self, tokens, start=0):
        """Vectors of the tokens plus those of their positions, (batch, tokens, width)."""
        length = tokens.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"{length} tokens are more than max_length={self.max_length}: cut the text, or "
                "build the model with a larger max_length"
            )
        table = ops.cast(self.positions, self.compute_dtype)
        places = ops.slice(table, (start, 0), (length, self.hidden_dim))
        return self.drop(self.embedding(tokens) * self.hidden_dim**0.5 + places)

    def _logits(self, x):
        matrix = ops.cast(self.embedding.embeddings, x.dtype)
        return ops.cast(ops.matmul(self.decoder_norm(x), ops.transpose(matrix)), "float32")

    def get_config(self):
        settings = {
            "vocabulary_size": self.vocabulary_size,
            "num_layers": len(self.encoder),
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
            "max_length": self.max_length,
        }
        return {**super().get_config(), **settings}
