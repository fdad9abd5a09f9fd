"""Many small diffusion models that learn and draw side by side, for comparisons over seeds."""

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from dlbook.models.diffusion.process import (
    PREDICTIONS,
    SCHEDULES,
    Tensor,
    image_and_noise,
    one_of,
    signal_and_noise,
    target,
)


class ManyDiffusions(keras.Model):
    """Several nets of ``build_point_nets``, each with a prediction and a schedule of its own.

    All share the times and the noise of a batch. The target of every prediction is computed for
    all nets and multiplied by 0 or 1, so that each net keeps the one it is asked for. The loss is
    the mean over the nets; as they share no weights, each learns as it would alone.

    Args:
        net: From noisy points (batch, nets, numbers) and times (batch,) to the same shape.
        predictions: What each net is asked for: "image", "noise", "v" or "flow".
        schedules: The schedule of each net.
        seed: Seed of times and noise.

    Raises:
        ValueError: Unknown names, or not one prediction and one schedule for each net.
    """

    def __init__(
        self, net: keras.Model, predictions: Sequence[str], schedules: Sequence[str],
        *, seed: int = 0, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        nets = net.inputs[0].shape[1]
        if not len(predictions) == len(schedules) == nets:
            raise ValueError(
                f"{nets} nets need as many predictions and schedules, not {len(predictions)} and "
                f"{len(schedules)}"
            )
        for prediction, schedule in zip(predictions, schedules, strict=True):
            one_of("prediction", prediction, PREDICTIONS)
            one_of("schedule", schedule, SCHEDULES)
        self.net, self.draws = net, keras.random.SeedGenerator(seed)
        self.asked, self.walked = _columns(predictions), _columns(schedules)

    def call(self, points: Tensor, training: bool | None = None) -> dict[str, Tensor]:
        """Points (batch, nets, numbers) to what each net answers, and what it is asked for."""
        t = keras.random.uniform((ops.shape(points)[0],), 0.001, 0.999, seed=self.draws)
        noise = keras.random.normal(ops.shape(points), seed=self.draws)
        alpha, sigma = self._signal_and_noise(t[:, None, None])
        asked = {kind: target(kind, points, noise, alpha, sigma) for kind in self.asked}
        answer = self.net([alpha * points + sigma * noise, t], training=training)
        return {"prediction": answer, "target": _pick(self.asked, asked)}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:  # fmt: skip
        """The mean squared error over all nets."""
        return ops.mean(ops.square(y_pred["prediction"] - y_pred["target"]))

    def generate(self, start: Any, times: Sequence[float]) -> np.ndarray:
        """DDIM of all nets at once.

        Args:
            start: (draws, nets, numbers), standard normal noise.
            times: From almost 1 down to 0, in steps of any size.

        Returns:
            (draws, nets, numbers).
        """
        points = np.asarray(start, "float32")
        for t, earlier in itertools.pairwise(times):
            answer = self.net.predict_on_batch([points, np.full(len(points), t, "float32")])
            alpha, sigma = self._signal_and_noise(t)
            pairs = {
                kind: image_and_noise(kind, answer, points, alpha, sigma) for kind in self.asked
            }
            image, noise = (
                _pick(self.asked, {kind: pair[part] for kind, pair in pairs.items()})
                for part in range(2)
            )
            alpha, sigma = self._signal_and_noise(earlier)
            points = np.asarray(ops.convert_to_numpy(alpha * image + sigma * noise))
        return points

    def _signal_and_noise(self, t: Any) -> list[Tensor]:
        pairs = {name: signal_and_noise(t, name) for name in self.walked}
        return [
            _pick(self.walked, {name: pair[part] for name, pair in pairs.items()})
            for part in range(2)
        ]


def _columns(names: Sequence[str]) -> dict[str, np.ndarray]:
    """For each name a column (nets, 1): 1 where a net has it, else 0."""
    names = np.asarray(names)
    return {str(name): (names == name)[:, None].astype("float32") for name in np.unique(names)}


def _pick(columns: dict[str, np.ndarray], values: dict[str, Tensor]) -> Tensor:
    """Of the values of all names, each net's own."""
    return sum(columns[name] * values[name] for name in columns)
