"""The Transformer's encoder: tokens that look at each other, and what is built on it.

Vaswani and others, "Attention is all you need", NeurIPS 2017. The blocks are "pre-norm", as in
nearly every Transformer of today: normalisation stands before each part, not after the sum, which
makes training less sensitive (Xiong and others, "On layer normalization in the Transformer
architecture", ICML 2020).
"""

import keras
import numpy as np
from keras import layers, ops

from dlbook.layers.attention import SelfAttention
from dlbook.layers.pooling import PoolOverTime

_EPSILON = 1e-5  # for layer normalisation


def sinusoidal_positions(length: int, width: int, longest: float = 10_000.0) -> np.ndarray:
    """The places of a sequence as points on circles that turn at different speeds.

    Features 2i and 2i + 1 of place p are the sine and the cosine of p / longest^(2i / width).

    Args:
        length: Number of places.
        width: Features of a place, an even number.
        longest: The slowest circle takes nearly 2π times so many places for a turn.

    Returns:
        (length, width), float32, between -1 and 1.

    Raises:
        ValueError: ``width`` is odd, or one of them is not positive.
    """
    if length < 1 or width < 2 or width % 2:
        raise ValueError(
            f"length must be 1 or more and width an even number from 2 on, got {length} and {width}"
        )
    speeds = longest ** (-np.arange(0, width, 2) / width)  # (width / 2,), radians a place
    angles = np.arange(length)[:, None] * speeds  # (length, width / 2)
    pairs = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return pairs.reshape(length, width).astype("float32")


@keras.saving.register_keras_serializable(package="dlbook")
class EncoderBlock(layers.Layer):
    """Attention, then a dense net of one hidden layer, each added to what came in.

    ``get_weights()`` lists scale and shift of the first normalisation, the four arrays of
    ``SelfAttention``, scale and shift of the second normalisation, kernels and biases of the two
    dense layers.

    Args:
        num_heads: Heads of the attention; it must divide the width of the input.
        feed_forward_dim: Units of the hidden layer.
        dropout: Share of features set to zero in training, of what each of the two parts adds.
    """

    def __init__(self, num_heads: int, feed_forward_dim: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.feed_forward_dim = num_heads, feed_forward_dim
        self.dropout = dropout
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width, own = input_shape[-1], {"dtype": self.dtype_policy}
        self.norm_1 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_1", **own)
        # what comes in is normalised, so with this deviation queries have size 1 at the start
        self.attention = SelfAttention(
            self.num_heads, initial_std=width**-0.5, name="attention", **own
        )
        self.norm_2 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_2", **own)
        self.expand = layers.Dense(self.feed_forward_dim, activation="relu", name="expand", **own)
        # small, so that at the start a block changes little of what passes
        small = keras.initializers.RandomNormal(stddev=0.02)
        self.contract = layers.Dense(width, kernel_initializer=small, name="contract", **own)
        for layer in (self.norm_1, self.attention, self.norm_2, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.feed_forward_dim))

    def call(self, x, padding_mask=None):
        """Look around, then compute.

        Args:
            x: (batch, tokens, width).
            padding_mask: (batch, tokens), true where there is a token. None: everywhere.

        Returns:
            (batch, tokens, width).
        """
        mask = self._among_heads(x, padding_mask)
        x = x + self.drop(self.attention(self.norm_1(x), mask))
        return x + self.drop(self.contract(self.expand(self.norm_2(x))))

    def attention_weights(self, x, padding_mask=None):
        """(batch, heads, query, key): how much each token looks at each other; rows sum to 1."""
        mask = self._among_heads(x, padding_mask)
        return self.attention.attention_weights(self.norm_1(x), mask)

    def _among_heads(self, x, padding_mask):
        """The mask as (batch, heads, query, key), whose middle two are one and the same."""
        if padding_mask is None:
            return None
        if len(padding_mask.shape) != 2 or any(
            None not in pair and pair[0] != pair[1]
            for pair in zip(padding_mask.shape, x.shape[:2], strict=True)
        ):
            raise ValueError(
                f"padding_mask must be (batch, tokens) = {tuple(x.shape[:2])}, not "
                f"{tuple(padding_mask.shape)}: give one truth value for each token, as in "
                "tokens != 0"
            )
        return ops.cast(padding_mask, "bool")[:, None, None, :]

    def compute_output_shape(self, input_shape, padding_mask_shape=None):
        return tuple(input_shape)

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "feed_forward_dim": self.feed_forward_dim,
            "dropout": self.dropout,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class Encoder(layers.Layer):
    """Tokens to vectors that know of each other: embedding plus positions, then blocks.

    Args:
        vocabulary_size: Number of tokens; 0 is padding, and nobody looks at it.
        max_length: The most tokens of a sequence.
        num_layers: Number of blocks.
        num_heads: Heads of the attention in each block.
        hidden_dim: Width of the vectors between the blocks, even and a multiple of ``num_heads``.
        feed_forward_dim: Units of the hidden layer in each block. None: 4 times the width.
        position_scale: Sines and cosines are multiplied by it; less than 1 where what stands in a
            place counts more than the place.
        dropout: Share of features set to zero in training: of what comes in, the same ones for all
            tokens of a sequence, and of what each part of a block adds.

    Raises:
        ValueError: ``num_heads`` does not divide ``hidden_dim``, or that is odd.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        max_length: int,
        num_layers: int = 1,
        num_heads: int = 2,
        hidden_dim: int = 64,
        feed_forward_dim: int | None = None,
        position_scale: float = 1.0,
        dropout: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if hidden_dim % num_heads:
            raise ValueError(f"num_heads={num_heads} must divide hidden_dim={hidden_dim}")
        self.vocabulary_size, self.max_length = vocabulary_size, max_length
        self.num_heads, self.hidden_dim, self.dropout = num_heads, hidden_dim, dropout
        self.feed_forward_dim = feed_forward_dim or 4 * hidden_dim
        self.position_scale = position_scale
        self.positions = position_scale * sinusoidal_positions(max_length, hidden_dim)
        self.embedding = layers.Embedding(
            vocabulary_size,
            hidden_dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.5 * hidden_dim**-0.5),
            name="embedding",
        )
        self.drop = layers.SpatialDropout1D(dropout)
        self.blocks = [
            EncoderBlock(num_heads, self.feed_forward_dim, dropout, name=f"block_{number}")
            for number in range(num_layers)
        ]

    def build(self, input_shape):
        self.embedding.build(input_shape)
        for block in self.blocks:
            block.build((*input_shape, self.hidden_dim))

    def call(self, tokens):
        """(batch, tokens) of integers to (batch, tokens, hidden_dim).

        At padding the vectors mean nothing. A sequence that is all padding gives finite ones.
        """
        x, mask = self.embed(tokens), ops.not_equal(tokens, 0)
        for block in self.blocks:
            x = block(x, mask)
        return x

    def embed(self, tokens):
        """What stands there plus where it stands: (batch, tokens, hidden_dim).

        As in the paper, the embedding is multiplied by the root of the width, so that small steps
        of an optimizer like Adam change it as much as they change what the blocks compute from it.
        """
        if 0 in tokens.shape:
            raise ValueError(
                f"tokens is empty, {tuple(tokens.shape)}: give at least one sequence and one token"
            )
        length = tokens.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"tokens: {length} are more than max_length={self.max_length}; cut the sequences, "
                "or build the model with a larger max_length"
            )
        positions = ops.convert_to_tensor(self.positions, self.compute_dtype)
        what = self.embedding(tokens) * self.hidden_dim**0.5
        return self.drop(what + positions[: ops.shape(tokens)[1]])

    def attention_maps(self, tokens) -> np.ndarray:
        """Attention weights of all blocks, for looking at them.

        Args:
            tokens: (batch, tokens), integers; not in a compiled function.

        Returns:
            (layers, batch, heads, query, key). Every row sums to 1; padding as a key has 0.

        Raises:
            ValueError: ``tokens`` has no sequence, a sequence without a token, or a number that is
                not in the vocabulary.
        """
        tokens = self._checked(tokens)
        x, mask, maps = self.embed(tokens), ops.not_equal(tokens, 0), []
        for block in self.blocks:
            maps.append(ops.convert_to_numpy(block.attention_weights(x, mask)))
            x = block(x, mask)
        return np.stack(maps)

    def _checked(self, tokens) -> np.ndarray:
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or not tokens.size:
            raise ValueError(
                f"tokens must be (batch, tokens) with at least one of each, not {tokens.shape}"
            )
        if tokens.min() < 0 or tokens.max() >= self.vocabulary_size:
            raise ValueError(
                f"tokens must be from 0 to {self.vocabulary_size - 1}, as many as the vocabulary "
                f"has, got {tokens.min()} to {tokens.max()}: encode the text with the vocabulary "
                "that the model was built for"
            )
        empty = ~(tokens != 0).any(axis=1)
        if empty.any():
            raise ValueError(f"tokens[{empty.argmax()}] is all padding: leave it out")
        return tokens

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.hidden_dim)

    def get_config(self):
        settings = {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "num_layers": len(self.blocks),
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "feed_forward_dim": self.feed_forward_dim,
            "position_scale": self.position_scale,
            "dropout": self.dropout,
        }
        return {**super().get_config(), **settings}


def build_token_labeller(vocabulary_size: int, *, num_labels: int, **settings) -> keras.Model:
    """An encoder with an answer at every place; a normalisation stands before the answer.

    Args:
        vocabulary_size: Number of tokens; 0 is padding.
        num_labels: Answers to choose from.
        **settings: Those of ``Encoder``.

    Returns:
        A model from numbers (batch, tokens) to logits (batch, tokens, num_labels).
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = Encoder(vocabulary_size, **settings, name="encoder")(tokens)
    x = layers.LayerNormalization(epsilon=_EPSILON, name="norm")(x)
    logits = layers.Dense(num_labels, dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="token_labeller")


def build_text_classifier(
    vocabulary_size: int, *, dropout: float = 0.05, pooled_dropout: float = 0.2, **settings
) -> keras.Model:
    """An encoder, pooling over all tokens, one logit.

    No normalisation stands before the pooling: it would make all tokens equally long, and those
    that say much should weigh more in the mean than those that say little.

    Args:
        vocabulary_size: Number of tokens; 0 is padding and is never read.
        dropout: That of the encoder.
        pooled_dropout: Share of the pooled features set to zero in training.
        **settings: The others of ``Encoder``.

    Returns:
        A model from numbers (batch, tokens) to logits (batch, 1): above 0 for class 1.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = Encoder(vocabulary_size, dropout=dropout, **settings, name="encoder")(tokens)
    x = PoolOverTime(name="pool")(x, mask=ops.not_equal(tokens, 0))
    x = layers.Dropout(pooled_dropout, name="hide_pooled")(x)
    logit = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(tokens, logit, name="text_classifier")


def build_primer_transformer(
    d_model: int, output_size: int, *, nhead: int = 8, num_layers: int = 6
) -> keras.Model:
    """The net of the article "Primer": blocks over vectors that come in, a dense layer after them.

    Its blocks are PyTorch's ``TransformerEncoderLayer`` as that starts: normalisation after each
    sum ("post-norm"), 2,048 hidden units with ReLU, dropout 0.1. There is no embedding, no
    position and no mask. Here the batch comes first; in PyTorch it comes second.

    Args:
        d_model: Width of the vectors.
        output_size: Numbers that leave each place; the article uses it and sets it nowhere.
        nhead: Heads.
        num_layers: Blocks.

    Returns:
        A model from vectors (batch, places, d_model) to numbers (batch, places, output_size).
    """
    if d_model % nhead:
        raise ValueError(f"nhead={nhead} must divide d_model={d_model}")
    src = x = keras.Input((None, d_model), name="src")
    for _ in range(num_layers):
        attended = layers.MultiHeadAttention(nhead, d_model // nhead, dropout=0.1)(x, x)
        x = layers.LayerNormalization(epsilon=_EPSILON)(x + layers.Dropout(0.1)(attended))
        hidden = layers.Dropout(0.1)(layers.Dense(2048, activation="relu")(x))
        added = layers.Dropout(0.1)(layers.Dense(d_model)(hidden))
        x = layers.LayerNormalization(epsilon=_EPSILON)(x + added)
    return keras.Model(src, layers.Dense(output_size, name="fc")(x), name="primer_transformer")
