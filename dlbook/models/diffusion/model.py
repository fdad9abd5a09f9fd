"""The net, its loss and its sampler as a Keras model."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dlbook.models.diffusion.process import (
    FIRST_TIME,
    PREDICTIONS,
    SCHEDULES,
    Tensor,
    beside,
    image_and_noise,
    one_of,
    signal_and_noise,
    target,
)
from dlbook.models.diffusion.sampling import guide, on_straight_path, sample


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
        one_of("schedule", schedule, SCHEDULES)
        one_of("prediction", prediction, PREDICTIONS)
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
        alpha, sigma = (beside(part, images) for part in SCHEDULES[self.schedule](times))
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
        freshness: float = 0.0, straight: bool = False, seed: int = 0, batch_size: int = 625,
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
