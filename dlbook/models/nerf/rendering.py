"""Volume rendering: from densities and colours along a ray to the colour that a camera sees.

Papers: Max, "Optical models for direct volume rendering", IEEE TVCG 1(2), 1995; Mildenhall and
others, "NeRF: representing scenes as neural radiance fields for view synthesis", ECCV 2020.
"""

import keras
from keras import ops


def render_weights(density: keras.KerasTensor, lengths: keras.KerasTensor) -> keras.KerasTensor:
    """Share of each piece of a ray in the colour that is seen.

    A piece lets the share exp(−density · length) of the light through. Its weight is what it stops
    itself, times what all pieces before it let through.

    Args:
        density: (..., pieces), 0 or more, per unit of length; ordered from the camera on.
        lengths: The same shape, or one that broadcasts to it: length of each piece.

    Returns:
        (..., pieces), none negative. Their sum is 1 − exp(−Σ density · length), so at most 1: what
        is missing comes from behind the last piece.
    """
    thickness = density * lengths
    before = ops.cumsum(thickness, axis=-1) - thickness
    # 1 - exp(-x), without the digits that the subtraction loses for a thin piece
    return -ops.expm1(-thickness) * ops.exp(-before)


def composite(
    density: keras.KerasTensor,
    colour: keras.KerasTensor,
    distances: keras.KerasTensor,
    lengths: keras.KerasTensor,
    *,
    background: float = 1.0,
) -> dict[str, keras.KerasTensor]:
    """What a camera sees along rays that are cut into pieces.

    Args:
        density: (..., pieces), 0 or more.
        colour: (..., pieces, channels), 0 to 1.
        distances: (..., pieces), of the pieces from the camera.
        lengths: (..., pieces), or broadcasting to it.
        background: Colour behind the last piece; 1 is white.

    Returns:
        A dictionary: "colour" (..., channels); "opacity" (...,), the sum of the weights; "depth"
        (...,), the mean distance under the weights, 0 for a ray that meets nothing; "weights"
        (..., pieces).
    """
    weights = render_weights(density, lengths)
    opacity = ops.sum(weights, axis=-1)
    seen = ops.sum(weights[..., None] * colour, axis=-2)
    depth = ops.sum(weights * distances, axis=-1) / ops.maximum(opacity, 1e-6)
    return {
        "colour": seen + (1.0 - opacity)[..., None] * background,
        "opacity": opacity,
        "depth": depth,
        "weights": weights,
    }


def psnr(picture: keras.KerasTensor, truth: keras.KerasTensor) -> keras.KerasTensor:
    """Peak signal-to-noise ratio of pictures in dB: −10 log₁₀ of the mean squared error.

    Args:
        picture: (..., height, width, channels), 0 to 1.
        truth: The same shape.

    Returns:
        (...,), one number for each picture. 10 dB more are a tenth of the squared error.
    """
    error = ops.mean(ops.square(picture - truth), axis=(-3, -2, -1))
    return -10.0 * ops.log10(ops.maximum(error, 1e-12))
