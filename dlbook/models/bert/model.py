"""BERT: a Transformer encoder that reads in both directions, and the heads that are put on it.

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
            kernel_initializer=_normal(self.initial_std),
            name="expand",
            **own,
        )
        self.contract = layers.Dense(
            width, kernel_initializer=_normal(self.initial_std), name="contract", **own
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
                embeddings_initializer=_normal(initial_std),
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


@keras.saving.register_keras_serializable(package="dlbook")
class MaskedWordHead(layers.Layer):
    """Scores of all tokens at some places, from the vectors there and the embedding matrix.

    Args:
        initial_std: Standard deviation of the first weights of its dense layer.
    """

    def __init__(self, initial_std: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.initial_std = initial_std

    def build(self, x_shape, places_shape, matrix_shape):
        width, own = x_shape[-1], {"dtype": self.dtype_policy}
        self.dense = layers.Dense(
            width, kernel_initializer=_normal(self.initial_std), name="dense", **own
        )
        # KerasHub's; BERT's own is 1e-12
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm", **own)
        for layer in (self.dense, self.norm):
            layer.build(x_shape)
        self.bias = self.add_weight(shape=(matrix_shape[0],), initializer="zeros", name="bias")

    def call(self, x, places, matrix):
        """Guess.

        Args:
            x: (batch, tokens, width).
            places: (batch, gaps), integers: where to guess.
            matrix: (vocabulary, width): the embeddings of the tokens.

        Returns:
            Logits (batch, gaps, vocabulary), float32.
        """
        x = ops.take_along_axis(x, ops.cast(places, "int32")[..., None], axis=1)
        x = self.norm(ops.gelu(self.dense(x), approximate=False))
        logits = ops.matmul(x, ops.transpose(ops.cast(matrix, x.dtype)))
        return ops.cast(logits, "float32") + ops.cast(self.bias, "float32")

    def compute_output_shape(self, x_shape, places_shape, matrix_shape):
        return (*places_shape, matrix_shape[0])

    def get_config(self):
        return {**super().get_config(), "initial_std": self.initial_std}


@keras.saving.register_keras_serializable(package="dlbook")
class MaskedLanguageModel(keras.Model):
    """The encoder with the head that guesses masked words: what BERT is pretrained as.

    Train it with ``SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)`` on what
    ``mask_words`` makes.

    Args:
        encoder: The encoder; its embedding matrix scores the vocabulary, too.
    """

    def __init__(self, encoder: BertEncoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.head = MaskedWordHead(encoder.initial_std, name="head")
        if not encoder.built:
            encoder.build()
        width, vocabulary = encoder.hidden_dim, encoder.vocabulary_size
        self.head.build((None, None, width), (None, None), (vocabulary, width))
        self.built = True

    def call(self, inputs):
        """(batch, tokens) and places (batch, gaps) to logits (batch, gaps, vocabulary)."""
        tokens, places = inputs
        return self.head(self.encoder(tokens), places, self.encoder.token_embedding.embeddings)

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
        }

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("encoder")), **config)


def build_classifier(
    encoder: BertEncoder,
    num_classes: int,
    *,
    pairs: bool = False,
    pool: layers.Layer | None = None,
    dropout: float | None = None,
) -> keras.Model:
    """One answer for a row of tokens.

    Args:
        encoder: The encoder, trained on with the head. For several classifiers clone it first.
        num_classes: Classes to choose from.
        pairs: Whether there is a second input, the segments.
        pool: What makes one vector of a row, called with the vectors and the tokens. None: a
            ``MeanOfTokens``. BERT's own is a ``Summary``.
        dropout: Share of the pooled features set to zero in training. None: the encoder's.

    Returns:
        A model from tokens (batch, tokens), or (tokens, segments), to logits (batch, num_classes).
    """
    inputs = [keras.Input((None,), dtype="int32", name="tokens")]
    if pairs:
        inputs.append(keras.Input((None,), dtype="int32", name="segments"))
    x = (pool or MeanOfTokens(name="pool"))(encoder(*inputs), inputs[0])
    x = layers.Dropout(encoder.dropout if dropout is None else dropout, name="hide")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="answer")(x)
    return keras.Model(inputs if pairs else inputs[0], logits, name="classifier")


def build_tagger(encoder: BertEncoder, num_labels: int) -> keras.Model:
    """One answer for each token.

    Args:
        encoder: The encoder, trained on with the head.
        num_labels: Labels to choose from.

    Returns:
        A model from tokens (batch, tokens) to logits (batch, tokens, num_labels).
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Dropout(encoder.dropout, name="hide")(encoder(tokens))
    return keras.Model(tokens, layers.Dense(num_labels, dtype="float32", name="answer")(x))


@keras.saving.register_keras_serializable(package="dlbook")
class MeanOfTokens(layers.Layer):
    """The mean of the vectors at all places that are not padding."""

    def call(self, x, tokens):
        """(batch, tokens, width) and (batch, tokens) to (batch, width); 0 where all is padding."""
        keep = ops.cast(ops.not_equal(tokens, 0), x.dtype)[..., None]
        return ops.sum(x * keep, axis=1) / ops.maximum(ops.sum(keep, axis=1), 1)

    def compute_output_shape(self, x_shape, tokens_shape):
        return (x_shape[0], x_shape[-1])


@keras.saving.register_keras_serializable(package="dlbook")
class Summary(layers.Layer):
    """BERT's summary of a row: a dense layer with tanh over the vector of ``[CLS]``.

    Args:
        initial_std: Standard deviation of the first weights.
    """

    def __init__(self, initial_std: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.initial_std = initial_std

    def build(self, x_shape, tokens_shape=None):
        first = _normal(self.initial_std)
        self.dense = layers.Dense(
            x_shape[-1],
            activation="tanh",
            kernel_initializer=first,
            name="dense",
            dtype=self.dtype_policy,
        )
        self.dense.build((x_shape[0], x_shape[-1]))

    def call(self, x, tokens=None):
        """(batch, tokens, width) to (batch, width); the tokens are not needed."""
        return self.dense(x[:, 0])

    def compute_output_shape(self, x_shape, tokens_shape=None):
        return (x_shape[0], x_shape[-1])

    def get_config(self):
        return {**super().get_config(), "initial_std": self.initial_std}


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


def _normal(std: float) -> keras.initializers.Initializer:
    return keras.initializers.TruncatedNormal(stddev=std)
