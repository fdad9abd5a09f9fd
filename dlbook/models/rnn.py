"""Plain recurrent networks: one dense layer that is used again at every step.

Elman, "Finding structure in time", Cognitive Science 14(2), 1990. Why they are hard to train:
Bengio, Simard & Frasconi, "Learning long-term dependencies with gradient descent is difficult",
IEEE Transactions on Neural Networks 5(2), 1994. As a language model: Mikolov and others,
"Recurrent neural network based language model", Interspeech 2010.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

Weights = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def recall_batch(
    rng: np.random.Generator, batch_size: int, length: int, num_features: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Sequences whose first step says one bit, which is asked for after the last step.

    Feature 0 of the first step is +1 or -1 and is 0 from then on; the other features are random
    (standard deviation 1) at every step and tell nothing.

    Args:
        rng: Of the bits and of the random features.
        batch_size: Sequences.
        length: Steps of a sequence.
        num_features: Numbers of a step.

    Returns:
        Inputs (length, batch, features) and bits (batch, 1), 0 or 1.
    """
    x = rng.normal(size=(length, batch_size, num_features)).astype("float32")
    bits = rng.integers(0, 2, (batch_size, 1))
    x[:, :, 0] = 0
    x[0, :, 0] = 2 * bits[:, 0] - 1
    return x, bits


def recall_gradients(
    weights: Weights, x: np.ndarray, bits: np.ndarray
) -> tuple[np.ndarray, Weights]:
    """Backpropagation through time for many small nets at once, all of which read the same batch.

    Args:
        weights: W (nets, features, units), U (nets, units, units), b (nets, 1, units) and the
            weights v (nets, units, 1) of the logit, which is the last state times v.
        x: Inputs (length, batch, features).
        bits: (batch, 1), 0 or 1.

    Returns:
        The share of bits that each net has right (nets,), and the gradients of the mean
        cross-entropy, shaped as the weights.
    """
    W, U, b, v = weights
    states = [np.zeros((len(U), x.shape[1], U.shape[1]), "float32")]
    for step in x:
        states.append(np.tanh(step @ W + states[-1] @ U + b))  # (nets, batch, units)
    logits = states[-1] @ v
    slope = ((1 / (1 + np.exp(-logits)) - bits) / len(bits)).astype("float32")
    dv = states[-1].swapaxes(1, 2) @ slope
    at_state, dW, dU, db = slope @ v.swapaxes(1, 2), 0.0, 0.0, 0.0
    for t in range(len(x) - 1, -1, -1):
        error = at_state * (1 - states[t + 1] ** 2)  # back through the tanh of step t
        dW, dU = dW + x[t].T @ error, dU + states[t].swapaxes(1, 2) @ error
        db = db + error.sum(axis=1, keepdims=True)
        at_state = error @ U.swapaxes(1, 2)  # back to the state before
    return ((logits > 0) == bits).mean(axis=(1, 2)), (dW, dU, db, dv)


def learn_recall(
    length: int,
    rates: Sequence[float],
    *,
    size: float = 1.0,
    radius: float = 1.0,
    kernel: float = 1.0,
    starts: int = 3,
    seed: int = 0,
    updates: int = 150,
    num_units: int = 32,
) -> np.ndarray:
    """Train nets of one layer to recall a bit, side by side: every rate from every start.

    Every update reads 32 new sequences; each gradient is clipped at a length of 1, and Adam makes
    the step.

    Args:
        length: Steps of a sequence.
        rates: Learning rates of Adam.
        size: What the inputs are multiplied by.
        radius: Of the start of U, a random orthogonal matrix times this.
        kernel: The start of W is this times a random one with which x W is about as large as x.
        starts: Random starts, each with every rate.
        seed: Of the starts and of the sequences.
        updates: Steps of Adam.
        num_units: Units of the layer.

    Returns:
        The share of bits that are right in the last 40 updates, each batch answered before the
        net learns from it: (starts, rates).

    Raises:
        ValueError: A length, a number of starts or a number of updates below 1.
    """
    if min(length, starts, updates) < 1:
        raise ValueError(f"length {length}, starts {starts}, updates {updates}: all at least 1")
    rng, features = np.random.default_rng(seed), 8
    W = kernel * rng.normal(size=(starts, features, num_units)) / np.sqrt(features)
    U = radius * np.linalg.qr(rng.normal(size=(starts, num_units, num_units)))[0]
    v = rng.normal(size=(starts, num_units, 1)) / np.sqrt(num_units)
    begin = (W, U, np.zeros((starts, 1, num_units)), v)
    weights = [np.repeat(part, len(rates), axis=0).astype("float32") for part in begin]
    rate = np.tile(np.asarray(rates, "float32"), starts)[:, None, None]
    means, squares, right = [0.0] * 4, [0.0] * 4, []
    for update in range(1, updates + 1):
        x, bits = recall_batch(rng, 32, length, features)
        share, gradients = recall_gradients(tuple(weights), size * x, bits)
        right.append(share)
        for k, gradient in enumerate(gradients):
            norm = np.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
            gradient = gradient * np.minimum(1, 1 / np.maximum(norm, 1e-12))
            means[k] = 0.9 * means[k] + 0.1 * gradient
            squares[k] = 0.999 * squares[k] + 0.001 * gradient**2
            mean, square = means[k] / (1 - 0.9**update), squares[k] / (1 - 0.999**update)
            weights[k] = weights[k] - rate * mean / (np.sqrt(square) + 1e-8)
    return np.mean(right[-40:], axis=0).reshape(starts, len(rates))


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
