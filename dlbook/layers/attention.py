"""Attention: the part that every Transformer of the book is built from.

Paper: Vaswani and others, "Attention is all you need", NeurIPS 2017.
"""

from collections.abc import Callable

import keras
from keras import layers, ops


def causal_mask(num_queries: int, num_keys: int, start: int = 0):
    """Who may look at whom where nobody looks ahead.

    Args:
        num_queries: Tokens that look.
        num_keys: Tokens that are looked at, from the first of the text on.
        start: Place in the text of the first token that looks.

    Returns:
        (queries, keys), boolean: True at the query's own place and at those before it.
    """
    places = start + ops.arange(num_queries)
    return ops.arange(num_keys) <= places[:, None]


def attend(query, key, value, mask=None, dropout: Callable | None = None):
    """Scaled dot-product attention: means of the values, weighted by how well the keys fit.

    Args:
        query: (..., queries, key_dim).
        key: (..., keys, key_dim).
        value: (..., keys, value_dim).
        mask: Boolean, broadcast to (..., queries, keys): True where a query may look. None: it may
            look everywhere.
        dropout: Called with the weights before the values are weighted, as a ``Dropout`` layer.

    Returns:
        The means, (..., queries, value_dim), and the weights, (..., queries, keys). Each row of the
        weights adds up to 1.
    """
    scores = ops.matmul(query * query.shape[-1] ** -0.5, ops.swapaxes(key, -1, -2))
    if mask is not None:
        # finite, so that a query that may look nowhere gives no NaN; float16 ends at 65,504
        hidden = -3e4 if keras.backend.standardize_dtype(scores.dtype) == "float16" else -1e9
        scores = ops.where(mask, scores, ops.cast(hidden, scores.dtype))
    weights = ops.softmax(scores)
    dropped = weights if dropout is None else dropout(weights)
    return ops.matmul(dropped, value), weights


@keras.saving.register_keras_serializable(package="dlbook")
class SelfAttention(layers.Layer):
    """Multi-head attention of tokens to each other.

    One dense layer makes queries, keys and values at once: a single large matrix product is
    faster than three small ones. Its columns are the queries of all heads, then the keys, then the
    values, and so stand the weights: ``query_key_value`` (width, 3 width), its bias, ``project``
    (width, width), its bias.

    Args:
        num_heads: Number of heads; it must divide the width of the input.
        dropout: Share of the attention weights set to zero in training.
        initial_std: Standard deviation of the first weights.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, initial_std: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.dropout, self.initial_std = num_heads, dropout, initial_std
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.num_heads:
            raise ValueError(f"num_heads={self.num_heads} must divide the width, {width}")
        self.query_key_value = self._dense(3 * width, "query_key_value")
        self.query_key_value.build(input_shape)
        self.project = self._dense(width, "project")
        self.project.build(input_shape)

    def call(self, x, attention_mask=None, cache=None, start=0):
        """Attend.

        Args:
            x: (batch, tokens, width).
            attention_mask: See ``attend``: broadcast to (batch, heads, query, key). It has the name
                that Keras's attention gives it: an argument ``mask`` is filled in by Keras.
            cache: Keys and values of earlier calls, (2, batch, heads, max_length, key_dim) with
                key_dim = width / heads. The queries then look at all ``max_length`` places.
            start: Place in the cache of the first of these tokens.

        Returns:
            (batch, tokens, width); with a cache, the pair of it and the renewed cache.
        """
        query, key, value = self._split(x)
        if cache is not None:
            cache = ops.slice_update(cache, (0, 0, 0, start, 0), ops.stack([key, value]))
            key, value = cache[0], cache[1]
        mixed, _ = attend(query, key, value, attention_mask, self.drop)
        mixed = ops.transpose(mixed, (0, 2, 1, 3))  # (batch, tokens, heads, key_dim)
        output = self.project(ops.reshape(mixed, ops.shape(x)))
        return output if cache is None else (output, cache)

    def attention_weights(self, x, attention_mask=None):
        """(batch, heads, query, key): how much each token looks at each other; rows sum to 1."""
        return attend(*self._split(x), attention_mask)[1]

    def _split(self, x):
        """Queries, keys and values, each (batch, heads, tokens, key_dim)."""
        batch, tokens, width = ops.shape(x)
        parts = ops.reshape(
            self.query_key_value(x), (batch, tokens, 3, self.num_heads, width // self.num_heads)
        )
        return ops.unstack(ops.transpose(parts, (2, 0, 3, 1, 4)), 3)

    def _dense(self, units: int, name: str) -> layers.Dense:
        # an initializer each: the same one would give both layers the same numbers
        first = keras.initializers.RandomNormal(stddev=self.initial_std)
        return layers.Dense(units, kernel_initializer=first, name=name)

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "initial_std": self.initial_std,
        }
        return {**super().get_config(), **settings}
