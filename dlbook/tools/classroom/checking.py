"""Run the cells of a student's notebook: which tests pass, and a hint for those that do not."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import click
from nbformat import NotebookNode
from nbformat.v4 import new_output

from dlbook.tools.chapters import Chapter, read_notebook
from dlbook.tools.classroom import course as courses
from dlbook.tools.classroom.course import SET_UP, Task, grade_id
from dlbook.tools.execution import client_of, kernel_environment

TIMED_OUT = "CellTimeoutError"  # as nbgrader calls it
# errors that are less an answer's mistake than the end of a grader's patience
STOPPED = (TIMED_OUT, "DeadKernelError", "OutputLimitError", "MemoryError")

Result = tuple[Task, bool | None, str]  # whether it passed, None if a person marks it; and a hint


def check_notebook(
    path: Path, assignments: Sequence[Chapter], settings: Any
) -> tuple[Chapter, list[Result]]:
    """Execute a released notebook with answers and say which tasks pass their visible tests.

    Raises:
        ClickException: It is no notebook, belongs to no assignment, its test cells are not those
            that were handed out, or its set-up fails.
    """
    try:
        notebook = read_notebook(path)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    assignment = courses.identify(path, assignments)
    if assignment is None:
        raise click.ClickException(f"{path} has no cells of any assignment of this course")
    source = assignment.read()
    notebook, changed, deleted = courses.restored(notebook, source)
    parts = [("changed", changed), ("deleted", list(filter(courses.is_fixed, deleted)))]
    if said := "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names):
        raise click.ClickException(
            f"{path} has other test cells than assignment {assignment.stem} ({said}). Either they "
            "were edited or it is from another version of the book. Take a fresh copy of the "
            "assignment and put your answers into it."
        )
    run_cells(notebook, path.absolute().parent, settings)
    cells = {grade_id(cell): cell for cell in notebook.cells}
    said = {name: describe_error(cell, settings) for name, cell in cells.items()}
    if said[SET_UP]:
        text = f"{path}: the set-up cell fails: {said[SET_UP]}. See: dlbook doctor"
        raise click.ClickException(text)
    results: list[Result] = []
    for task in courses.tasks_of(source):
        answer, test = cells[task.answer], cells[task.graded_cell]
        warned = [o.text for o in test.get("outputs", []) if o.get("name") == "stderr"]
        if task.by_hand:
            hint = "not answered yet" if courses.is_blank(answer) else "your teacher marks it"
        elif said[task.answer]:
            hint = f"in the answer: {said[task.answer]}"
        elif warned and not said[task.graded_cell]:  # nbgrader takes it for a failure
            hint = f"no warning may be printed: {shorten(warned[0], 300)}"
        else:
            hint = said[task.graded_cell]
        results.append((task, None if task.by_hand else not hint, hint))
    return assignment, results


def run_cells(notebook: NotebookNode, folder: str | Path, settings: Mapping[str, Any]) -> None:
    """Execute all code cells of a notebook, in place and past errors.

    No data are fetched, and without a GPU the numbers are the same on all machines. A cell that
    takes too long is interrupted and gets an error of the name ``TIMED_OUT``. Where it cannot be
    interrupted, or the kernel dies, the cells after it get the error too. The settings are
    nbgrader's: how long a cell may take, and what the kernel is told.
    """
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    waiting = [cell for cell in notebook.cells if cell.cell_type == "code"]

    def note_error(cell: NotebookNode, execute_reply: dict, **_: Any) -> None:
        waiting.remove(cell)
        said = execute_reply["content"]  # a time-out stands nowhere else
        if said["status"] == "error" and said["ename"] not in [e.ename for e in _errors(cell)]:
            _add_error(cell, said["ename"], said["evalue"])

    client = client_of(
        notebook,
        Path(folder),
        allow_errors=True,
        error_on_timeout={"ename": TIMED_OUT, "evalue": "", "traceback": []},
        raise_on_iopub_timeout=True,
        shutdown_kernel="immediate",
        record_timing=False,
        on_cell_executed=note_error,
        **settings,
    )
    environment = {"DLBOOK_DATA": "stand-in", "CUDA_VISIBLE_DEVICES": "-1"}
    try:
        client.execute(env={**kernel_environment(os.environ), **environment}, cleanup_kc=True)
    except (CellTimeoutError, DeadKernelError) as error:
        for cell in waiting:
            _add_error(cell, type(error).__name__, "")


def describe_error(cell: NotebookNode, settings: Any) -> str:
    """Why a cell failed when it was run with such settings, in a line; "" if it did not."""
    # the interruption after a time-out also leaves a KeyboardInterrupt
    errors = sorted(_errors(cell), key=lambda error: error.ename != TIMED_OUT)
    if not errors:
        return ""
    name, text = errors[0].ename, shorten(re.sub(r"\x1b\[[0-9;]*m", "", errors[0].evalue), 300)
    if name == TIMED_OUT:
        return f"stopped after {settings.timeout_func(cell):g} s: is there an endless loop?"
    if name in ("CheckError", "AssertionError", "OutputLimitError") and text:
        return text
    known = {
        "DeadKernelError": "the kernel died: most often no memory was left",
        "MemoryError": "more memory than allowed",
        "NotImplementedError": "not answered yet",
    }
    return known.get(name) or (f"{name}: {text}" if text else name)


def _errors(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]


def _add_error(cell: NotebookNode, name: str, text: str) -> None:
    cell.outputs.append(new_output("error", ename=name, evalue=text, traceback=[name]))
