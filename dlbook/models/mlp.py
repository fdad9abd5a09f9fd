"""The multilayer perceptron: by hand in NumPy, then in Keras.

The NumPy functions work on one network or on many at once: with parameters of shape
``(starts, inputs, units)`` the matrix products broadcast, and all starts train side by side.

Paper: Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors",
Nature 323, 1986.
"""

import keras
import numpy as np

Parameters = dict[str, np.ndarray]

XOR_X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
XOR_Y = np.array([[0], [1], [1], [0]], dtype=float)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), in a form that never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * z))


# each function with its derivative, written in terms of the function's own value
ACTIVATIONS = {
    "sigmoid": (sigmoid, lambda value: value * (1 - value)),
    "tanh": (np.tanh, lambda value: 1 - value**2),
}
LOSSES = ("squared_error", "cross_entropy")
INITIALIZERS = ("normal", "glorot")


def init_parameters(
    num_inputs: int,
    num_hidden: int,
    num_outputs: int,
    *,
    initializer: str = "glorot",
    num_starts: int | None = None,
    seed: int = 0,
) -> Parameters:
    """Random starting parameters of a network with one hidden layer.

    Args:
        num_inputs: Width of the input.
        num_hidden: Hidden units.
        num_outputs: Output units.
        initializer: "normal": weights and biases from a standard normal distribution.
            "glorot": weights uniform in ±sqrt(6 / (fan_in + fan_out)), biases zero
            (Glorot & Bengio 2010).
        num_starts: Make this many networks at once, along a new first dimension.
        seed: Seed of the random numbers.

    Returns:
        ``w1`` (inputs, hidden), ``b1`` (1, hidden), ``w2`` (hidden, outputs), ``b2``
        (1, outputs), float64, each with ``num_starts`` in front if that was given.

    Raises:
        ValueError: The initializer is unknown.
    """
    if initializer not in INITIALIZERS:
        raise ValueError(f"initializer must be one of {INITIALIZERS}, not {initializer!r}")
    generator = np.random.default_rng(seed)
    front = () if num_starts is None else (num_starts,)
    parameters = {}
    for layer, (fan_in, fan_out) in enumerate(
        [(num_inputs, num_hidden), (num_hidden, num_outputs)], start=1
    ):
        if initializer == "normal":
            weights = generator.normal(size=(*front, fan_in, fan_out))
            biases = generator.normal(size=(*front, 1, fan_out))
        else:
            limit = np.sqrt(6 / (fan_in + fan_out))
            weights = generator.uniform(-limit, limit, size=(*front, fan_in, fan_out))
            biases = np.zeros((*front, 1, fan_out))
        parameters[f"w{layer}"], parameters[f"b{layer}"] = weights, biases
    return parameters


def forward(
    parameters: Parameters, x: np.ndarray, activation: str = "tanh"
) -> tuple[np.ndarray, np.ndarray]:
    """Hidden values and outputs.

    Args:
        parameters: As ``init_parameters`` makes them.
        x: (examples, inputs).
        activation: Of the hidden layer: "tanh" or "sigmoid". The output is always a sigmoid.

    Returns:
        ``hidden`` (…, examples, hidden) and ``output`` (…, examples, outputs).
    """
    function, _ = ACTIVATIONS[activation]
    hidden = function(x @ parameters["w1"] + parameters["b1"])
    output = sigmoid(hidden @ parameters["w2"] + parameters["b2"])
    return hidden, output


def loss_value(output: np.ndarray, y: np.ndarray, loss: str = "cross_entropy") -> np.ndarray:
    """The loss, averaged over the examples and summed over the outputs.

    Args:
        output: (…, examples, outputs), between 0 and 1.
        y: (examples, outputs), 0 or 1.
        loss: "squared_error": (output - y)² / 2. "cross_entropy": -log of the probability that
            the output gives to y, in nats.

    Returns:
        One number for each start: shape (…).
    """
    if _loss(loss) == "squared_error":
        per_output = (output - y) ** 2 / 2
    else:
        tiny = np.finfo(float).tiny  # keeps log away from zero
        per_output = -np.log(np.maximum(np.where(y == 1, output, 1 - output), tiny))
    return per_output.sum(axis=-1).mean(axis=-1)


def backward(
    parameters: Parameters,
    x: np.ndarray,
    y: np.ndarray,
    *,
    activation: str = "tanh",
    loss: str = "cross_entropy",
) -> tuple[Parameters, np.ndarray]:
    """The gradient of the loss with respect to every parameter, by the chain rule.

    Args:
        parameters: As ``init_parameters`` makes them.
        x: (examples, inputs).
        y: (examples, outputs).
        activation: Of the hidden layer.
        loss: "squared_error" or "cross_entropy".

    Returns:
        Gradients with the names and shapes of the parameters, and the loss of each start.
    """
    _, slope = ACTIVATIONS[activation]
    hidden, output = forward(parameters, x, activation)
    d_z2 = (output - y) / len(x)  # (…, examples, outputs), cross-entropy through the sigmoid
    if _loss(loss) == "squared_error":
        d_z2 = d_z2 * output * (1 - output)
    d_hidden = d_z2 @ np.swapaxes(parameters["w2"], -1, -2)
    d_z1 = d_hidden * slope(hidden)  # (…, examples, hidden)
    gradients = {
        "w1": x.T @ d_z1,
        "b1": d_z1.sum(axis=-2, keepdims=True),
        "w2": np.swapaxes(hidden, -1, -2) @ d_z2,
        "b2": d_z2.sum(axis=-2, keepdims=True),
    }
    return gradients, loss_value(output, y, loss)


def train(
    parameters: Parameters,
    x: np.ndarray,
    y: np.ndarray,
    *,
    epochs: int,
    learning_rate: float | np.ndarray,
    activation: str = "tanh",
    loss: str = "cross_entropy",
) -> tuple[Parameters, np.ndarray]:
    """Gradient descent on all examples at once; every start is trained on its own.

    Args:
        parameters: Where to start. They are not changed.
        x: (examples, inputs).
        y: (examples, outputs).
        epochs: Steps of gradient descent.
        learning_rate: Length of a step, in multiples of the gradient of the mean loss. An array
            that broadcasts against the parameters gives each start a rate of its own.
        activation: Of the hidden layer.
        loss: "squared_error" or "cross_entropy".

    Returns:
        The trained parameters, and the losses before each step: (epochs, …).
    """
    parameters = {name: value.copy() for name, value in parameters.items()}
    losses = []
    for _ in range(epochs):
        gradients, value = backward(parameters, x, y, activation=activation, loss=loss)
        for name, gradient in gradients.items():
            parameters[name] -= learning_rate * gradient
        losses.append(value)
    return parameters, np.array(losses)


def solved(output: np.ndarray, y: np.ndarray, margin: float = 0.1) -> np.ndarray:
    """Which starts give every example a firm output on the right side.

    Args:
        output: (…, examples, outputs).
        y: (examples, outputs), 0 or 1.
        margin: An output counts when it is less than this far from y. 0.5 is the right side,
            0.1 is a firm answer.

    Returns:
        True or false for each start: shape (…).
    """
    return (np.abs(output - y) < margin).all(axis=(-1, -2))


def build_mlp(
    num_inputs: int = 2,
    num_hidden: int = 4,
    num_outputs: int = 1,
    *,
    activation: str = "tanh",
) -> keras.Model:
    """The same network in Keras: one hidden layer and sigmoid outputs.

    Args:
        num_inputs: Width of the input.
        num_hidden: Hidden units.
        num_outputs: Output units, each a probability of its own.
        activation: Of the hidden layer.

    Returns:
        A model from (batch, inputs) to probabilities (batch, outputs), not compiled.
    """
    return keras.Sequential(
        [
            keras.Input((num_inputs,)),
            keras.layers.Dense(num_hidden, activation=activation, name="hidden"),
            keras.layers.Dense(num_outputs, activation="sigmoid", name="output"),
        ],
        name="mlp",
    )


def _loss(name: str) -> str:
    if name not in LOSSES:
        raise ValueError(f"loss must be one of {LOSSES}, not {name!r}")
    return name
