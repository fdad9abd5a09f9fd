"""BERT: a Transformer encoder that reads in both directions.

The encoder is equal to KerasHub's ``BertBackbone`` with the same weights: learned positions,
normalisation after each sum, GELU in its tanh form.

Paper: Devlin, Chang, Lee and Toutanova, "BERT: pre-training of deep bidirectional Transformers for
language understanding", NAACL 2019.
"""

import keras
import numpy as np
from keras import layers, ops

from dlbook.layers.attention import SelfAttention

_EPSILON = 1e-12  # BERT's, for layer normalisation


@keras.saving.register_keras_serializable(package="dlbook")
class BertBlock(layers.Layer):
    """Attention, then a dense net of one hidden layer; each is added, and the sum normalised.

    Args:
        num_heads: Heads of the attention; it must divide the width of the input.
        feed_forward_dim: Units of the hidden layer.
        dropout: Share of features set to zero in training: of the attention weights, and of what
            each part adds.
        initial_std: Standard deviation of the first weights.
    """

    def __init__(
        self,
        num_heads: int,
        feed_forward_dim: int,
        dropout: float = 0.0,
        initial_std: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads, self.feed_forward_dim = num_heads, feed_forward_dim
        self.dropout, self.initial_std = dropout, initial_std
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width, own = input_shape[-1], {"dtype": self.dtype_policy}
        self.attention = SelfAttention(
            self.num_heads, self.dropout, self.initial_std, name="attention", **own
        )
        self.norm_1 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_1", **own)
        self.expand = layers.Dense(
            self.feed_forward_dim,
            kernel_initializer=initial_normal(self.initial_std),
            name="expand",
            **own,
        )
        self.contract = layers.Dense(
            width, kernel_initializer=initial_normal(self.initial_std), name="contract", **own
        )
        self.norm_2 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_2", **own)
        for layer in (self.attention, self.norm_1, self.expand, self.norm_2):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.feed_forward_dim))

    def call(self, x, attention_mask=None):
        """Look around, then compute.

        Args:
            x: (batch, tokens, width).
            attention_mask: See ``attend``: broadcast to (batch, heads, query, key).

        Returns:
            (batch, tokens, width).
        """
        x = self.norm_1(x + self.drop(self.attention(x, attention_mask)))
        hidden = ops.gelu(self.expand(x), approximate=True)
        return self.norm_2(x + self.drop(self.contract(hidden)))

    def compute_output_shape(self, input_shape, attention_mask_shape=None):
        return tuple(input_shape)

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "feed_forward_dim": self.feed_forward_dim,
            "dropout": self.dropout,
            "initial_std": self.initial_std,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class BertEncoder(layers.Layer):
    """Tokens to vectors that know what stands on both sides of them.

    ``get_weights()`` lists the embeddings of tokens, positions and segments, scale and shift of
    their normalisation; for each block the four arrays of ``SelfAttention``, scale and shift,
    kernels and biases of the two dense layers, scale and shift.

    Args:
        vocabulary_size: Number of tokens; 0 is padding, and nobody looks at it.
        max_length: The most tokens of a row.
        num_layers: Number of blocks.
        num_heads: Heads of the attention in each block.
        hidden_dim: Width of the vectors; a multiple of ``num_heads``.
        feed_forward_dim: Units of the hidden layer in each block. None: 4 times the width.
        num_segments: Kinds of segments: 2, the first and the second text of a pair.
        dropout: Share of features set to zero in training.
        initial_std: Standard deviation of the first weights.

    Raises:
        ValueError: ``num_heads`` does not divide ``hidden_dim``.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        max_length: int = 128,
        num_layers: int = 2,
        num_heads: int = 2,
        hidden_dim: int = 128,
        feed_forward_dim: int | None = None,
        num_segments: int = 2,
        dropout: float = 0.1,
        initial_std: float = 0.02,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if hidden_dim % num_heads:
            raise ValueError(f"num_heads={num_heads} must divide hidden_dim={hidden_dim}")
        self.vocabulary_size, self.max_length = vocabulary_size, max_length
        self.num_heads, self.hidden_dim = num_heads, hidden_dim
        self.feed_forward_dim = feed_forward_dim or 4 * hidden_dim
        self.num_segments, self.dropout = num_segments, dropout
        self.initial_std = initial_std
        sizes = {"token": vocabulary_size, "position": max_length, "segment": num_segments}
        self.token_embedding, self.position_embedding, self.segment_embedding = (
            layers.Embedding(
                size,
                hidden_dim,
                embeddings_initializer=initial_normal(initial_std),
                name=f"{name}_embedding",
            )
            for name, size in sizes.items()
        )
        self.norm = layers.LayerNormalization(epsilon=_EPSILON, name="norm")
        self.drop = layers.Dropout(dropout)
        self.blocks = [
            BertBlock(
                num_heads, self.feed_forward_dim, dropout, initial_std, name=f"block_{number}"
            )
            for number in range(num_layers)
        ]

    def build(self, input_shape=None):
        for layer in (self.token_embedding, self.position_embedding, self.segment_embedding):
            layer.build((None, None))
        for layer in (self.norm, *self.blocks):
            layer.build((None, None, self.hidden_dim))
        self.built = True

    def call(self, tokens, segments=None):
        """Read.

        Args:
            tokens: (batch, tokens), integers.
            segments: The same shape: 0 for the first text and 1 for the second. None: all 0.

        Returns:
            (batch, tokens, hidden_dim). At padding the vectors mean nothing, and a row that is
            all padding gives finite ones.
        """
        x, mask = self.embed(tokens, segments), self.attention_mask(tokens)
        for block in self.blocks:
            x = block(x, mask)
        return x

    def embed(self, tokens, segments=None):
        """The three embeddings added and normalised, (batch, tokens, hidden_dim)."""
        if len(tokens.shape) != 2 or 0 in tokens.shape:
            raise ValueError(
                f"tokens must be (batch, tokens) with at least one of each, not "
                f"{tuple(tokens.shape)}: put a single row into a list"
            )
        length = tokens.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"tokens: {length} are more than max_length={self.max_length}; cut the texts, or "
                "build the model with a larger max_length"
            )
        if segments is None:
            segments = ops.zeros_like(tokens)
        elif tuple(segments.shape[1:]) != tuple(tokens.shape[1:]):
            raise ValueError(
                f"segments must have the shape of tokens, {tuple(tokens.shape)}, not "
                f"{tuple(segments.shape)}: give each token a 0 or a 1"
            )
        positions = self.position_embedding(ops.arange(ops.shape(tokens)[1]))
        return self.drop(
            self.norm(self.token_embedding(tokens) + positions + self.segment_embedding(segments))
        )

    def attention_mask(self, tokens):
        """(batch, 1, 1, key): everybody may look at whatever is not padding."""
        return ops.not_equal(tokens, 0)[:, None, None, :]

    def attention_maps(self, tokens, segments=None) -> np.ndarray:
        """Attention weights (layers, batch, heads, query, key); every row sums to 1.

        Raises:
            ValueError: A token is not in the vocabulary, or a row is all padding.
        """
        tokens = check_tokens(tokens, self.vocabulary_size)
        x, mask, maps = self.embed(tokens, segments), self.attention_mask(tokens), []
        for block in self.blocks:
            maps.append(ops.convert_to_numpy(block.attention.attention_weights(x, mask)))
            x = block(x, mask)
        return np.stack(maps)

    def compute_output_shape(self, tokens_shape, segments_shape=None):
        return (*tokens_shape, self.hidden_dim)

    def get_config(self):
        settings = {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "num_layers": len(self.blocks),
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "feed_forward_dim": self.feed_forward_dim,
            "num_segments": self.num_segments,
            "dropout": self.dropout,
            "initial_std": self.initial_std,
        }
        return {**super().get_config(), **settings}


def check_tokens(tokens, vocabulary_size: int) -> np.ndarray:
    """The tokens as an array, refused when a model of this vocabulary cannot read them.

    Raises:
        ValueError: No row, numbers outside the vocabulary, or a row that is all padding.
    """
    tokens = np.asarray(tokens)
    if tokens.ndim != 2 or not tokens.size or tokens.dtype.kind not in "iu":
        raise ValueError(
            f"tokens must be integers (batch, tokens) with at least one of each, not "
            f"{tokens.dtype} of shape {tokens.shape}"
        )
    if tokens.min() < 0 or tokens.max() >= vocabulary_size:
        raise ValueError(
            f"tokens must be from 0 to {vocabulary_size - 1}, got {tokens.min()} to "
            f"{tokens.max()}: encode the text with the vocabulary that the model was built for"
        )
    empty = ~(tokens != 0).any(axis=1)
    if empty.any():
        raise ValueError(f"tokens[{empty.argmax()}] is all padding: leave it out")
    return tokens


def initial_normal(std: float) -> keras.initializers.Initializer:
    """BERT's first weights: normal, without what lies beyond two standard deviations."""
    return keras.initializers.TruncatedNormal(stddev=std)
