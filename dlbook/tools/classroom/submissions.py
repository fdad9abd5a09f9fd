"""A folder of submissions: who handed in what."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from dlbook.tools.chapters import Chapter, read_notebook
from dlbook.tools.classroom.course import identify


class Submission(NamedTuple):
    """One student's answer to one assignment; ``path`` is None where none was handed in."""

    student: str  # from the name of the folder or file
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
        One for each student and each assignment that anybody handed in or that ``only`` names.

    Raises:
        UsageError: There is nothing to grade.
    """
    folder = folder.absolute()  # nbgrader works in a folder of its own
    names = {assignment.stem: assignment for assignment in assignments}
    wanted = [assignment.stem for assignment in only]
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
        told = {path: _assignment_of(path, assignments) for path in loose}
        # a file that tells nothing counts for the one assignment that is graded
        candidates = set(wanted) or {stem for stem in told.values() if stem}
        rest = candidates.pop() if len(candidates) == 1 else ""
        found.update({(stem or rest, path.stem): path for path, stem in told.items()})
    stems = wanted or sorted({stem for stem, _ in found if stem})
    if not any(stem in stems for stem, _ in found):
        raise click.UsageError(
            f"{folder} has no submissions: neither <student>/<assignment>/<assignment>.ipynb nor "
            "<student>.ipynb"
        )
    return [
        Submission(student, names[stem], found.get((stem, student)))
        for stem in stems
        for student in sorted(students)
    ]


def copy_files(submission: Submission, target: Path) -> None:
    """Copy what lies beside a student's notebook, as modules of the student's own, to a folder."""
    folder = submission.path.parent
    # there is no other check than the book's
    machines = ("__pycache__", "__MACOSX", ".*")
    usual = shutil.ignore_patterns("dlbook", "dlbook.py", "*.ipynb", *machines)

    def left_out(where: str, names: list[str]) -> set[str]:
        out = usual(where, names)
        if folder.name != submission.path.stem and Path(where) == folder:  # the whole class's
            packages = {path.parent.name for path in folder.glob("*/__init__.py")}
            files = {path.name for path in folder.iterdir() if path.is_file()}
            out |= set(names) - packages - files
            out |= {name for name in files if name.endswith((".zip", ".csv"))}
        return out

    shutil.copytree(folder, target, ignore=left_out, ignore_dangling_symlinks=True)


def _assignment_of(path: Path, assignments: Sequence[Chapter]) -> str:
    try:
        assignment = identify(read_notebook(path), assignments)
    except (OSError, ValueError):
        return ""
    return assignment.stem if assignment else ""
