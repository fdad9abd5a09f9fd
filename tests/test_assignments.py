"""The nbgrader course: its form, and that its tests pass right answers and no others.

nbgrader itself is not needed. The assignments are executed in one process of their own: as they
are, each task alone, with nbgrader's stub for an answer, and with plausible wrong answers.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from dlbook import notebooks as book

COURSE = book.NOTEBOOKS / "assignments"
PATHS = sorted((COURSE / "source").glob("*/*.ipynb"))
STEMS = [path.stem for path in PATHS]
LIMIT = 300  # seconds for all assignments; they take far less

STUB = ["# YOUR CODE HERE", "raise NotImplementedError()"]
KEYS = {"grade", "grade_id", "locked", "schema_version", "solution", "task"}

# Mistakes that the visible tests let pass and the hidden ones must find:
# (assignment, task): (right, wrong)
MISTAKES = {
    # overflow: infinity divided by infinity, and the logarithm of zero
    ("00_start_here", "softmax"): ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    ("00_start_here", "cross-entropy"): ("logits - logits.max(axis=1, keepdims=True)", "logits"),
    # a forward difference is less exact
    ("00_start_here", "slopes"): (
        "(f(w + move) - f(w - move)) / (2 * step)",
        "(f(w + move) - f(w)) / step",
    ),
    # changes its argument
    ("01_mlp_from_scratch", "relu"): (
        "return d_hidden * (hidden > 0)",
        "d_hidden[hidden == 0] = 0\n    return d_hidden",
    ),
    # adds up the outputs as well; with one output there is no difference
    ("01_mlp_from_scratch", "gradients"): (
        "d_z2.sum(axis=0, keepdims=True)",
        "d_z2.sum(keepdims=True)",
    ),
    # "exactly one" is the parity of two bits, not of three
    ("01_mlp_from_scratch", "parity"): (
        "x.sum(axis=1, keepdims=True) % 2",
        "(x.sum(axis=1, keepdims=True) == 1).astype(float)",
    ),
    # counts the border, and what is not a number
    ("01_mlp_from_scratch", "count-solved"): (
        "np.abs(outputs - y) < margin",
        "~(np.abs(outputs - y) > margin)",
    ),
    # rounds up
    ("03_cnn", "output-size"): ("room // stride + 1", "-(-room // stride) + 1"),
    # takes every picture for a square
    ("03_cnn", "convolve"): ("(image.shape[1] - k)", "(image.shape[0] - k)"),
    # has nothing to leave out
    ("03_cnn", "max-pool"): ("maps[:, : rows * size, : columns * size]", "maps"),
    # one channel in
    ("03_cnn", "block-parameters"): ("kernel_size * channels * filters", "kernel_size * filters"),
    # shuffling twice undoes a reversal, not any permutation
    ("03_cnn", "shuffle"): ("np.argsort(places)", "places"),
    # every layer reads the features
    ("09_lstm", "parameters"): ("features if layer == 0 else units", "features"),
    # keeps all of the old cell, which is zero in the visible test
    ("09_lstm", "step"): ("cell / (1 + np.exp(-f))", "cell"),
    # stops reading at the first padding
    ("09_lstm", "mask"): (
        "if keep:",
        "if keep and len(states) == sum(np.cumprod(mask)[: len(states)]):",
    ),
    # a gate that is shut
    ("09_lstm", "memory"): (
        "if forget == 0:\n        return 1",
        "if forget == 0:\n        return math.inf",
    ),
    # the colleague's mistake
    ("09_lstm", "both-ways"): ("backward(sequence[::-1])[::-1]", "backward(sequence[::-1])"),
    # the width of x for that of a key; they are equal in the visible test
    ("14_gpt", "weights"): ("np.sqrt(to_key.shape[1])", "np.sqrt(x.shape[1])"),
    # the mean over all tokens; with one there is no difference
    ("14_gpt", "dense-part"): ("x.mean(axis=-1, keepdims=True)", "x.mean()"),
    # sorted, and never put back; the visible logits are in order
    ("14_gpt", "sampling"): ("share >= last, share", "ordered >= last, ordered"),
    # no mask among the new tokens; one alone needs none
    ("14_gpt", "cache"): ("scores[np.arange(len(keys)) > places[:, None]] = -np.inf", "pass"),
    # the plain mean of the batches; with equal ones there is no difference
    ("14_gpt", "read-off"): ("(nats * tokens).sum(axis=1)", "nats.mean(axis=1) * tokens.sum()"),
    # the token before, not the next one
    ("14_gpt", "repair"): (
        "log_p[:, :-1], tokens[:, 1:, None]",
        "log_p[:, 1:], tokens[:, :-1, None]",
    ),
    # the variance for the standard deviation; with a variance of 1 there is no difference
    ("16_vae", "draw"): ("np.exp(log_variance / 2)", "np.exp(log_variance)"),
    # the mean over the latent numbers; with one there is no difference
    ("16_vae", "price"): ("terms.sum(axis=1) / 2", "terms.mean(axis=1) / 2"),
    # overflows
    ("16_vae", "likelihood"): ("np.logaddexp(0, logits)", "np.log(1 + np.exp(logits))"),
    # underflows: the logarithm of zero
    ("16_vae", "bound"): ("largest = log_weights.max(axis=0)", "largest = 0"),
    # the mistake that was to be found
    ("16_vae", "repair"): (
        "(np.logaddexp(0, logits) - pixels * logits).sum(axis=1)",
        "(np.logaddexp(0, logits) - pixels * logits).mean()",
    ),
    # keeps edges from a node to itself
    ("20_gnn", "undirected"): ("edges[edges[:, 0] != edges[:, 1]]", "edges[:, :]"),
    # a mean: the same where all degrees are equal
    ("20_gnn", "graph-convolution"): (
        "1 / np.sqrt(degrees[source] * degrees[target])",
        "1 / degrees[target]",
    ),
    # zero divided by zero
    ("20_gnn", "neighbour-mean"): ("np.maximum(counts, 1)", "counts"),
    # overflow
    ("20_gnn", "edge-softmax"): ("scores - largest[targets]", "scores"),
    # divides by all nodes
    ("20_gnn", "accuracy"): ("len(nodes)", "len(labels)"),
    # changes its argument: the last reward swallows what follows
    ("21_dqn", "returns"): (
        "returns = np.zeros(len(rewards))\n    running = last_value",
        "rewards[-1] += discount * last_value\n    returns, running = np.zeros(len(rewards)), 0.0",
    ),
    # believes what q says about states where the episode is over
    ("21_dqn", "sweep"): ("np.where(terminal, 0.0, q.max(axis=1))", "q.max(axis=1)"),
    # a time limit ends the task
    ("21_dqn", "targets"): ("~terminated", "~(terminated | truncated)"),
    # stops at the end of the array
    ("21_dqn", "circle"): (
        "(written + np.arange(len(new))) % len(store)",
        "np.minimum(written + np.arange(len(new)), len(store) - 1)",
    ),
    # forgets the time limit
    ("21_dqn", "borders"): ("terminated | truncated", "terminated"),
}
# what they raise: an error of the test cell itself would be another one
FOUND = ("CheckError: ", "AssertionError: ", "ValueError: cannot reshape")


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def grading(cell: NotebookNode) -> dict[str, Any]:
    return cell.metadata["nbgrader"]


def marked_by_hand(cell: NotebookNode) -> bool:
    """Whether it is the answer to an open question; nbgrader leaves its points to a person."""
    return grading(cell)["grade"] and grading(cell)["solution"]


def tasks(notebook: NotebookNode) -> dict[str, tuple[str, str]]:
    """Name of each task -> source of its answer and of its test."""
    sources = {grading(cell)["grade_id"]: cell.source for cell in notebook.cells}
    names = [name.removesuffix("-test") for name in sources if name.endswith("-test")]
    return {name: (sources[f"{name}-answer"], sources[f"{name}-test"]) for name in names}


def with_stubs(source: str) -> str:
    """The answer as nbgrader's release version has it: every solution replaced by a stub."""

    def stub(match: re.Match[str]) -> str:
        return "\n".join(match[1] + line for line in STUB)

    return re.sub(
        r"^([ \t]*)### BEGIN SOLUTION\n.*?### END SOLUTION$", stub, source, flags=re.M | re.S
    )


def split_test(source: str) -> tuple[str, str]:
    """The visible and the hidden part of a test cell."""
    visible, hidden = source.split("### BEGIN HIDDEN TESTS\n")
    return visible, hidden.removesuffix("### END HIDDEN TESTS")


def attempt(source: str, namespace: dict[str, Any]) -> str | None:
    """Execute a cell; what it raised, or None."""
    try:
        exec(compile(source, "cell", "exec"), namespace)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def try_assignment(path: Path) -> dict[str, Any]:
    """What every cell raises in each of the ways to execute the assignment.

    Returns:
        "source": one entry per code cell, run from top to bottom. "alone", "stub": by task, the
        test after only the set-up and its own answer. "mistakes": by task, the visible and the
        hidden test on a wrong answer.
    """
    notebook = read(path)
    cells = book.code_cells(notebook)
    set_up: dict[str, Any] = {"__name__": "__main__"}
    report: dict[str, Any] = {"source": [attempt(cells[0].source, set_up)]}
    whole = dict(set_up)
    report["source"] += [attempt(cell.source, whole) for cell in cells[1:]]
    for key in ("alone", "stub", "mistakes"):
        report[key] = {}
    for name, (answer, test) in tasks(notebook).items():
        for key, text in (("alone", answer), ("stub", with_stubs(answer))):
            namespace = dict(set_up)
            report[key][name] = [attempt(text, namespace), attempt(test, namespace)]
        if (path.stem, name) in MISTAKES:
            namespace = dict(set_up)
            right, wrong = MISTAKES[path.stem, name]
            assert answer.count(right) == 1, f"{right!r} is not in the answer once"
            parts = (answer.replace(right, wrong), *split_test(test))
            report["mistakes"][name] = [attempt(part, namespace) for part in parts]
    return report


@pytest.fixture(scope="module")
def reports() -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, __file__],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        env={**os.environ, "MPLBACKEND": "Agg"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_chapter_has_its_assignment() -> None:
    chapters = {chapter.stem for chapter in book.find_chapters()}
    assert chapters - set(STEMS) == set()
    assert PATHS
    assert all(path.parent.name == path.stem for path in PATHS)


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_metadata(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    names = [grading(cell)["grade_id"] for cell in notebook.cells]
    assert len(set(names)) == len(names)
    assert [cell.id for cell in notebook.cells] == names
    for cell in notebook.cells:
        meta = grading(cell)
        assert meta.keys() - {"points"} == KEYS
        assert meta["schema_version"] == 3
        assert meta["task"] is False
        assert meta["locked"] is not meta["solution"]
        assert ("points" in meta) is meta["grade"]
        assert meta.get("points", 1) > 0


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_head_and_set_up_then_task_answer_and_test_in_turn(path: Path) -> None:
    notebook = read(path)
    head, set_up, *rest = notebook.cells
    if marked_by_hand(rest[-1]):
        *rest, question, answer = rest
        assert question.cell_type == answer.cell_type == "markdown"
        assert grading(question)["grade_id"] == "question-task"
        assert grading(answer)["grade_id"] == "question-answer"
        assert grading(question)["solution"] is grading(question)["grade"] is False
        points = grading(answer)["points"]
        assert f"({points} point{'s' * (points > 1)})\n" in question.source
    assert not any(marked_by_hand(cell) for cell in rest)
    assert (head.cell_type, set_up.cell_type) == ("markdown", "code")
    assert "dlbook.setup(seed=0)" in set_up.source
    assert not grading(set_up)["grade"]
    assert len(rest) % 3 == 0
    assert 3 <= len(rest) // 3 <= 6
    for task, answer, test in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        name = grading(task)["grade_id"].removesuffix("-task")
        ids = [grading(cell)["grade_id"] for cell in (answer, test)]
        assert ids == [f"{name}-answer", f"{name}-test"]
        assert task.cell_type == "markdown"
        assert (grading(answer)["solution"], grading(answer)["grade"]) == (True, False)
        assert (grading(test)["solution"], grading(test)["grade"]) == (False, True)
        points = grading(test)["points"]
        assert f"({points} point{'s' * (points > 1)})\n" in task.source
        assert "### BEGIN" not in task.source


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_the_head_adds_up_the_points(path: Path) -> None:
    notebook = read(path)
    total = sum(grading(cell).get("points", 0) for cell in notebook.cells)
    assert f"| Points | {total}, in " in notebook.cells[0].source


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_regions_are_closed_and_leave_a_function_and_visible_tests(path: Path) -> None:
    for answer, test in tasks(read(path)).values():
        count = answer.count("### BEGIN SOLUTION\n")
        assert count == answer.count("### END SOLUTION") == answer.count("def ") >= 1
        released = with_stubs(answer)
        assert "### " not in released
        assert released.count("raise NotImplementedError()") == count
        assert released.count('"""') == 2 * count
        visible, hidden = split_test(test)
        for part in (visible, hidden):
            assert "check(" in part or "assert " in part
            assert "###" not in part


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_nothing_of_a_run_or_a_machine_is_stored(path: Path) -> None:
    notebook = read(path)
    for cell in book.code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert book.machine_paths(notebook, sources=True) == []


def test_the_configuration_names_the_course_and_no_machine() -> None:
    class Settings:
        def __getattr__(self, name: str) -> "Settings":
            self.__dict__[name] = Settings()
            return self.__dict__[name]

    settings = Settings()
    text = (COURSE / "nbgrader_config.py").read_text(encoding="utf-8")
    exec(compile(text, "nbgrader_config.py", "exec"), {"get_config": lambda: settings})
    assert settings.CourseDirectory.course_id == "dlbook"
    assert settings.Execute.timeout == 300
    assert settings.Execute.kernel_name == "python3"
    cell = nbformat.v4.new_code_cell(text)
    assert book.machine_paths(nbformat.v4.new_notebook(cells=[cell]), sources=True) == []


@pytest.mark.parametrize("stem", STEMS)
def test_the_source_runs_from_top_to_bottom(stem: str, reports: dict[str, dict]) -> None:
    assert set(reports[stem]["source"]) == {None}


@pytest.mark.parametrize("stem", STEMS)
def test_each_task_stands_alone(stem: str, reports: dict[str, dict]) -> None:
    alone = reports[stem]["alone"]
    assert {name: errors for name, errors in alone.items() if errors != [None, None]} == {}


@pytest.mark.parametrize("stem", STEMS)
def test_every_test_fails_on_the_stub(stem: str, reports: dict[str, dict]) -> None:
    for name, (answer, test) in reports[stem]["stub"].items():
        assert answer is None, name
        assert test == "NotImplementedError: ", name


@pytest.mark.parametrize("stem", STEMS)
def test_hidden_tests_find_mistakes_that_pass_the_visible_ones(
    stem: str, reports: dict[str, dict]
) -> None:
    found = reports[stem]["mistakes"]
    assert found.keys() == {name for assignment, name in MISTAKES if assignment == stem}
    assert found
    for name, (answer, visible, hidden) in found.items():
        assert (answer, visible) == (None, None), name
        assert hidden is not None, f"{name}: the mistake got full points"
        assert hidden.startswith(FOUND), hidden


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        result = {path.stem: try_assignment(path) for path in PATHS}
    print(json.dumps(result))
