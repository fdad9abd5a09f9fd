"""A folder of submissions: who handed in what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlbook.tools.chapters import Chapter, read_notebook
from dlbook.tools.classroom.course import NoCourse, UnknownAssignment, identify


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
    names = {assignment.stem: assignment for assignment in assignments}
    found: dict[tuple[str, str], Path] = {}
    students = {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}
    for path in folder.glob("*/*/*.ipynb"):
        if path.stem == path.parent.name and path.stem in names:
            found[path.stem, path.parent.parent.name] = path
    loose = sorted(folder.glob("*.ipynb"))
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
    if not students or not stems or not any(stem in stems for stem, _ in found):
        raise NoCourse(
            f"{folder} has no submissions: neither <student>/<assignment>/<assignment>.ipynb nor "
            "<student>.ipynb"
        )
    return [
        Submission(student, names[stem], found.get((stem, student)))
        for stem in stems
        for student in sorted(students)
    ]


def _assignment_of(path: Path, assignments: Sequence[Chapter]) -> str:
    try:
        return identify(read_notebook(path), assignments).stem
    except (OSError, ValueError, UnknownAssignment):
        return ""
