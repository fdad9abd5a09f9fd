"""A folder of submissions: who handed in what."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlbook.tools.chapters import Chapter, read_notebook
from dlbook.tools.classroom.course import NoCourse, identify


@dataclass(frozen=True)
class Submission:
    """One student's answer to one assignment.

    Attributes:
        student: The student's name, from the name of the folder or file.
        assignment: The assignment.
        path: The notebook; None where none was handed in.
    """

    student: str
    assignment: Chapter
    path: Path | None


def find_submissions(
    folder: Path, assignments: Sequence[Chapter], only: Sequence[Chapter] = ()
) -> list[Submission]:
    """All submissions of a folder, by assignment and student.

    Args:
        folder: Either ``<student>/<assignment>/<assignment>.ipynb``, as nbgrader collects them, or
            ``<student>.ipynb`` files, whose assignment is told from their cells.
        assignments: The assignments of the course.
        only: Look at these assignments only.

    Returns:
        One for each student and each assignment that anybody handed in or that ``only`` names; its
        path is None where this student's is missing.

    Raises:
        NoCourse: There is nothing to grade.
    """
    folder = folder.absolute()  # nbgrader works in a folder of its own
    names = {assignment.stem: assignment for assignment in assignments}
    found: dict[tuple[str, str], Path] = {}
    students = {path.name for path in folder.iterdir() if path.is_dir() and _is_students(path)}
    for path in folder.glob("*/*/*.ipynb"):
        student = path.parent.parent.name
        if student in students and path.stem == path.parent.name and path.stem in names:
            found[path.stem, student] = path
    loose = sorted(path for path in folder.glob("*.ipynb") if _is_students(path))
    if loose:
        students = {student for _, student in found} | {path.stem for path in loose}
        told = {path: _assignment_of(path, assignments) for path in loose}
        wanted = [assignment.stem for assignment in only]
        # a file that tells nothing counts for the one assignment that is graded
        candidates = set(wanted) or {stem for stem in told.values() if stem}
        for path, stem in told.items():
            if stem or len(candidates) == 1:
                found[stem or next(iter(candidates)), path.stem] = path
    stems = [a.stem for a in only] or sorted({stem for stem, _ in found})
    if not any(stem in stems for stem, _ in found):
        raise NoCourse(
            f"{folder} has no submissions: neither <student>/<assignment>/<assignment>.ipynb nor "
            "<student>.ipynb"
        )
    return [
        Submission(student, names[stem], found.get((stem, student)))
        for stem in stems
        for student in sorted(students)
    ]


def copy_files(submission: Submission, target: Path) -> None:
    """Copy what lies beside a student's notebook, as modules of the student's own.

    Args:
        submission: The submission.
        target: The folder to make.
    """
    folder = submission.path.parent
    for_the_class = folder.name != submission.path.stem

    def left_out(where: str, names: list[str]) -> set[str]:
        out = {"dlbook", "dlbook.py", "__pycache__", "__MACOSX"}  # no other check than the book's
        out |= {name for name in names if name.endswith(".ipynb") or name.startswith(".")}
        if for_the_class and Path(where) == folder:
            files = [path for path in map(folder.joinpath, names) if path.is_file()]
            modules = {path.parent.name for path in folder.glob("*/__init__.py")}
            kept = {path.name for path in files if path.suffix not in (".zip", ".csv")}
            out |= set(names) - kept - modules
        return out

    shutil.copytree(folder, target, ignore=left_out, ignore_dangling_symlinks=True)


def _is_students(path: Path) -> bool:
    """Whether a student made it, and not the machine on which it was packed."""
    return not path.name.startswith((".", "__"))


def _assignment_of(path: Path, assignments: Sequence[Chapter]) -> str:
    try:
        assignment = identify(read_notebook(path), assignments)
    except (OSError, ValueError):
        return ""
    return assignment.stem if assignment else ""
