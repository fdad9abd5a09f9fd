"""Data augmentation inside the model, and two small convolutional nets for photographs.

The nets take pixels as they are stored, 0 to 255, and return one logit: a score whose sigmoid is
the probability of class 1. Train them with ``BinaryCrossentropy(from_logits=True)``. Logits are
float32 under mixed precision too.

Papers: Simard, Steinkraus & Platt, "Best practices for convolutional neural networks applied to
visual document analysis", ICDAR 2003; Lin, Chen & Yan, "Network in network", ICLR 2014; Ioffe &
Szegedy, "Batch normalization", ICML 2015.
"""

from collections.abc import Sequence

import keras
from keras import layers

Shape = tuple[int, int, int]


@keras.saving.register_keras_serializable(package="dlbook")
class Augmentation(layers.Layer):
    """Keras's random layers one after another, in training and never otherwise.

    Left to themselves, Keras's layers also change pictures in a plain ``model(x)``, because their
    ``training`` is true unless told otherwise. What comes in at the border is the picture's own
    reflection.

    Args:
        flip: "horizontal", "vertical", "horizontal_and_vertical", or None.
        rotation: Largest angle, as a share of a full turn, to either side.
        zoom: Largest change of height and width, as a share, each for itself.
        shear: Largest shear along x and y, as a share.
        shift: Largest move down and across, as a share of the size.
        interpolation: "bilinear" mixes four pixels, and so blurs; "nearest" takes the nearest one.
    """

    def __init__(
        self,
        flip: str | None = "horizontal",
        rotation: float = 0.05,
        zoom: float = 0.2,
        shear: float = 0.2,
        shift: float = 0.0,
        interpolation: str = "nearest",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.amounts = {
            "flip": flip,
            "rotation": rotation,
            "zoom": zoom,
            "shear": shear,
            "shift": shift,
            "interpolation": interpolation,
        }
        how = {"interpolation": interpolation}
        self.steps = []
        if flip:
            self.steps.append(layers.RandomFlip(flip))
        if rotation:
            self.steps.append(layers.RandomRotation(rotation, **how))
        if zoom:
            self.steps.append(layers.RandomZoom(zoom, zoom, **how))
        if shear:
            self.steps.append(layers.RandomShear(shear, shear, **how))
        if shift:
            self.steps.append(layers.RandomTranslation(shift, shift, **how))

    def build(self, input_shape: tuple) -> None:
        for step in self.steps:
            step.build(input_shape)

    def call(self, pictures: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        if not training:
            return pictures
        for step in self.steps:
            pictures = step(pictures, training=True)
        return pictures

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), **self.amounts}


def build_article_cnn(
    input_shape: Shape = (150, 150, 3),
    *,
    augmentation: layers.Layer | None = None,
    filters: Sequence[int] = (32, 32, 64),
    dropout: float = 0.5,
) -> keras.Model:
    """The net of the article "Five" §2: three pooled convolutions and a hidden dense layer.

    1,212,513 parameters for 150×150×3 pictures, the article's size: 98 % of them in the hidden
    layer, which has a weight for every place of the last maps.

    Args:
        input_shape: Height, width, channels.
        augmentation: A layer for pixels (batch, height, width, channels) that changes pictures in
            training; None for no augmentation.
        filters: Filters of each convolution. Each is 3×3 without padding, then pooled by 2.
        dropout: Share of the hidden units set to zero in training.

    Returns:
        A model from pixels (batch, height, width, channels) to logits (batch, 1).
    """
    inputs = keras.Input(input_shape, name="pixels")
    x = inputs if augmentation is None else augmentation(inputs)
    x = layers.Rescaling(1 / 255, name="rescale")(x)
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, activation="relu", name=f"conv{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(inputs, outputs, name="article_cnn")


def build_averaging_cnn(
    input_shape: Shape = (64, 64, 3),
    *,
    augmentation: layers.Layer | None = None,
    filters: Sequence[int] = (16, 32, 64, 128),
    dropout: float = 0.3,
) -> keras.Model:
    """The chapter's net: convolution blocks with normalisation, then the mean of every map.

    Args:
        input_shape: Height, width, channels.
        augmentation: As in ``build_article_cnn``.
        filters: Filters of each block. Every block halves height and width, rounded down.
        dropout: Share of the means set to zero in training.

    Returns:
        A model from pixels (batch, height, width, channels) to logits (batch, 1).

    Raises:
        ValueError: The blocks would halve the picture to nothing.
    """
    smallest = min(input_shape[:2])
    if smallest < 2 ** len(filters):
        raise ValueError(f"{len(filters)} blocks halve {smallest} pixels to nothing")
    inputs = keras.Input(input_shape, name="pixels")
    x = inputs if augmentation is None else augmentation(inputs)
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(x)
    for number, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(inputs, outputs, name="averaging_cnn")
