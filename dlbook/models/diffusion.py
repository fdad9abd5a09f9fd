"""Diffusion models: images out of noise, step by step.

A forward process mixes an image x with noise ε, z = α(t) x + σ(t) ε. The time t goes from 0 (the
image) to 1 (noise); α and σ are the *schedule*. A net that sees z and t learns to undo this, and a
sampler walks from t = 1 to t = 0 with it. Images are numbers from −1 to 1.

Papers: Sohl-Dickstein and others, "Deep unsupervised learning using nonequilibrium
thermodynamics", ICML 2015; Ho, Jain & Abbeel, "Denoising diffusion probabilistic models" (DDPM),
NeurIPS 2020; Nichol & Dhariwal, "Improved denoising diffusion probabilistic models", ICML 2021 (the
cosine); Song, Meng & Ermon, "Denoising diffusion implicit models" (DDIM), ICLR 2021; Salimans & Ho,
"Progressive distillation for fast sampling of diffusion models", ICLR 2022 (v); Ho & Salimans,
"Classifier-free diffusion guidance", 2022; Liu, Gong & Liu, "Flow straight and fast" (rectified
flow), ICLR 2023; Lipman and others, "Flow matching for generative modeling", ICLR 2023.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

Tensor = keras.KerasTensor
FIRST_TIME = 0.999  # the samplers begin here: at t = 1 there is nothing left of the image
LOWEST_BETA, HIGHEST_BETA = 0.1, 20.0  # the linear schedule of DDPM: 1000 steps of 0.0001 to 0.02


# --- the forward process


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
    _one_of("schedule", schedule, SCHEDULES)
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
    alpha, sigma = (_beside(part, images) for part in signal_and_noise(t, schedule))
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
    _one_of("prediction", kind, PREDICTIONS)
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
    _one_of("prediction", kind, PREDICTIONS)
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


# --- the way back


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


# --- the nets


@keras.saving.register_keras_serializable(package="dlbook")
class TimeFeatures(layers.Layer):
    """Sines and cosines of a time, so that a dense layer can tell near times apart.

    Args:
        num_features: An even number; half are sines. Periods go from 1 to 100 per unit of time.
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
        num_blocks: Residual blocks at each size, on the way down and on the way up.
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
        named = layers.Embedding(num_classes + 1, embedding_dim)(inputs[2])
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
    for _ in range(num_blocks):
        x = residual_block(x, condition, channels[1])
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


@keras.saving.register_keras_serializable(package="dlbook")
class DiffusionModel(keras.Model):
    """A net that learns to undo noise, and the sampler that uses it.

    Compile it without a loss and fit it without targets, on images (batch, ...) or on the pair
    (images, classes): every batch gets new times and new noise, and ``compute_loss`` is the mean
    squared error of what the net is asked for. For an average of the weights over the last steps
    (EMA), compile with an optimizer of ``use_ema=True``: ``fit`` puts the average in place when
    it ends.

    Args:
        net: From noisy images, times and, with classes, classes to what ``prediction`` names.
        schedule: As in ``signal_and_noise``.
        prediction: As in ``target``.
        num_classes: Classes that the net is told; 0 for none. The net's number ``num_classes``
            means "not told".
        hidden_classes: Share of the examples whose class is not told in training, so that the
            net can do without, which guidance needs.
        limits: The smallest and the largest number of an image, to which guesses are clipped; None
            for points.
        seed: Seed of times, noise and hidden classes.
    """

    def __init__(
        self, net: keras.Model, *, schedule: str = "cosine", prediction: str = "image",
        num_classes: int = 0, hidden_classes: float = 0.2,
        limits: Sequence[float] | None = (-1.0, 1.0), seed: int = 0, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        _one_of("schedule", schedule, SCHEDULES)
        _one_of("prediction", prediction, PREDICTIONS)
        if bool(num_classes) != (len(net.inputs) == 3):
            raise ValueError(f"{num_classes=} does not fit a net with {len(net.inputs)} inputs")
        self.net, self.schedule, self.prediction = net, schedule, prediction
        net.jit_compile = False  # for ``guess``: XLA is slower on a CPU
        self.num_classes, self.hidden_classes = num_classes, hidden_classes
        self.limits = None if limits is None else tuple(limits)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)
        self.built = True  # the net is

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Tensor]:
        """Draw times and noise, and let the net answer.

        Returns:
            A dictionary: "answer" and "target", both (batch, ...).
        """
        images, *classes = inputs if isinstance(inputs, list | tuple) else (inputs,)
        images = ops.cast(images, "float32")
        count = ops.shape(images)[0]
        # one time in each of as many equal parts of 0 to 1: less chance, the same average
        start = keras.random.uniform((), seed=self.draws)
        times = (ops.arange(count, dtype="float32") + start) / ops.cast(count, "float32")
        times = ops.clip(times, 1 - FIRST_TIME, FIRST_TIME)
        noise = keras.random.normal(ops.shape(images), seed=self.draws)
        alpha, sigma = (_beside(part, images) for part in SCHEDULES[self.schedule](times))
        if classes:
            hidden = keras.random.uniform((count,), seed=self.draws) < self.hidden_classes
            classes = [ops.where(hidden, self.num_classes, ops.cast(classes[0], "int32"))]
        answer = self.net([alpha * images + sigma * noise, times, *classes], training=training)
        return {
            "answer": answer,
            "target": target(self.prediction, images, noise, alpha, sigma),
        }

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:  # fmt: skip
        """Mean squared error of the answer."""
        return ops.mean(ops.square(y_pred["answer"] - y_pred["target"]))

    def guess(
        self, noisy: Any, t: float, classes: Any = None, *, strength: float = 0.0
    ) -> np.ndarray:
        """The image that the net sees behind noisy ones, clipped to the limits.

        Args:
            noisy: (batch, ...).
            t: One time for all of them, above 0.
            classes: (batch,), or None where the net is not told.
            strength: Of the guidance, as in ``guide``; 0 for none.

        Returns:
            (batch, ...).

        Raises:
            ValueError: A time outside the schedule, or guidance without classes.
        """
        if not 0 < t <= 1:
            raise ValueError(f"t must be above 0 and at most 1, not {t}")
        if strength and classes is None:
            raise ValueError("guidance needs classes to go towards")
        noisy = np.asarray(ops.convert_to_numpy(noisy), "float32")
        count = len(noisy)
        times = np.full(count, t, "float32")

        def answer(told: Any) -> Tensor:
            beside = [told] if self.num_classes else []
            return self.net.predict_on_batch([noisy, times, *beside])  # compiled

        unknown = np.full(count, self.num_classes, "int32")
        if classes is None:
            prediction = answer(unknown)
        else:
            prediction = answer(self._checked(classes, count))
            if strength:
                prediction = guide(prediction, answer(unknown), strength)
        alpha, sigma = (float(part) for part in signal_and_noise(t, self.schedule))
        image, _ = image_and_noise(self.prediction, prediction, noisy, alpha, sigma)
        return image if self.limits is None else np.clip(image, *self.limits)

    def generate(
        self, count: int, *, steps: int = 50, classes: Any = None, strength: float = 0.0,
        freshness: float = 0.0, straight: bool = False, seed: int = 0, batch_size: int = 125,
    ) -> np.ndarray:  # fmt: skip
        """Invent images.

        Args:
            count: How many.
            steps: Steps from noise to image.
            classes: (count,), what to draw; None leaves it to the net.
            strength: Of the guidance; 0 for none.
            freshness: 0 is DDIM, 1 is DDPM.
            straight: Walk along the straight path of flow matching, whatever the schedule that
                the net was trained with.
            seed: Another seed, other images.
            batch_size: Images at once; bounds the memory.

        Returns:
            (count, ...), float32.

        Raises:
            ValueError: No images or no steps; as many classes as images were not given.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, not {count}")
        if classes is not None:
            classes = self._checked(classes, count)
        start = np.random.default_rng(seed).normal(size=(count, *self.net.inputs[0].shape[1:]))
        made = []
        for first in range(0, count, batch_size):
            rows = slice(first, first + batch_size)

            def guess(noisy: Tensor, t: float, rows: slice = rows) -> Tensor:
                told = None if classes is None else classes[rows]
                return self.guess(noisy, t, told, strength=strength)

            schedule = self.schedule
            if straight and schedule != "straight":
                guess, schedule = on_straight_path(guess, schedule), "straight"
            settings = {"schedule": schedule, "freshness": freshness, "seed": seed + first}
            made.append(sample(guess, start[rows], steps, **settings))
        return np.concatenate(made)

    def _checked(self, classes: Any, count: int) -> np.ndarray:
        if not self.num_classes:
            raise ValueError("this net is told no classes: build it with num_classes")
        classes = np.asarray(classes)
        wrong = classes.shape != (count,) or classes.dtype.kind not in "iu"
        if wrong or classes.min() < 0 or classes.max() > self.num_classes:
            raise ValueError(
                f"classes must be {count} whole numbers from 0 to {self.num_classes - 1} "
                f"({self.num_classes}: not told)"
            )
        return classes.astype("int32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "net": keras.saving.serialize_keras_object(self.net),
            "schedule": self.schedule,
            "prediction": self.prediction,
            "num_classes": self.num_classes,
            "hidden_classes": self.hidden_classes,
            "limits": self.limits,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DiffusionModel":
        return cls(**{**config, "net": keras.saving.deserialize_keras_object(config["net"])})


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
    _one_of("schedule", schedule, ("cosine",))

    def straight(noisy: Tensor, t: float) -> Tensor:
        length = math.hypot(1 - t, t)
        return guess(noisy / length, min(math.atan2(t, 1 - t) * 2 / math.pi, FIRST_TIME))

    return straight


def scale_images(pixels: np.ndarray) -> np.ndarray:
    """Pixels as they are stored, 0 to 255, as images from −1 to 1 with a channel.

    Args:
        pixels: (batch, height, width).

    Returns:
        (batch, height, width, 1), float32.

    Raises:
        ValueError: Another shape, NaN, numbers outside 0 to 255, or pixels scaled already.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or not len(pixels):
        raise ValueError(f"pixels must be (batch, height, width), not {pixels.shape}")
    if not ((pixels >= 0) & (pixels <= 255)).all() or 0 < pixels.max() <= 1:
        raise ValueError("pixels must be numbers from 0 to 255, none of them NaN")
    return (pixels.astype("float32") / 127.5 - 1.0)[..., None]


def _one_of(name: str, value: str, allowed: Sequence[str] | dict) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def _beside(numbers: Tensor, images: Any) -> Tensor:
    """(batch,) with as many ones behind as images have axes beside the first."""
    if not len(numbers.shape):
        return numbers
    return ops.reshape(numbers, (-1, *(1,) * (len(images.shape) - 1)))
