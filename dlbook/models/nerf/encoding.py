"""Encodings: few coordinates in, many waves of them out.

Papers: Rahaman and others, "On the spectral bias of neural networks", ICML 2019; Mildenhall and
others, "NeRF", ECCV 2020 (octaves of every axis); Tancik and others, "Fourier features let networks
learn high frequency functions in low dimensional domains", NeurIPS 2020 (random directions).
"""

import math

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="dlbook")
class PositionalEncoding(layers.Layer):
    """Sine and cosine of π, 2π, 4π, … times every coordinate, after the coordinate itself.

    Args:
        num_frequencies: Number of octaves. 0 hands the coordinates through.

    Input (..., coordinates), from −1 to 1. Output (..., coordinates · (1 + 2 · num_frequencies)).
    """

    def __init__(self, num_frequencies: int = 10, **kwargs):
        super().__init__(**kwargs)
        if num_frequencies < 0:
            raise ValueError(f"num_frequencies must be 0 or more, not {num_frequencies}")
        self.num_frequencies = num_frequencies

    def call(self, x):
        angles = [math.pi * 2**octave * x for octave in range(self.num_frequencies)]
        waves = [wave(angle) for angle in angles for wave in (ops.sin, ops.cos)]
        return ops.concatenate([x, *waves], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] * (1 + 2 * self.num_frequencies))

    def get_config(self):
        return {**super().get_config(), "num_frequencies": self.num_frequencies}


@keras.saving.register_keras_serializable(package="dlbook")
class FourierFeatures(layers.Layer):
    """Sine and cosine of 2π B x with a random matrix B that is never trained.

    The entries of B are drawn from a normal distribution: row by row, a random direction and a
    random frequency. Its standard deviation decides how fine a pattern the waves can follow.

    Args:
        num_waves: Rows of B.
        scale: Standard deviation σ of its entries, in waves per unit of x.
        seed: Seed of the draw.

    Input (..., coordinates). Output (..., 2 · num_waves), sines first.
    """

    def __init__(self, num_waves: int = 64, scale: float = 10.0, *, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        if num_waves < 1 or not scale > 0:
            raise ValueError(f"{num_waves=} and {scale=} must be positive")
        self.num_waves, self.scale, self.seed = num_waves, scale, seed

    def build(self, input_shape):
        draw = np.random.default_rng(self.seed).normal(size=(input_shape[-1], self.num_waves))
        self.matrix = self.add_weight(
            shape=draw.shape, name="matrix", trainable=False, initializer="zeros"
        )
        self.matrix.assign(self.scale * draw)

    def call(self, x):
        angles = 2 * math.pi * ops.matmul(x, self.matrix)
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2 * self.num_waves)

    def get_config(self):
        own = {"num_waves": self.num_waves, "scale": self.scale, "seed": self.seed}
        return {**super().get_config(), **own}


def spherical_harmonics(directions: keras.KerasTensor, degree: int) -> keras.KerasTensor:
    """The real spherical harmonics up to degree 2: waves on the sphere of directions.

    Args:
        directions: (..., 3), of length 1.
        degree: 0 (a constant), 1 (also straight slopes) or 2 (also products of two coordinates).

    Returns:
        (..., (degree + 1)²).

    Raises:
        ValueError: Another degree.
    """
    if degree not in (0, 1, 2):
        raise ValueError(f"degree must be 0, 1 or 2, not {degree}")
    x, y, z = (directions[..., axis] for axis in range(3))
    waves = [0.28209479 * ops.ones_like(x)]
    if degree >= 1:
        waves += [0.48860251 * axis for axis in (y, z, x)]
    if degree == 2:
        waves += [1.09254843 * product for product in (x * y, y * z, x * z)]
        waves += [0.31539157 * (3 * z * z - 1), 0.54627422 * (x * x - y * y)]
    return ops.stack(waves, axis=-1)
