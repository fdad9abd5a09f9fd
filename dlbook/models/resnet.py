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
WHITENING_SIZE = 4  # pixels, height and width of the patches


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


def build_fast_resnet(
    input_shape: Shape = (32, 32, 3),
    num_classes: int = 10,
    *,
    filters: Sequence[int] = (24, 48, 96),
    num_blocks: int = 1,
    first_strides: int = 2,
    max_shift: int = 2,
    mean: Sequence[float] = (125.3, 123.0, 113.9),
    deviation: Sequence[float] = (63.0, 62.1, 66.7),
) -> keras.Model:
    """A wide and shallow residual network that learns photographs in a few passes.

    Its first layer, "whiten", has fixed weights: set them to ``whitening_filters``. It halves the
    map at once, so that all that follows costs a quarter. Then each stage is a convolution, a
    pooling and residual blocks. Training images are flipped and shifted inside the model.

    Args:
        input_shape: Height, width, channels.
        num_classes: Number of logits.
        filters: Filters of the first layer after "whiten" and of each stage.
        num_blocks: Residual blocks of a stage.
        first_strides: Step of "whiten". 1 keeps the whole map: four times the work, more accurate.
        max_shift: In training, move each image by up to this many pixels; 0: no augmentation.
        mean: Mean of each channel of the training pixels.
        deviation: Their standard deviation.

    Returns:
        A model from pixels (batch, height, width, channels) to logits (batch, classes).

    After D. Page, "How to train your ResNet", 2018, and K. Jordan, "94% on CIFAR-10 in 3.29 seconds
    on a single GPU", 2024.
    """
    inputs = keras.Input(input_shape, name="pixels")
    x = FlipAndShift(max_shift, name="augment")(inputs) if max_shift else inputs
    x = _standardised(x, mean, deviation)
    patch = WHITENING_SIZE**2 * input_shape[-1]
    whiten = layers.Conv2D(
        *(patch, WHITENING_SIZE),
        strides=first_strides,
        padding="same",
        use_bias=False,
        trainable=False,
        name="whiten",
    )
    x = convolution(whiten(x), filters[0], 1, name="stem")
    x = layers.ReLU(name="stem_relu")(x)
    for stage, count in enumerate(filters[1:], start=1):
        x = layers.Conv2D(
            *(count, 3),
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"stage{stage}_conv",
        )(x)
        x = layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"stage{stage}_norm")(x)
        x = layers.ReLU(name=f"stage{stage}_relu")(x)
        for block in range(1, num_blocks + 1):
            x = residual_block(x, count, name=f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(inputs, outputs, name="fast_resnet")


def whitening_filters(
    images: np.ndarray, mean: Sequence[float], deviation: Sequence[float], floor: float = 0.01
) -> np.ndarray:
    """Filters that make the pixels of a patch uncorrelated, with variance near 1.

    They are the eigenvectors of the covariance of all patches, each divided by the root of its
    eigenvalue: fixed weights that a network need not learn.

    Args:
        images: (images, height, width, channels), 0 to 255; two thousand are enough.
        mean: Mean of each channel.
        deviation: Standard deviation of each channel.
        floor: Added to each eigenvalue, so that faint patterns are not blown up.

    Returns:
        (size, size, channels, size² · channels), float32, for the layer "whiten".
    """
    x = (images.astype("float32") - np.array(mean)) / np.array(deviation)
    size, channels = WHITENING_SIZE, x.shape[-1]
    patches = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::2, ::2]
    # (images, rows, columns, channels, size, size), and a filter is (size, size, channels)
    patches = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size * size * channels)
    eigenvalues, eigenvectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    filters = eigenvectors / np.sqrt(eigenvalues + floor)
    return filters.reshape(size, size, channels, -1).astype("float32")


@keras.saving.register_keras_serializable(package="dlbook")
class FlipAndShift(layers.Layer):
    """Data augmentation: mirrors half of the images and moves all of them, in training only.

    What is moved over the edge is replaced by the image's mirror there.

    Args:
        max_shift: Largest move in each direction, in whole pixels.
        seed: Seed of the moves; None takes one from Keras's global seed.
    """

    def __init__(self, max_shift: int = 2, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.max_shift = max_shift
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, x: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        if not training:
            return x
        batch = ops.shape(x)[0]
        height, width, channels = x.shape[1:]
        most = self.max_shift
        x = ops.pad(x, ((0, 0), (most, most), (most, most), (0, 0)), mode="reflect")
        moves = [self._random(batch, 2 * most + 1) for _ in range(2)]
        rows = moves[0] + ops.arange(height)  # (batch, height)
        mirrored = self._random(batch, 2)
        places = ops.arange(width)
        columns = moves[1] + mirrored * (width - 1 - places) + (1 - mirrored) * places
        # the number of each pixel among all pixels of the batch: (batch, height, width)
        pixels = rows[:, :, None] * (width + 2 * most) + columns[:, None, :]
        pixels += (ops.arange(batch) * (height + 2 * most) * (width + 2 * most))[:, None, None]
        return ops.take(ops.reshape(x, (-1, channels)), pixels, axis=0)

    def _random(self, batch: int, limit: int) -> keras.KerasTensor:
        return keras.random.randint((batch, 1), 0, limit, seed=self.seed_generator)

    def get_config(self) -> dict:
        return super().get_config() | {"max_shift": self.max_shift}


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
