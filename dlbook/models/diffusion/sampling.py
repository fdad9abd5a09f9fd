"""The way back: samplers, guidance, and the exact guess of a training set."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from dlbook.models.diffusion.process import FIRST_TIME, Tensor, one_of, signal_and_noise


def step_back(
    noisy: Any, image: Any, t: float, earlier: float, fresh_noise: Any, *,
    schedule: str = "cosine", freshness: float = 1.0,
) -> Tensor:  # fmt: skip
    """One step of a sampler, from time ``t`` to an earlier one.

    The image that the net sees behind ``noisy`` is mixed with noise again, but with less. The
    noise is the one that ``noisy`` has in it (DDIM) or in part a fresh one (DDPM).

    Args:
        noisy: (batch, ...), at time ``t``.
        image: (batch, ...), the net's guess of the image.
        t: The time now, above 0.
        earlier: The time to go to, from 0 to below ``t``.
        fresh_noise: (batch, ...), from the standard normal distribution.
        schedule: As in ``signal_and_noise``.
        freshness: 0 is DDIM; 1 is DDPM, whose fresh noise has the variance that the forward
            process has from ``earlier`` to ``t``, given the image.

    Returns:
        (batch, ...), at the time ``earlier``.

    Raises:
        ValueError: Times that do not go back.
    """
    if not 0 <= earlier < t <= 1:
        raise ValueError(f"a step goes from {t=} to an earlier time, not to {earlier=}")
    (alpha, sigma), (alpha_s, sigma_s) = (
        (float(a), float(s)) for a, s in (signal_and_noise(u, schedule) for u in (t, earlier))
    )
    noise = (noisy - alpha * image) / sigma
    # variance of what is added from s to t: σ² − (α/α_s)² σ_s²; given both ends, times σ_s²/σ²
    added = max(sigma**2 - (alpha / max(alpha_s, 1e-12) * sigma_s) ** 2, 0.0)
    fresh = freshness * sigma_s / sigma * math.sqrt(added)
    kept = math.sqrt(max(sigma_s**2 - fresh**2, 0.0))
    moved = alpha_s * image + kept * noise
    return moved + fresh * fresh_noise if fresh else moved


def sampling_times(steps: int) -> np.ndarray:
    """Times of a sampler: ``steps + 1`` of them, from almost 1 to 0, evenly spaced."""
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, not {steps}")
    times = np.linspace(1.0, 0.0, steps + 1)
    times[0] = FIRST_TIME
    return times


def sample(
    guess: Callable[[Tensor, float], Tensor],
    start: Any,
    steps: int,
    *,
    schedule: str = "cosine",
    freshness: float = 0.0,
    seed: int = 0,
    keep: bool = False,
) -> Any:
    """From noise to images by a function that guesses the image behind a noisy one.

    Args:
        guess: From noisy images (batch, ...) and one time to images (batch, ...).
        start: (batch, ...), standard normal noise.
        steps: Steps from noise to image, each with one guess.
        schedule: As in ``signal_and_noise``.
        freshness: 0 is DDIM, which draws nothing on the way; 1 is DDPM.
        seed: Seed of the fresh noise.
        keep: Return all times, (steps + 1, batch, ...), and the guesses, (steps, batch, ...).

    Returns:
        (batch, ...); with ``keep`` a pair of arrays.

    Raises:
        ValueError: Fewer steps than one.
    """
    times = sampling_times(steps)
    draws = keras.random.SeedGenerator(seed)
    noisy = np.asarray(ops.convert_to_numpy(start), "float32")
    path, guesses = [noisy], []
    for t, earlier in itertools.pairwise(times):
        image = guess(noisy, float(t))
        fresh = 0.0
        if freshness:
            fresh = ops.convert_to_numpy(keras.random.normal(noisy.shape, seed=draws))
        noisy = step_back(
            noisy, image, float(t), float(earlier), fresh, schedule=schedule, freshness=freshness
        )
        if keep:
            path.append(noisy)
            guesses.append(image)
    if keep:
        return np.stack(path), np.stack(guesses)
    return noisy


def guide(with_class: Any, without: Any, strength: float) -> Any:
    """Classifier-free guidance: go on in the direction that the class points in.

    Args:
        with_class: The net's answer when it is told the class.
        without: Its answer when it is not.
        strength: 0 gives ``with_class``, −1 ``without``; 1 and more exaggerate the difference.

    Returns:
        with_class + strength · (with_class − without).
    """
    return with_class + strength * (with_class - without)


def exact_guess(examples: np.ndarray, schedule: str = "cosine") -> Callable:
    """The best possible guess when the data are these examples and nothing else.

    It is their average, weighted by how probable each makes the noisy point: what a perfect net
    would learn from a training set. (Its score is (α · guess − z)/σ².)

    Args:
        examples: (examples, numbers).
        schedule: As in ``signal_and_noise``.

    Returns:
        A function for ``sample``, from points (batch, numbers) and a time to (batch, numbers).
    """
    examples = np.asarray(examples, np.float64)

    def guess(noisy: Any, t: float) -> np.ndarray:
        alpha, sigma = (float(part) for part in signal_and_noise(t, schedule))
        noisy = np.asarray(ops.convert_to_numpy(noisy), np.float64)
        squares = np.square(noisy).sum(axis=1)[:, None] + alpha**2 * np.square(examples).sum(axis=1)
        scores = (2 * alpha * noisy @ examples.T - squares) / (2 * sigma**2)  # (batch, examples)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return ((weights / weights.sum(axis=1, keepdims=True)) @ examples).astype("float32")

    return guess


def on_straight_path(guess: Callable, schedule: str = "cosine") -> Callable:
    """Let a guess that was learnt on one schedule answer on the straight path of flow matching.

    A point (1 − t) x + t ε has the same ratio of noise and image as a point of the other schedule
    at another time, and is that point but for its length; so no new training is needed.

    Args:
        guess: From noisy images and a time of ``schedule`` to images.
        schedule: "cosine", whose time can be found from the ratio in closed form.

    Returns:
        A function of noisy images and a time on the straight path, for
        ``sample(..., schedule="straight")``, whose steps are then Euler's for the flow.

    Raises:
        ValueError: Another schedule than "cosine".
    """
    one_of("schedule", schedule, ("cosine",))

    def straight(noisy: Tensor, t: float) -> Tensor:
        length = math.hypot(1 - t, t)
        return guess(noisy / length, min(math.atan2(t, 1 - t) * 2 / math.pi, FIRST_TIME))

    return straight
