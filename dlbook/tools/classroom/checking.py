"""Run the visible tests in a student's notebook: what passes, and a hint for what does not."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from nbformat import NotebookNode

from dlbook.tools.chapters import Chapter, read_notebook
from dlbook.tools.classroom.course import (
    COURSE,
    SET_UP,
    Task,
    find_assignments,
    grade_id,
    identify,
    is_blank,
    is_fixed,
    restored,
    tasks_of,
)
from dlbook.tools.classroom.limits import KERNEL_OPTION
from dlbook.tools.execution import kernel_environment, this_python

TIMEOUT = 60.0  # seconds for a cell
SET_UP_TIMEOUT = 300.0  # seconds for the set-up: the first import of TensorFlow can take minutes
STOP_TIMEOUT = 20  # seconds that an interrupted cell may take to come to its end
TIMED_OUT = "CellTimeoutError"  # as nbgrader calls it

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class CannotCheck(click.ClickException):
    """The notebook cannot be checked; the message says why."""


@dataclass(frozen=True)
class Result:
    """What the visible test of a task says.

    Attributes:
        task: The task.
        passed: True, False, or None for an open question, which a person marks.
        hint: What is wrong with it; "" if nothing is.
    """

    task: Task
    passed: bool | None
    hint: str = ""


def check_notebook(
    path: Path, *, course: Path = COURSE, timeout: float = TIMEOUT
) -> tuple[Chapter, list[Result]]:
    """Execute a student's notebook and say which tasks pass their visible tests.

    Args:
        path: The notebook: a released one with answers in it, under any name.
        course: The folder with the assignments.
        timeout: Seconds that one cell may take. The set-up may take longer.

    Returns:
        The assignment, and a result for each task.

    Raises:
        CannotCheck: It is no notebook, belongs to no assignment, its test cells are not those that
            were handed out, or its set-up fails.
        NoCourse: The folder has no assignments.
    """
    assignments = find_assignments(course)
    try:
        notebook = read_notebook(path)
    except (OSError, ValueError) as error:
        raise CannotCheck(str(error)) from error
    assignment = identify(notebook, assignments)
    if assignment is None:
        raise CannotCheck(f"{path} has no cells of any assignment of this course")
    source = assignment.read()
    notebook, changed, deleted = restored(notebook, source)
    parts = [("changed", changed), ("deleted", [name for name in deleted if is_fixed(name)])]
    if said := "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names):
        raise CannotCheck(
            f"{path} has other test cells than assignment {assignment.stem} ({said}). Either they "
            "were edited or it is from another version of the book. Take a fresh copy of the "
            "assignment and put your answers into it."
        )
    run_cells(notebook, path.absolute().parent, timeout)
    cells = {grade_id(cell): cell for cell in notebook.cells}
    if error := first_error(cells[SET_UP]):
        raise CannotCheck(f"{path}: the set-up cell fails: {describe(error)}. See: dlbook doctor")
    return assignment, [_result(task, cells, deleted, timeout) for task in tasks_of(source)]


def grading_environment() -> dict[str, str]:
    """The environment of a kernel that runs an assignment: no network, no GPU.

    Without a GPU the numbers are the same on all machines, and nobody waits for one to start.
    """
    base = kernel_environment(os.environ)
    return {**base, "DLBOOK_DATA": "stand-in", "CUDA_VISIBLE_DEVICES": "-1"}


def run_cells(notebook: NotebookNode, folder: Path, timeout: float) -> None:
    """Execute all code cells of a notebook, in place and past errors.

    A cell that takes too long is interrupted and gets an error of the name ``TIMED_OUT``; so do
    the cells after one that cannot be interrupted or that kills the kernel.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    reached = 0

    def start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal reached
        reached = cell_index

    def note_timeout(cell: NotebookNode, execute_reply: dict, **_: Any) -> None:
        if execute_reply["content"].get("ename") == TIMED_OUT:
            _add_error(cell, TIMED_OUT, "")

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        km=this_python(),
        extra_arguments=[KERNEL_OPTION],
        allow_errors=True,
        timeout_func=lambda cell: SET_UP_TIMEOUT if grade_id(cell) == SET_UP else timeout,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": TIMED_OUT, "evalue": "", "traceback": []},
        iopub_timeout=STOP_TIMEOUT,
        raise_on_iopub_timeout=True,
        on_cell_execute=start,
        on_cell_executed=note_timeout,
        startup_timeout=120,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    )
    try:
        client.execute(env=grading_environment(), cleanup_kc=True)
    except (CellTimeoutError, DeadKernelError) as error:
        stopped = isinstance(error, CellTimeoutError)
        name = TIMED_OUT if stopped else "DeadKernelError"
        text = "it could not be interrupted" if stopped else "most often no memory was left"
        for cell in notebook.cells[reached:]:
            if cell.cell_type == "code":
                _add_error(cell, name, text)


def first_error(cell: NotebookNode) -> Any:
    """The output of a cell that says best why it failed, or None."""
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    # the interruption after a time-out also leaves a KeyboardInterrupt
    return next(iter([e for e in errors if e.ename == TIMED_OUT] + errors), None)


def describe(error: Any, timeout: float = SET_UP_TIMEOUT) -> str:
    """An error output in one line, for a student.

    Args:
        error: The output.
        timeout: After how many seconds the cell was stopped, if it was.
    """
    if error.ename == TIMED_OUT:
        return f"stopped after {timeout:g} s: is there an endless loop?"
    if error.ename == "DeadKernelError":
        return f"the kernel died: {error.evalue}"
    if error.ename == "NotImplementedError":
        return "not answered yet"
    text = _one_line(_ANSI.sub("", error.evalue))
    if error.ename in ("CheckError", "AssertionError", "OutputLimitError") and text:
        return text
    return f"{error.ename}: {text}" if text else error.ename


def _one_line(text: str, limit: int = 300) -> str:
    """A text as one line that fits into a table."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]} …"


def _result(
    task: Task, cells: Mapping[str, NotebookNode], deleted: Sequence[str], timeout: float
) -> Result:
    if task.by_hand:
        blank = is_blank(cells[task.answer])
        return Result(task, None, "not answered yet" if blank else "your teacher marks it")
    if task.answer in deleted:
        return Result(task, False, "the cell for the answer was deleted")
    for name, where in ((task.answer, "in the answer: "), (task.graded_cell, "")):
        if error := first_error(cells[name]):
            return Result(task, False, where + describe(error, timeout))
    for output in cells[task.graded_cell].outputs:
        if output.get("name") == "stderr":  # nbgrader takes it for a failure
            return Result(task, False, f"no warning may be printed: {_one_line(output.text)}")
    return Result(task, True)


def _add_error(cell: NotebookNode, name: str, text: str) -> None:
    from nbformat.v4 import new_output

    cell.outputs.append(new_output("error", ename=name, evalue=text, traceback=[]))
