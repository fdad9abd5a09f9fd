"""Storing a chapter: three runs, what is written, and what keeps a chapter from being stored."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result

from dlbook.tools.cli import main

MakeNotebook = Callable[..., Path]

HEAD = """# 05 · Toy nets
**Can a line be found?**

| | |
|---|---|
| Model | linear model · 线性模型 |
| Mirrors | none |
| Data | points: made here |
| Reaches | |
| Takes | |

*You need:* no other chapter.

*You will learn:*
- one thing
- another
- a third"""
SET_UP = """import dlbook
from dlbook import check, train
import keras, numpy as np
SEED = 0
machine = dlbook.setup(seed=SEED)
rate = 0.1"""
TRAIN = """x = np.linspace(-1, 1, 64).astype("float32")[:, None]
model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization(),
                          keras.layers.Dense(1)])
before = model.get_weights()
model.compile(keras.optimizers.SGD(rate), "mse")
history = train.fit(model, x, 3 * x + 2, epochs=30, batch_size=8, validation=(x, 3 * x + 2))
moved = not all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))"""
RESULT = """check("loss", history.history["val_loss"][-1], at_most=0.1, headline=True)
check("the weights moved", moved)"""
FULL_SIZE = """if machine.has_gpu:
    print("a net of", size)"""
LESSON = {"prerequisites": [], "objectives": ["one thing", "another", "a third"]}
SETTINGS = 'UNTRAINED = "rate_of_toy = 1"\nTINY = "size = 2 * rate_of_toy"\n'


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A checkout with one chapter in its places; stored, it trains, and must fail untrained."""
    path = tmp_path / "notebooks" / "05_toy_nets.ipynb"
    path.parent.mkdir()
    cells = [nbformat.v4.new_markdown_cell(HEAD, id="head")]
    for name, source in (
        ("setup", SET_UP),
        ("train", TRAIN),
        ("result", RESULT),
        ("full-size", FULL_SIZE),
    ):
        cells.append(nbformat.v4.new_code_cell(source, id=name))
    cells[2].metadata["tags"] = ["nbval-ignore-output"]
    cells[3].metadata["tags"] = ["untrained-fails"]
    cells.append(nbformat.v4.new_markdown_cell("", id="map"))
    write(path, nbformat.v4.new_notebook(cells=cells, metadata={"dlbook": {"lesson": LESSON}}))
    settings = tmp_path / "tests" / "chapters" / "05_toy_nets.py"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    module = tmp_path / "dlbook" / "models" / "toy.py"
    module.parent.mkdir(parents=True)
    module.write_text("SIZE = 1\n")
    table = "<!-- chapters -->\nold\n<!-- /chapters -->\n"
    (tmp_path / "README.md").write_text(f"# Toys\n{table}the end\n")
    return path


def write(path: Path, notebook: nbformat.NotebookNode) -> None:
    nbformat.write(notebook, path)


def change(path: Path, cell: str, **fields: object) -> None:
    notebook = nbformat.read(path, as_version=4)
    (found,) = [c for c in notebook.cells if c.id == cell]
    found.update(fields)
    write(path, notebook)


def run(path: Path, *arguments: object) -> Result:
    output = path.parent.parent / "build"
    fixed = ["run", "5", "--notebooks", path.parent, "--output", output, "--no-html"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "auto")
        return CliRunner().invoke(main, [str(a) for a in [*fixed, *arguments]])


def test_a_new_chapter_is_stored_with_all_three_runs_and_is_on_the_map(toy: Path) -> None:
    result = run(toy, "--store")
    assert result.exit_code == 0, result.output
    notebook = nbformat.read(toy, as_version=4)
    record = json.loads(json.dumps(notebook.metadata.dlbook))
    assert record["lesson"] == LESSON
    assert record["headline"]["name"] == "loss"
    assert record["headline"]["value"] < 0.1
    assert [check["name"] for check in record["stand_in"]["checks"]] == [
        "loss",
        "the weights moved",
    ]
    assert record["stand_in"]["headline"]["value"] < 0.1
    untrained = record["untrained"]
    assert [(c["cell"], c["passed"]) for c in untrained["checks"]] == [("result", False)] * 2
    assert untrained["headline"]["value"] > 0.1
    # with the start of the kernel and of TensorFlow, which the real run's seconds leave out
    assert min(untrained["seconds"], record["stand_in"]["seconds"]) > record["seconds"]
    assert record["stored_at"].endswith("+00:00")
    assert record["parts"].keys() == {"its code cells", "dlbook/models/toy.py"}
    assert all("a net of" not in str(cell.get("outputs")) for cell in notebook.cells)
    head, *_, chapters = notebook.cells
    assert "| Reaches | loss: 0.0" in head.source
    assert "| Takes | 0.1 minutes on " in head.source
    assert "[05 Toy nets](05_toy_nets.ipynb) | Can a line be found? | loss: 0.0" in chapters.source
    assert "image/png" in chapters.attachments["map.png"]
    readme = (toy.parents[1] / "README.md").read_text("utf-8")
    assert "[05 Toy nets](notebooks/05_toy_nets.ipynb) | linear model · 线性模型 | none" in readme
    assert readme.endswith("<!-- /chapters -->\nthe end\n")
    # nothing that the command wrote makes the chapter stale, and nothing is left to write
    assert run(toy, "--check").output == "05_toy_nets: fresh\n"
    assert run(toy, "--map").output == ""


def test_what_passes_untrained_is_found(toy: Path) -> None:
    change(toy, "result", source=RESULT + "\ncheck('finite', bool(np.isfinite(x).all()))")
    change(toy, "full-size", source="print(size)\nassert not machine.has_gpu")
    notebook = nbformat.read(toy, as_version=4)
    for number, source in enumerate(("longest = history.epoch[29]", "check('a', longest > 2)")):
        cell = nbformat.v4.new_code_cell(source, id=f"late-{number}")
        cell.metadata["tags"] = ["untrained-fails"] if number else []
        notebook.cells.append(cell)
    nbformat.write(notebook, toy)
    result = run(toy, "--untrained")
    assert result.exit_code == 1
    assert "passes untrained: finite" in result.output
    assert "passes untrained: loss" not in result.output
    assert "no check was reached in \"check('a', longest > 2)\"" in result.output
    assert "untrained, cell 'late-0': IndexError" in result.output
    assert "at full size, in small: AssertionError" in result.output


PASSES = "dlbook.check('a', 3, at_least=2, headline=True)"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("import sys; print('x', file=sys.stderr)", "stderr"),
        ("import os; print(os.path.expanduser('~/x'))", "an output names"),
        ("import pathlib; print(pathlib.Path('/tmp/x'))", "/tmp/x"),
        ("dlbook.check('a', 3, at_least=2)", "headline=True"),
        ("dlbook.check('a', [3, 4], at_least=2, headline=True)", "headline=True"),
        (f"{PASSES}\n{PASSES}", "headline=True"),
        (PASSES, "passes untrained: a"),
        ("raise RuntimeError", "FAILED in code cell 2"),
        # --store runs in real mode whatever the default, so that no minutes are wasted
        ("import os; assert os.environ['DLBOOK_DATA'] != 'real'", "FAILED in code cell 2"),
        ("import os; assert not os.environ.get('DLBOOK_STORE')", "FAILED in code cell 2"),
        (
            f"import os; assert 'DLBOOK_STORE' in os.environ; {PASSES}",
            "05_toy_nets on stand-in data: FAILED in code cell 2",
        ),
    ],
)
def test_what_must_not_be_stored_is_not(
    make_notebook: MakeNotebook, cell: str, reason: str
) -> None:
    path = make_notebook("05_toy_nets", "import dlbook", cell)
    if "untrained" in reason:
        change(path, "cell-1", metadata={"tags": ["untrained-fails"]})
    before = path.read_bytes()
    result = run(path, "--store")
    assert result.exit_code == 1
    assert path.read_bytes() == before
    assert "REFUSED" in result.output or "FAILED" in reason
    assert reason in result.output


def test_the_long_run_on_real_data_comes_last(make_notebook: MakeNotebook) -> None:
    path = make_notebook("05_toy_nets", "import dlbook", PASSES)
    result = run(path, "--store")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if "done in" in line]
    assert ["stand-in" in lines[0], "untrained" in lines[1]] == [True, True]
    assert lines[2].startswith("✓ 05_toy_nets: done in")


def test_a_chapter_that_was_changed_while_it_ran_is_not_stored(toy: Path) -> None:
    module = toy.parents[1] / "dlbook" / "models" / "toy.py"
    change(toy, "train", source=f"{TRAIN}\nopen({str(module)!r}, 'w').write('SIZE = 2')")
    result = run(toy, "--store")
    assert result.exit_code == 1
    assert "changed while it ran" in result.output
