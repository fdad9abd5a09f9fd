"""nbgrader at work: student versions, and marks and feedback for a folder of submissions."""

import html
import io
import logging
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlbook.tools.chapters import Chapter, first_line, read_notebook
from dlbook.tools.classroom.checking import TIMED_OUT, describe, first_error, grading_environment
from dlbook.tools.classroom.course import (
    SET_UP,
    NoCourse,
    Task,
    find_assignments,
    grade_id,
    redefines_check,
    restored,
    tampered_cells,
    tasks_of,
)
from dlbook.tools.classroom.marks import Mark, open_question_note
from dlbook.tools.classroom.submissions import Submission
from dlbook.tools.execution import can_encrypt, write_notebook

CONFIGURATION = "nbgrader_config.py"
_ERROR = re.compile(r"^\s*(\w*(?:Error|Exception)\b.*)$", re.M)


class NoClassroom(RuntimeError):
    """nbgrader is not installed; the message says how to get it."""


class Course:
    """A folder that nbgrader works in: ``source``, ``release``, ``submitted``, a gradebook, …

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
        self.folder = Path(folder).absolute()
        self.assignments = find_assignments(self.folder)
        if not (self.folder / CONFIGURATION).is_file() or not self.assignments:
            raise NoCourse(f"{folder} has no {CONFIGURATION} or no source/<name>/<name>.ipynb")
        self.config = self._configuration(timeout)

    def release(self, assignment: Chapter) -> Path:
        """Write the student version of an assignment.

        Args:
            assignment: One of the course's.

        Returns:
            Where it lies: without solutions and hidden tests, the test cells locked.

        Raises:
            RuntimeError: nbgrader could not make it.
        """
        from nbgrader.converters import GenerateAssignment

        self._convert(GenerateAssignment, assignment.stem)
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
        mark = Mark(submission, tasks, {task.name: 0.0 for task in tasks})
        if submission.path is None:
            mark.note = "missing: no notebook was handed in"
            return mark
        try:
            notebook = read_notebook(submission.path)
        except (OSError, ValueError):
            mark.note = "not a notebook"
            return mark
        notes = []
        changed, _ = tampered_cells(notebook, source)
        notebook, put_back = restored(notebook, source)
        if changed:
            notes.append(f"changed cells were replaced: {', '.join(changed)}")
        if put_back:
            notes.append(f"deleted cells were put back: {', '.join(put_back)}")
        if redefines_check(notebook):
            notes.append("an answer redefines check, which the tests call: read it")
        try:
            executed = self._autograde(submission, notebook)
            set_up = next(cell for cell in executed.cells if grade_id(cell) == SET_UP)
            if error := first_error(set_up):  # no answer is to blame for it
                raise RuntimeError(f"the set-up cell fails: {describe(error)}")
            notes += self._execution_notes(executed, tasks)
            mark.points = self._points(submission)
        except Exception as error:  # whatever a submission can do, the next one has its turn
            notes.insert(0, f"not graded: {_reason(error)}")
        if any(value is None for value in mark.points.values()):
            waiting = sum(t.points for t in tasks if mark.points[t.name] is None)
            notes.append(open_question_note(waiting))
        mark.note = "; ".join(notes)
        return mark

    def _autograde(self, submission: Submission, notebook: Any) -> Any:
        from nbgrader.converters import Autograde, GenerateFeedback

        name, student = submission.assignment.stem, submission.student
        steps = {
            step: self.folder / step / student / name
            for step in ("submitted", "autograded", "feedback")
        }
        copy = steps["submitted"] / f"{name}.ipynb"
        if copy != submission.path.absolute():
            shutil.rmtree(steps["submitted"], ignore_errors=True)
            write_notebook(notebook, copy)
        elif notebook != read_notebook(copy):
            # what was handed in is kept as it was
            copy.with_suffix(".handed-in").write_bytes(copy.read_bytes())
            write_notebook(notebook, copy)
        for step in ("autograded", "feedback"):  # nothing of an earlier run may stay
            shutil.rmtree(steps[step], ignore_errors=True)
        self._convert(Autograde, name, student)
        self._convert(GenerateFeedback, name, student)
        _name_tasks(steps["feedback"] / f"{name}.html", tasks_of(submission.assignment.read()))
        return read_notebook(steps["autograded"] / f"{name}.ipynb")

    def _points(self, submission: Submission) -> dict[str, float | None]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            found = gradebook.find_submission(submission.assignment.stem, submission.student)
            by_cell = {grade.name: grade for grade in found.notebooks[0].grades}
            points = {}
            for task in tasks_of(submission.assignment.read()):
                grade = by_cell[task.graded_cell]
                known = [grade.manual_score, grade.auto_score]
                points[task.name] = next((value for value in known if value is not None), None)
        return points

    def _execution_notes(self, notebook: Any, tasks: Sequence[Task]) -> list[str]:
        names = {cell: task.name for task in tasks for cell in (task.answer, task.graded_cell)}
        stopped, full = [], []
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                where = names.get(grade_id(cell), "another cell")
                if output.get("ename") == TIMED_OUT:
                    seconds = self.config.Execute.timeout_func(cell)
                    stopped.append(f"endless loop: stopped after {seconds:g} s ({where})")
                elif output.get("ename") == "MemoryError":
                    full.append(f"memory: more than allowed ({where})")
        return stopped + full

    def _convert(self, converter: type, assignment: str, student: str = "") -> None:
        """Let one of nbgrader's converters do its work on this course."""
        from nbgrader.coursedir import CourseDirectory
        from traitlets.config import Config

        folder = CourseDirectory(config=self.config)
        folder.assignment_id = assignment
        if student:
            folder.student_id = student
        step = converter(coursedir=folder, config=self.config)
        step.force = True
        if converter.__name__ == "GenerateFeedback":
            step.update_config(Config({"HTMLExporter": {"template_name": "feedback"}}))
        said = io.StringIO()
        handler = logging.StreamHandler(said)
        step.log.addHandler(handler)
        try:
            with _nbgrader_environment(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # SQLAlchemy warns about nbgrader's own code
                step.start()
        except Exception as error:  # its own message says only "see above"
            raise RuntimeError(said.getvalue() or str(error)) from error
        finally:
            step.log.removeHandler(handler)

    def _configuration(self, timeout: float | None) -> Any:
        from jupyter_client.manager import AsyncKernelManager
        from traitlets.config import PyFileConfigLoader

        config = PyFileConfigLoader(CONFIGURATION, path=str(self.folder)).load_config()
        config.CourseDirectory.root = str(self.folder)
        if can_encrypt(AsyncKernelManager):
            config.KernelManager.transport_encryption = "auto"
        if timeout is not None:
            usual = config.Execute.timeout_func
            config.Execute.timeout_func = lambda cell: (
                usual(cell) if grade_id(cell) == SET_UP else timeout
            )
        return config


def _name_tasks(page: Path, tasks: Sequence[Task]) -> None:
    """Name the tasks in the list at the head of a feedback page: nbgrader writes "Test cell"."""
    text = page.read_text(encoding="utf-8")
    for task in tasks:
        link = re.compile(rf'(<a href="#{re.escape(task.graded_cell)}">)[^<]*(</a>)')
        title = html.escape(task.title)
        text = link.sub(lambda found, title=title: found[1] + title + found[2], text)
    page.write_text(text, encoding="utf-8")


def _reason(error: Exception) -> str:
    """What went wrong, in a few words for the table of marks."""
    text = str(error)
    if "CellTimeoutError" in text or "UnresponsiveKernelError" in text:
        return "endless loop that could not be interrupted"
    if "DeadKernelError" in text:
        return "the kernel died; most often no memory was left"
    named = _ERROR.findall(text)  # the log has the traceback, and then general words
    return (named[-1] if named else first_line(text) or type(error).__name__)[:200]


@contextmanager
def _nbgrader_environment() -> Iterator[None]:
    """Environment variables under which nbgrader finds its tools and this very Python.

    nbgrader calls the command ``alembic``, which lies beside this Python but need not be on the
    path, and starts whatever kernel is registered as "python3".
    """
    from ipykernel.kernelspec import write_kernel_spec

    before = dict(os.environ)
    settings = grading_environment(before)
    with tempfile.TemporaryDirectory() as folder:
        write_kernel_spec(os.path.join(folder, "kernels", "python3"))
        for name, first in (("PATH", str(Path(sys.executable).parent)), ("JUPYTER_PATH", folder)):
            settings[name] = os.pathsep.join(filter(None, [first, before.get(name)]))
        os.environ.clear()
        os.environ.update(settings)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
