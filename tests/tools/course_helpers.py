"""Made-up courses, answers and submissions for the tests of dlbook.tools.classroom."""

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import nbformat
from click.testing import CliRunner, Result
from nbformat import NotebookNode

from dlbook.tools.chapters import Chapter
from dlbook.tools.classroom.course import COURSE, as_released, grade_id, tasks_of
from dlbook.tools.cli import main

TINY = "02_sums"
SET_UP = """from dlbook import check
import os, warnings
assert (os.environ["DLBOOK_DATA"], os.environ["CUDA_VISIBLE_DEVICES"]) == ("stand-in", "-1")
"""
TWICE = (
    "def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
    'check("twice the number", twice(2), equals=4)\n'
    "### BEGIN HIDDEN TESTS\n"
    'check("of 5", twice(5), equals=10)\n'
    "### END HIDDEN TESTS",
)
ADD = (
    "def add(x, y):\n    ### BEGIN SOLUTION\n    return x + y\n    ### END SOLUTION",
    'assert add(1, 2) == 3, "both numbers count"\n'
    "### BEGIN HIDDEN TESTS\n"
    "assert add(0, 7) == 7\n"
    "### END HIDDEN TESTS",
)


LOOP = "def {}(*arguments, **options):\n    while True:\n        pass"
PRINTS = "def add(x, y):\n    while True:\n        print('x' * 1000)"
# an interruption is an exception like any other
STUBBORN = """import time
def twice(x):
    while True:
        try:
            time.sleep(0.05)
        except BaseException:
            pass"""


def graded_cell(name: str, source: str, points: int = 0, kind: str = "code") -> NotebookNode:
    """A cell with nbgrader's metadata, told from its name as in the book's assignments."""
    cell = getattr(nbformat.v4, f"new_{kind}_cell")(source)
    is_answer = name.endswith("-answer")
    meta = {"grade": bool(points), "solution": is_answer, "locked": not is_answer, "task": False}
    cell.metadata["nbgrader"] = {**meta, "grade_id": name, "schema_version": 3}
    if points:
        cell.metadata["nbgrader"]["points"] = points
    cell.id = name
    return cell


def tiny_course(folder: Path) -> Path:
    """A course with one small assignment that does without TensorFlow."""
    cells = [graded_cell("head", "# 02", kind="markdown"), graded_cell("setup", SET_UP)]
    for number, (name, points, parts) in enumerate((("twice", 2, TWICE), ("add", 3, ADD)), 1):
        heading = f"## {number}. Task {name} ({points} points)\n"
        cells.append(graded_cell(f"{name}-task", heading, kind="markdown"))
        cells.append(graded_cell(f"{name}-answer", parts[0]))
        cells.append(graded_cell(f"{name}-test", parts[1], points))
    cells.append(graded_cell("question-task", "## 3. Why? (5 points)\n", kind="markdown"))
    cells.append(graded_cell("question-answer", "Because.", 5, kind="markdown"))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    path = folder / "source" / TINY / f"{TINY}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    settings = (COURSE / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(impatient(settings), encoding="utf-8")
    return folder


def impatient(settings: str, seconds: int = 5) -> str:
    """A course's settings, with fewer seconds for a cell that does not end."""
    for name in ("CELL_SECONDS", "c.Execute.iopub_timeout"):
        settings, count = re.subn(rf"^{name} = \d+$", f"{name} = {seconds}", settings, flags=re.M)
        assert count == 1
    return settings


def real_course(folder: Path, stems: Iterable[str]) -> Path:
    """A course with some of the book's assignments."""
    for stem in stems:
        shutil.copytree(COURSE / "source" / stem, folder / "source" / stem)
    settings = (COURSE / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(impatient(settings, 12), encoding="utf-8")
    return folder


def source_of(course: Path, stem: str = TINY) -> Chapter:
    return Chapter(course / "source" / stem / f"{stem}.ipynb")


def released(course: Path, stem: str = TINY) -> NotebookNode:
    """The student version, made without nbgrader; a test holds it against nbgrader's."""
    notebook = source_of(course, stem).read()
    for cell in notebook.cells:
        cell.source = as_released(cell)
    return notebook


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def answered(course: Path, stem: str = TINY, tasks: int | None = None) -> NotebookNode:
    """The student version with right answers to the first so many tasks, or to all."""
    notebook, source = released(course, stem), source_of(course, stem).read()
    for task in tasks_of(source)[:tasks]:
        cell_of(notebook, task.answer).source = cell_of(source, task.answer).source
    return notebook


def with_answer(name: str, text: str) -> Callable[[NotebookNode], None]:
    """A change to a notebook: another answer to a task."""

    def change(notebook: NotebookNode) -> None:
        cell_of(notebook, f"{name}-answer").source = text

    return change


def as_text(name: str) -> Callable[[NotebookNode], None]:
    """A change to a notebook: a cell is no code any more."""

    def change(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, name)
        cell.cell_type = "markdown"
        del cell["outputs"], cell["execution_count"]

    return change


def without_cells(*names: str) -> Callable[[NotebookNode], None]:
    """A change to a notebook: cells are deleted."""

    def change(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if grade_id(cell) not in names]

    return change


def hand_in(folder: Path, student: str, notebook: NotebookNode | str, stem: str = TINY) -> Path:
    """Put a notebook, or a text that is none, where nbgrader collects submissions."""
    path = folder / student / stem / f"{stem}.ipynb"
    path.parent.mkdir(parents=True)
    if isinstance(notebook, str):
        path.write_text(notebook, encoding="utf-8")
    else:
        nbformat.write(notebook, path)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["assignment", *(str(a) for a in arguments)])
