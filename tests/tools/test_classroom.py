"""dlbook assignment check, and what it knows of the notebooks of a course."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from click.testing import Result
from course_helpers import (
    LOOP,
    PRINTS,
    STUBBORN,
    answered,
    as_text,
    cell_of,
    run,
    source_of,
    tiny_course,
    with_answer,
    without_cells,
)
from nbformat import NotebookNode

from dlbook.tools.chapters import read_notebook
from dlbook.tools.classroom.course import (
    as_released,
    grade_id,
    redefines_check,
    restored,
    tasks_of,
)

pytest.importorskip("nbgrader")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return tiny_course(tmp_path / "course")


def check(course: Path, notebook: NotebookNode | str) -> Result:
    path = course / "mine.ipynb"
    if isinstance(notebook, str):
        path.write_text(notebook, encoding="utf-8")
    else:
        nbformat.write(notebook, path)
    return run("check", path, "--course", course)


# --- check


def test_check_gives_points_and_says_what_is_to_be_done(course: Path) -> None:
    result = check(course, answered(course, tasks=1))
    assert result.exit_code == 1
    lines = [line.split("│") for line in result.output.splitlines() if line.startswith("│")]
    rows = [[part.strip() for part in line[1:-1]] for line in lines]
    assert rows == [
        ["1. Task twice", "2", "yes", ""],
        ["2. Task add", "3", "no", "not answered yet"],
        ["3. Why?", "5", "by hand", "not answered yet"],
    ]
    assert "2 of 5 points pass the visible tests" in result.output
    assert "5 more points are given by hand" in result.output


def test_check_is_content_with_right_answers_and_leaves_the_file_alone(course: Path) -> None:
    notebook = answered(course)
    result = check(course, notebook)
    assert result.exit_code == 0, result.output
    assert "your teacher marks it" in result.output
    assert nbformat.read(course / "mine.ipynb", as_version=4) == notebook


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("def add(x, y):\n    return x", "both numbers count"),
        ("def add(x, y):\n    return x.shape", "AttributeError: 'int' object has no attribute"),
        ("def add(x, y)\n    return x + y", "in the answer: SyntaxError: expected ':'"),
        (
            "def add(x, y):\n    warnings.warn('add is old')\n    return x + y",
            "no warning may be printed",
        ),
        (LOOP.format("add"), "stopped after 5 s: is there an endless loop?"),
        (PRINTS, "more than 1,000,000 characters printed: an endless loop?"),
        (PRINTS.replace("print", "display"), "more than 1,000,000 characters printed"),
        ("import os\nos._exit(1)", "the kernel died"),
    ],
    ids=["wrong", "error", "syntax", "warning", "loop", "prints", "displays", "died"],
)
def test_check_gives_a_hint(course: Path, answer: str, hint: str) -> None:
    notebook = answered(course)
    with_answer("add", answer)(notebook)
    result = check(course, notebook)
    assert result.exit_code == 1
    assert hint in " ".join(result.output.split())
    assert "2 of 5 points" in result.output


def test_a_loop_that_cannot_be_interrupted_is_ended(course: Path) -> None:
    notebook = answered(course)
    with_answer("twice", STUBBORN)(notebook)
    result = check(course, notebook)
    assert "0 of 5 points" in result.output
    assert result.output.count("stopped after 5 s") == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_cells("add-test"), "deleted: add-test"),
        (lambda notebook: cell_of(notebook, "add-test").update(source="pass"), "changed: add-test"),
        (lambda notebook: cell_of(notebook, "setup").update(source="x = 1"), "changed: setup"),
        (as_text("add-test"), "changed: add-test"),
        (as_text("setup"), "changed: setup"),
        (
            without_cells("twice-test", "twice-answer", "add-test", "add-answer"),
            "has no cells of any assignment of this course",
        ),
    ],
    ids=["deleted", "changed", "set-up", "test as text", "set-up as text", "foreign"],
)
def test_check_refuses_other_test_cells(course: Path, change: Callable, said: str) -> None:
    notebook = answered(course)
    cell_of(notebook, "question-answer").metadata.pop("nbgrader")
    change(notebook)
    result = check(course, notebook)
    assert result.exit_code == 1
    assert said in result.output
    assert "mine.ipynb" in result.output
    assert "│" not in result.output


def test_blanks_at_the_ends_of_lines_are_no_change(course: Path) -> None:
    notebook = answered(course)
    cell_of(notebook, "add-test").source += "  \n\n"
    assert check(course, notebook).exit_code == 0


@pytest.mark.parametrize("text", ["", "no notebook", "[]", "3", "{}", '{"nbformat": 4}'])
def test_check_says_that_a_file_is_no_notebook(course: Path, text: str) -> None:
    result = check(course, text)
    assert result.exit_code == 1
    assert "mine.ipynb cannot be read as a notebook" in result.output


def test_check_says_that_a_file_is_missing(course: Path) -> None:
    result = run("check", course / "nowhere.ipynb")
    assert result.exit_code == 2
    assert "does not exist" in result.output


def test_check_says_that_the_set_up_fails(course: Path) -> None:
    path = source_of(course).path
    source = nbformat.read(path, as_version=4)
    cell_of(source, "setup").source = "import nothing_of_this_name"
    nbformat.write(source, path)
    result = check(course, answered(course))
    assert result.exit_code == 1
    assert "the set-up cell fails: ModuleNotFoundError" in result.output


def test_without_nbgrader_a_line_says_what_is_missing(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nbgrader", "nbgrader.preprocessors"):  # an import of them fails
        monkeypatch.setitem(sys.modules, name, None)
    path = course / "mine.ipynb"
    path.touch()
    for command in (["release"], ["check", path], ["grade"]):
        result = run(*command, "--course", course)
        assert result.exit_code == 1
        assert result.output.splitlines() == [
            "Error: this needs nbgrader: pip install -c constraints.txt -e '.[classroom]'"
        ]


def test_where_the_assignments_are_not_installed_that_is_said(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = course / "mine.ipynb"
    nbformat.write(answered(course), path)
    monkeypatch.setattr("dlbook.tools.classroom.course.COURSE", course / "site-packages")
    result = run("check", path)
    assert result.exit_code == 2
    assert "not with the installed package" in result.output
    assert str(course / "site-packages") in result.output


# --- what Jupyter opens is a notebook


def minor_4(notebook: dict) -> None:
    notebook["nbformat_minor"] = 4  # which had no ids


def loosely_made(notebook: dict) -> None:
    """Change all that programs other than Jupyter leave out, add or write in another way."""
    for cell in notebook["cells"]:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
        cell.update(id="the same", language="python")
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"]["tags"] = "a tag"
    for cell in ({"cell_type": "heading", "source": "End"}, {"cell_type": "code", "outputs": [{}]}):
        notebook["cells"].append({**cell, "metadata": {}})
    notebook["metadata"]["kernelspec"] = {"name": "python3"}
    del notebook["nbformat_minor"]


@pytest.mark.parametrize(
    ("change", "encoding"),
    [(minor_4, "utf-8"), (lambda notebook: None, "utf-8-sig"), (loosely_made, "utf-8")],
    ids=["minor 4", "byte-order mark", "loosely made"],
)
def test_small_faults_that_jupyter_overlooks_are_repaired(
    course: Path, change: Callable, encoding: str, recwarn: pytest.WarningsRecorder
) -> None:
    notebook = json.loads(json.dumps(answered(course)))
    change(notebook)
    path = course / "mine.ipynb"
    path.write_text(json.dumps(notebook), encoding=encoding)
    found = read_notebook(path)
    assert nbformat.validator.isvalid(found)
    cells = {grade_id(cell): cell for cell in found.cells}
    for cell in answered(course).cells:
        assert cells[grade_id(cell)].source == cell.source
        assert cells[grade_id(cell)].cell_type == cell.cell_type
    assert not recwarn.list
    assert "5 of 5 points" in run("check", path, "--course", course).output


# --- the notebooks of a course


def test_tasks_have_titles_points_and_a_person_for_the_open_question(course: Path) -> None:
    tasks = tasks_of(source_of(course).read())
    assert [(t.name, t.title, t.points, t.by_hand) for t in tasks] == [
        ("twice", "1. Task twice", 2, False),
        ("add", "2. Task add", 3, False),
        ("question", "3. Why?", 5, True),
    ]


@pytest.mark.parametrize("name", ["head", "setup", "twice-answer", "add-test", "question-answer"])
def test_a_deleted_cell_comes_back_to_its_place(course: Path, name: str) -> None:
    source = source_of(course).read()
    notebook = answered(course)
    notebook.cells.insert(3, nbformat.v4.new_code_cell("my_own = 1"))
    without_cells(name)(notebook)
    whole, changed, deleted = restored(notebook, source)
    assert (changed, deleted) == ([], [name])
    named = [grade_id(cell) for cell in whole.cells if grade_id(cell)]
    assert named == [grade_id(cell) for cell in source.cells]
    assert cell_of(whole, name).source == as_released(cell_of(source, name))
    assert len(notebook.cells) == len(source.cells)  # the student's own is as it was


@pytest.mark.parametrize(
    ("code", "redefined"),
    [
        ("def check(*arguments, **options):\n    pass", True),
        ("from builtins import print as check", True),
        ("import dlbook\ndlbook.check = print", True),
        ("check: object = print", True),
        ("check('mine', 2, equals=2)\nchecked = check", False),
        ("%time 1\ncheck = print", True),
    ],
)
def test_another_check_is_noticed(course: Path, code: str, redefined: bool) -> None:
    notebook = answered(course)
    assert not redefines_check(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    assert redefines_check(notebook) is redefined
