"""Convolutional networks for small images: the book's own, and the nets of three articles.

All of them take pixels as they are stored, 0 to 255, and return logits: scores whose softmax is
the probability of each class. Train them with
``SparseCategoricalCrossentropy(from_logits=True)``. Logits are float32 under mixed precision too.

Papers: LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document
recognition", Proc. IEEE 86, 1998; Ioffe & Szegedy, "Batch normalization", ICML 2015.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers

Shape = tuple[int, int, int]


def build_cnn(
    input_shape: Shape = (28, 28, 1),
    num_classes: int = 10,
    *,
    filters: Sequence[int] = (24, 48),
    kernel_size: int = 5,
    num_hidden: int = 128,
    dropout: float = 0.25,
    max_shift: int = 2,
) -> keras.Model:
    """The book's network: convolution blocks, then one hidden layer.

    Args:
        input_shape: Height, width, channels.
        num_classes: Number of logits.
        filters: Filters of each convolution block. Every block halves height and width.
        kernel_size: Height and width of the filters, in pixels.
        num_hidden: Units of the hidden dense layer.
        dropout: Share of the features set to zero in training, before the hidden layer.
        max_shift: In training, move each image by up to this many pixels.

    Returns:
        A model from pixels (batch, height, width, channels) to logits (batch, classes).
    """
    height, width, _ = input_shape
    inputs = keras.Input(input_shape, name="pixels")
    x = inputs
    if max_shift:
        share = (max_shift / height, max_shift / width)
        # empty paper comes in at the edge; whole pixels are moved, none is blended
        x = RandomShift(*share, fill_mode="constant", interpolation="nearest", name="shift")(x)
    x = layers.Rescaling(1 / 255, name="rescale")(x)
    for number, count in enumerate(filters, start=1):
        x = convolution_block(x, count, kernel_size, name=f"block{number}")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(num_hidden, use_bias=False, name="hidden")(x)
    x = layers.BatchNormalization(momentum=0.9, name="hidden_norm")(x)
    x = layers.ReLU(name="hidden_relu")(x)
    outputs = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="cnn")


@keras.saving.register_keras_serializable(package="dlbook")
class RandomShift(layers.RandomTranslation):
    """Moves images at random in training, and never otherwise.

    Keras's own layer also moves them in a plain ``model(x)``: its ``training`` is true unless told
    otherwise. Arguments are those of ``keras.layers.RandomTranslation``.
    """

    def call(self, inputs: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        return super().call(inputs, training=bool(training))


def convolution_block(
    x: keras.KerasTensor, filters: int, kernel_size: int, *, name: str
) -> keras.KerasTensor:
    """Convolution, pooling, normalisation, ReLU.

    Pooling comes first of the last three: the other two then work on a quarter of the numbers.
    ReLU does not care, since the largest of four numbers stays the largest. Normalisation does:
    its mean and deviation are those of the pooled numbers, and a negative scale would turn the
    largest of them into the smallest.

    Args:
        x: (batch, height, width, channels).
        filters: Number of filters, each with its own feature map.
        kernel_size: Height and width of the filters, in pixels.
        name: Prefix of the layers' names.

    Returns:
        (batch, (height - kernel_size + 1) // 2, the same for the width, filters).
    """
    x = layers.Conv2D(filters, kernel_size, use_bias=False, name=f"{name}_conv")(x)
    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def build_feature_net(classifier: keras.Model) -> keras.Model:
    """A net of ``build_cnn``, trained on digits, as a yardstick for generated digits.

    Real and generated digits can be compared by the means and covariances of their features, as
    the Fréchet distance does, and by the classes that they are taken for. It shares its weights
    with ``classifier``.

    Args:
        classifier: A trained net of ``build_cnn``.

    Returns:
        A model from pixels (batch, height, width, channels) to a dictionary: ``features``, the
        values of the hidden layer (batch, hidden), and ``logits`` (batch, classes).
    """
    features = classifier.get_layer("hidden_relu").output
    outputs = {"features": features, "logits": classifier.output}
    return keras.Model(classifier.input, outputs, name="feature_net")


def feature_net_arrays(classifier: keras.Model) -> dict[str, np.ndarray]:
    """The weights of a net of ``build_cnn`` by name, for ``load_feature_net``."""
    return {weight.path: keras.ops.convert_to_numpy(weight) for weight in classifier.weights}


def load_feature_net(arrays: Mapping[str, np.ndarray]) -> keras.Model:
    """The feature net with stored weights.

    Args:
        arrays: What ``feature_net_arrays`` gave for a net of the default sizes, in any precision.

    Returns:
        As ``build_feature_net``.
    """
    classifier = build_cnn(max_shift=0)
    for weight in classifier.weights:
        weight.assign(arrays[weight.path])
    return build_feature_net(classifier)


def build_language_cnn(input_shape: Shape = (28, 28, 1), num_classes: int = 10) -> keras.Model:
    """The net of the article "Language" §3: three convolutions, the first two pooled.

    93,322 parameters for 28×28×1 images and ten classes.
    """
    return keras.Sequential(
        [
            *_start(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu", name="hidden"),
            layers.Dense(num_classes, dtype="float32", name="logits"),
        ],
        name="language_cnn",
    )


def build_ten_cnn(input_shape: Shape = (28, 28, 1), num_classes: int = 10) -> keras.Model:
    """The net of the article "Ten" §2: two convolutions, then one pooling.

    1,199,882 parameters for 28×28×1 images and ten classes: 98 % of them in the first dense
    layer, since so little is pooled.
    """
    return keras.Sequential(
        [
            *_start(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu", name="hidden"),
            layers.Dense(num_classes, dtype="float32", name="logits"),
        ],
        name="ten_cnn",
    )


def build_primer_cnn(input_shape: Shape = (32, 32, 3), num_classes: int = 10) -> keras.Model:
    """The net of the article "Primer": two pooled convolutions for colour images.

    297,202 parameters for 32×32×3 images and ten classes. The article's ``64 * 6 * 6`` inputs
    of the first dense layer are what 32×32 pixels leave.
    """
    return keras.Sequential(
        [
            *_start(input_shape),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="relu", name="hidden"),
            layers.Dense(num_classes, dtype="float32", name="logits"),
        ],
        name="primer_cnn",
    )


def build_dense_net(
    input_shape: Shape = (28, 28, 1), num_classes: int = 10, *, num_parameters: int = 100_000
) -> keras.Model:
    """A net of one hidden dense layer, as near to a number of parameters as it can be.

    The baseline that a convolutional net of the same size has to beat.

    Args:
        input_shape: Height, width, channels.
        num_classes: Number of logits.
        num_parameters: Trainable parameters wanted. Each hidden unit has one weight per input
            and per class, and a bias.

    Raises:
        ValueError: Not even one hidden unit fits.
    """
    height, width, channels = input_shape
    per_unit = height * width * channels + 1 + num_classes
    units = round((num_parameters - num_classes) / per_unit)
    if units < 1:
        raise ValueError(f"{num_parameters=} is too few: one hidden unit takes {per_unit:,}")
    return keras.Sequential(
        [
            *_start(input_shape),
            layers.Flatten(),
            layers.Dense(units, activation="relu", name="hidden"),
            layers.Dense(num_classes, dtype="float32", name="logits"),
        ],
        name="dense_net",
    )


def _start(input_shape: Shape) -> list:
    return [keras.Input(input_shape, name="pixels"), layers.Rescaling(1 / 255, name="rescale")]
