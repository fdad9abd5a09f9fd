"""The parts that distinguish today's language models from GPT-2.

Papers: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019; Su and others,
"RoFormer: enhanced Transformer with rotary position embedding", 2021; Ainslie and others, "GQA:
training generalized multi-query Transformer models", EMNLP 2023; Shazeer, "GLU variants improve
Transformer", 2020.
"""

import keras
from keras import layers, ops

from dlbook.layers.attention import attend

_EPSILON = 1e-5  # for both normalisations


@keras.saving.register_keras_serializable(package="dlbook")
class RMSNorm(layers.Layer):
    """Divide each vector by its root mean square, then scale each feature: no mean, no shift."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones", name="scale")

    def call(self, x):
        # the squares in float32: in float16 they overflow from 256 on
        wide = ops.cast(x, "float32")
        size = ops.rsqrt(ops.mean(ops.square(wide), axis=-1, keepdims=True) + _EPSILON)
        return ops.cast(wide * size, x.dtype) * self.scale


def rotary_angles(places, key_dim: int, base: float = 10_000.0):
    """By how much each pair of features is turned at each place.

    Args:
        places: (tokens,).
        key_dim: Features of a query or key, an even number.
        base: The slowest pair takes nearly 2π times so many places for a turn.

    Returns:
        (tokens, key_dim / 2), radians, float32.
    """
    speeds = base ** (-ops.arange(0, key_dim, 2, dtype="float32") / key_dim)
    return ops.cast(places, "float32")[:, None] * speeds


def rotate(x, angles):
    """Turn feature i and feature i + key_dim / 2 of each vector, as a pair, by an angle.

    Two turned vectors have a dot product that depends on the difference of their angles alone.

    Args:
        x: (..., tokens, key_dim).
        angles: (tokens, key_dim / 2).

    Returns:
        The same shape.
    """
    cos, sin = ops.cast(ops.cos(angles), x.dtype), ops.cast(ops.sin(angles), x.dtype)
    first, second = ops.split(x, 2, axis=-1)
    return ops.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


@keras.saving.register_keras_serializable(package="dlbook")
class GroupedQueryAttention(layers.Layer):
    """Multi-head attention in which several heads of queries share a head of keys and values.

    One dense layer makes them all: its columns are the queries of all heads, then the keys, then
    the values. With as many key-value heads as heads this is ordinary multi-head attention.

    Args:
        num_heads: Heads of queries; it must divide the width of the input.
        num_key_value_heads: Heads of keys and values; it must divide ``num_heads``.
        use_bias: Whether the two dense layers have biases.

    Raises:
        ValueError: ``num_key_value_heads`` does not divide ``num_heads``.
    """

    def __init__(self, num_heads: int, num_key_value_heads: int, use_bias: bool = False, **kwargs):
        super().__init__(**kwargs)
        if num_key_value_heads < 1 or num_heads % num_key_value_heads:
            raise ValueError(
                f"num_key_value_heads={num_key_value_heads} must divide num_heads={num_heads}, so "
                "that each head of keys and values serves the same number of query heads"
            )
        self.num_heads, self.num_key_value_heads = num_heads, num_key_value_heads
        self.use_bias = use_bias

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.num_heads:
            raise ValueError(f"num_heads={self.num_heads} must divide the width, {width}")
        self.key_dim = width // self.num_heads
        columns = (self.num_heads + 2 * self.num_key_value_heads) * self.key_dim
        self.query_key_value = _dense(columns, self.use_bias, "query_key_value", input_shape)
        self.project = _dense(width, self.use_bias, "project", input_shape)

    def call(self, x, angles=None, attention_mask=None, cache=None, start=0):
        """Attend.

        Args:
            x: (batch, tokens, width).
            angles: Of these tokens, from ``rotary_angles``. None: no positions here.
            attention_mask: (queries, keys), True where a query may look.
            cache: Keys and values of earlier calls, (2, batch, key-value heads, max_length,
                key_dim). The queries then look at all ``max_length`` places.
            start: Place in the cache of the first of these tokens.

        Returns:
            (batch, tokens, width); with a cache, the pair of it and the renewed cache.
        """
        query, key, value = self._split(x, angles)
        if cache is not None:
            cache = ops.slice_update(cache, (0, 0, 0, start, 0), ops.stack([key, value]))
            key, value = cache[0], cache[1]
        mixed, _ = self._attend(query, key, value, attention_mask)
        mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), ops.shape(x))
        output = self.project(mixed)
        return output if cache is None else (output, cache)

    def attention_weights(self, x, angles=None, attention_mask=None):
        """(batch, heads, query, key): how much each token looks at each other; rows sum to 1."""
        return self._attend(*self._split(x, angles), attention_mask)[1]

    def _attend(self, query, key, value, mask):
        """Means (batch, heads, queries, key_dim) and weights (batch, heads, queries, keys)."""
        batch, _, tokens, _ = ops.shape(query)
        # the queries that share a key-value head stand one behind the other, as if they were
        # more tokens: (batch, key-value heads, heads per group * tokens, key_dim)
        group = self.num_heads // self.num_key_value_heads
        query = ops.reshape(query, (batch, self.num_key_value_heads, group * tokens, self.key_dim))
        mask = None if mask is None else ops.tile(mask, (group, 1))
        mixed, weights = attend(query, key, value, mask)
        return (
            ops.reshape(mixed, (batch, self.num_heads, tokens, self.key_dim)),
            ops.reshape(weights, (batch, self.num_heads, tokens, ops.shape(key)[2])),
        )

    def _split(self, x, angles):
        """Queries (batch, heads, tokens, key_dim), and keys and values with their own heads."""
        batch, tokens, _ = ops.shape(x)
        heads, shared = self.num_heads, self.num_key_value_heads
        parts = ops.reshape(
            self.query_key_value(x), (batch, tokens, heads + 2 * shared, self.key_dim)
        )
        parts = ops.transpose(parts, (0, 2, 1, 3))
        turning, value = parts[:, : heads + shared], parts[:, heads + shared :]
        if angles is not None:
            turning = rotate(turning, angles)  # the values stay as they are
        return turning[:, :heads], turning[:, heads:], value

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "use_bias": self.use_bias,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class FeedForward(layers.Layer):
    """What each token computes alone: SwiGLU, or GPT-2's dense layer with GELU.

    SwiGLU multiplies two dense layers, one of them through swish, z times sigmoid(z): a gate.

    Args:
        hidden_dim: Units of the hidden layer.
        gated: SwiGLU; otherwise GELU in its tanh form.
        use_bias: Whether the dense layers have biases.
        output_std: Standard deviation of the first weights of the last layer.
    """

    def __init__(
        self,
        hidden_dim: int,
        gated: bool = True,
        use_bias: bool = False,
        output_std: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim, self.gated = hidden_dim, gated
        self.use_bias, self.output_std = use_bias, output_std

    def build(self, input_shape):
        self.expand = _dense(self.hidden_dim, self.use_bias, "expand", input_shape)
        if self.gated:
            self.gate = _dense(self.hidden_dim, self.use_bias, "gate", input_shape)
        inside = (*input_shape[:-1], self.hidden_dim)
        self.contract = _dense(input_shape[-1], self.use_bias, "contract", inside, self.output_std)

    def call(self, x):
        if self.gated:
            return self.contract(ops.silu(self.gate(x)) * self.expand(x))
        return self.contract(ops.gelu(self.expand(x), approximate=True))

    def get_config(self):
        settings = {
            "hidden_dim": self.hidden_dim,
            "gated": self.gated,
            "use_bias": self.use_bias,
            "output_std": self.output_std,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class LLMBlock(layers.Layer):
    """Look around, then compute alone; each is normalised before and added to what came in.

    Args:
        num_heads: Heads of queries.
        num_key_value_heads: Heads of keys and values.
        feed_forward_dim: Units of the hidden layer.
        norm: "rms" or "layer".
        gated: SwiGLU; otherwise GELU.
        use_bias: Whether the dense layers have biases.
        output_std: Standard deviation of the first weights of the last layer.
    """

    def __init__(
        self,
        num_heads: int,
        num_key_value_heads: int,
        feed_forward_dim: int,
        norm: str = "rms",
        gated: bool = True,
        use_bias: bool = False,
        output_std: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "num_heads": num_heads,
            "num_key_value_heads": num_key_value_heads,
            "feed_forward_dim": feed_forward_dim,
            "norm": norm,
            "gated": gated,
            "use_bias": use_bias,
            "output_std": output_std,
        }
        self.norm_1, self.norm_2 = normalisation(norm, "norm_1"), normalisation(norm, "norm_2")
        self.attention = GroupedQueryAttention(
            num_heads, num_key_value_heads, use_bias, name="attention"
        )
        self.feed_forward = FeedForward(
            feed_forward_dim, gated, use_bias, output_std, name="feed_forward"
        )

    def build(self, input_shape):
        for layer in (self.norm_1, self.attention, self.norm_2, self.feed_forward):
            layer.build(input_shape)

    def call(self, x, angles=None, attention_mask=None, cache=None, start=0):
        """As ``GroupedQueryAttention.call``."""
        attended = self.attention(self.norm_1(x), angles, attention_mask, cache=cache, start=start)
        if cache is not None:
            attended, cache = attended
        x = x + attended
        x = x + self.feed_forward(self.norm_2(x))
        return x if cache is None else (x, cache)

    def get_config(self):
        return {**super().get_config(), **self.settings}


def normalisation(kind: str, name: str) -> layers.Layer:
    if kind == "rms":
        return RMSNorm(name=name)
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


def _dense(units: int, use_bias: bool, name: str, input_shape, std: float = 0.02) -> layers.Dense:
    first = keras.initializers.RandomNormal(stddev=std)
    dense = layers.Dense(units, use_bias=use_bias, kernel_initializer=first, name=name)
    dense.build(input_shape)
    return dense
