"""Long short-term memory: nets that read a sequence step by step, and a look at their gates.

Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997; the forget gate:
Gers, Schmidhuber & Cummins, "Learning to forget", Neural Computation 12(10), 2000. Keras's layer is
this version, with the bias of the forget gate starting at 1, as Jozefowicz, Zaremba & Sutskever
advise ("An empirical exploration of recurrent network architectures", ICML 2015).
"""

from typing import Any, NamedTuple

import keras
from keras import layers, ops

from dlbook.layers.pooling import PoolOverTime

Tensor = Any  # of values, of whatever backend Keras has


class LSTMTrace(NamedTuple):
    """What happened inside an LSTM layer at every step; each (batch, steps, units).

    Attributes:
        input_gate: How much of the candidate is written, 0 to 1.
        forget_gate: How much of the old cell state is kept, 0 to 1.
        candidate: What would be written, -1 to 1.
        output_gate: How much of the cell state is shown, 0 to 1.
        cell: The cell state after the step.
        hidden: The output after the step, -1 to 1.
    """

    input_gate: Tensor
    forget_gate: Tensor
    candidate: Tensor
    output_gate: Tensor
    cell: Tensor
    hidden: Tensor


def trace_lstm(layer: layers.LSTM, inputs: Tensor, mask: Tensor | None = None) -> LSTMTrace:
    """Run a built LSTM layer again, step by step, and keep its gates.

    At a masked step cell and hidden state stay as they were; the gates are what they would be. A
    layer with ``go_backwards=True``, as the second half of a ``Bidirectional``, reads from the
    last step to the first. The trace is in the order of the inputs all the same.

    Args:
        layer: A built ``keras.layers.LSTM`` with its usual activations.
        inputs: (batch, steps, features).
        mask: (batch, steps), true where there is something to read. None: everywhere.

    Returns:
        Gates, cell and hidden states of every step.

    Raises:
        ValueError: The layer has other activations, or the mask has another shape.
    """
    names = [keras.activations.serialize(f) for f in (layer.activation, layer.recurrent_activation)]
    if names != ["tanh", "sigmoid"]:
        raise ValueError(f"layer must have activations tanh and sigmoid, not {names}")
    inputs = ops.convert_to_tensor(inputs, "float32")
    batch, steps = inputs.shape[:2]
    mask = ops.ones((batch, steps), "bool") if mask is None else ops.cast(mask, "bool")
    if tuple(mask.shape) != (batch, steps):
        raise ValueError(f"mask must be {(batch, steps)}, not {tuple(mask.shape)}")
    kernel, recurrent, bias = (ops.convert_to_tensor(weight) for weight in _weights(layer))

    hidden = cell = ops.zeros((batch, layer.units))
    order = reversed(range(steps)) if layer.go_backwards else range(steps)
    trace = {}
    for step in order:
        # (batch, 4 * units)
        z = ops.matmul(inputs[:, step], kernel) + ops.matmul(hidden, recurrent) + bias
        z_input, z_forget, z_candidate, z_output = ops.split(z, 4, axis=-1)
        input_gate, forget_gate = ops.sigmoid(z_input), ops.sigmoid(z_forget)
        candidate, output_gate = ops.tanh(z_candidate), ops.sigmoid(z_output)
        new_cell = forget_gate * cell + input_gate * candidate
        new_hidden = output_gate * ops.tanh(new_cell)
        keep = mask[:, step, None]  # (batch, 1)
        cell, hidden = ops.where(keep, new_cell, cell), ops.where(keep, new_hidden, hidden)
        trace[step] = LSTMTrace(input_gate, forget_gate, candidate, output_gate, cell, hidden)
    in_order = [trace[step] for step in range(steps)]
    return LSTMTrace(*(ops.stack(parts, axis=1) for parts in zip(*in_order, strict=True)))


def _weights(layer: layers.LSTM) -> tuple:
    cell = layer.cell
    bias = cell.bias if cell.use_bias else ops.zeros((4 * layer.units,))
    return cell.kernel, cell.recurrent_kernel, bias


def build_sentiment_lstm(
    num_words: int = 10_000,
    *,
    embedding_dim: int = 64,
    num_units: int = 32,
    bidirectional: bool = False,
    dropout: float = 0.2,
) -> keras.Model:
    """The book's reader: embedding, LSTM, pooling over all steps, one logit.

    Args:
        num_words: Numbers of the encoding; 0 is padding and is never read.
        embedding_dim: Numbers that stand for a word.
        num_units: Units of the LSTM, in each direction.
        bidirectional: Read from the end to the beginning too, with a second LSTM.
        dropout: Share hidden in training: of the embedding's features, the same ones for all words
            of a text, and of the pooled features.

    Returns:
        A model from numbers (batch, steps) to logits (batch, 1): above 0 for class 1.
    """
    inputs = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(num_words, embedding_dim, mask_zero=True, name="embedding")(inputs)
    x = layers.SpatialDropout1D(dropout, name="hide_features")(x)
    reader = layers.LSTM(num_units, return_sequences=True, name="lstm")
    if bidirectional:
        reader = layers.Bidirectional(reader, name="both_ways")
    x = reader(x)
    x = PoolOverTime(name="pool")(x)
    x = layers.Dropout(dropout, name="hide_pooled")(x)
    outputs = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(inputs, outputs, name="sentiment_lstm")


def build_ten_lstm(input_shape: tuple[int, int] = (28, 28), num_classes: int = 10) -> keras.Model:
    """The net of the article "Ten" §4: an LSTM of 128 units, its last output to class scores.

    81,674 parameters for rows of 28 numbers and ten classes. Logits here, a softmax there.
    """
    return _last_output_classifier(input_shape, num_classes, 128, "ten_lstm")


def build_primer_lstm(
    input_shape: tuple[int, int] = (28, 28), num_classes: int = 10, *, num_units: int = 64
) -> keras.Model:
    """The net of the article "Primer": as that of "Ten", with its size as an argument.

    The article makes the first hidden and cell state, zeros, by hand; they are Keras's default.
    """
    return _last_output_classifier(input_shape, num_classes, num_units, "primer_lstm")


def build_notes_lstm(num_characters: int, *, num_units: int = 256) -> keras.Model:
    """The net of the article "Notes" §4: characters as one-hot vectors, logits of the next one.

    Args:
        num_characters: Characters of the vocabulary.
        num_units: Units of the LSTM.

    Returns:
        A model from numbers (batch, steps) to logits (batch, steps, characters).
    """
    inputs = keras.Input((None,), dtype="int32", name="characters")
    x = ops.one_hot(inputs, num_characters)  # (batch, steps, characters)
    x = layers.LSTM(num_units, return_sequences=True, name="lstm")(x)
    outputs = layers.Dense(num_characters, dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="notes_lstm")


def _last_output_classifier(
    input_shape: tuple[int, int], num_classes: int, num_units: int, name: str
) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(input_shape, name="steps"),
            layers.LSTM(num_units, name="lstm"),
            layers.Dense(num_classes, dtype="float32", name="logits"),
        ],
        name=name,
    )
