"""Run the visible tests in a student's notebook: what passes, and a hint for what does not."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from dlbook.tools.chapters import Chapter, read_notebook
from dlbook.tools.classroom.course import (
    COURSE,
    SET_UP,
    TEXT_STUB,
    Task,
    find_assignments,
    grade_id,
    identify,
    tampered_cells,
    tasks_of,
)
from dlbook.tools.execution import kernel_environment, this_python

TIMEOUT = 60.0  # seconds for a cell
SET_UP_TIMEOUT = 300.0  # seconds for the set-up: the first import of TensorFlow can take minutes
STOP_TIMEOUT = 20  # seconds that an interrupted cell may take to come to its end
TIMED_OUT = "CellTimeoutError"  # as nbgrader calls it

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class CannotCheck(ValueError):
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
    path: Path,
    *,
    course: Path = COURSE,
    timeout: float = TIMEOUT,
    progress: Callable[[str], None] = lambda name: None,
) -> tuple[Chapter, list[Result]]:
    """Execute a student's notebook and say which tasks pass their visible tests.

    Args:
        path: The notebook: a released one with answers in it, under any name.
        course: The folder with the assignments.
        timeout: Seconds that one cell may take. The set-up may take longer.
        progress: Told the id of each of the assignment's cells before it runs.

    Returns:
        The assignment, and a result for each task.

    Raises:
        CannotCheck: It is no notebook, belongs to no assignment, its test cells are not those that
            were handed out, or its set-up fails.
    """
    try:
        notebook = read_notebook(path)
        assignment = identify(notebook, find_assignments(course))
    except OSError as error:
        raise CannotCheck(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        text = str(error)
        raise CannotCheck(text if str(path) in text else f"{path}: {text}") from error
    source = assignment.read()
    changed, deleted = tampered_cells(notebook, source)
    if changed or deleted:
        parts = [("changed", changed), ("deleted", deleted)]
        said = "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names)
        raise CannotCheck(
            f"{path} has other test cells than assignment {assignment.stem} ({said}). Either they "
            "were edited or it is from another version of the book. Take a fresh copy of the "
            "assignment and put your answers into it."
        )
    run_cells(notebook, path.absolute().parent, timeout=timeout, progress=progress)
    set_up = next(cell for cell in notebook.cells if grade_id(cell) == SET_UP)
    if error := first_error(set_up):
        raise CannotCheck(f"{path}: the set-up cell fails: {describe(error)}. See: dlbook doctor")
    return assignment, [_result(task, notebook, timeout) for task in tasks_of(source)]


def grading_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a kernel that runs an assignment: no network, no GPU.

    Without a GPU the numbers are the same on all machines, and nobody waits for one to start.

    Args:
        environment: The caller's environment variables; None: those of this process.
    """
    base = dict(os.environ if environment is None else environment)
    return {**kernel_environment(base), "DLBOOK_DATA": "stand-in", "CUDA_VISIBLE_DEVICES": "-1"}


def run_cells(
    notebook: NotebookNode,
    folder: Path,
    *,
    timeout: float,
    progress: Callable[[str], None] = lambda name: None,
) -> None:
    """Execute all code cells of a notebook, in place and past errors.

    A cell that takes too long is interrupted and gets an error of the name ``TIMED_OUT``; so do
    the cells after one that cannot be interrupted or that kills the kernel.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    def note_timeout(cell: NotebookNode, execute_reply: dict, **_: Any) -> None:
        if execute_reply["content"].get("ename") == TIMED_OUT:
            _add_error(cell, TIMED_OUT, "")

    client = NotebookClient(
        notebook,
        km=this_python(),
        allow_errors=True,
        timeout_func=lambda cell: SET_UP_TIMEOUT if grade_id(cell) == SET_UP else timeout,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": TIMED_OUT, "evalue": "", "traceback": []},
        iopub_timeout=STOP_TIMEOUT,
        raise_on_iopub_timeout=True,
        on_cell_executed=note_timeout,
        startup_timeout=120,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    stopped = None
    with client.setup_kernel(env=grading_environment(), cleanup_kc=True):
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            if stopped is None:
                progress(grade_id(cell))
                try:
                    client.execute_cell(cell, index)
                except CellTimeoutError:
                    stopped = TIMED_OUT, "it could not be interrupted"
                except DeadKernelError:
                    stopped = "DeadKernelError", "most often no memory was left"
            if stopped is not None:
                client.shutdown_kernel = "immediate"
                _add_error(cell, *stopped)


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
    if error.ename in ("CheckError", "AssertionError") and text:
        return text
    return f"{error.ename}: {text}" if text else error.ename


def _one_line(text: str, limit: int = 300) -> str:
    """A text as one line that fits into a table."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]} …"


def _result(task: Task, notebook: NotebookNode, timeout: float) -> Result:
    cells = {grade_id(cell): cell for cell in notebook.cells}
    if task.by_hand:
        answer = cells[task.answer].source.strip() if task.answer in cells else ""
        empty = answer in ("", TEXT_STUB)
        return Result(task, None, "not answered yet" if empty else "your teacher marks it")
    if task.answer not in cells:
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
