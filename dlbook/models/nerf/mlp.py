"""Dense nets from coordinates to colours: of a picture, and of a scene.

Paper: Mildenhall and others, "NeRF: representing scenes as neural radiance fields for view
synthesis", ECCV 2020.
"""

from collections.abc import Sequence

import keras
from keras import layers

from dlbook.models.nerf.encoding import FourierFeatures, PositionalEncoding
from dlbook.models.nerf.rays import Box

SCENE_BOX: Box = ((-1.2, -1.2, -1.2), (1.2, 1.2, 1.2))


def build_picture_net(
    scale: float | None = None,
    *,
    num_waves: int = 64,
    hidden_units: Sequence[int] = (128, 128, 128),
    seed: int = 0,
) -> keras.Model:
    """From a place in a picture to the colour there.

    Args:
        scale: σ of the Fourier features, in waves per width of the picture. None: no encoding;
            the places are only brought to −1 to 1, because a net learns more slowly from inputs
            whose mean is not 0.
        num_waves: Number of the waves.
        hidden_units: Units of each hidden layer.
        seed: Seed of the waves.

    Returns:
        A model from (points, 2), 0 to 1, to colours (points, 3), 0 to 1.
    """
    places = x = keras.Input((2,), name="places")
    if scale is None:
        x = layers.Rescaling(2.0, -1.0)(x)
    else:
        x = FourierFeatures(num_waves, scale, seed=seed)(x)
    for units in hidden_units:
        x = layers.Dense(units, activation="relu")(x)
    colours = layers.Dense(3, activation="sigmoid", dtype="float32", name="colour")(x)
    return keras.Model(places, colours, name="picture")


def build_mlp(
    *,
    units: int = 256,
    depth: int = 8,
    skip: int | None = 4,
    position_frequencies: int = 10,
    direction_frequencies: int | None = 4,
    box: Box = SCENE_BOX,
    density_bias: float = 0.0,
    density_scale: float = 1.0,
) -> keras.Model:
    """The net of the NeRF paper; the defaults are its size.

    The density depends on the place alone. The colour may depend on the direction too, through one
    more layer of half as many units.

    Args:
        units: Units of a hidden layer.
        depth: Number of hidden layers.
        skip: After how many layers the encoded place is joined on again. None: never.
        position_frequencies: Octaves of the place. 0: no encoding.
        direction_frequencies: Octaves of the direction. None: the colour does not depend on it.
        box: The part of space that is brought to −1 to 1 before it is encoded.
        density_bias: Bias of the last layer before the density at the start.
        density_scale: The density is the softplus of that layer, times this number: a solid needs
            densities of 100 and more, which a net reaches sooner with a larger factor.

    Returns:
        A model from places (points, 3) and directions (points, 3) of length 1 to densities
        (points,), 0 or more per unit of length, and colours (points, 3), 0 to 1.
    """
    places, directions = keras.Input((3,), name="places"), keras.Input((3,), name="directions")
    low, high = box
    scale = [2 / (top - bottom) for bottom, top in zip(low, high, strict=True)]
    offset = [-1 - bottom * factor for bottom, factor in zip(low, scale, strict=True)]
    inside = layers.Normalization(  # (x - mean) / standard deviation, with both given
        mean=[-shift / factor for shift, factor in zip(offset, scale, strict=True)],
        variance=[1 / factor**2 for factor in scale],
    )(places)
    encoded = x = PositionalEncoding(position_frequencies, name="encoded_place")(inside)
    for layer in range(depth):
        if layer == skip:
            x = layers.Concatenate(name="skip")([x, encoded])
        x = layers.Dense(units, activation="relu", kernel_initializer="he_uniform")(x)
    density = layers.Dense(
        1,
        activation="softplus",
        bias_initializer=keras.initializers.Constant(density_bias),
        dtype="float32",
        name="density",
    )(x)
    if direction_frequencies is not None:
        seen_from = PositionalEncoding(direction_frequencies, name="encoded_direction")(directions)
        x = layers.Dense(units, name="feature")(x)
        x = layers.Concatenate()([x, seen_from])
        x = layers.Dense(units // 2, activation="relu", kernel_initializer="he_uniform")(x)
    colour = layers.Dense(3, activation="sigmoid", dtype="float32", name="colour")(x)
    density = layers.Rescaling(density_scale)(layers.Reshape(())(density))
    return keras.Model([places, directions], [density, colour], name="mlp")
