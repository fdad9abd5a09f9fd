"""Deep networks of dense layers, and the tools to look into them.

All classifiers return logits: scores whose softmax is the probability of each class. Train them
with ``SparseCategoricalCrossentropy(from_logits=True)``. Logits are float32 under mixed precision
too.

Papers: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural
networks", AISTATS 2010; He, Zhang, Ren & Sun, "Delving deep into rectifiers", ICCV 2015; Ioffe &
Szegedy, "Batch normalization", ICML 2015; Telgarsky, "Benefits of depth in neural networks",
COLT 2016.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers


def build_dnn(
    num_features: int = 784,
    num_classes: int = 10,
    *,
    hidden: Sequence[int] = (512, 256),
    activation: str = "relu",
    initializer: str | keras.initializers.Initializer = "he_normal",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> keras.Model:
    """A deep network of dense layers.

    Each hidden layer is a dense layer, batch normalisation if wanted, the activation, and dropout
    if wanted.

    Args:
        num_features: Numbers that describe an example.
        num_classes: Number of logits.
        hidden: Units of each hidden layer, from the input on.
        activation: Activation of the hidden layers; "linear" for none.
        initializer: Where the weights of the hidden layers start. Biases start at 0.
        batch_norm: Normalise what each dense layer gives, before its activation. The layer then
            has no bias, because the normalisation has one.
        dropout: Share of each hidden layer's values set to zero in training.

    Returns:
        A model from features (batch, num_features) to logits (batch, num_classes).
    """
    x = inputs = keras.Input((num_features,), name="features")
    for number, units in enumerate(hidden, start=1):
        x = layers.Dense(
            units,
            use_bias=not batch_norm,
            kernel_initializer=_fresh(initializer),
            name=f"dense{number}",
        )(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.Activation(activation, name=f"activation{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    outputs = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="dnn")


def _fresh(
    initializer: str | keras.initializers.Initializer,
) -> str | keras.initializers.Initializer:
    """The same start for another layer: one object would give layers of one shape equal weights."""
    if isinstance(initializer, str):
        return initializer
    return type(initializer)(**{**initializer.get_config(), "seed": None})


def build_article_dnn(num_features: int = 4, num_classes: int = 3) -> keras.Model:
    """The net of the article "Ten" §1: hidden layers of 64 and 32 units.

    2,499 parameters for four features and three classes. The article's net ends with a softmax;
    this one with its logits.
    """
    return keras.Sequential(
        [
            keras.Input((num_features,), name="features"),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(num_classes, dtype="float32", name="logits"),
        ],
        name="article_dnn",
    )


@keras.saving.register_keras_serializable(package="dlbook", name="dnn.StackedDense")
class StackedDense(layers.Layer):
    """The dense layers of many networks, side by side in one array.

    Network n has weights of its own and sees its own inputs, so the networks of a stack train
    apart, at the cost of one. (A mean loss divides every gradient by their number, which Adam
    undoes up to its epsilon.)

    Args:
        units: Units of each network's layer.
        activation: Activation, as in ``keras.layers.Dense``.
        initializer: Where each network's weights start, as if it were alone. Biases start at 0.
    """

    def __init__(
        self, units: int, activation: str | None = None, initializer: str = "he_normal", **settings
    ):
        super().__init__(**settings)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        _, nets, features = input_shape
        self.kernel = self.add_weight(
            shape=(nets, features, self.units), initializer=self._start, name="kernel"
        )
        self.bias = self.add_weight(shape=(nets, self.units), initializer="zeros", name="bias")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:  # (batch, nets, features)
        z = keras.ops.einsum("bni,nio->bno", x, self.kernel) + self.bias
        return self.activation(z)  # (batch, nets, units)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "initializer": keras.initializers.serialize(self.initializer),
        }

    def _start(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        nets, features, units = shape
        # side by side they would look like one wide layer, and start with other weights
        return keras.ops.stack(
            [_fresh(self.initializer)((features, units), dtype) for _ in range(nets)]
        )


def build_stacked_dnn(
    num_nets: int,
    num_features: int,
    num_classes: int,
    *,
    hidden: Sequence[int] = (32, 32),
    activation: str = "relu",
    initializer: str = "he_normal",
) -> keras.Model:
    """Many networks of dense layers in one model.

    Args:
        num_nets: How many networks.
        num_features: Numbers that describe an example.
        num_classes: Logits of each network.
        hidden: Units of each hidden layer.
        activation: Activation of the hidden layers.
        initializer: Where the weights of the hidden layers start.

    Returns:
        A model from (batch, num_nets, num_features) to logits (batch, num_nets, num_classes).
    """
    x = inputs = keras.Input((num_nets, num_features), name="features")
    for number, units in enumerate(hidden, start=1):
        x = StackedDense(units, activation, initializer, name=f"dense{number}")(x)
    outputs = StackedDense(
        num_classes, initializer="glorot_uniform", dtype="float32", name="logits"
    )(x)
    return keras.Model(inputs, outputs, name="stacked_dnn")


def build_sawtooth(num_folds: int) -> keras.Model:
    """A network of two ReLU units a layer that draws 2**(num_folds - 1) teeth, weights by hand.

    Every layer folds the interval from 0 to 1 in the middle and stretches it back to its length,
    so that the next layer's fold is made at twice as many places.

    Args:
        num_folds: Number of hidden layers.

    Returns:
        A model from x (batch, 1) between 0 and 1 to the sawtooth (batch, 1), 0 to 1.
    """
    units = [layers.Dense(2, activation="relu", name=f"fold{n + 1}") for n in range(num_folds)]
    model = keras.Sequential([keras.Input((1,)), *units, layers.Dense(1, name="teeth")])
    tent = np.array([[2.0], [-4.0]])  # 2 relu(x) - 4 relu(x - 1/2)
    for number, layer in enumerate(model.layers[:-1]):
        before = np.ones((1, 1)) if number == 0 else tent
        layer.set_weights([before @ np.ones((1, 2)), np.array([0.0, -0.5])])
    model.layers[-1].set_weights([tent, np.zeros(1)])
    return model


def collapse(
    kernels: Sequence[np.ndarray], biases: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The one dense layer that a stack of dense layers without activations is equal to.

    Args:
        kernels: (inputs, units) of each layer, from the input on.
        biases: (units,) of each.

    Returns:
        Kernel (inputs of the first layer, units of the last) and bias of that one layer.

    Raises:
        ValueError: There is no layer, or not as many biases as kernels.
    """
    if len(kernels) != len(biases) or not len(kernels):
        raise ValueError(
            f"{len(kernels)} kernels and {len(biases)} biases: need one of each or more"
        )
    kernel, bias = kernels[0], biases[0]
    for next_kernel, next_bias in zip(kernels[1:], biases[1:], strict=True):
        kernel, bias = kernel @ next_kernel, bias @ next_kernel + next_bias
    return kernel, bias
