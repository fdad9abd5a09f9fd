"""The nbgrader course: its form, and that its tests pass right answers and no others.

nbgrader itself is not needed. The assignments are executed in one process of their own: as they
are, each task alone, with nbgrader's stub for an answer, and with plausible wrong answers.
"""

import ast
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from dlbook.tools.chapters import NOTEBOOKS, Chapter, code_cells, find_chapters, read_notebook
from dlbook.tools.classroom.course import CODE_STUB, TEXT_STUB, split_test, tasks_of, with_stubs
from dlbook.tools.record import machine_paths

COURSE = NOTEBOOKS / "assignments"
PATHS = sorted((COURSE / "source").glob("*/*.ipynb"))
STEMS = [path.stem for path in PATHS]
LIMIT = 300  # seconds for all assignments together; they take far less
ONE_LIMIT = 60  # seconds for an assignment with its solutions

HINT = re.compile(r'check\(\s*f?"([^"]+)"|^ *assert .+?, f?"([^"]+)"', re.M)
KEYS = {"grade", "grade_id", "locked", "schema_version", "solution", "task"}

# Wrong answers to every graded task, as students write them, are in tests/chapters/<name>.py:
# MISTAKES[task] is a list of (what is wrong, right text, wrong text) or (what is wrong, answer).
# The right text is found in the solution once and replaced. Every one of them must fail the hidden
# tests, and at least one of a task must pass the visible ones.
MISTAKES_PER_TASK = 5


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def grading(cell: NotebookNode) -> dict[str, Any]:
    return cell.metadata["nbgrader"]


def sources(notebook: NotebookNode) -> dict[str, tuple[str, str]]:
    """Name of each task that has a test -> source of its answer and of its test."""
    cells = {grading(cell)["grade_id"]: cell.source for cell in notebook.cells}
    graded = [task for task in tasks_of(notebook) if not task.by_hand]
    return {task.name: (cells[task.answer], cells[task.graded_cell]) for task in graded}


def mistakes_in(stem: str) -> dict[str, list[tuple[str, ...]]]:
    """The wrong answers to an assignment, by task."""
    return Chapter(NOTEBOOKS / f"{stem}.ipynb").settings["MISTAKES"]


def wrong_answer(answer: str, change: tuple[str, ...]) -> str:
    """A right answer with a mistake put in."""
    if len(change) == 1:
        return change[0]
    right, wrong = change
    assert answer.count(right) == 1, f"{right!r} is not in the answer once"
    return answer.replace(right, wrong)


def attempt(source: str, namespace: dict[str, Any]) -> str | None:
    """Execute a cell; what it raised, or None."""
    try:
        exec(compile(source, "cell", "exec"), namespace)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def attempt_all(source: str, namespace: dict[str, Any]) -> str | None:
    """Execute all statements of a cell, also those after an error; the first error, or None.

    What the visible tests define is there for the hidden ones, as it is not after a failure of the
    whole cell: so the hidden tests stand for themselves.
    """
    statements = ast.parse(source).body
    errors = [attempt(ast.unparse(statement), namespace) for statement in statements]
    return next((error for error in errors if error is not None), None)


def try_assignment(path: Path) -> dict[str, Any]:
    """What every cell raises in each of the ways to execute the assignment.

    Returns:
        "source": one entry per code cell, run from top to bottom. "seconds": what that took.
        "alone", "stub": by task, the test after only the set-up and its own answer. "mistakes": by
        task, for each wrong answer what is wrong with it, and what the answer, the visible and the
        hidden test raise.
    """
    notebook = read(path)
    cells = code_cells(notebook)
    set_up: dict[str, Any] = {"__name__": "__main__"}
    began = time.perf_counter()
    report: dict[str, Any] = {"source": [attempt(cells[0].source, set_up)]}
    whole = dict(set_up)
    report["source"] += [attempt(cell.source, whole) for cell in cells[1:]]
    report["seconds"] = time.perf_counter() - began
    for key in ("alone", "stub", "mistakes"):
        report[key] = {}
    mistakes = mistakes_in(path.stem)
    for name, (answer, test) in sources(notebook).items():
        for key, text in (("alone", answer), ("stub", with_stubs(answer))):
            namespace = dict(set_up)
            report[key][name] = [attempt(text, namespace), attempt(test, namespace)]
        visible, hidden = split_test(test)
        report["mistakes"][name] = found = []
        for what, *change in mistakes.get(name, []):
            namespace = dict(set_up)
            errors = [attempt(wrong_answer(answer, tuple(change)), namespace)]
            errors += [attempt_all(visible, namespace), attempt(hidden, namespace)]
            found.append([what, *errors])
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
    chapters = {chapter.stem for chapter in find_chapters()}
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
    head, set_up, *rest, question, reply = notebook.cells
    for cell, name in ((question, "question-task"), (reply, "question-answer")):
        assert (cell.cell_type, grading(cell)["grade_id"]) == ("markdown", name)
        assert grading(cell)["grade"] is grading(cell)["solution"] is name.endswith("answer")
    points = grading(reply)["points"]
    assert re.search(r"^## \d\. (?:An o|O)pen question: ", question.source)
    assert f"({points} points)\n" in question.source
    assert len(reply.source) > 200  # what a teacher compares with
    assert (head.cell_type, set_up.cell_type) == ("markdown", "code")
    assert "dlbook.setup(seed=0, mixed_precision=False)" in set_up.source  # or a GPU rounds
    assert not grading(set_up)["grade"]
    assert len(rest) % 3 == 0
    assert 4 <= len(rest) // 3 <= 6
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
def test_an_assignment_has_20_points_and_says_so(path: Path) -> None:
    notebook = read(path)
    assert sum(grading(cell).get("points", 0) for cell in notebook.cells) == 20
    number = {4: "four", 5: "five", 6: "six"}[len(sources(notebook))]
    assert f"| Points | 20, in {number} tasks and an open question |" in notebook.cells[0].source
    titles = [task.title for task in tasks_of(notebook)]
    assert [title.partition(". ")[0] for title in titles] == [
        str(number) for number in range(1, len(titles) + 1)
    ]


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_there_is_a_mistake_to_find_and_an_experiment_to_read_off(path: Path) -> None:
    titles = [task.title for task in tasks_of(read(path))]
    assert sum(". Find the mistake" in title for title in titles) == 1
    assert sum(". Read off an " in title for title in titles) == 1
    for task in read(path).cells:
        if ". Find the mistake" in task.source:
            assert "```python\ndef " in task.source


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_visible_tests_say_what_must_hold(path: Path) -> None:
    for name, (_, test) in sources(read(path)).items():
        said = ["".join(found) for found in HINT.findall(split_test(test)[0])]
        assert said, name
        for hint in said:
            assert len(hint.split()) >= 4, f"{name}: {hint!r} is no hint"


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_regions_are_closed_and_leave_a_function_and_visible_tests(path: Path) -> None:
    for answer, test in sources(read(path)).values():
        count = answer.count("### BEGIN SOLUTION\n")
        functions = len(re.findall("^def ", answer, flags=re.M))
        assert count == answer.count("### END SOLUTION") == functions >= 1
        released = with_stubs(answer)
        assert "### " not in released
        assert released.count("raise NotImplementedError()") == count
        assert released.count('"""') == 2 * count
        visible, hidden = split_test(test)
        assert hidden.strip()
        for part in (visible, hidden):
            assert "check(" in part or "assert " in part
            assert "###" not in part


@pytest.mark.parametrize("path", PATHS, ids=STEMS)
def test_nothing_of_a_run_or_a_machine_is_stored(path: Path) -> None:
    notebook = read(path)
    for cell in code_cells(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert machine_paths(notebook, sources=True) == []


def test_the_configuration_names_the_course_and_no_machine() -> None:
    class Settings:
        def __getattr__(self, name: str) -> "Settings":
            self.__dict__[name] = Settings()
            return self.__dict__[name]

    settings = Settings()
    text = (COURSE / "nbgrader_config.py").read_text(encoding="utf-8")
    exec(compile(text, "nbgrader_config.py", "exec"), {"get_config": lambda: settings})
    assert settings.CourseDirectory.course_id == "dlbook"
    set_up, task = (read_notebook(PATHS[0]).cells[number] for number in (1, 4))
    assert settings.Execute.timeout_func(set_up) == 300
    assert settings.Execute.timeout_func(task) == 60
    assert settings.Execute.kernel_name == "python3"
    assert "RLIMIT_DATA" in settings.Execute.extra_arguments[0] or sys.platform == "win32"
    assert tuple(settings.ClearSolutions.code_stub["python"].splitlines()) == CODE_STUB
    assert settings.ClearSolutions.text_stub == TEXT_STUB
    cell = nbformat.v4.new_code_cell(text)
    assert machine_paths(nbformat.v4.new_notebook(cells=[cell]), sources=True) == []


@pytest.mark.parametrize("stem", STEMS)
def test_the_source_runs_from_top_to_bottom(stem: str, reports: dict[str, dict]) -> None:
    assert set(reports[stem]["source"]) == {None}
    assert reports[stem]["seconds"] < ONE_LIMIT


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
def test_hidden_tests_reject_every_wrong_answer(stem: str, reports: dict[str, dict]) -> None:
    found = reports[stem]["mistakes"]
    assert mistakes_in(stem).keys() == found.keys()
    for name, mistakes in found.items():
        assert len({what for what, *_ in mistakes}) == len(mistakes) >= MISTAKES_PER_TASK, name
        for what, answer, _, hidden in mistakes:
            assert answer is None, f"{name}, {what}: {answer}"
            assert hidden is not None, f"{name}, {what}: it got full points"
            # the test cell's own fault, not the answer's
            assert not hidden.startswith(("NameError", "SyntaxError")), f"{name}, {what}: {hidden}"
        # otherwise the hidden tests would not be needed
        assert None in [visible for _, _, visible, _ in mistakes], f"{name}: nothing is hidden"


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        result = {path.stem: try_assignment(path) for path in PATHS}
    print(json.dumps(result))
