"""``dlbook assignment``: release, check, grade."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from dlbook.tools import terminal
from dlbook.tools.terminal import FAILED, INTERRUPTED, epilog

_COURSE = click.option(
    "--course",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another nbgrader course than the book's own, notebooks/assignments.",
)


@click.group()
def assignment() -> None:
    """The assignments: student versions, a check of one's own work, marks for a class.

    Checking needs no network and nothing but the book. Releasing and grading need nbgrader, the
    extra "classroom".
    """


@assignment.command(
    epilog=epilog(
        "  dlbook assignment release           all student versions\n"
        "  dlbook assignment release 3 lstm    those of chapters 03 and 09",
        "an assignment could not be released",
    )
)
@click.argument("names", nargs=-1)
@_COURSE
def release(names: tuple[str, ...], course: Path | None) -> None:
    """Write the student versions of the assignments NAMES (default: all).

    They go to release/ in the course's folder: without solutions and hidden tests. An assignment
    is named as a chapter is, by its number or the beginning of its name.
    """
    from dlbook.tools.classroom.course import COURSE
    from dlbook.tools.classroom.grading import Course

    opened = Course(course or COURSE)
    for one in _select(names, opened.assignments):
        click.echo(f"{one.stem}: {opened.release(one)}")


@assignment.command(
    epilog=epilog(
        "  dlbook assignment check my_03.ipynb\n"
        "  dlbook assignment check ~/my_answers.ipynb --timeout 10",
        "a task is not solved, or the notebook cannot be checked",
    )
)
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds that one cell may take.",
)
@_COURSE
def check(notebook: Path, timeout: float, course: Path | None) -> None:
    """Run the visible tests in NOTEBOOK and say which tasks are solved, with a hint for the others.

    NOTEBOOK is a released assignment with your answers in it, under any name. The file stays as
    it is. When the assignment is graded, hidden tests are run too.
    """
    from rich.text import Text

    from dlbook.tools.classroom import checking
    from dlbook.tools.classroom.course import COURSE

    console = terminal.console()
    with console.status("running the tests"):
        one, results = checking.check_notebook(notebook, course=course or COURSE, timeout=timeout)
    table = terminal.table("task", "points", "passed", "hint", right=("points",))
    words = {True: ("yes", "green"), False: ("no", "bold red"), None: ("by hand", "yellow")}
    for result in results:
        word, style = words[result.passed]
        task = result.task
        hint = Text(result.hint)
        table.add_row(Text(task.title), str(task.points), Text(word, style=style), hint)
    console.print(f"Assignment {one.stem}", highlight=False)
    console.print(table)
    reached = sum(r.task.points for r in results if r.passed)
    automatic = sum(r.task.points for r in results if r.passed is not None)
    by_hand = sum(r.task.points for r in results if r.passed is None)
    console.print(f"{reached} of {automatic} points pass the visible tests.", highlight=False)
    if by_hand:
        console.print(f"{by_hand} more points are given by hand.", highlight=False)
    sys.exit(0 if reached == automatic else FAILED)


@assignment.command(
    epilog=epilog(
        "  dlbook assignment grade                         notebooks/assignments/submitted\n"
        "  dlbook assignment grade ~/collected --csv marks.csv\n"
        "  dlbook assignment grade ~/mail --assignment cnn   files such as ada.ipynb",
        "a submission is missing or could not be graded",
    )
)
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--assignment", "names", multiple=True, help="Grade this one only; may be repeated.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the marks, beside those already there (default: the course's marks.csv).",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    help="Seconds that one cell may take (default: as nbgrader_config.py has it).",
)
@_COURSE
def grade(
    folder: Path | None,
    names: tuple[str, ...],
    csv_file: Path | None,
    timeout: float | None,
    course: Path | None,
) -> None:
    """Grade the submissions in FOLDER: marks as a CSV file, a feedback page for each student.

    FOLDER holds <student>/<assignment>/<assignment>.ipynb, as nbgrader collects them (default:
    submitted/ in the course's folder), or files <student>.ipynb. A submission that is broken or
    runs for ever gets its note and does not stop the others.

    The open questions are left to you: mark them with nbgrader's formgrader and grade again, or
    add them to the CSV file. Submissions are code of other people's: nbgrader runs them as you.
    """
    from rich.markup import escape

    from dlbook.tools.classroom.course import COURSE
    from dlbook.tools.classroom.grading import Course
    from dlbook.tools.classroom.marks import read_marks, write_marks
    from dlbook.tools.classroom.submissions import find_submissions

    opened = Course(course or COURSE, timeout)
    folder = folder or opened.folder / "submitted"
    path = csv_file or opened.folder / "marks.csv"
    if not folder.is_dir():
        raise click.UsageError(f"there is no folder {folder}: name the one with the submissions.")
    chosen = _select(names, opened.assignments) if names else []
    submissions = find_submissions(folder, opened.assignments, chosen)
    # what hinders the marks is told before anything is graded
    read_marks(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise click.UsageError(f"no marks can be written to {path}: {error.strerror}") from error
    console = terminal.console()
    marks: list[Any] = []
    interrupted = False
    try:
        with console.status("releasing"):
            for one in {s.assignment.stem: s.assignment for s in submissions}.values():
                opened.release(one)
        for number, submission in enumerate(submissions, start=1):
            name = f"{submission.student}, {submission.assignment.stem}"
            with console.status(escape(f"{number} of {len(submissions)}: {name}")):
                mark = opened.grade(submission)
            marks.append(mark)
            note = f" ({mark.note})" if mark.note else ""
            console.print(
                f"{number} of {len(submissions)}: {name}: "
                f"{mark.total:g} of {mark.maximum} points{note}",
                soft_wrap=True,
                markup=False,
                highlight=False,
            )
    except KeyboardInterrupt:
        interrupted = True
        console.print(f"Interrupted; {len(marks)} of {len(submissions)} were graded.")
    written, reason = write_marks(path, marks)
    if reason:
        reason = f" ({reason}; it was left as it is)"
    console.print(f"marks: {written}{reason}", soft_wrap=True, markup=False, highlight=False)
    pages = opened.folder / "feedback"
    console.print(f"feedback pages: {pages}", soft_wrap=True, markup=False, highlight=False)
    if interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(0 if all(mark.graded for mark in marks) else FAILED)


def _select(names: tuple[str, ...], assignments: list[Any]) -> list[Any]:
    from dlbook.tools.chapters import UnknownChapter, select_chapters

    try:
        return select_chapters(names or ("all",), assignments)
    except UnknownChapter as error:
        raise click.UsageError(str(error).replace("chapter", "assignment")) from error
