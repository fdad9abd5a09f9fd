"""fit(), evaluate(), predict(): order, inputs, resume after a kill, errors, what they print."""

import functools
import itertools
import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dlbook import train

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


def fit_with_checkpoint(folder: str | Path, **changes) -> tuple[keras.Model, dict]:
    """The run that is killed and resumed below."""
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "seed": 3, "validation": HELD_OUT}
    model = changes.pop("model", None) or make_model()
    settings |= {"table": False, "checkpoint": folder, **changes}
    history = train.fit(model, X, Y, **settings)
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
import os, signal, sys, test_train, keras

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 4):
            os.kill(os.getpid(), signal.SIGKILL)

test_train.fit_with_checkpoint(sys.argv[1], callbacks=[Kill()])
"""
KILLED_WHILE_WRITING = """
import os, signal, sys, test_train

replace, calls = os.replace, []
def kill(old, new):
    calls.append(new)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(old, new)
test_train.train.os.replace = kill
test_train.fit_with_checkpoint(sys.argv[1])
"""
PRINTS_A_TABLE = """
import test_train as t
data = t.tf.data.Dataset.from_tensor_slices((t.X, t.Y)).batch(4).filter(lambda x, y: True)
model = t.make_model(steps_per_execution=3)
t.train.fit(model, data, epochs=2, validation=data)
t.train.evaluate(model, data)
"""
IN_A_TERMINAL = """
import time, test_train as t
slow = t.keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.08))
t.train.fit(t.make_model(), t.X, t.Y, epochs=2, batch_size=4, callbacks=[slow])
"""


def run_python(script: str, *arguments: str, **settings) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        timeout=180,
        **settings,
    )


def run_in_terminal(script: str) -> tuple[int, str]:
    import pty
    import threading

    leader, follower = pty.openpty()
    parts = []

    def read() -> None:
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # Linux's way to say that the other side was closed
                return
            if not part:
                return
            parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    environment = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    environment |= {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=follower,
        stderr=follower,
        env=os.environ | environment,
        timeout=180,
    )
    os.close(follower)
    reader.join(10)
    os.close(leader)
    return done.returncode, b"".join(parts).decode()


@pytest.fixture(scope="module", autouse=True)
def processes(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("killed")
    with ThreadPoolExecutor() as pool:
        start = functools.partial(pool.submit, run_python, capture_output=True, text=True)
        yield {
            "in epoch 3": (start(KILLED_IN_EPOCH_3, str(folder / "a")), folder / "a"),
            "while writing": (start(KILLED_WHILE_WRITING, str(folder / "b")), folder / "b"),
            "table": start(PRINTS_A_TABLE),
            "terminal": pool.submit(run_in_terminal, IN_A_TERMINAL),
        }


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, dict, Path]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return *fit_with_checkpoint(folder), folder


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


def test_the_training_step_is_traced_once():
    traced = []

    class Counting(keras.layers.Layer):
        def call(self, x):
            traced.append(x)
            return x

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1), Counting()])
    model.compile("adam", "mse", jit_compile=False)
    traced.clear()
    train.fit(model, X, Y, epochs=2, batch_size=BATCH, drop_last=True, table=False)
    assert len(traced) == 1


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
    _, history, _ = uninterrupted
    model = make_model(run_eagerly=True)
    expected = model.fit(X, Y, validation_data=HELD_OUT, verbose=0).history
    assert set(history) == {*expected, "seconds"}
    assert {len(values) for values in history.values()} == {EPOCHS}
    assert all(isinstance(value, float) for values in history.values() for value in values)
    assert history["loss"][-1] < history["loss"][0]


def test_evaluate_and_predict_equal_keras(uninterrupted: tuple):
    model, history, _ = uninterrupted
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


def test_batches_are_one_pass_in_order():
    parts = list(train.batches(X, Y, batch_size=16).as_numpy_iterator())
    assert [len(y) for _, y in parts] == [16, 16, 6]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in parts]), X)
    np.testing.assert_array_equal(np.concatenate(list(train.batches(Y, batch_size=16))), Y)


@pytest.mark.parametrize(("steps_per_execution", "jit_compile"), [(5, True), (4, False)])
def test_steps_per_execution_changes_nothing_but_speed(
    steps_per_execution: int, jit_compile: bool, monkeypatch: pytest.MonkeyPatch
):
    made = []
    Progress = train.Progress
    monkeypatch.setattr(
        train, "Progress", lambda *settings: made.append(Progress(*settings)) or made[-1]
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


# ---- resume ----


def assert_same_run(model: keras.Model, history: dict, uninterrupted: tuple) -> None:
    expected_model, expected, _ = uninterrupted
    assert list(history) == list(expected)
    for name in expected:
        if name != "seconds":
            assert history[name] == expected[name], name  # to the last bit
    variables = [*model.variables, *model.optimizer.variables]
    wanted = [*expected_model.variables, *expected_model.optimizer.variables]
    for variable, value in zip(variables, wanted, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value.numpy(), err_msg=variable.path)


@pytest.mark.parametrize(("moment", "epochs_kept"), [("in epoch 3", 2), ("while writing", 1)])
def test_a_killed_run_ends_as_if_it_had_never_stopped(
    moment: str, epochs_kept: int, processes: dict, uninterrupted: tuple
):
    future, folder = processes[moment]
    killed = future.result()
    assert killed.returncode == -9, killed.stderr
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    assert state["epoch"] == epochs_kept
    assert (folder / state["weights"]).exists()

    started = []
    watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: started.append(epoch))
    model, history = fit_with_checkpoint(folder, callbacks=[watch])
    assert started == list(range(epochs_kept, EPOCHS))
    assert len(history["seconds"]) == EPOCHS
    assert_same_run(model, history, uninterrupted)
    # what the killed process left behind is cleared away
    assert sorted(path.name for path in folder.iterdir()) == [
        f"epoch-{EPOCHS:05d}.weights.h5",
        "state.json",
    ]


def test_half_written_weights_are_never_read(
    tmp_path: Path, uninterrupted: tuple, monkeypatch: pytest.MonkeyPatch
):
    save_weights = keras.Model.save_weights

    def full_disk(model, path, **settings):
        if "00003" in path.name:
            path.write_bytes(b"half")
            raise OSError("no space left on device")
        save_weights(model, path, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "save_weights", full_disk)
        with pytest.raises(OSError, match="no space"):
            fit_with_checkpoint(tmp_path, epochs=3)
    assert_same_run(*fit_with_checkpoint(tmp_path), uninterrupted)


def test_a_finished_run_returns_at_once(
    uninterrupted: tuple, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    *_, folder = uninterrupted
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("it trained again"))
    model, history = fit_with_checkpoint(folder, table=True)
    assert_same_run(model, history, uninterrupted)
    assert history["seconds"] == uninterrupted[1]["seconds"]
    assert capsys.readouterr().out.splitlines()[0].split()[0] == "epoch"  # the table


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"units": 9}},
        {"model": {"optimizer": keras.optimizers.Adam(0.02)}},
        {"model": {"optimizer": keras.optimizers.SGD(0.01)}},
        {"seed": 4},
        {"batch_size": 8},
        {"shuffle": False},
    ],
    ids=str,
)
def test_a_checkpoint_of_another_run_is_refused(changes: dict, uninterrupted: tuple):
    changes = {k: make_model(**v) if k == "model" else v for k, v in changes.items()}
    *_, folder = uninterrupted
    before = (folder / "state.json").read_bytes()
    with pytest.raises(ValueError, match="belongs to another model"):
        fit_with_checkpoint(folder, **changes)
    assert (folder / "state.json").read_bytes() == before


def test_a_checkpoint_of_other_data_is_refused(uninterrupted: tuple):
    with pytest.raises(ValueError, match="number of examples"):
        train.fit(make_model(), X[1:], Y[1:], batch_size=4, seed=3, checkpoint=uninterrupted[2])


def test_a_checkpoint_needs_a_built_model(tmp_path: Path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="checkpoint= needs a compiled model"):
        train.fit(model, X, Y, checkpoint=tmp_path)


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


def test_batches_checks_its_arrays_too():
    with pytest.raises(ValueError, match="x contains NaN"):
        train.batches(NAN)
    with pytest.raises(ValueError, match="batch_size must be"):
        train.predict(Recorder(), X, batch_size=-1)


# ---- what is shown ----


def test_without_a_terminal_only_the_table_is_printed(processes: dict):
    done = processes["table"].result()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert " ".join(lines[0].split()) == "epoch loss mae validation loss validation mae seconds"
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]


def last_screen(text: str) -> list[str]:
    """The lines a terminal shows after it has read the text: enough of one for rich's output."""
    lines, row, column, at = [""], 0, 0, 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "\x1b":  # ESC [ numbers letter
            end = at + 1
            while not text[end].isalpha():
                end += 1
            number, command, at = text[at + 1 : end], text[end], end + 1
            if command == "A":
                row = max(0, row - int(number or 1))
            elif command == "K":
                lines[row] = "" if number == "2" else lines[row][:column]
        elif character == "\r":
            column = 0
        elif character == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + character + line[column + 1 :]
            column += 1
    return [line for line in lines if line.strip()]


def test_in_a_terminal_progress_appears_and_is_gone_at_the_end(processes: dict):
    code, text = processes["terminal"].result()
    assert code == 0, text
    assert "epoch 1/2  step " in text
    assert "/10 " in text
    assert " left  " in text
    shown = last_screen(text)
    assert shown[0].split() == ["epoch", "loss", "mae", "seconds"]
    assert [line.split()[0] for line in shown[1:]] == ["1", "2"]


def test_a_notebook_keeps_one_display_with_the_table(tmp_path: Path):
    import nbclient
    import nbformat

    start = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import time, test_train as t
        wait = lambda batch, logs: time.sleep(0.05)
        slow = t.keras.callbacks.LambdaCallback(on_train_batch_end=wait)
        """
    fit_cells = [
        "h = t.train.fit(t.make_model(), t.X, t.Y, epochs=2, batch_size=4, callbacks=[slow],"
        f" checkpoint={str(tmp_path / 'run')!r})"
    ] * 2  # the second one has nothing left to train, and shows the table all the same
    cells = [nbformat.v4.new_code_cell(text) for text in (textwrap.dedent(start), *fit_cells)]
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


def test_restart_makes_the_run_of_a_fresh_model_again():
    def losses(model: keras.Model) -> list[float]:
        return train.fit(model, X, Y, epochs=2, batch_size=BATCH, table=False).history["loss"]

    model = make_model()
    model.optimizer.learning_rate = 0.02
    train.restart(model, 7)
    first = losses(model)
    train.restart(model, 8)
    other = losses(model)
    train.restart(model, 7)
    # weights, dropout and the moments of Adam are those of the first run
    np.testing.assert_array_equal(losses(model), first)
    assert first != other
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert int(model.optimizer.iterations) == 2 * 10


def test_restart_compiles_nothing_again():
    model = make_model()
    train.fit(model, X, Y, batch_size=BATCH, table=False)
    function = model.train_function
    train.restart(model, 1)
    train.fit(model, X, Y, batch_size=BATCH, table=False)
    assert model.train_function is function
