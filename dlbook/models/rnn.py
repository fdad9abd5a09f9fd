"""Plain recurrent networks: one dense layer that is used again at every step.

Elman, "Finding structure in time", Cognitive Science 14(2), 1990. Why they are hard to train:
Bengio, Simard & Frasconi, "Learning long-term dependencies with gradient descent is difficult",
IEEE Transactions on Neural Networks 5(2), 1994. As a language model: Mikolov and others,
"Recurrent neural network based language model", Interspeech 2010.
"""

from collections.abc import Sequence

import keras
from keras import layers, ops


def build_sentiment_rnn(
    num_words: int = 10_000,
    *,
    embedding_dim: int = 100,
    num_units: Sequence[int] = (32, 32),
    dropout: float = 0.2,
) -> keras.Model:
    """The book's reader: embedding, a stack of plain recurrent layers, one logit of the last state.

    Args:
        num_words: Numbers of the encoding; 0 is padding and is never read.
        embedding_dim: Numbers that stand for a word.
        num_units: Units of each recurrent layer, the lowest first.
        dropout: Share hidden in training: of the embedding's features, the same ones for all words
            of a text, and of the last state.

    Returns:
        A model from numbers (batch, steps) to logits (batch, 1): above 0 for class 1.

    Raises:
        ValueError: There is no recurrent layer.
    """
    if not num_units:
        raise ValueError("num_units is empty: give the units of at least one layer")
    inputs = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(num_words, embedding_dim, mask_zero=True, name="embedding")(inputs)
    x = layers.SpatialDropout1D(dropout, name="hide_features")(x)
    for number, units in enumerate(num_units, start=1):
        goes_on = number < len(num_units)  # all states go up, but for those of the last layer
        x = layers.SimpleRNN(units, return_sequences=goes_on, name=f"rnn_{number}")(x)
    x = layers.Dropout(dropout, name="hide_state")(x)
    outputs = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(inputs, outputs, name="sentiment_rnn")


def build_language_rnn(num_words: int = 10_000) -> keras.Model:
    """The net of the article "Language" §4: two layers of 32 units over vectors of 32 numbers.

    It has no mask, so it reads the padding. A logit here, a probability there.
    """
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="words"),
            layers.Embedding(num_words, 32, name="embedding"),
            layers.SimpleRNN(32, return_sequences=True, name="rnn_1"),
            layers.SimpleRNN(32, name="rnn_2"),
            layers.Dense(1, dtype="float32", name="logit"),
        ],
        name="language_rnn",
    )


def build_five_rnn(num_words: int = 10_000) -> keras.Model:
    """The net of the article "Five" §1: 256 units over vectors of 100 numbers, no mask."""
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="words"),
            layers.Embedding(num_words, 100, name="embedding"),
            layers.SimpleRNN(256, name="rnn"),
            layers.Dense(1, dtype="float32", name="logit"),
        ],
        name="five_rnn",
    )


def build_primer_rnn(
    input_shape: tuple[int | None, int], output_size: int, *, num_units: int = 64
) -> keras.Model:
    """The net of the article "Primer": the output after the last step, and a dense layer.

    The article makes the first state, zeros, by hand; they are Keras's default.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape, name="steps"),
            layers.SimpleRNN(num_units, name="rnn"),
            layers.Dense(output_size, dtype="float32", name="outputs"),
        ],
        name="primer_rnn",
    )


def build_character_rnn(
    num_characters: int, *, num_units: int = 256, batch_size: int | None = None
) -> keras.Model:
    """The net of the article "Notes" §2: characters as one-hot vectors, logits of the next one.

    Args:
        num_characters: Characters of the vocabulary.
        num_units: Units of the recurrent layer.
        batch_size: Texts read side by side. With it the layer is *stateful*: each batch goes on
            from the states that the batch before has left, row by row, until
            ``model.get_layer("rnn").reset_state()``. None: every batch begins with zeros.

    Returns:
        A model from numbers (batch, steps) to logits (batch, steps, characters).
    """
    inputs = keras.Input(batch_shape=(batch_size, None), dtype="int32", name="characters")
    x = ops.one_hot(inputs, num_characters)  # (batch, steps, characters)
    carries = batch_size is not None
    x = layers.SimpleRNN(num_units, return_sequences=True, stateful=carries, name="rnn")(x)
    outputs = layers.Dense(num_characters, dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="character_rnn")
