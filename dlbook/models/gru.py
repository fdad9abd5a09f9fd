"""Gated recurrent units: forecasting nets, readers of padded sequences, and a look at the gates.

Cho and others, "Learning phrase representations using RNN encoder-decoder for statistical machine
translation", EMNLP 2014. There the reset gate acts on the hidden state before the matrix product
(``reset_after=False``); cuDNN, PyTorch and Keras's default let it act after the product.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

Tensor = Any  # of values, of whatever backend Keras has

KINDS = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}
_PARTS = {"rnn": 1, "gru": 3, "lstm": 4}  # dense layers inside a recurrent layer


class GRUTrace(NamedTuple):
    """What happened inside a GRU layer at every step; each (batch, steps, units).

    Attributes:
        update_gate: How much of the old hidden state is kept, 0 to 1.
        reset_gate: How much of the old hidden state the candidate sees, 0 to 1.
        candidate: What would take the place of the old hidden state, -1 to 1.
        hidden: The hidden state after the step, -1 to 1.
    """

    update_gate: Tensor
    reset_gate: Tensor
    candidate: Tensor
    hidden: Tensor


def trace_gru(layer: layers.GRU, inputs: Tensor, mask: Tensor | None = None) -> GRUTrace:
    """Run a built GRU layer again, step by step, and keep its gates.

    At a masked step the hidden state stays as it was; the gates are what they would be.

    Args:
        layer: A built ``keras.layers.GRU`` with its usual activations, of either variant.
        inputs: (batch, steps, features).
        mask: (batch, steps), true where there is something to read. None: everywhere.

    Returns:
        Gates, candidates and hidden states of every step.

    Raises:
        ValueError: The layer has other activations or reads backwards, or the mask has another
            shape.
    """
    names = [keras.activations.serialize(f) for f in (layer.activation, layer.recurrent_activation)]
    if names != ["tanh", "sigmoid"]:
        raise ValueError(f"layer must have activations tanh and sigmoid, not {names}")
    if layer.go_backwards:
        raise ValueError("layer must read forwards: go_backwards is True")
    inputs = ops.convert_to_tensor(inputs, "float32")
    batch, steps = inputs.shape[:2]
    mask = ops.ones((batch, steps), "bool") if mask is None else ops.cast(mask, "bool")
    if tuple(mask.shape) != (batch, steps):
        raise ValueError(f"mask must be {(batch, steps)}, not {tuple(mask.shape)}")
    kernel, recurrent, bias, recurrent_bias = _weights(layer)

    hidden, trace = ops.zeros((batch, layer.units)), []
    for step in range(steps):
        x_z, x_r, x_h = ops.split(ops.matmul(inputs[:, step], kernel) + bias, 3, axis=-1)
        h_z, h_r, h_h = ops.split(ops.matmul(hidden, recurrent) + recurrent_bias, 3, axis=-1)
        update, reset = ops.sigmoid(x_z + h_z), ops.sigmoid(x_r + h_r)  # (batch, units)
        if layer.reset_after:
            seen = reset * h_h
        else:
            seen = ops.matmul(reset * hidden, recurrent[:, 2 * layer.units :])
        candidate = ops.tanh(x_h + seen)
        new = update * hidden + (1 - update) * candidate
        hidden = ops.where(mask[:, step, None], new, hidden)
        trace.append(GRUTrace(update, reset, candidate, hidden))
    return GRUTrace(*(ops.stack(parts, axis=1) for parts in zip(*trace, strict=True)))


def _weights(layer: layers.GRU) -> tuple:
    """Kernel, recurrent kernel, and the biases of both products, zeros where there are none."""
    cell = layer.cell
    zeros = ops.zeros((3 * layer.units,))
    kernel, recurrent = (ops.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel))
    if not cell.use_bias:
        return kernel, recurrent, zeros, zeros
    bias = ops.convert_to_tensor(cell.bias)
    both = (bias[0], bias[1]) if layer.reset_after else (bias, zeros)
    return kernel, recurrent, *both


@keras.saving.register_keras_serializable(package="dlbook")
class KeepBias(keras.initializers.Initializer):
    """Biases of 0, but for the gate that keeps the state: the higher, the longer it is kept.

    Args:
        value: The bias of a GRU's update gate, or of an LSTM's forget gate.
        kind: "gru" or "lstm".
    """

    def __init__(self, value: float, kind: str = "gru"):
        self.value, self.kind = value, kind

    def __call__(self, shape, dtype=None):
        bias = np.zeros(shape)
        units = shape[-1] // _PARTS[self.kind]
        gate = slice(0, units) if self.kind == "gru" else slice(units, 2 * units)
        row = bias if bias.ndim == 1 else bias[0]  # a GRU's default variant has two rows
        row[gate] = self.value
        return ops.convert_to_tensor(bias, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value, "kind": self.kind}


def count_parameters(kind: str, num_units: int, num_features: int) -> int:
    """Parameters of a recurrent layer.

    Args:
        kind: "rnn", "gru" (Keras's default variant, with a second bias) or "lstm".
        num_units: Units of the layer.
        num_features: Numbers that come in at each step.
    """
    biases = 2 if kind == "gru" else 1
    return _PARTS[kind] * num_units * (num_units + num_features + biases)


def units_within(kind: str, num_parameters: int, num_features: int) -> int:
    """The most units with which a recurrent layer has at most so many parameters.

    Args:
        kind: "rnn", "gru" or "lstm".
        num_parameters: The limit.
        num_features: Numbers that come in at each step.

    Raises:
        ValueError: Not even one unit is within the limit.
    """
    units = 0
    while count_parameters(kind, units + 1, num_features) <= num_parameters:
        units += 1
    if units == 0:
        raise ValueError(f"num_parameters={num_parameters} is too few for one unit")
    return units


def build_forecaster(
    kind: str = "gru",
    *,
    window: int = 96,
    patch: int = 1,
    num_features: int = 1,
    horizon: int = 24,
    num_units: int = 32,
    subtract: bool = True,
) -> keras.Model:
    """A forecaster: the last values of a series, a recurrent layer, the next values.

    With ``subtract`` the last value of the series is taken away from all its values before they
    are read, and added to the forecast again. So the net forecasts a change, and the level of the
    series, which may drift away from that of the training years, does not matter.

    Args:
        kind: "rnn", "gru" or "lstm".
        window: Values of the series that are read.
        patch: How many of them make one step of the recurrent layer; it must divide the window.
        num_features: Numbers at each step; the first is the series that is forecast.
        horizon: Steps that are forecast, all at once.
        num_units: Units of the recurrent layer.
        subtract: Whether a change is forecast; else the level itself.

    Returns:
        A model from (batch, window, features) to (batch, horizon).

    Raises:
        ValueError: The patch does not divide the window.
    """
    if window % patch:
        raise ValueError(f"patch={patch} does not divide window={window}")
    inputs = keras.Input((window, num_features), name="history")
    x, last = inputs, inputs[:, -1, :1]  # (batch, window, features), (batch, 1)
    if subtract:
        x = inputs[:, :, :1] - last[:, None]  # (batch, window, 1)
        x = ops.concatenate([x, inputs[:, :, 1:]], axis=-1) if num_features > 1 else x
    x = ops.reshape(x, (-1, window // patch, patch * num_features))
    x = KINDS[kind](num_units, name=kind)(x)
    name = "change" if subtract else "level"
    outputs = layers.Dense(horizon, dtype="float32", name=name)(x)
    if subtract:
        outputs = outputs + ops.cast(last, "float32")
    return keras.Model(inputs, outputs, name=f"{kind}_forecaster")


def build_reader(
    kind: str = "gru",
    *,
    num_features: int = 2,
    num_outputs: int = 1,
    num_units: int = 32,
    open_bias: float | None = None,
) -> keras.Model:
    """A net that reads a whole sequence and answers at its end.

    A step whose features are all 0 is padding and is left out, wherever it stands.

    Args:
        kind: "rnn", "gru" or "lstm".
        num_features: Numbers at each step.
        num_outputs: Numbers of the answer.
        num_units: Units of the recurrent layer.
        open_bias: Start of the bias of the gate that keeps: the update gate of a GRU, the forget
            gate of an LSTM. None: Keras's own, 0 and 1.

    Returns:
        A model from (batch, steps, features) to (batch, outputs).

    Raises:
        ValueError: A plain recurrent layer has no gate to keep open.
    """
    if open_bias is not None and kind == "rnn":
        raise ValueError("open_bias needs a gate: kind must be 'gru' or 'lstm'")
    inputs = keras.Input((None, num_features), name="sequence")
    x = layers.Masking(0.0, name="mask")(inputs)
    settings = {}
    if open_bias is not None:
        settings["bias_initializer"] = KeepBias(open_bias, kind)
    if kind == "lstm" and settings:
        settings["unit_forget_bias"] = False  # it would put its ones in place of ours
    x = KINDS[kind](num_units, name=kind, **settings)(x)
    outputs = layers.Dense(num_outputs, dtype="float32", name="answer")(x)
    return keras.Model(inputs, outputs, name=f"{kind}_reader")


def build_notes_gru(num_characters: int, *, num_units: int = 256) -> keras.Model:
    """The net around the line of the article "Notes" §3: one-hot characters, logits of the next.

    Args:
        num_characters: Characters of the vocabulary.
        num_units: Units of the GRU.

    Returns:
        A model from numbers (batch, steps) to logits (batch, steps, characters).
    """
    inputs = keras.Input((None,), dtype="int32", name="characters")
    x = ops.one_hot(inputs, num_characters)  # (batch, steps, characters)
    x = layers.GRU(num_units, return_sequences=True, name="gru")(x)
    outputs = layers.Dense(num_characters, dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="notes_gru")
