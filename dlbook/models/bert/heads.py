"""The heads that are put on BERT's encoder: for gaps, for whole rows and for single tokens."""

import keras
from keras import layers, ops

from dlbook.models.bert.model import BertEncoder, initial_normal


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
            width, kernel_initializer=initial_normal(self.initial_std), name="dense", **own
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
        first = initial_normal(self.initial_std)
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
