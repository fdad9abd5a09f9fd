"""The forward process: schedules, noisy images, and what a net can be asked for."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = keras.KerasTensor
FIRST_TIME = 0.999  # the samplers begin here: at t = 1 there is nothing left of the image
LOWEST_BETA, HIGHEST_BETA = 0.1, 20.0  # the linear schedule of DDPM: 1000 steps of 0.0001 to 0.02


def _cosine(t: Tensor) -> tuple[Tensor, Tensor]:
    angle = t * (math.pi / 2)
    return ops.cos(angle), ops.sin(angle)


def _linear(t: Tensor) -> tuple[Tensor, Tensor]:
    log_alpha = -0.5 * (LOWEST_BETA * t + 0.5 * (HIGHEST_BETA - LOWEST_BETA) * t**2)
    return ops.exp(log_alpha), ops.sqrt(-ops.expm1(2.0 * log_alpha))


def _straight(t: Tensor) -> tuple[Tensor, Tensor]:
    return 1.0 - t, t


SCHEDULES: dict[str, Callable] = {"cosine": _cosine, "linear": _linear, "straight": _straight}


def signal_and_noise(t: Any, schedule: str = "cosine") -> tuple[Tensor, Tensor]:
    """How much of the image and how much noise there is at a time.

    Args:
        t: Times from 0 (image) to 1 (noise), any shape.
        schedule: "cosine" and "linear" keep α² + σ² = 1; "straight", the one of rectified flow,
            keeps α + σ = 1.

    Returns:
        α and σ, each of the shape of ``t``.

    Raises:
        ValueError: An unknown schedule, or a time outside 0 to 1 (NaN too), where it can be seen.
    """
    one_of("schedule", schedule, SCHEDULES)
    if isinstance(t, float | int | list | tuple | np.ndarray | np.generic):
        t = np.asarray(t, "float32")
        if not ((t >= 0) & (t <= 1)).all():  # NaN fails both
            raise ValueError("t must be from 0 (image) to 1 (noise)")
    t = ops.convert_to_tensor(t)
    return SCHEDULES[schedule](t)


def diffuse(images: Any, noise: Any, t: Any, schedule: str = "cosine") -> Tensor:
    """The forward process in closed form: any time in one step.

    Args:
        images: (batch, ...).
        noise: (batch, ...), from the standard normal distribution.
        t: (batch,), times from 0 to 1.
        schedule: As in ``signal_and_noise``.

    Returns:
        (batch, ...): α images + σ noise.
    """
    alpha, sigma = (beside(part, images) for part in signal_and_noise(t, schedule))
    return alpha * images + sigma * noise


PREDICTIONS = ("image", "noise", "v", "flow")


def target(kind: str, images: Any, noise: Any, alpha: Any, sigma: Any) -> Tensor:
    """What the net is asked for: one of four mixtures of image and noise.

    Args:
        kind: "image", "noise", "v" (α noise − σ image) or "flow" (noise − image).
        images: (batch, ...).
        noise: (batch, ...).
        alpha: Share of the image, a number or broadcastable.
        sigma: Share of the noise.

    Returns:
        (batch, ...).
    """
    one_of("prediction", kind, PREDICTIONS)
    if kind == "image":
        return images
    if kind == "noise":
        return noise
    return alpha * noise - sigma * images if kind == "v" else noise - images


def image_and_noise(
    kind: str, prediction: Any, noisy: Any, alpha: Any, sigma: Any
) -> tuple[Tensor, Tensor]:
    """Image and noise that a prediction stands for, so that α image + σ noise = noisy.

    Args:
        kind: As in ``target``.
        prediction: (batch, ...), what the net says.
        noisy: (batch, ...), what it saw.
        alpha: Share of the image; above 0 for "noise".
        sigma: Share of the noise; above 0 for "image".

    Returns:
        Image and noise, both (batch, ...).
    """
    one_of("prediction", kind, PREDICTIONS)
    if kind == "image":
        return prediction, (noisy - alpha * prediction) / sigma
    if kind == "noise":
        return (noisy - sigma * prediction) / alpha, prediction
    if kind == "v":
        square = alpha**2 + sigma**2
        image = (alpha * noisy - sigma * prediction) / square
        return image, (sigma * noisy + alpha * prediction) / square
    total = alpha + sigma
    return (noisy - sigma * prediction) / total, (noisy + alpha * prediction) / total


def one_of(name: str, value: str, allowed: Sequence[str] | dict) -> None:
    """Raise a ValueError that names the argument, unless ``value`` is allowed."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def beside(numbers: Tensor, images: Any) -> Tensor:
    """(batch,) with as many ones behind as images have axes beside the first."""
    if not len(numbers.shape):
        return numbers
    return ops.reshape(numbers, (-1, *(1,) * (len(images.shape) - 1)))
