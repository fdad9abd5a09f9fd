"""Nets that see noisy points or images and the time."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from dlbook.models.diffusion.process import Tensor


@keras.saving.register_keras_serializable(package="dlbook")
class TimeFeatures(layers.Layer):
    """Sines and cosines of a time, so that a dense layer can tell near times apart.

    Args:
        num_features: An even number; half are sines. The periods go from 10 down to 0.1, in
            units of time.
    """

    def __init__(self, num_features: int = 32, **kwargs):
        super().__init__(**kwargs)
        if num_features < 2 or num_features % 2:
            raise ValueError(f"num_features must be even, not {num_features}")
        self.num_features = num_features

    def call(self, times: Tensor) -> Tensor:
        """(batch,) to (batch, features)."""
        half = self.num_features // 2
        frequencies = np.exp(np.linspace(0, math.log(100), half)).astype("float32") * math.pi / 5
        angles = ops.expand_dims(times, -1) * frequencies
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_features": self.num_features}


def build_point_net(
    num_numbers: int = 2, *, hidden_units: Sequence[int] = (128, 128, 128), time_features: int = 32
) -> keras.Model:
    """A dense net for points in the plane.

    Args:
        num_numbers: Coordinates of a point.
        hidden_units: Units of each hidden layer.
        time_features: Sines and cosines of the time.

    Returns:
        A model from noisy points (batch, numbers) and times (batch,) to (batch, numbers).
    """
    noisy, times = keras.Input((num_numbers,), name="noisy"), keras.Input((), name="times")
    x = layers.Concatenate()([noisy, TimeFeatures(time_features)(times)])
    for units in hidden_units:
        x = layers.Dense(units, activation="silu")(x)
    return keras.Model([noisy, times], layers.Dense(num_numbers)(x), name="point_net")


@keras.saving.register_keras_serializable(package="dlbook")
class SideBySide(layers.Layer):
    """A dense layer of several nets at once, each with weights of its own.

    One product of stacked matrices takes the place of many small ones, so that two dozen small nets
    learn in about the time of a few.

    Args:
        units: Units of each net's layer.
        activation: As for ``keras.layers.Dense``.
    """

    def __init__(self, units: int, activation: Any = None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.activation = units, keras.activations.get(activation)

    def build(self, shape: tuple) -> None:
        """(nets, batch, numbers); every net begins as a dense layer does."""
        nets, _, numbers = shape
        limit = math.sqrt(6 / (numbers + self.units))  # Glorot's, for one net
        begin = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight(shape=(nets, numbers, self.units), initializer=begin)
        self.bias = self.add_weight(shape=(nets, 1, self.units), initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        """(nets, batch, numbers) to (nets, batch, units)."""
        return self.activation(ops.matmul(x, self.kernel) + self.bias)

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "units": self.units, "activation": activation}


def build_point_nets(
    num_nets: int, num_numbers: int = 2, *, hidden_units: Sequence[int] = (96, 96),
    time_features: int = 32,
) -> keras.Model:  # fmt: skip
    """Several nets like ``build_point_net`` side by side, which see points of their own.

    The gradient of the sum of their losses is that of each, and Adam scales every weight for
    itself, so they learn as each would alone.

    Args:
        num_nets: How many.
        num_numbers: Coordinates of a point.
        hidden_units: Units of each hidden layer of a net.
        time_features: Sines and cosines of the time.

    Returns:
        A model from noisy points (batch, nets, numbers) and times (batch,), the same for all
        nets, to (batch, nets, numbers).
    """
    noisy = keras.Input((num_nets, num_numbers), name="noisy")
    times = keras.Input((), name="times")
    told = TimeFeatures(time_features)(times)[:, None]
    x = layers.Concatenate()([noisy, ops.repeat(told, num_nets, axis=1)])
    x = ops.transpose(x, (1, 0, 2))
    for units in hidden_units:
        x = SideBySide(units, "silu")(x)
    outputs = ops.transpose(SideBySide(num_numbers)(x), (1, 0, 2))
    return keras.Model([noisy, times], outputs, name="point_nets")


def build_unet(
    image_size: int = 28,
    *,
    channels: tuple[int, int] = (16, 64),
    num_blocks: int = 1,
    num_hidden: int = 256,
    embedding_dim: int = 64,
    num_classes: int = 10,
) -> keras.Model:
    """A small U-Net: down to a quarter of the size, a dense layer across it all, and up again.

    The first step sorts every 2×2 pixels into four channels, so that no convolution runs at the
    full size: they cost most there, and on a CPU most of the time. There is no normalisation,
    which would take a third of the time. Each block and the net's last layer begin at zero.

    Args:
        image_size: Height and width, a multiple of 4.
        channels: At half and at a quarter of the size.
        num_blocks: Residual blocks at half the size, at a quarter, and at half the size again.
        num_hidden: Units of the dense layer at the smallest size; 0 leaves it out.
        embedding_dim: Numbers that tell the blocks time and class.
        num_classes: Classes; one more stands for "not told". 0: the net is told none.

    Returns:
        A model from noisy images (batch, size, size, 1), times (batch,) and, where there are
        classes, classes (batch,) to images (batch, size, size, 1).

    Raises:
        ValueError: A size that cannot be halved twice.
    """
    if image_size < 4 or image_size % 4:
        raise ValueError(f"image_size must be a multiple of 4, not {image_size}")
    half, quarter = image_size // 2, image_size // 4
    noisy = keras.Input((image_size, image_size, 1), name="noisy")
    inputs = [noisy, keras.Input((), name="times")]
    condition = layers.Dense(embedding_dim)(TimeFeatures()(inputs[1]))
    if num_classes:
        inputs.append(keras.Input((), dtype="int32", name="classes"))
        # Keras begins within ±0.05; beside the time's numbers the net is slow to hear that
        begin = keras.initializers.RandomNormal(stddev=1.0)
        named = layers.Embedding(num_classes + 1, embedding_dim, begin)(inputs[2])
        condition = layers.Add()([condition, named])
    condition = layers.Activation("silu")(condition)
    condition = layers.Dense(embedding_dim, activation="silu")(condition)  # (batch, embedding)

    x = layers.Reshape((half, 2, half, 2))(noisy)
    x = layers.Reshape((half, half, 4))(layers.Permute((1, 3, 2, 4))(x))
    x = layers.Conv2D(channels[0], 3, padding="same")(x)
    for _ in range(num_blocks):
        x = residual_block(x, condition, channels[0])
    skip = x  # (batch, half, half, channels[0])
    x = layers.Conv2D(channels[1], 2, strides=2)(x)
    for _ in range(num_blocks):
        x = residual_block(x, condition, channels[1])
    if num_hidden:
        told = layers.Dense(num_hidden)(condition)
        whole = layers.Dense(num_hidden)(layers.Flatten()(x))
        whole = layers.Activation("silu")(layers.Add()([whole, told]))
        whole = layers.Dense(quarter * quarter * channels[1], kernel_initializer="zeros")(whole)
        x = layers.Add()([x, layers.Reshape((quarter, quarter, channels[1]))(whole)])
    x = layers.Conv2DTranspose(channels[0], 2, strides=2)(x)
    x = layers.Concatenate()([x, skip])
    for _ in range(num_blocks):
        x = residual_block(x, condition, channels[0])
    x = layers.Activation("silu")(x)
    x = layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros")(x)
    x = layers.Permute((1, 3, 2, 4))(layers.Reshape((half, half, 2, 2))(x))
    outputs = layers.Reshape((image_size, image_size, 1), dtype="float32")(x)
    return keras.Model(inputs, outputs, name="unet")


def residual_block(x: Tensor, condition: Tensor, channels: int) -> Tensor:
    """Two 3×3 convolutions beside a shortcut; between them comes what the condition adds.

    Args:
        x: (batch, height, width, channels before).
        condition: (batch, numbers): what is known of time and class.
        channels: Channels of the result.

    Returns:
        (batch, height, width, channels).
    """
    told = layers.Reshape((1, 1, channels))(layers.Dense(channels)(condition))
    h = layers.Conv2D(channels, 3, padding="same")(layers.Activation("silu")(x))
    h = layers.Activation("silu")(layers.Add()([h, told]))
    h = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(h)
    if x.shape[-1] != channels:
        x = layers.Conv2D(channels, 1)(x)
    return layers.Add()([x, h])
