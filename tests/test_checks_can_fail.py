"""A check that an untrained model passes proves nothing.

Each chapter's code is executed on stand-in data with training switched off: optimizers change no
weight. Every check in a cell tagged ``untrained-fails`` must then fail.

The same run tries the section "At full size", which needs a GPU: the chapter is told that it has
one, and the model is tiny.
"""

import contextlib
import copy
import dataclasses
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from dlbook.tools import chapters as book

TAG = "untrained-fails"
FULL_SIZE = "full-size"  # the id of the cell that needs a GPU
LIMIT = 600  # seconds for a chapter


def judge(report: dict[str, Any]) -> list[str]:
    """What is wrong with a chapter's checks, given what happened without training."""
    faults = []
    for cell in report["cells"]:
        checks = cell["checks"]
        if not checks:
            faults.append(f"no check was reached in the cell {cell['head']!r}")
        faults += [f"passes untrained: {name}" for name, passed in checks if passed]
        if cell["error"]:
            faults.append(f"the cell {cell['head']!r} stopped: {cell['error']}")
    # an error in an earlier cell is the reason why a later one is not reached
    return faults + report["errors"] if faults else []


@functools.cache
def run_untrained(path: Path) -> dict[str, Any]:
    environment = {**os.environ, "DLBOOK_DATA": "stand-in", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, __file__, str(path)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def tagged_chapters() -> list[book.Chapter]:
    return [
        chapter
        for chapter in book.find_chapters()
        if any(TAG in book.cell_tags(cell) for cell in chapter.read().cells)
    ]


def test_some_chapter_has_checks_that_must_fail() -> None:
    assert tagged_chapters()


@pytest.mark.parametrize("chapter", tagged_chapters(), ids=lambda chapter: chapter.stem)
def test_checks_fail_on_an_untrained_model(chapter: book.Chapter) -> None:
    assert judge(run_untrained(chapter.path)) == []


@pytest.mark.parametrize(
    "chapter",
    [c for c in book.find_chapters() if any(k.get("id") == FULL_SIZE for k in c.read().cells)],
    ids=lambda chapter: chapter.stem,
)
def test_the_section_at_full_size_runs_in_small(chapter: book.Chapter) -> None:
    assert run_untrained(chapter.path)["full_size"] == "ran"


def test_a_check_that_cannot_fail_is_found(tmp_path: Path) -> None:
    def cell(source: str, *tags: str) -> nbformat.NotebookNode:
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    training = """
        import keras, numpy as np
        from dlbook import check, train
        keras.utils.set_random_seed(0)
        x = np.linspace(-1, 1, 64).astype("float32")[:, None]
        model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization(),
                                  keras.layers.Dense(1)])
        before = model.get_weights()
        model.compile(keras.optimizers.SGD(0.1), "mse")
        history = train.fit(model, x, 3 * x + 2, epochs=30, batch_size=8, validation=(x, 3 * x + 2))
        same = all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    """
    lines = [line.strip() for line in training.strip().splitlines()]
    joined = "\n".join(lines).replace("(),\nkeras", "(), keras")
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell(joined),
            cell("check('untouched', same)"),
            cell("check('loss', history.history['val_loss'][-1], at_most=0.1)", TAG),
            cell("check('finite', bool(np.isfinite(x).all()))", TAG),
            cell("1 / 0", TAG),
        ]
    )
    path = tmp_path / "03_made_up.ipynb"
    nbformat.write(notebook, path)
    report = run_untrained(path)
    assert report["other"] == [["untouched", True]]
    assert [c["checks"] for c in report["cells"]] == [[["loss", False]], [["finite", True]], []]
    faults = judge(report)
    assert "passes untrained: finite" in faults
    assert any("no check was reached" in fault for fault in faults)
    assert not any("loss" in fault for fault in faults)


# --- what runs in the other process


def switch_training_off() -> None:
    """Let every optimizer leave the weights alone, and shorten what then has no effect."""
    import keras

    from dlbook import train
    from dlbook.models import mlp

    # on the class: whatever a chapter trains with, fit or its own loop, learns nothing
    keras.optimizers.Optimizer.apply = lambda self, grads, trainable_variables=None: None
    real_fit, real_train = train.fit, mlp.train

    def fit(model: keras.Model, *args: Any, **settings: Any) -> Any:
        before = model.get_weights()
        settings.pop("checkpoint", None)
        history = real_fit(model, *args, **{**settings, "epochs": 1})
        if model.optimizer is not None and len(before) == len(model.get_weights()):
            model.set_weights(before)  # the statistics of normalisation layers
        return history

    def train_by_hand(parameters: dict, *args: Any, **settings: Any) -> tuple:
        untouched = copy.deepcopy(parameters)
        _, losses = real_train(parameters, *args, **{**settings, "epochs": 1})
        return untouched, losses

    train.fit, mlp.train = fit, train_by_hand


def recorded_check(log: list[tuple[str, bool]]) -> Callable[..., None]:
    """A check that writes down what it found instead of stopping the chapter."""
    real = sys.modules["dlbook.checks"].check

    def check(name: str, *args: Any, **claim: Any) -> None:
        try:
            real(name, *args, **claim)
        except AssertionError:
            log.append((name, False))
        else:
            log.append((name, True))

    return check


def pretend_to_have_a_gpu(names: dict[str, Any]) -> None:
    """Open the section "At full size" of a chapter, and cut its models down."""
    from dlbook.models import cnn, dqn, gnn, gpt, vae

    names["machine"] = dataclasses.replace(names["machine"], gpus=("none, in truth",))
    cnn.FULL_SIZE.update(filters=(2, 3), num_hidden=8)
    gnn.FULL_SIZE.update(num_hidden=4, num_layers=3)
    gpt.FULL_SIZE.update(num_layers=1, hidden_dim=12)
    vae.FULL_SIZE.update(hidden_units=(8, 8, 8))
    dqn.ACROBOT = dataclasses.replace(
        dqn.ACROBOT, total_steps=2_000, evaluate_every=1_000, learn_every=256, evaluation_episodes=1
    )


def execute(path: Path) -> dict[str, Any]:
    from IPython.display import display

    import dlbook

    switch_training_off()
    log: list[tuple[str, bool]] = []
    dlbook.check = recorded_check(log)
    os.chdir(path.parent)
    names = {"__name__": "__main__", "display": display}
    report: dict[str, Any] = {"cells": [], "other": [], "errors": []}
    for number, cell in enumerate(book.code_cells(book.Chapter(path).read()), start=1):
        head, error = book.first_line(cell.source), ""
        log.clear()
        if cell.get("id") == FULL_SIZE:
            pretend_to_have_a_gpu(names)
        try:
            exec(compile(cell.source, f"code cell {number}", "exec"), names)
        except Exception as problem:  # the next cells may still say something
            error = f"{type(problem).__name__}: {problem}"
            report["errors"].append(f"code cell {number}, {head!r}: {error}")
        if cell.get("id") == FULL_SIZE:
            report["full_size"] = error or "ran"
        if TAG in book.cell_tags(cell):
            report["cells"].append({"head": head, "checks": list(log), "error": error})
        else:
            report["other"] += log
    return report


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        result = execute(Path(sys.argv[1]).resolve())
    print(json.dumps(result))
