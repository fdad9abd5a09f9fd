"""nbgrader at work: student versions, and marks and feedback for a folder of submissions."""

import contextlib
import html
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import click
from nbformat import NotebookNode

from dlbook.tools.chapters import Chapter, first_line, read_notebook
from dlbook.tools.classroom import course as courses
from dlbook.tools.classroom.checking import STOPPED, describe_error, run_cells
from dlbook.tools.classroom.course import SET_UP, Task, grade_id
from dlbook.tools.classroom.marks import OPEN_QUESTION, Row, mark_of
from dlbook.tools.execution import write_notebook, write_whole

CONFIGURATION = "nbgrader_config.py"
PREPARED = "prepared"  # what nbgrader takes for the folder of submissions


class Submission(NamedTuple):
    """One student's answer to one assignment; ``path`` is None where none was handed in."""

    student: str  # from the name of the folder or file
    assignment: Chapter
    path: Path | None


class Course:
    """A folder that nbgrader works in: ``source``, ``release``, ``autograded``, a gradebook, …

    Raises:
        ClickException: nbgrader is not installed, or the folder is no course.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            from nbgrader.preprocessors import LimitOutput, SaveAutoGrades
            from traitlets.config import PyFileConfigLoader
        except ImportError as error:
            raise click.ClickException(
                "this needs nbgrader: pip install -c constraints.txt -e '.[classroom]'"
            ) from error
        self.folder = (folder or courses.COURSE).absolute()
        self.assignments = courses.find_assignments(self.folder)
        if not (self.folder / CONFIGURATION).is_file():
            text = f"{self.folder} is no course of nbgrader's: it has no {CONFIGURATION}."
            raise click.UsageError(text)
        loader = PyFileConfigLoader(CONFIGURATION, path=str(self.folder))
        self.config = config = loader.load_config()
        config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.submitted_directory = PREPARED
        # relative, because in an URL % and ? have a meaning
        config.CourseDirectory.db_url = "sqlite:///gradebook.db"
        config.HTMLExporter.template_name = "feedback"

        def execute(notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
            run_cells(notebook, resources["metadata"]["path"], config.Execute)
            return notebook, resources

        config.Autograde.autograde_preprocessors = [execute, LimitOutput, SaveAutoGrades]

    def release(self, assignment: Chapter) -> Path:
        """Write the student version of an assignment; where it lies, or a ClickException."""
        from nbgrader.converters import GenerateAssignment

        try:
            with self._at_work():
                self._convert(GenerateAssignment, assignment.stem, ".")
        except Exception as error:
            raise click.ClickException(f"{assignment.stem}: {error}") from error
        return self.folder / "release" / assignment.stem / f"{assignment.stem}.ipynb"

    def grade(self, submission: Submission) -> tuple[Row, bool]:
        """The mark of a submission, with a feedback page, and whether it could be graded."""
        who = (submission.student, submission.assignment.stem)
        source = submission.assignment.read()
        tasks = courses.tasks_of(source)
        # an open question stays blank: a 0 would be taken for a teacher's at the next grading
        points = {task.name: None if task.by_hand else 0.0 for task in tasks}
        if submission.path is None:
            return mark_of(*who, tasks, points, ["missing: no notebook was handed in"]), False
        try:
            notebook = read_notebook(submission.path)
        except (OSError, ValueError):
            return mark_of(*who, tasks, points, ["not a notebook"]), False
        notebook, *found = courses.restored(notebook, source)
        said = ("changed cells were replaced: ", "deleted cells were put back: ")
        notes = [s + ", ".join(names) for s, names in zip(said, found, strict=True) if names]
        if courses.redefines_check(notebook):
            notes.append("an answer redefines check, which the tests call: read it")
        try:
            with self._at_work():
                executed = self._autograde(submission, notebook)
                cells = {grade_id(cell): cell for cell in executed.cells}
                if error := describe_error(cells[SET_UP], self.config.Execute):
                    raise RuntimeError(f"the set-up cell fails: {error}")  # no answer is to blame
                notes += self._execution_notes(executed)
                points = self._points(submission, tasks)
                waiting = [task for task in tasks if points[task.name] is None]
                if rest := sum(t.points for t in waiting if not courses.is_blank(cells[t.answer])):
                    notes.append(OPEN_QUESTION.format(rest))
                self._write_feedback(submission, tasks)
        except Exception as error:  # whatever a submission can do, the next one has its turn
            name = "" if type(error) is RuntimeError else f"{type(error).__name__}: "
            notes.insert(0, f"not graded: {name}{first_line(str(error))}"[:200])
            return mark_of(*who, tasks, points, notes), False
        return mark_of(*who, tasks, points, notes), True

    def _autograde(self, submission: Submission, notebook: NotebookNode) -> NotebookNode:
        """Execute a copy of a submission; what is handed in stays as it is."""
        from nbgrader.converters import Autograde

        name, student = submission.assignment.stem, submission.student
        place = Path(student, name)
        for step in (PREPARED, "autograded", "feedback"):  # nothing of an earlier run may stay
            shutil.rmtree(self.folder / step / place, ignore_errors=True)
        try:
            _copy_files(submission, self.folder / PREPARED / place)
            write_notebook(notebook, self.folder / PREPARED / place / f"{name}.ipynb")
            self._convert(Autograde, name, student)
            return read_notebook(self.folder / "autograded" / place / f"{name}.ipynb")
        finally:
            shutil.rmtree(self.folder / PREPARED, ignore_errors=True)

    def _points(self, submission: Submission, tasks: Sequence[Task]) -> Mapping[str, float | None]:
        from nbgrader.api import Gradebook

        with Gradebook(self.config.CourseDirectory.db_url) as gradebook:
            found = gradebook.find_submission(submission.assignment.stem, submission.student)
            grades = {grade.name: grade for grade in found.notebooks[0].grades}
            given = {t.name: grades[t.graded_cell].manual_score for t in tasks}
            by_test = {t.name: grades[t.graded_cell].auto_score for t in tasks if not t.by_hand}
        return {n: by_test.get(n) if manual is None else manual for n, manual in given.items()}

    def _write_feedback(self, submission: Submission, tasks: Sequence[Task]) -> None:
        from nbgrader.converters import GenerateFeedback

        name, student = submission.assignment.stem, submission.student
        self._convert(GenerateFeedback, name, student)
        path = self.folder / "feedback" / student / name / f"{name}.html"
        page = path.read_text(encoding="utf-8")
        for task in tasks:  # nbgrader calls each of them "Test cell"
            begin, title = f'<a href="#{task.graded_cell}">', html.escape(task.title)
            page = re.sub(rf"{re.escape(begin)}[^<]*", lambda _, new=begin + title: new, page)
        write_whole(path, page)

    def _execution_notes(self, notebook: NotebookNode) -> list[str]:
        """What had to be stopped, and in which tasks."""
        found: dict[str, dict[str, None]] = {}
        for cell in notebook.cells:
            if any(output.get("ename") in STOPPED for output in cell.get("outputs", [])):
                task = grade_id(cell).rpartition("-")[0] or "another cell"
                found.setdefault(describe_error(cell, self.config.Execute), {})[task] = None
        return [f"{said} ({', '.join(tasks)})" for said, tasks in found.items()]

    def _convert(self, converter: type, assignment: str, student: str) -> None:
        """Let one of nbgrader's converters work on one notebook."""
        from nbgrader.coursedir import CourseDirectory

        def convert() -> None:
            step.notebooks = [path]
            step.init_destination(assignment, student)
            if converter.__name__ != "GenerateFeedback":  # a page needs no files beside it
                step.init_assignment(assignment, student)
            step.convert_single_notebook(path)

        folder = CourseDirectory(config=self.config)
        folder.assignment_id = assignment
        step = converter(coursedir=folder, config=self.config)
        step.force = True
        path = os.path.join(step._format_source(assignment, student), f"{assignment}.ipynb")
        # nbgrader's own look for patterns, so that no name may have brackets, and log every error
        step.init_notebooks, step.convert_notebooks = list, convert
        step.start()

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """A working folder and a path in which nbgrader finds its files and ``alembic``."""
        beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        with (
            patch.dict(os.environ, PATH=beside),
            contextlib.chdir(self.folder),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # SQLAlchemy warns about nbgrader's own code
            yield


def find_submissions(folder: Path, assignments: Sequence[Chapter]) -> list[Submission]:
    """One submission for each student and each assignment that anybody handed in.

    The folder has ``<student>/<assignment>/<assignment>.ipynb``, as nbgrader collects them, or
    ``<student>.ipynb`` files, whose assignment is told from their cells; else a UsageError.
    """
    folder = folder.absolute()  # nbgrader works in a folder of its own
    names = {assignment.stem: assignment for assignment in assignments}
    # not what the machine adds on which an archive was packed
    theirs = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__"))]
    students = {path.name for path in theirs if path.is_dir()}
    found = {
        (stem, student): path
        for stem in names
        for student in students
        if (path := folder / student / stem / f"{stem}.ipynb").is_file()
    }
    if loose := [path for path in theirs if path.suffix == ".ipynb"]:
        students = {student for _, student in found} | {path.stem for path in loose}
        told = {path: courses.identify(path, assignments) for path in loose}
        # a file that tells nothing counts for the one assignment that the others are of
        known = {one.stem for one in told.values() if one} or set(names)
        rest = known.pop() if len(known) == 1 else ""
        found |= {(one.stem if one else rest, path.stem): path for path, one in told.items()}
    stems = sorted({stem for stem, _ in found if stem})
    if not stems:
        raise click.UsageError(f"{folder} has no submissions: --help says how they must lie.")
    return [
        Submission(student, names[stem], found.get((stem, student)))
        for stem in stems
        for student in sorted(students)
    ]


def _copy_files(submission: Submission, target: Path) -> None:
    """Copy what lies beside a student's notebook, as modules of the student's own, to a folder."""
    folder = submission.path.parent
    # there is no other check than the book's
    machines = ("__pycache__", "__MACOSX", ".*")
    usual = shutil.ignore_patterns("dlbook", "dlbook.py", "*.ipynb", *machines)

    def left_out(where: str, names: list[str]) -> set[str]:
        out = usual(where, names)
        if folder.name != submission.path.stem and Path(where) == folder:  # the whole class's
            packages = {path.parent.name for path in folder.glob("*/__init__.py")}
            others = {path.name for path in folder.iterdir() if path.is_dir()} - packages
            out |= others | {name for name in names if name.endswith((".zip", ".csv"))}
        return out

    shutil.copytree(folder, target, ignore=left_out, ignore_dangling_symlinks=True)
