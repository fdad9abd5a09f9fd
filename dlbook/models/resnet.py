"""Residual networks for small images: the family of the paper, and a fast one for few epochs.

All of them take pixels as they are stored, 0 to 255, and return logits: scores whose softmax is
the probability of each class. Logits are float32 under mixed precision too.

Papers: He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016, and
"Identity mappings in deep residual networks", ECCV 2016; Veit, Wilber & Belongie, "Residual
networks behave like ensembles of relatively shallow networks", NeurIPS 2016.
"""

import re
from collections.abc import Sequence
from typing import Literal

import keras
import numpy as np
from keras import layers, ops

Shape = tuple[int, int, int]
ShortcutKind = Literal["identity", "projection", "none"]
SHORTCUTS = ("identity", "projection", "none")


def build_resnet(
    n: int = 3,
    input_shape: Shape = (32, 32, 3),
    num_classes: int = 10,
    *,
    filters: Sequence[int] = (16, 32, 64),
    shortcut: ShortcutKind = "identity",
    mean: Sequence[float] = (125.3, 123.0, 113.9),
    deviation: Sequence[float] = (63.0, 62.1, 66.7),
) -> keras.Model:
    """The paper's network for CIFAR-10, of 6n + 2 layers: n = 3 makes ResNet-20, n = 9 ResNet-56.

    Args:
        n: Blocks of each of the stages. A block has two convolutions.
        input_shape: Height, width, channels.
        num_classes: Number of logits.
        filters: Filters of each stage. Every stage but the first halves height and width.
        shortcut: Where a block changes the shape, "identity" takes every second pixel and fills
            the new channels with zeros (option A of the paper, no parameters), "projection"
            convolves by 1×1 (option B). "none" is the plain network: no shortcut in any block.
        mean: Mean of each channel of the training pixels.
        deviation: Their standard deviation.

    Returns:
        A model from pixels (batch, height, width, channels) to logits (batch, classes).

    Raises:
        ValueError: ``n`` is less than 1, ``shortcut`` has no such kind, or filters become fewer.
    """
    if n < 1:
        raise ValueError(f"a stage needs one block or more, not {n=}")
    if shortcut not in SHORTCUTS:
        raise ValueError(f"{shortcut=} must be one of {', '.join(SHORTCUTS)}")
    if list(filters) != sorted(filters):
        raise ValueError(f"filters must not become fewer from stage to stage: {tuple(filters)}")
    inputs = keras.Input(input_shape, name="pixels")
    x = _standardised(inputs, mean, deviation)
    x = convolution(x, filters[0], name="stem")
    x = layers.ReLU(name="stem_relu")(x)
    for stage, count in enumerate(filters, start=1):
        for block in range(1, n + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = residual_block(x, count, strides, shortcut, name=f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    kind = "plain" if shortcut == "none" else "resnet"
    depth = 2 * n * len(filters) + 2
    return keras.Model(inputs, outputs, name=f"{kind}{depth}")


def residual_block(
    x: keras.KerasTensor,
    filters: int,
    strides: int = 1,
    shortcut: ShortcutKind = "identity",
    *,
    name: str,
) -> keras.KerasTensor:
    """Two convolutions, and the input added to what they make of it.

    Args:
        x: (batch, height, width, channels), not negative if the block is to be skipped.
        filters: Filters of both convolutions.
        strides: Step of the first convolution.
        shortcut: As in ``build_resnet``.
        name: Prefix of the layers' names.

    Returns:
        (batch, height / strides rounded up, width likewise, filters), not negative.
    """
    y = convolution(x, filters, strides=strides, name=f"{name}_1")
    y = layers.ReLU(name=f"{name}_1_relu")(y)
    y = convolution(y, filters, name=f"{name}_2")
    if shortcut != "none":
        same_shape = strides == 1 and x.shape[-1] == filters
        if not same_shape and shortcut == "projection":
            x = convolution(x, filters, 1, strides, name=f"{name}_projection")
        elif not same_shape:
            x = IdentityShortcut(filters, strides, name=f"{name}_shortcut")(x)
        y = layers.Add(name=f"{name}_add")([y, x])
    return layers.ReLU(name=f"{name}_relu")(y)


def convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int = 3, strides: int = 1, *, name: str
) -> keras.KerasTensor:
    """A convolution with padding and without bias, then batch normalisation, which has one."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)


@keras.saving.register_keras_serializable(package="dlbook")
class IdentityShortcut(layers.Layer):
    """A shortcut without parameters to a smaller map of more channels (option A of the paper).

    Args:
        filters: Channels wanted, not fewer than come in; the new ones are zero.
        strides: Of so many rows and columns, the first is kept.
    """

    def __init__(self, filters: int, strides: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.strides = filters, strides

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        x = x[:, :: self.strides, :: self.strides]  # (batch, rows, columns, channels)
        return ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, self.filters - x.shape[-1])))

    def get_config(self) -> dict:
        return super().get_config() | {"filters": self.filters, "strides": self.strides}


def removable_blocks(model: keras.Model) -> list[str]:
    """Names of the blocks of a ``build_resnet`` whose output has the shape of their input."""
    names = [layer.name for layer in model.layers if re.fullmatch(r"\w+_block\d+_relu", layer.name)]
    blocks = [name.removesuffix("_relu") for name in names]
    kernels = {block: model.get_layer(f"{block}_1_conv") for block in blocks}
    return [
        block
        for block, conv in kernels.items()
        if conv.strides == (1, 1) and conv.kernel.shape[2] == conv.kernel.shape[3]
    ]


def remove_block(model: keras.Model, block: str) -> None:
    """Change a block's weights so that it hands on what it gets, as if it were not there.

    With a shortcut, the scale and shift of the last normalisation become zero: nothing is added.
    Without one, both convolutions copy their input. The ReLU at the end changes nothing, because
    the ReLU before the block has left no negative number. ``model.set_weights`` brings it back.

    Args:
        model: A net of ``build_resnet``.
        block: One of ``removable_blocks``.

    Raises:
        ValueError: The block cannot be removed.
    """
    if block not in removable_blocks(model):
        raise ValueError(f"{block!r} is none of {', '.join(removable_blocks(model))}")
    plain = f"{block}_add" not in [layer.name for layer in model.layers]
    for part in ("1", "2"):
        norm = model.get_layer(f"{block}_{part}_norm")
        scale, shift, mean, variance = norm.get_weights()
        if plain:
            kernel = model.get_layer(f"{block}_{part}_conv").kernel
            copy = np.zeros(kernel.shape, "float32")
            copy[1, 1] = np.eye(kernel.shape[-1])  # the middle of 3×3
            kernel.assign(copy)
            unit = np.sqrt(1 + norm.epsilon) * np.ones_like(scale)
            norm.set_weights([unit, 0 * shift, 0 * mean, 0 * variance + 1])
        elif part == "2":
            norm.set_weights([0 * scale, 0 * shift, mean, variance])


def _standardised(
    x: keras.KerasTensor, mean: Sequence[float], deviation: Sequence[float]
) -> keras.KerasTensor:
    variance = [value**2 for value in deviation]
    return layers.Normalization(mean=list(mean), variance=variance, name="standardise")(x)
