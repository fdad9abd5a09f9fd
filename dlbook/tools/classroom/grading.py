"""nbgrader at work: student versions, and marks and feedback for a folder of submissions."""

import contextlib
import html
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click

from dlbook.tools.chapters import Chapter, first_line, read_notebook
from dlbook.tools.classroom.checking import TIMED_OUT, describe, first_error, grading_environment
from dlbook.tools.classroom.course import (
    SET_UP,
    NoCourse,
    Task,
    find_assignments,
    grade_id,
    is_blank,
    redefines_check,
    restored,
    tasks_of,
)
from dlbook.tools.classroom.marks import Mark, open_question_note
from dlbook.tools.classroom.submissions import Submission, copy_files
from dlbook.tools.execution import can_encrypt, write_notebook, write_whole

CONFIGURATION = "nbgrader_config.py"
PREPARED = "prepared"  # what nbgrader takes for the folder of submissions


class NoClassroom(click.ClickException):
    """nbgrader is not installed; the message says how to get it."""


class Course:
    """A folder that nbgrader works in: ``source``, ``release``, ``autograded``, a gradebook, …

    Args:
        folder: The folder.
        timeout: Seconds that one cell of a submission may take; None: as the folder's
            configuration has it.

    Raises:
        NoClassroom: nbgrader is not installed.
        NoCourse: The folder has no configuration or no assignments.
    """

    def __init__(self, folder: Path, timeout: float | None = None) -> None:
        try:
            import nbgrader  # noqa: F401
        except ImportError as error:
            raise NoClassroom(
                "this needs nbgrader: pip install -c constraints.txt -e '.[classroom]'"
            ) from error
        self.folder = folder.absolute()
        self.assignments = find_assignments(self.folder)
        if not (self.folder / CONFIGURATION).is_file():
            raise NoCourse(f"{folder} is no course of nbgrader's: it has no {CONFIGURATION}.")
        self.config = self._configuration(timeout)

    def release(self, assignment: Chapter) -> Path:
        """Write the student version of an assignment.

        Args:
            assignment: One of the course's.

        Returns:
            Where it lies: without solutions and hidden tests, the test cells locked.

        Raises:
            ClickException: nbgrader could not make it.
        """
        from nbgrader.converters import GenerateAssignment

        try:
            with _nbgrader_environment(self.folder):
                self._convert(GenerateAssignment, assignment.stem, ".")
        except Exception as error:
            raise click.ClickException(f"{assignment.stem}: {_reason(error)}") from error
        return self.folder / "release" / assignment.stem / f"{assignment.stem}.ipynb"

    def grade(self, submission: Submission) -> Mark:
        """Autograde a submission and write its feedback page. It never raises.

        Args:
            submission: What to grade. Its assignment must have been released in this course.

        Returns:
            The points and a note.
        """
        source = submission.assignment.read()
        tasks = tasks_of(source)
        # an open question stays blank: a 0 would be taken for a teacher's at the next grading
        mark = Mark(submission, tasks, {task.name: None if task.by_hand else 0.0 for task in tasks})
        if submission.path is None:
            mark.note = "missing: no notebook was handed in"
            return mark
        try:
            notebook = read_notebook(submission.path)
        except (OSError, ValueError):
            mark.note = "not a notebook"
            return mark
        notes = []
        notebook, changed, deleted = restored(notebook, source)
        if changed:
            notes.append(f"changed cells were replaced: {', '.join(changed)}")
        if deleted:
            notes.append(f"deleted cells were put back: {', '.join(deleted)}")
        if redefines_check(notebook):
            notes.append("an answer redefines check, which the tests call: read it")
        try:
            with _nbgrader_environment(self.folder):
                executed = self._autograde(submission, notebook)
                set_up = next(cell for cell in executed.cells if grade_id(cell) == SET_UP)
                if error := first_error(set_up):  # no answer is to blame for it
                    raise RuntimeError(f"the set-up cell fails: {describe(error)}")
                notes += self._execution_notes(executed, tasks)
                mark.points = self._points(submission, tasks)
                blank = {grade_id(cell) for cell in notebook.cells if is_blank(cell)}
                if waiting := [
                    t for t in tasks if mark.points[t.name] is None and t.answer not in blank
                ]:
                    notes.append(open_question_note(sum(task.points for task in waiting)))
                try:
                    self._write_feedback(submission, tasks)
                except Exception as error:
                    notes.append(f"no feedback page: {_reason(error)}")
        except Exception as error:  # whatever a submission can do, the next one has its turn
            notes.insert(0, f"not graded: {_reason(error)}")
        mark.note = "; ".join(notes)
        return mark

    def _autograde(self, submission: Submission, notebook: Any) -> Any:
        """Execute a copy of a submission; what is handed in stays as it is."""
        from nbgrader.converters import Autograde

        name, student = submission.assignment.stem, submission.student
        prepared, autograded, feedback = (
            self.folder / step / student / name for step in (PREPARED, "autograded", "feedback")
        )
        for folder in (prepared, autograded, feedback):  # nothing of an earlier run may stay
            shutil.rmtree(folder, ignore_errors=True)
        try:
            copy_files(submission, prepared)
            write_notebook(notebook, prepared / f"{name}.ipynb")
            self._convert(Autograde, name, student)
            return read_notebook(autograded / f"{name}.ipynb")
        except BaseException:
            shutil.rmtree(autograded, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(self.folder / PREPARED, ignore_errors=True)

    def _points(self, submission: Submission, tasks: Sequence[Task]) -> dict[str, float | None]:
        from nbgrader.api import Gradebook

        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            found = gradebook.find_submission(submission.assignment.stem, submission.student)
            by_cell = {grade.name: grade for grade in found.notebooks[0].grades}
            points = {}
            for task in tasks:
                grade = by_cell[task.graded_cell]
                automatic = None if task.by_hand else grade.auto_score
                by_teacher = grade.manual_score
                points[task.name] = automatic if by_teacher is None else by_teacher
        return points

    def _write_feedback(self, submission: Submission, tasks: Sequence[Task]) -> None:
        from nbgrader.converters import GenerateFeedback

        name, student = submission.assignment.stem, submission.student
        path = self.folder / "feedback" / student / name / f"{name}.html"

        def write(page: str, resources: Any) -> None:
            for task in tasks:  # nbgrader calls each of them "Test cell"
                link = re.compile(rf'(<a href="#{re.escape(task.graded_cell)}">)[^<]*(</a>)')
                title = html.escape(task.title)
                page = link.sub(lambda found, title=title: found[1] + title + found[2], page)
            write_whole(path, page)

        self._convert(GenerateFeedback, name, student, write)

    def _execution_notes(self, notebook: Any, tasks: Sequence[Task]) -> list[str]:
        names = {cell: task.name for task in tasks for cell in (task.answer, task.graded_cell)}
        notes = []
        for cell in notebook.cells:
            seconds = self.config.Execute.timeout_func(cell)
            kinds = {
                TIMED_OUT: f"endless loop: stopped after {seconds:g} s",
                "OutputLimitError": "output: more than allowed",
                "MemoryError": "memory: more than allowed",
            }
            for output in cell.get("outputs", []):
                if said := kinds.get(output.get("ename")):
                    notes.append(f"{said} ({names.get(grade_id(cell), 'another cell')})")
        return notes

    def _convert(self, converter: type, assignment: str, student: str, write: Any = None) -> None:
        """Let one of nbgrader's converters work on one notebook; ``write`` gets the result."""
        from nbgrader.coursedir import CourseDirectory
        from traitlets.config import Config

        folder = CourseDirectory(config=self.config)
        folder.assignment_id = assignment
        step = converter(coursedir=folder, config=self.config)
        step.force = True
        if write is not None:
            step.write_single_notebook = write
            step.update_config(Config({"HTMLExporter": {"template_name": "feedback"}}))
        path = os.path.join(step._format_source(assignment, student), f"{assignment}.ipynb")

        def convert() -> None:
            step.notebooks = [path]
            if write is None:
                step.init_destination(assignment, student)
                step.init_assignment(assignment, student)
            step.convert_single_notebook(path)

        # nbgrader's own look for patterns, so that no name may have brackets, and log every error
        step.init_notebooks, step.convert_notebooks = list, convert
        step.start()

    def _configuration(self, timeout: float | None) -> Any:
        from jupyter_client.manager import AsyncKernelManager
        from traitlets.config import PyFileConfigLoader

        config = PyFileConfigLoader(CONFIGURATION, path=str(self.folder)).load_config()
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.submitted_directory = PREPARED
        # relative, because in an URL % and ? have a meaning
        config.CourseDirectory.db_url = "sqlite:///gradebook.db"
        if can_encrypt(AsyncKernelManager):
            config.KernelManager.transport_encryption = "auto"
        if timeout is not None:
            usual = config.Execute.timeout_func
            config.Execute.timeout_func = lambda cell: (
                usual(cell) if grade_id(cell) == SET_UP else timeout
            )
        return config


def _reason(error: Exception) -> str:
    """What went wrong, in a few words for the table of marks."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    if isinstance(error, CellTimeoutError):
        return "endless loop that could not be interrupted"
    if isinstance(error, DeadKernelError):
        return "the kernel died; most often no memory was left"
    name = "" if type(error) is RuntimeError else f"{type(error).__name__}: "
    return f"{name}{first_line(str(error))}"[:200]


@contextlib.contextmanager
def _nbgrader_environment(folder: Path) -> Iterator[None]:
    """A working folder and variables in which nbgrader finds its files, tools and this Python.

    nbgrader calls the command ``alembic``, which lies beside this Python but need not be on the
    path, and starts whatever kernel is registered as "python3".
    """
    from ipykernel.kernelspec import write_kernel_spec

    settings = grading_environment()
    with tempfile.TemporaryDirectory() as kernels:
        write_kernel_spec(os.path.join(kernels, "kernels", "python3"))
        for name, first in (("PATH", str(Path(sys.executable).parent)), ("JUPYTER_PATH", kernels)):
            settings[name] = os.pathsep.join(filter(None, [first, settings.get(name)]))
        with (
            patch.dict(os.environ, settings, clear=True),
            contextlib.chdir(folder),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # SQLAlchemy warns about nbgrader's own code
            yield
