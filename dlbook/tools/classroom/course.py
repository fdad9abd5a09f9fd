"""The assignments as files: their tasks, what students get to see, and what they changed in it."""

import contextlib
import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click
from nbformat import NotebookNode

from dlbook.tools.chapters import NOTEBOOKS, Chapter, read_notebook

COURSE = NOTEBOOKS / "assignments"
SET_UP = "setup"  # the cell that imports; it may take longer than the others
CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # nbgrader's words
TEXT_STUB = "YOUR ANSWER HERE"

_SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n.*?### END SOLUTION$", re.M | re.S)
_HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n(.*?)^### END HIDDEN TESTS$", re.M | re.S)
_TITLE = re.compile(r"^## (.+?) \(\d+ points?\)$", re.M)
_REDEFINES = re.compile(r"\b(def|class|as|import) +check\b|\bcheck *(:[^=\n]*)?=(?!=)")


@dataclass(frozen=True)
class Task:
    """One task of an assignment."""

    name: str  # in the cells' ids, as max-pool
    title: str  # its heading, as "3. Max pooling without a loop"
    points: int
    by_hand: bool  # whether a person marks it: the open question

    @property
    def answer(self) -> str:
        """Id of the cell for the answer."""
        return f"{self.name}-answer"

    @property
    def graded_cell(self) -> str:
        """Id of the cell that carries the points: the test, or the answer to an open question."""
        return self.answer if self.by_hand else f"{self.name}-test"


def find_assignments(course: Path = COURSE) -> list[Chapter]:
    """The sources of all assignments of a course, in reading order; a UsageError if none."""
    paths = sorted(p for p in course.glob("source/*/*.ipynb") if p.stem == p.parent.name)
    if not paths:
        raise click.UsageError(
            f"there are no assignments in {course}: no source/<name>/<name>.ipynb. The book's own "
            "come with its repository, not with the installed package: name the folder by --course."
        )
    return [Chapter(path) for path in paths]


def grade_id(cell: NotebookNode) -> str:
    """nbgrader's name of a cell, "" if it has none."""
    meta = cell.metadata.get("nbgrader")
    return str(meta.get("grade_id", "")) if isinstance(meta, dict) else ""


def tasks_of(notebook: NotebookNode) -> list[Task]:
    """The tasks of an assignment, in its order."""
    title, tasks = "", []
    for cell in notebook.cells:
        heading = _TITLE.search(cell.source) if cell.cell_type == "markdown" else None
        if heading and grade_id(cell).endswith("-task"):
            title = heading[1]
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            name = grade_id(cell).removesuffix("-test").removesuffix("-answer")
            tasks.append(Task(name, title or name, meta["points"], bool(meta["solution"])))
    return tasks


def is_fixed(name: str) -> bool:
    """Whether a student must leave the cell of this id alone: the set-up and the tests."""
    return name == SET_UP or name.endswith("-test")


def is_blank(cell: NotebookNode) -> bool:
    """Whether a text is no answer to an open question."""
    return cell.source.strip() in ("", TEXT_STUB)


def with_stubs(source: str) -> str:
    """An answer as students get it: every solution replaced by nbgrader's stub."""
    return _SOLUTION.sub(lambda found: "\n".join(found[1] + line for line in CODE_STUB), source)


def split_test(source: str) -> tuple[str, str]:
    """The visible and the hidden part of a test cell."""
    hidden = "".join(found[1] for found in _HIDDEN.finditer(source))
    return _HIDDEN.sub("", source).rstrip("\n"), hidden


def as_released(cell: NotebookNode) -> str:
    """The source of a cell of an assignment as students get it."""
    if cell.metadata.get("nbgrader", {}).get("solution"):
        return TEXT_STUB if cell.cell_type == "markdown" else with_stubs(cell.source)
    return split_test(cell.source)[0]


def identify(path: Path, assignments: Iterable[Chapter]) -> Chapter | None:
    """The assignment with which a notebook shares the most answer and test cells, None if none."""

    def ids(of: NotebookNode) -> set[str]:
        return {name for name in map(grade_id, of.cells) if name.endswith(("-answer", "-test"))}

    with contextlib.suppress(OSError, ValueError):
        own = ids(read_notebook(path))
        shared = {chapter: len(own & ids(chapter.read())) for chapter in assignments}
        best = max(shared, key=shared.__getitem__)
        return best if shared[best] else None
    return None


def restored(
    notebook: NotebookNode, source: NotebookNode
) -> tuple[NotebookNode, list[str], list[str]]:
    """A copy of a student's notebook with the assignment's cells as they were handed out.

    The answers stay, but each is code or text as it was. Of cells that were copied, the last
    counts; the others become cells of the student's own.

    Returns:
        The copy; the ids of test cells and of the set-up that had been changed, where blanks at the
        ends of lines do not count; and the ids of all cells that had been deleted.
    """
    whole, changed, deleted, place = copy.deepcopy(notebook), [], [], 0
    for cell in source.cells:
        name, released = grade_id(cell), copy.deepcopy(cell)
        released.source = as_released(cell)
        places = [i for i, other in enumerate(whole.cells) if grade_id(other) == name]
        if places:
            place = places[-1]
            own = whole.cells[place]
            if is_fixed(name):
                if (own.cell_type, _bare(own.source)) != ("code", _bare(released.source)):
                    changed.append(name)
                    whole.cells[place] = released
            elif own.cell_type != cell.cell_type:
                released.source = own.source
                whole.cells[place] = released
        else:
            whole.cells.insert(place, released)
            deleted.append(name)
        for earlier in places[:-1]:  # at them nbgrader would fail
            del whole.cells[earlier].metadata["nbgrader"]
        place += 1
    return whole, changed, deleted


def redefines_check(notebook: NotebookNode) -> bool:
    """Whether a student's own code seems to give ``check``, with which tests would pass."""
    return any(
        cell.cell_type == "code" and not is_fixed(grade_id(cell)) and _REDEFINES.search(cell.source)
        for cell in notebook.cells
    )


def _bare(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
