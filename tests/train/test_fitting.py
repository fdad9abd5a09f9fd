"""fit(), evaluate(), predict(): order, inputs, resume after a kill, errors, what they print."""

import itertools
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dlbook import train
from dlbook.train import fitting

# dlbook.train comes first, so that TensorFlow starts without its log lines
import keras  # isort: skip
import tensorflow as tf  # isort: skip

EPOCHS, BATCH = 5, 4
_GENERATOR = np.random.default_rng(0)
X = _GENERATOR.normal(size=(38, 4)).astype("float32")
Y = np.sin(X.sum(axis=1, keepdims=True))
HELD_OUT = (X[:9] + 0.1, Y[:9])


def make_model(
    steps_per_execution: int = 1, units: int = 8, dropout: float = 0.3, **settings
) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units, activation="tanh"),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1),
        ]
    )
    settings = {"jit_compile": False, "metrics": ["mae"], **settings}
    optimizer = settings.pop("optimizer", None) or keras.optimizers.Adam(0.01)
    model.compile(optimizer, "mse", steps_per_execution=steps_per_execution, **settings)
    return model


def fit_with_backup(folder: str | Path, callbacks=(), y=Y, **changes) -> tuple[keras.Model, dict]:
    """The run that is killed and resumed. Without dropout, whose state Keras does not keep."""
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "seed": 3, "validation": HELD_OUT}
    model = changes.pop("model", None) or make_model(dropout=0)
    backup = keras.callbacks.BackupAndRestore(str(folder))
    settings |= {"table": False, "callbacks": [backup, *callbacks], **changes}
    history = train.fit(model, X, y, **settings)
    return model, history.history


class Recorder(keras.Model):
    """Keeps the batches it is given instead of learning from them."""

    def __init__(self):
        super().__init__()
        self.built = True
        self.seen = []
        self.compile(run_eagerly=True)

    def train_step(self, data):
        self.seen.append(tf.nest.map_structure(lambda tensor: tensor.numpy(), data))
        return {"loss": tf.constant(0.0)}

    test_step = train_step

    def predict_step(self, data):
        return tf.zeros(1)


def record(x, y=None, **settings) -> list:
    recorder = Recorder()
    train.fit(recorder, x, y, table=False, **settings)
    return list(recorder.seen)


# ---- other processes: started together, since each spends its time importing TensorFlow ----

KILLED_IN_EPOCH_3 = """
import os, signal, sys, test_fitting, keras

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 4):
            os.kill(os.getpid(), signal.SIGKILL)

test_fitting.fit_with_backup(sys.argv[1], callbacks=[Kill()])
"""
PRINTS_A_TABLE = """
import test_fitting as t
data = t.tf.data.Dataset.from_tensor_slices((t.X, t.Y)).batch(4).filter(lambda x, y: True)
model = t.make_model(steps_per_execution=3)
t.train.fit(model, data, epochs=2, validation=data)
t.train.evaluate(model, data)
"""


def with_this_folder() -> dict[str, str]:
    folders = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}


def run_python(script: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=with_this_folder(),
        timeout=180,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def processes(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("killed") / "backup"
    with ThreadPoolExecutor() as pool:
        yield {
            "killed": (pool.submit(run_python, KILLED_IN_EPOCH_3, str(folder)), folder),
            "table": pool.submit(run_python, PRINTS_A_TABLE),
        }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, dict]:
    return fit_with_backup(tmp_path_factory.mktemp("uninterrupted") / "backup")


# ---- the order of the examples ----


def indices(batches: list) -> list[list[int]]:
    return [batch.ravel().tolist() for batch in batches]


def test_every_epoch_sees_every_example_once_in_another_order():
    seen = indices(record(np.arange(10), epochs=3, batch_size=4))
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [seen[start] + seen[start + 1] + seen[start + 2] for start in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert list(range(10)) not in epochs


def test_the_order_depends_on_seed_and_epoch_alone():
    first = indices(record(np.arange(10), epochs=3, batch_size=4, seed=1))
    keras.utils.set_random_seed(99)
    assert indices(record(np.arange(10), epochs=3, batch_size=4, seed=1)) == first
    # the epochs are the same whatever the batch size, and however many there are
    longer = indices(record(np.arange(10), epochs=4, batch_size=5, seed=1))
    assert list(itertools.chain(*longer))[:30] == list(itertools.chain(*first))
    assert indices(record(np.arange(10), epochs=3, batch_size=4, seed=2)) != first


@pytest.mark.parametrize("metrics", [None, ["mae"], [keras.metrics.MeanAbsoluteError()]])
def test_the_training_step_is_traced_once(metrics: list | None):
    traced = []

    class Counting(keras.layers.Layer):
        def call(self, x):
            traced.append(x)
            return x

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1), Counting()])
    model.compile("adam", "mse", metrics=metrics, jit_compile=False)
    traced.clear()
    train.fit(model, X, Y, epochs=2, batch_size=BATCH, drop_last=True, table=False)
    assert len(traced) == 1


def test_the_first_sight_of_the_targets_leaves_no_trace_in_the_metrics():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"], jit_compile=False)
    history = train.fit(model, X, Y, batch_size=len(X), table=False).history
    wanted = np.abs(train.predict(model, X) - np.reshape(Y, (len(Y), -1))).mean()
    np.testing.assert_allclose(history["mae"][0], wanted, rtol=1e-5)


def test_without_shuffle_the_order_is_that_of_the_arrays():
    seen = indices(record(np.arange(5), epochs=2, batch_size=2, shuffle=False))
    assert seen == [[0, 1], [2, 3], [4]] * 2


def test_drop_last_leaves_out_the_smaller_batch():
    seen = indices(record(np.arange(10), epochs=2, batch_size=4, drop_last=True))
    assert [len(batch) for batch in seen] == [4, 4, 4, 4]
    with pytest.raises(ValueError, match="drop_last leaves nothing of 3 examples"):
        record(np.arange(3), batch_size=4, drop_last=True)


def test_inputs_and_targets_stay_together_in_dicts_and_tuples():
    numbers = np.arange(6)
    for x, y in record({"a": numbers, "b": numbers + 10}, (numbers + 20,), batch_size=4):
        np.testing.assert_array_equal(x["a"] + 10, x["b"])
        np.testing.assert_array_equal(x["a"] + 20, y[0])
    for (left, right), y in record((numbers, -numbers), numbers * 2, batch_size=4):
        np.testing.assert_array_equal(left, -right)
        np.testing.assert_array_equal(left * 2, y)


def test_a_tuple_of_inputs_without_targets_is_not_taken_for_inputs_and_targets():
    ((batch,),) = record((np.arange(4), np.arange(4) + 1), batch_size=4, shuffle=False)
    assert [part.tolist() for part in batch] == [[0, 1, 2, 3], [1, 2, 3, 4]]


def test_arrays_keep_their_types():
    ((x, y),) = record(np.zeros((2, 3), "uint8"), np.zeros(2, "int32"))
    assert (x.dtype, y.dtype) == (np.uint8, np.int32)


# ---- data sets ----


@pytest.mark.parametrize("length", ["known", "unknown"])
def test_data_sets_are_used_as_they_are(length: str, recwarn: pytest.WarningsRecorder):
    data = tf.data.Dataset.range(5).batch(2)
    if length == "unknown":
        data = data.filter(lambda batch: True)
    assert indices(record(data, epochs=2)) == [[0, 1], [2, 3], [4]] * 2
    assert not [str(w.message) for w in recwarn if "ran out of data" in str(w.message)]


def test_a_data_set_without_end_is_refused():
    with pytest.raises(ValueError, match="without an end"):
        record(tf.data.Dataset.range(5).batch(2).repeat())


def test_the_autotuner_is_off_in_every_data_set(monkeypatch: pytest.MonkeyPatch):
    used = []

    def watch(name: str) -> None:
        method = getattr(keras.Model, name)

        def keep(self, x, **settings):
            used.extend((name, d) for d in (x, settings.get("validation_data")) if d is not None)
            return method(self, x, **settings)

        monkeypatch.setattr(Recorder, name, keep)

    for name in ("fit", "evaluate", "predict"):
        watch(name)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    model = Recorder()
    for steps_per_execution in (1, 4):  # 10 steps: with 4 the last execution is not whole
        model.compile(run_eagerly=True, steps_per_execution=steps_per_execution)
        train.fit(model, X, Y, validation=HELD_OUT, batch_size=4, table=False)
    train.fit(model, data, validation=data, table=False)
    train.evaluate(model, X, Y)
    train.evaluate(model, data)
    train.predict(model, X)
    names = [name for name, _ in used]
    assert names.count("fit") == 6
    assert names.count("predict") == 1
    assert names.count("evaluate") == 5, "once in each fit, and two of its own"
    for name, dataset in used:
        assert dataset.options().autotune.enabled is False, name


# ---- the history, and Keras's own numbers ----


def test_the_history_has_the_keys_of_keras_and_the_seconds(uninterrupted: tuple):
    _, history = uninterrupted
    model = make_model(run_eagerly=True)
    expected = model.fit(X, Y, validation_data=HELD_OUT, verbose=0).history
    assert set(history) == {*expected, "seconds"}
    assert {len(values) for values in history.values()} == {EPOCHS}
    assert all(isinstance(value, float) for values in history.values() for value in values)
    assert history["loss"][-1] < history["loss"][0]


def test_evaluate_and_predict_equal_keras(uninterrupted: tuple):
    model, history = uninterrupted
    expected = model.evaluate(*HELD_OUT, batch_size=4, verbose=0, return_dict=True)
    assert train.evaluate(model, *HELD_OUT, batch_size=4) == expected
    data = tf.data.Dataset.from_tensor_slices(HELD_OUT).batch(4)
    assert train.evaluate(model, data) == expected
    # the last epoch's validation is the same computation
    assert history["val_loss"][-1] == pytest.approx(expected["loss"], rel=1e-6)
    outputs = model.predict(X, batch_size=16, verbose=0)
    np.testing.assert_array_equal(train.predict(model, X, batch_size=16), outputs)
    data = tf.data.Dataset.from_tensor_slices(X).batch(16)
    np.testing.assert_array_equal(train.predict(model, data), outputs)


def test_predict_with_two_inputs():
    left, right = keras.Input((4,), name="left"), keras.Input((1,), name="right")
    model = keras.Model([left, right], keras.layers.Concatenate()([left, right]))
    expected = np.concatenate([X, Y], axis=1)
    np.testing.assert_array_equal(train.predict(model, (X, Y)), expected)
    np.testing.assert_array_equal(train.predict(model, {"left": X, "right": Y}), expected)


@pytest.mark.parametrize(("steps_per_execution", "jit_compile"), [(5, True), (4, False)])
def test_steps_per_execution_changes_nothing_but_speed(
    steps_per_execution: int, jit_compile: bool, monkeypatch: pytest.MonkeyPatch
):
    made = []
    Progress = fitting.Progress
    monkeypatch.setattr(
        fitting, "Progress", lambda *settings: made.append(Progress(*settings)) or made[-1]
    )
    settings = {"epochs": 3, "batch_size": 4, "table": False}
    # without dropout: XLA draws other random numbers
    fast = make_model(steps_per_execution, dropout=0, jit_compile=jit_compile)
    history = train.fit(fast, X, Y, **settings).history
    plain = make_model(dropout=0, run_eagerly=True)
    expected = train.fit(plain, X, Y, **settings).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-4)
    assert int(fast.optimizer.iterations) == int(plain.optimizer.iterations) == 30
    # 38 examples in batches of 4, also when the last execution is not whole
    assert [(progress.step, progress.batch) for progress in made] == [(30, 10)] * 2


# ---- resume, by Keras's BackupAndRestore ----


def test_a_killed_run_ends_as_if_it_had_never_stopped(processes: dict, uninterrupted: tuple):
    future, folder = processes["killed"]
    killed = future.result()
    assert killed.returncode == -9, killed.stderr
    assert folder.exists()
    model, history = fit_with_backup(folder)
    expected_model, expected = uninterrupted
    assert not folder.exists()
    for name in set(expected) - {"seconds"}:
        assert history[name] == expected[name][2:], name  # epochs 3 to 5, to the last bit
    variables = [*model.variables, *model.optimizer.variables]
    wanted = [*expected_model.variables, *expected_model.optimizer.variables]
    for variable, value in zip(variables, wanted, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value.numpy(), err_msg=variable.path)


class StopAfter(keras.callbacks.Callback):
    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epochs:
            raise InterruptedError


def test_a_finished_run_leaves_nothing_that_another_could_go_on_with(
    tmp_path: Path, uninterrupted: tuple
):
    fit_with_backup(tmp_path / "backup")
    _, history = fit_with_backup(tmp_path / "backup", y=-Y)
    assert len(history["loss"]) == EPOCHS
    assert history["loss"] != uninterrupted[1]["loss"]


def test_an_interrupted_run_with_a_schedule_goes_on(tmp_path: Path):
    def scheduled() -> keras.Model:
        schedule = keras.optimizers.schedules.CosineDecay(0.05, 10 * EPOCHS)
        return make_model(dropout=0, optimizer=keras.optimizers.Adam(schedule))

    whole, _ = fit_with_backup(tmp_path / "whole", model=scheduled())
    with pytest.raises(InterruptedError):
        fit_with_backup(tmp_path / "parts", [StopAfter(2)], model=scheduled())
    model, history = fit_with_backup(tmp_path / "parts", model=scheduled())
    assert len(history["loss"]) == EPOCHS - 2
    np.testing.assert_array_equal(train.predict(model, X), train.predict(whole, X))


def test_files_beside_the_backup_stay(tmp_path: Path):
    own = tmp_path / "epoch-01.weights.h5"
    own.write_bytes(b"mine")
    fit_with_backup(tmp_path / "backup", epochs=2)
    assert own.read_bytes() == b"mine"


# ---- errors ----


def test_a_loss_that_is_no_number_stops_the_training():
    model = make_model(optimizer=keras.optimizers.SGD(1e30), run_eagerly=True)
    with pytest.raises(train.TrainingDivergedError, match=r"at step \d+ .*lower the learning rate"):
        train.fit(model, X, Y, epochs=3, batch_size=4, table=False)
    # it stopped at once, not at the end of the epoch
    assert int(model.optimizer.iterations) < 10


NAN, INFINITE = X.copy(), Y.copy()
NAN[3, 1], INFINITE[5, 0] = np.nan, np.inf


@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        (NAN, Y, {}, "x contains NaN"),
        (X, INFINITE, {}, "y contains NaN or infinite"),
        (X[:0], Y[:0], {}, "x is empty"),
        ((), Y, {}, "x is empty"),
        (np.float32(1), Y, {}, "x is empty"),
        (X, Y[:5], {}, "38 examples in x and 5 examples in y"),
        ({"a": X, "b": X[:3]}, None, {}, "38 examples in x and 3 examples in x"),
        (X.tolist(), Y, {}, "x is a list"),
        (X, Y, {"batch_size": 0}, "batch_size must be 1 or more, not 0"),
        (X, Y, {"epochs": 0}, "epochs must be 1 or more, not 0"),
        (X, Y, {"validation": (X, Y[:5])}, "validation: the arrays differ"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_arguments_are_named(x, y, settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        train.fit(Recorder(), x, y, table=False, **settings)


EMPTY = tf.data.Dataset.from_tensor_slices((X, Y)).batch(64, drop_remainder=True)
WHOLE = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
NOTHING_KNOWN = WHOLE.filter(lambda x, y: False)


@pytest.mark.parametrize("empty", [EMPTY, NOTHING_KNOWN], ids=["known", "unknown"])
def test_a_data_set_without_a_batch_is_refused(empty: tf.data.Dataset):
    model = make_model()
    for call in (
        lambda: train.fit(model, empty, table=False),
        lambda: train.fit(model, empty, validation=WHOLE, table=False),
        lambda: train.evaluate(model, empty),
        lambda: train.predict(model, empty.map(lambda x, y: x)),
    ):
        with pytest.raises(ValueError, match=r"^x is a data set without a batch"):
            call()
    with pytest.raises(ValueError, match=r"^validation: x is a data set without a batch"):
        train.fit(model, WHOLE, validation=empty, table=False)


def test_validation_may_have_weights():
    weights = np.arange(9.0, dtype="float32")
    model = make_model(weighted_metrics=["mae"], metrics=None)
    history = train.fit(model, X, Y, validation=(*HELD_OUT, weights), table=False).history
    expected = model.evaluate(*HELD_OUT, sample_weight=weights, verbose=0, return_dict=True)
    assert history["val_loss"][-1] == pytest.approx(expected["loss"], rel=1e-6)
    assert history["val_mae"][-1] == pytest.approx(expected["mae"], rel=1e-6)


def test_evaluate_and_predict_check_their_arrays_too():
    with pytest.raises(ValueError, match="x contains NaN"):
        train.evaluate(make_model(), NAN, Y)
    with pytest.raises(ValueError, match="batch_size must be"):
        train.predict(Recorder(), X, batch_size=-1)


# ---- what is shown ----


def test_without_a_terminal_only_the_table_is_printed(processes: dict):
    done = processes["table"].result()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert " ".join(lines[0].split()) == "epoch loss mae validation loss validation mae seconds"
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]


def test_a_notebook_keeps_one_display_with_the_table(tmp_path: Path):
    import nbclient
    import nbformat

    start = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import time, test_fitting as t
        wait = lambda batch, logs: time.sleep(0.05)
        slow = t.keras.callbacks.LambdaCallback(on_train_batch_end=wait)
        """
    fit = "h = t.train.fit(t.make_model(), t.X, t.Y, epochs=2, batch_size=4, callbacks=[slow])"
    cells = [nbformat.v4.new_code_cell(text) for text in (textwrap.dedent(start), fit)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
    assert notebook.cells[0].outputs == []
    for cell in notebook.cells[1:]:
        (output,) = cell.outputs
        assert output.output_type == "display_data"
        assert set(output.data) == {"text/plain", "text/html"}
        assert output.data["text/plain"].split()[:4] == ["epoch", "loss", "mae", "seconds"]
        assert output.data["text/html"].startswith("<table><thead><tr><th>epoch</th>")
        assert output.data["text/html"].count("<tr>") == 3
        assert "left" not in str(output)
        assert "progress" not in str(output)


# ---- a new start ----

OPTIMIZERS = sorted(
    name
    for name, item in vars(keras.optimizers).items()
    if isinstance(item, type)
    and issubclass(item, keras.optimizers.Optimizer)
    and item is not keras.optimizers.Optimizer
    # the one wraps another: below; the other is tied to the layers of one model
    and name not in ("LossScaleOptimizer", "MultiOptimizer")
)


def losses(model: keras.Model) -> list[float]:
    settings = {"epochs": 2, "batch_size": 19, "table": False}
    return train.fit(model, X, Y, **settings).history["loss"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_restart_is_as_a_fresh_model_with_every_optimizer(name: str):
    def fresh() -> keras.Model:
        return make_model(optimizer=getattr(keras.optimizers, name)(0.02), run_eagerly=True)

    expected = losses(fresh())
    model = fresh()
    losses(model)
    train.restart(model, 0)  # the seed of make_model
    assert losses(model) == expected


def test_restart_keeps_a_changed_learning_rate():
    model = make_model()
    model.optimizer.learning_rate = 0.02
    train.restart(model, 7)
    first = losses(model)
    train.restart(model, 8)
    assert losses(model) != first
    train.restart(model, 7)
    assert losses(model) == first
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)


def test_restart_under_mixed_float16_is_as_a_fresh_model():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        expected = losses(make_model())
        model = make_model()
        losses(model)
        train.restart(model, 0)
        assert losses(model) == expected
        assert np.isfinite(expected).all()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_restart_compiles_nothing_again():
    model = make_model()
    losses(model)
    function = model.train_function
    train.restart(model, 1)
    losses(model)
    assert model.train_function is function
