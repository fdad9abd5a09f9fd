"""``dlbook assignment``: release, check, grade."""

import sys
from pathlib import Path

import click
from rich.table import Column, Table
from rich.text import Text

from dlbook.runtime import can_write
from dlbook.tools import FAILED, INTERRUPTED, console

_COURSE = click.option(
    "--course",
    type=click.Path(path_type=Path),
    help="Another nbgrader course than the book's own, notebooks/assignments.",
)


@click.group()
def assignment() -> None:
    """The assignments: student versions, a check of one's own work, marks for a class.

    They need nbgrader, the extra "classroom", and no network.
    """


@assignment.command()
@click.argument("names", nargs=-1)
@_COURSE
def release(names: tuple[str, ...], course: Path | None) -> None:
    """Write the student versions of the assignments NAMES (default: all).

    They go to release/ in the course's folder: without solutions and hidden tests. An assignment
    is named as a chapter is, by its number or the beginning of its name.
    """
    from dlbook.tools.chapters import select_chapters
    from dlbook.tools.classroom.grading import Course

    opened = Course(course)
    for one in select_chapters(names or ("all",), opened.assignments, "assignment"):
        click.echo(f"{one.stem}: {opened.release(one)}")


@assignment.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_COURSE
def check(notebook: Path, course: Path | None) -> None:
    """Run the visible tests in NOTEBOOK and say which tasks are solved, with a hint for the others.

    NOTEBOOK is a released assignment with your answers in it, under any name; it stays as it is.
    When it is graded, hidden tests are run too.
    """
    from dlbook.tools.classroom.checking import check_notebook
    from dlbook.tools.classroom.grading import Course

    opened, screen = Course(course), console()
    with screen.status("running the tests"):
        one, results = check_notebook(notebook, opened.assignments, opened.config.Execute)
    table = Table("task", Column("points", justify="right"), "passed", "hint")
    words = {True: ("yes", "green"), False: ("no", "bold red"), None: ("by hand", "yellow")}
    points = dict.fromkeys(words, 0)
    for task, passed, hint in results:
        points[passed] += task.points
        table.add_row(Text(task.title), str(task.points), Text(*words[passed]), Text(hint))
    screen.print(f"Assignment {one.stem}", table, sep="\n", highlight=False)
    automatic = points[True] + points[False]
    click.echo(f"{points[True]} of {automatic} points pass the visible tests.")
    if points[None]:
        click.echo(f"{points[None]} more points are given by hand.")
    sys.exit(FAILED if points[False] else 0)


@assignment.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@_COURSE
def grade(folder: Path | None, course: Path | None) -> None:
    """Grade the submissions in FOLDER: marks.csv, and a feedback page for each student.

    FOLDER holds <student>/<assignment>/<assignment>.ipynb, as nbgrader collects them (default:
    submitted/ in the course's folder), or files <student>.ipynb. The open questions are left to
    you: mark them with nbgrader's formgrader and grade again, or add them to the CSV file.
    Submissions are code of other people's, and run as you.
    """
    from dlbook.tools.classroom.grading import Course, find_submissions
    from dlbook.tools.classroom.marks import read_marks, write_marks

    opened = Course(course)
    folder = folder or opened.folder / "submitted"
    path = opened.folder / "marks.csv"
    if not folder.is_dir():
        raise click.UsageError(f"there is no folder {folder}: name the one with the submissions.")
    submissions = find_submissions(folder, opened.assignments)
    # what hinders the marks is told before anything is graded
    read_marks(path)
    if not can_write(path.parent):
        raise click.UsageError(f"no marks can be written to {path}.")
    screen = console()

    def say(line: str) -> None:
        screen.print(line, soft_wrap=True, markup=False, highlight=False)

    marks, code = [], 0
    try:
        with screen.status("grading"):
            for one in {submission.assignment for submission in submissions}:
                opened.release(one)
            for number, submission in enumerate(submissions, start=1):
                mark, graded = opened.grade(submission)
                marks.append(mark)
                code = code if graded else FAILED
                who, note = "{student}, {assignment}: {total} of {maximum} points", " ({note})"
                line = (who + note if mark["note"] else who).format(**mark)
                say(f"{number} of {len(submissions)}: {line}")
    except KeyboardInterrupt:
        code = INTERRUPTED
        say(f"Interrupted; {len(marks)} of {len(submissions)} were graded.")
    written, reason = write_marks(path, marks)
    say(f"marks: {written}" + (f" ({reason}; it was left as it is)" if reason else ""))
    say(f"feedback pages: {opened.folder / 'feedback'}")
    sys.exit(code)
