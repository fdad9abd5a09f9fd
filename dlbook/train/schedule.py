"""Learning rates that change during training."""

from dlbook.runtime import quiet_start_up

with quiet_start_up():
    import keras
    from keras import ops


@keras.saving.register_keras_serializable(package="dlbook")
class WarmupCosine(keras.optimizers.schedules.CosineDecay):
    """Keras's schedule with the same numbers, but without a condition in the graph.

    An optimizer with weight decay asks for the rate once for each of its variables. Each condition
    costs tracing time then, a second and more for a net of 14 layers; to compute both branches and
    take one costs next to nothing.
    """

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """The rate at a step, () float32."""
        start = ops.convert_to_tensor(self.initial_learning_rate)
        dtype = start.dtype
        decay_steps, warmup_steps, peak = (
            ops.cast(value, dtype)
            for value in (self.decay_steps, self.warmup_steps, self.warmup_target)
        )
        step = ops.minimum(ops.cast(step, dtype), decay_steps + warmup_steps)
        rising = self._warmup_function(step, warmup_steps, peak, start)
        falling = self._decay_function(step - warmup_steps, decay_steps, peak, dtype)
        return ops.where(step < warmup_steps, rising, falling)


def warmup_cosine(
    peak: float,
    steps: int,
    *,
    warmup_steps: int | None = None,
    start: float = 0.1,
    end: float = 0.0,
) -> keras.optimizers.schedules.CosineDecay:
    """A rate that rises in a straight line and then falls along half a cosine.

    The first steps are taken on gradients of random weights, and by an optimizer whose averages
    are still empty: small steps do less harm there. At the end small steps let the weights settle.

    Args:
        peak: The highest rate, reached after the warm-up.
        steps: Steps of the whole training: epochs times batches of an epoch.
        warmup_steps: Steps in which the rate rises. None: a tenth of all. 0: it only falls.
        start: Rate of the first step, as a share of the peak.
        end: Rate after the last step, as a share of the peak.

    Returns:
        A schedule for any Keras optimizer.

    Raises:
        ValueError: The warm-up leaves no step to fall in.

    Paper: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017
    (the cosine); Vaswani and others, "Attention is all you need", NeurIPS 2017 (the warm-up).
    """
    warmup_steps = steps // 10 if warmup_steps is None else warmup_steps
    if not 0 <= warmup_steps < steps:
        raise ValueError(f"warmup_steps={warmup_steps} must be from 0 to less than {steps=}")
    if warmup_steps == 0:
        return keras.optimizers.schedules.CosineDecay(peak, steps, alpha=end)
    return WarmupCosine(
        start * peak,
        steps - warmup_steps,
        alpha=end,
        warmup_target=peak,
        warmup_steps=warmup_steps,
    )
