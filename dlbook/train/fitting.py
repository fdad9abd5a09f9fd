"""fit(), evaluate() and predict(): Keras's own, fed without stalls, with live progress."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dlbook.runtime import quiet_start_up

with quiet_start_up():
    import keras
    import tensorflow as tf

from dlbook.train.progress import Progress

Arrays = Any  # an array, or a tuple or dict of arrays with the same first dimension


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a finite number."""


def fit(
    model: keras.Model,
    x: Arrays | tf.data.Dataset,
    y: Arrays | None = None,
    *,
    epochs: int = 1,
    batch_size: int = 64,
    validation: tuple[Arrays, ...] | tf.data.Dataset | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    table: bool = True,
) -> keras.callbacks.History:
    """Train a compiled model: ``model.fit`` with live progress and without a pipeline stall.

    To survive a crash, put ``keras.callbacks.BackupAndRestore(folder)`` among the callbacks, with
    a folder of its own (Keras removes it at the end). The same call, made again, goes on after
    the last whole epoch and sees the examples in the order that it would have seen. Keras does
    not store the random state of dropout, so a resumed run with dropout is another one.

    Args:
        model: A compiled Keras model.
        x: Inputs: an array with the examples along the first dimension, a tuple or dict of such
            arrays, or a ``tf.data.Dataset`` of batches.
        y: Targets, as many as inputs. None when ``x`` is a data set, or the model needs none.
        epochs: Passes over the data, those of a resumed run included.
        batch_size: Examples of a step. Ignored for a data set.
        validation: Held-out ``(x, y)``, ``(x, y, sample_weight)`` or a data set, evaluated after
            every epoch.
        shuffle: New order of the examples for every epoch. Ignored for a data set.
        drop_last: Leave out the last batch of an epoch when it is smaller. XLA compiles once for
            every batch size, so this saves a compilation.
        seed: Seed of the order; epoch k has the same order in every run.
        callbacks: More Keras callbacks.
        table: Show live progress and leave a table of the epochs.

    Returns:
        Keras's history. ``history.history["seconds"]`` holds the seconds of each epoch.

    Raises:
        TrainingDivergedError: The loss became NaN or infinite.
        ValueError: The arrays do not fit together, are empty or contain NaN; a data set has no
            batch, or never ends.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, not {epochs}")
    callbacks = [*callbacks]
    _make_variables(model, y)
    if isinstance(x, tf.data.Dataset):
        if x.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("x is a data set without an end: give an epoch one with take()")
        dataset, steps_per_epoch = _checked(x.prefetch(2)), None
        steps = max(int(x.cardinality()), 0) or None
    else:
        source = _Epochs((x,) if y is None else (x, y), batch_size, shuffle, drop_last, seed)
        callbacks.insert(0, source)
        steps = source.steps
        # Keras executes whole multiples of steps_per_execution, and would run into the next epoch
        endless = steps % model.steps_per_execution == 0
        dataset, steps_per_epoch = source.dataset(endless), steps if endless else None
    if validation is not None:
        parts = (validation,) if isinstance(validation, tf.data.Dataset) else validation
        try:
            validation = _batches(*parts, batch_size=max(batch_size, 256))
        except ValueError as error:
            raise ValueError(f"validation: {error}") from error

    progress = Progress(epochs, steps, table)
    history = keras.callbacks.History()
    try:
        with _unknown_length_allowed():
            model.fit(
                dataset,
                epochs=epochs,
                steps_per_epoch=steps_per_epoch,
                validation_data=validation,
                shuffle=False,  # Keras warns that it cannot shuffle a data set
                verbose=0,
                callbacks=[_StopOnNaN(), *callbacks, progress, history],
            )
    finally:
        progress.close()
    return history


def evaluate(
    model: keras.Model, x: Arrays | tf.data.Dataset, y: Arrays | None = None, batch_size: int = 256
) -> dict[str, float]:
    """Loss and metrics of a compiled model, by name.

    Args:
        model: A compiled Keras model.
        x: Inputs, or a ``tf.data.Dataset`` of batches.
        y: Targets; None for a data set.
        batch_size: Examples computed at once. Ignored for a data set.

    Raises:
        ValueError: The arrays do not fit together, are empty or contain NaN; no batch.
    """
    with _unknown_length_allowed():
        values = model.evaluate(_batches(x, y, batch_size=batch_size), verbose=0, return_dict=True)
    return {name: float(value) for name, value in values.items()}


def predict(model: keras.Model, x: Arrays | tf.data.Dataset, batch_size: int = 256) -> Any:
    """The model's outputs for all inputs, as NumPy arrays.

    Args:
        model: A built Keras model.
        x: Inputs with the examples along the first dimension, or a ``tf.data.Dataset`` of batches.
        batch_size: Examples computed at once. Ignored for a data set.

    Raises:
        ValueError: The arrays do not fit together, are empty or contain NaN; no batch.
    """
    return model.predict(_batches(x, batch_size=batch_size), verbose=0)


def restart(model: keras.Model, seed: int) -> None:
    """New random weights for a compiled model, without compiling it again.

    What follows is the run of a fresh model with a fresh optimizer of the same settings: some
    optimizers do not start from zeros, so theirs is built anew too. For several runs of one model.

    Args:
        model: A compiled model that can be cloned by ``keras.models.clone_model``.
        seed: Seed of the weights, and of dropout and other random layers.
    """
    keras.utils.set_random_seed(seed)
    fresh = keras.models.clone_model(model)
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(fresh.trainable_variables)
    if not model.optimizer.built:  # it has not trained yet
        model.optimizer.build(model.trainable_variables)
    old = [*model.variables, *model.optimizer.variables]
    for variable, value in zip(old, [*fresh.variables, *optimizer.variables], strict=True):
        variable.assign(value)


def _make_variables(model: keras.Model, y: Arrays | None) -> None:
    """Make those of the optimizer and the metrics before the first step.

    Made during it, they would let TensorFlow trace the step twice, which costs about a second for
    a net of 14 layers. Metrics that have a name only ("accuracy") are chosen at the first sight of
    targets.
    """
    if model.built and model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    own = (getattr(type(model), name) for name in ("train_step", "compute_metrics"))
    keras_s = (keras.Model.train_step, keras.Model.compute_metrics)
    shape = getattr(model, "output_shape", None) if tuple(own) == keras_s else None
    if isinstance(y, np.ndarray) and len(y) and isinstance(shape, tuple) and None not in shape[1:]:
        model.compute_metrics(None, y[:1], np.zeros((1, *shape[1:]), "float32"))
        model.reset_metrics()


def _batches(
    x: Arrays | tf.data.Dataset, *targets_and_weights: Arrays | None, batch_size: int
) -> tf.data.Dataset:
    """One pass over arrays in their order; a data set of batches keeps its own."""
    if isinstance(x, tf.data.Dataset):
        return _checked(x)
    parts = tuple(part for part in (x, *targets_and_weights) if part is not None)
    arrays, count = _as_tensors(parts, batch_size)
    steps = -(-count // batch_size)
    return _without_autotuner(_cut(arrays, steps, batch_size, None).prefetch(2))


class _Epochs(keras.callbacks.Callback):
    """The batches of every epoch, cut from one permutation per epoch.

    Shuffling example by example costs more than a small model's training step. The permutation
    depends on seed and epoch alone, so a resumed run sees the same one: as a callback, this
    learns which epoch is the first.
    """

    def __init__(
        self, parts: tuple[Arrays, ...], batch_size: int, shuffle: bool, drop_last: bool, seed: int
    ):
        super().__init__()
        self.arrays, self.count = _as_tensors(parts, batch_size)
        if drop_last and self.count < batch_size:
            raise ValueError(f"drop_last leaves nothing of {self.count} examples and {batch_size=}")
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.steps = self.count // batch_size if drop_last else -(-self.count // batch_size)
        with tf.device("CPU:0"):
            self.epoch = tf.Variable(0, dtype=tf.int64, trainable=False)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch.assign(epoch)

    def dataset(self, endless: bool) -> tf.data.Dataset:
        """The current epoch, or endless all from it on: that halves the time of short epochs."""
        following = 2**40 if endless else 1  # repeat() would lose the number of the epoch
        numbers = tf.data.Dataset.range(1).flat_map(
            lambda _: tf.data.Dataset.range(self.epoch, self.epoch + following)
        )
        dataset = numbers.flat_map(self._batches_of).prefetch(2)
        if not endless:
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.steps))
        return _without_autotuner(dataset)

    def _batches_of(self, epoch: tf.Tensor) -> tf.data.Dataset:
        order = None
        if self.shuffle:
            rows, seed = tf.range(self.count), [self.seed, epoch]
            order = tf.random.experimental.stateless_shuffle(rows, seed=seed)
        return _cut(self.arrays, self.steps, self.batch_size, order)


def _as_tensors(parts: tuple[Arrays, ...], batch_size: int) -> tuple[Any, int]:
    """What a batch is cut from, and the number of examples."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
    counts = {}
    for name, structure in zip(("x", "y", "sample_weight"), parts, strict=False):
        if isinstance(structure, list):
            raise ValueError(f"{name} is a list: pass an array, or a tuple or dict of arrays")
        for array in tf.nest.flatten(structure) or [np.empty(0)]:
            array = np.asarray(array)
            if array.ndim == 0 or len(array) == 0:
                raise ValueError(f"{name} is empty: it needs at least one example")
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{name} contains NaN or infinite values: clean the data first")
            counts[len(array)] = name
    if len(counts) > 1:
        sizes = " and ".join(f"{count} examples in {name}" for count, name in counts.items())
        raise ValueError(f"the arrays differ in length: {sizes}")
    with tf.device("CPU:0"):  # batches are cut on the CPU and copied to the GPU one by one
        tensors = tf.nest.map_structure(tf.convert_to_tensor, parts)
    # a bare tuple of inputs would be taken for inputs and targets, so it stays wrapped
    bare = len(parts) == 1 and not isinstance(parts[0], tuple)
    return tensors[0] if bare else tensors, next(iter(counts))


def _cut(arrays: Any, steps: int, batch_size: int, order: tf.Tensor | None) -> tf.data.Dataset:
    """Batches of the rows in an order, or as they come."""

    @tf.autograph.experimental.do_not_convert
    def batch_of(step: tf.Tensor) -> Any:
        rows = slice(step * batch_size, (step + 1) * batch_size)
        if order is None:
            return tf.nest.map_structure(lambda array: array[rows], arrays)
        return tf.nest.map_structure(lambda array: tf.gather(array, order[rows]), arrays)

    return tf.data.Dataset.range(steps).map(batch_of)


def _checked(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Refuse a data set without a batch, as ``drop_remainder`` may leave it.

    Keras would train on nothing and say nothing. One of unknown length is begun, to see a batch.
    """
    count = int(dataset.cardinality())
    is_empty = count == tf.data.UNKNOWN_CARDINALITY and next(iter(dataset), None) is None
    if count == 0 or is_empty:
        raise ValueError("x is a data set without a batch: is batch_size too large?")
    return _without_autotuner(dataset)


def _without_autotuner(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Switch off tf.data's autotuner: at every end of an epoch it waits in a sleeping thread.

    Measured with TensorFlow 2.21: an epoch of 0.42 s took 0.71 to 2.6 s with it.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


@contextlib.contextmanager
def _unknown_length_allowed() -> Iterator[None]:
    """Keras warns when a data set that does not know its length comes to its end."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        yield


class _StopOnNaN(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDivergedError(
                f"the loss became {loss} at step {batch + 1} of an epoch: lower the learning "
                "rate, clip the gradients (clipnorm=1.0) or look for bad values in the data"
            )
