"""fit(), evaluate() and predict(): Keras's own, fed without stalls, with progress and resume."""

import contextlib
import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
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
    validation: tuple[Arrays, Arrays] | tf.data.Dataset | None = None,
    shuffle: bool = True,
    drop_last: bool = False,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: str | Path | None = None,
    table: bool = True,
) -> keras.callbacks.History:
    """Train a compiled model: ``model.fit`` with live progress, resume and no pipeline stall.

    Args:
        model: A compiled Keras model.
        x: Inputs: an array with the examples along the first dimension, a tuple or dict of such
            arrays, or a ``tf.data.Dataset`` of batches.
        y: Targets, as many as inputs. None when ``x`` is a data set, or the model needs none.
        epochs: Passes over the data, those of a resumed run included.
        batch_size: Examples of a step. Ignored for a data set.
        validation: Held-out ``(x, y)`` or a data set, evaluated after every epoch.
        shuffle: New order of the examples for every epoch. Ignored for a data set.
        drop_last: Leave out the last batch of an epoch when it is smaller. XLA compiles once for
            every batch size, so this saves a compilation.
        seed: Seed of the order; epoch k has the same order in every run.
        callbacks: More Keras callbacks.
        checkpoint: A folder. After every epoch the weights, the optimizer, the random state and
            the history are written there. The same call, made again after a crash, goes on after
            the last whole epoch and ends as if it had never stopped. State inside ``callbacks``
            is not kept.
        table: Show live progress and leave a table of the epochs.

    Returns:
        Keras's history. ``history.history["seconds"]`` holds the seconds of each epoch.

    Raises:
        TrainingDivergedError: The loss became NaN or infinite.
        ValueError: The arrays do not fit together, are empty or contain NaN; a data set never
            ends; or the checkpoint belongs to another model or other settings.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, not {epochs}")
    if model.built and model.optimizer is not None and not model.optimizer.built:
        # made during the first step, its variables would let TensorFlow trace the step twice
        model.optimizer.build(model.trainable_variables)
    if isinstance(x, tf.data.Dataset):
        if x.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ValueError("x is a data set without an end: give an epoch one with take()")
        count = None
    else:
        arrays, count = _as_tensors(x, y, batch_size)
    resume = _Checkpoint(checkpoint, model, [batch_size, shuffle, drop_last, seed, count])
    first_epoch, past = resume.restore()
    steps_per_epoch, feed = None, []
    if count is None:
        dataset, steps = _without_autotuner(x).prefetch(2), _length(x)
    else:
        order = _Order(arrays, count, batch_size, shuffle, drop_last, seed)
        steps = order.steps
        if steps % model.steps_per_execution == 0:
            dataset, steps_per_epoch = order.endless(first_epoch), steps
        else:
            dataset, follow = order.one_epoch(first_epoch)
            feed = [follow]
    if validation is not None and not isinstance(validation, tf.data.Dataset):
        try:
            validation = batches(*validation, batch_size=max(batch_size, 256))
        except ValueError as error:
            raise ValueError(f"validation: {error}") from error
    elif validation is not None:
        validation = _without_autotuner(validation)

    progress = Progress(epochs, steps, first_epoch, past, table)
    history = keras.callbacks.History()
    followers = [*feed, history, _StopOnNaN(), *callbacks, progress, resume.follow(progress)]
    if first_epoch < epochs:
        try:
            with _unknown_length_allowed():
                model.fit(
                    dataset,
                    epochs=epochs,
                    initial_epoch=first_epoch,
                    steps_per_epoch=steps_per_epoch,
                    validation_data=validation,
                    shuffle=False,  # Keras warns that it cannot shuffle a data set
                    verbose=0,
                    callbacks=followers,
                )
        finally:
            progress.close()
    else:
        history.set_model(model)
        progress.close()
    history.history = progress.history
    history.epoch = list(range(len(progress.history["seconds"])))
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
    """
    data = _without_autotuner(x) if isinstance(x, tf.data.Dataset) else batches(x, y, batch_size)
    with _unknown_length_allowed():
        values = model.evaluate(data, verbose=0, return_dict=True)
    return {name: float(value) for name, value in values.items()}


def predict(model: keras.Model, x: Arrays | tf.data.Dataset, batch_size: int = 256) -> Any:
    """The model's outputs for all inputs, as NumPy arrays.

    Args:
        model: A built Keras model.
        x: Inputs with the examples along the first dimension, or a ``tf.data.Dataset`` of batches.
        batch_size: Examples computed at once. Ignored for a data set.
    """
    if isinstance(x, tf.data.Dataset):
        data = _without_autotuner(x)
    else:
        data = batches(x, batch_size=batch_size)
    return model.predict(data, verbose=0)


def restart(model: keras.Model, seed: int) -> None:
    """New random weights for a compiled model, without compiling it again.

    The optimizer starts anew too and keeps its learning rate. For several runs of one model.

    Args:
        model: A compiled model that can be cloned by ``keras.models.clone_model``.
        seed: Seed of the weights, and of dropout and other random layers.
    """
    keras.utils.set_random_seed(seed)
    fresh = keras.models.clone_model(model)
    for variable, value in zip(model.variables, fresh.variables, strict=True):
        variable.assign(value)
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate:
            variable.assign(keras.ops.zeros_like(variable))


def batches(x: Arrays, y: Arrays | None = None, batch_size: int = 256) -> tf.data.Dataset:
    """One pass over arrays in their order, as a data set of batches.

    Args:
        x: An array, or a tuple or dict of arrays, examples along the first dimension.
        y: Targets, as many as inputs.
        batch_size: Examples of a batch; the last one may be smaller.

    Returns:
        A data set of ``x`` batches, or of ``(x, y)`` pairs, with TensorFlow's autotuner off.

    Raises:
        ValueError: The arrays do not fit together, are empty or contain NaN.
    """
    arrays, count = _as_tensors(x, y, batch_size)
    steps = -(-count // batch_size)

    @tf.autograph.experimental.do_not_convert
    def slice_of(step: tf.Tensor) -> Any:
        rows = slice(step * batch_size, (step + 1) * batch_size)
        return tf.nest.map_structure(lambda array: array[rows], arrays)

    return _without_autotuner(tf.data.Dataset.range(steps).map(slice_of).prefetch(2))


class _Order:
    """The batches of every epoch, cut from one permutation per epoch.

    Shuffling example by example costs more than a small model's training step. The permutation
    depends on seed and epoch alone, so a resumed run sees the same one.
    """

    def __init__(
        self, arrays: Any, count: int, batch_size: int, shuffle: bool, drop_last: bool, seed: int
    ):
        if drop_last and count < batch_size:
            raise ValueError(f"drop_last leaves nothing of {count} examples and {batch_size=}")
        self.arrays, self.count, self.batch_size = arrays, count, batch_size
        self.shuffle, self.seed = shuffle, seed
        self.steps = count // batch_size if drop_last else -(-count // batch_size)

    def endless(self, first_epoch: int) -> tf.data.Dataset:
        """All epochs one after another: the next one's batches are ready when one ends."""
        # 2**40 epochs: for ever, without repeat(), which would lose the number of the epoch
        epochs = tf.data.Dataset.range(first_epoch, 2**40)
        return _without_autotuner(epochs.flat_map(self._batches_of).prefetch(2))

    def one_epoch(self, first_epoch: int) -> tuple[tf.data.Dataset, keras.callbacks.Callback]:
        """A data set that ends with the epoch, and the callback that tells it which one it is.

        Keras executes whole multiples of ``steps_per_execution`` and would run on into the next
        epoch of an endless data set.
        """
        with tf.device("CPU:0"):
            current = tf.Variable(first_epoch, dtype=tf.int64, trainable=False)
        epoch = tf.data.Dataset.range(1).map(lambda _: current.read_value())
        dataset = epoch.flat_map(self._batches_of).prefetch(2)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.steps))
        follow = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: current.assign(epoch)
        )
        return _without_autotuner(dataset), follow

    def _batches_of(self, epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.range(self.count)
        if self.shuffle:
            order = tf.random.experimental.stateless_shuffle(order, seed=[self.seed, epoch])

        @tf.autograph.experimental.do_not_convert
        def gather(step: tf.Tensor) -> Any:
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            return tf.nest.map_structure(lambda array: tf.gather(array, rows), self.arrays)

        return tf.data.Dataset.range(self.steps).map(gather)


def _as_tensors(x: Arrays, y: Arrays | None, batch_size: int) -> tuple[Any, int]:
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, not {batch_size}")
    named = {"x": x} if y is None else {"x": x, "y": y}
    counts = {}
    for name, structure in named.items():
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
        tensors = tf.nest.map_structure(tf.convert_to_tensor, tuple(named.values()))
    # a bare tuple of inputs would be taken for inputs and targets, so it stays wrapped
    bare = y is None and not isinstance(x, tuple)
    return tensors[0] if bare else tensors, next(iter(counts))


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


def _length(dataset: tf.data.Dataset) -> int | None:
    count = int(dataset.cardinality())
    return count if count >= 0 else None


class _StopOnNaN(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step = batch + 1
        self._check(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._check(logs)

    def _check(self, logs: dict[str, Any] | None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDivergedError(
                f"the loss became {loss} at step {self.step} of an epoch: lower the learning "
                "rate, clip the gradients (clipnorm=1.0) or look for bad values in the data"
            )


class _Checkpoint(keras.callbacks.Callback):
    """Writes all state of a run after every epoch, so that a kill at any moment loses no epoch.

    The weights go to a new file first. The small state file that names it is replaced last, in
    one atomic step, so it never points to half-written weights.
    """

    def __init__(self, folder: str | Path | None, model: keras.Model, settings: list[Any]):
        super().__init__()
        self.folder = None if folder is None else Path(folder)
        self.target = model
        if folder is not None and not (model.compiled and model.built):
            raise ValueError("checkpoint= needs a compiled model that knows its input shape")
        # taken before training: callbacks may change the learning rate later
        self.fingerprint = None if folder is None else _fingerprint(model, settings)

    def follow(self, progress: Progress) -> "_Checkpoint":
        self.progress = progress
        return self

    def restore(self) -> tuple[int, dict[str, list[float]]]:
        """Load the last whole epoch, if there is one: epochs done, history so far."""
        state_file = None if self.folder is None else self.folder / "state.json"
        if state_file is None or not state_file.exists():
            return 0, {}
        state = json.loads(state_file.read_text(encoding="utf-8"))
        if state["fingerprint"] != self.fingerprint:
            raise ValueError(
                f"the checkpoint in {self.folder} belongs to another model, optimizer, batch "
                "size, seed or number of examples: delete the folder or name another one"
            )
        if self.target.optimizer is not None and not self.target.optimizer.built:
            self.target.optimizer.build(self.target.trainable_variables)
        self.target.load_weights(self.folder / state["weights"])
        for variable, value in zip(_random_state(self.target), state["random"], strict=True):
            variable.assign(value)
        return state["epoch"], state["history"]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = self.folder / f"epoch-{epoch + 1:05d}.weights.h5"
        self.target.save_weights(weights, overwrite=True)
        state = {
            "epoch": epoch + 1,
            "weights": weights.name,
            "random": [np.asarray(v).tolist() for v in _random_state(self.target)],
            "history": self.progress.history,
            "fingerprint": self.fingerprint,
        }
        new = self.folder / "state.json.new"
        new.write_text(json.dumps(state), encoding="utf-8")
        os.replace(new, self.folder / "state.json")
        for old in self.folder.glob("epoch-*.weights.h5"):
            if old != weights:
                old.unlink()


def _fingerprint(model: keras.Model, settings: list[Any]) -> str:
    """A hash of what a resumed run must share with the one it goes on with."""
    # names are left out: Keras counts them up with every object built in a process
    shapes = [list(variable.shape) for variable in model.weights]
    optimizer = dict(keras.saving.serialize_keras_object(model.optimizer)["config"], name=None)
    text = json.dumps([shapes, optimizer, settings], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _random_state(model: keras.Model) -> list[Any]:
    """The states of the random generators in a model (dropout, noise), in a stable order."""
    return [v for v in model.non_trainable_variables if "seed_generator" in v.path]
