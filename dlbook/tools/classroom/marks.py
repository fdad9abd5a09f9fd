"""The marks of a class, and the CSV file that keeps them."""

import csv
import io
import math
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import click

from dlbook.tools.classroom.course import Task
from dlbook.tools.classroom.submissions import Submission
from dlbook.tools.execution import write_whole

NOT_GRADED = ("not a notebook", "missing", "not graded")  # how the notes of these begin
_FIRST, _BY_HAND = ("student", "assignment"), "open question"
_LAST = (_BY_HAND, "total", "maximum", "note")

Row = dict[str, str]  # a line of the file, by the names of its columns


class NotMarks(click.UsageError):
    """A file that cannot be read as one of marks; the message says why."""


@dataclass
class Mark:
    """What a submission is worth.

    Attributes:
        submission: What was graded.
        tasks: The tasks of its assignment.
        points: By task: the points, or None where a person has to give them.
        note: What a teacher should know about it, "" if nothing.
    """

    submission: Submission
    tasks: Sequence[Task]
    points: dict[str, float | None] = field(default_factory=dict)
    note: str = ""

    @property
    def graded(self) -> bool:
        """Whether the submission could be graded."""
        return not self.note.startswith(NOT_GRADED)

    @property
    def total(self) -> float:
        """The points so far; an open question that nobody has marked counts 0."""
        return sum(value or 0 for value in self.points.values())

    @property
    def maximum(self) -> int:
        """The points that can be had."""
        return sum(task.points for task in self.tasks)


def open_question_note(points: int) -> str:
    """What a mark says as long as nobody has read the answer to the open question."""
    return f"{_BY_HAND}: up to {points} points are to be given by hand"


def read_marks(path: Path) -> tuple[list[str], dict[tuple[str, ...], Row], str]:
    """Read a file of marks, also as a spreadsheet saves it.

    Args:
        path: The file; it need not exist.

    Returns:
        The names of the columns, the lines by student and assignment, and what is between columns.

    Raises:
        NotMarks: The file is none of marks.
    """
    try:
        data = path.read_bytes() if path.is_file() else b""
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        table = csv.DictReader(io.StringIO(text, ""), restval="", strict=True, delimiter=delimiter)
        columns = list(table.fieldnames or (*_FIRST, *_LAST))
        rows: dict[tuple[str, ...], Row] = {}
        if missing := {*_FIRST, *_LAST} - set(columns):
            raise NotMarks(f"{path} is no file of marks: it has no column {min(missing)!r}")
        if len(columns) > len(set(columns)):
            raise NotMarks(f"{path} is no file of marks: two columns have one name")
        for row in table:
            where = f"{path} is no file of marks: line {table.line_num}"
            if None in row:
                raise NotMarks(f"{where} has too many columns")
            if any(row.values()) and rows.setdefault(_key(row), row) is not row:
                raise NotMarks(f"{where} is {row['student']}'s second for {row['assignment']}")
    except UnicodeDecodeError as error:
        raise NotMarks(f'{path} is no text in UTF-8: save it as "CSV UTF-8"') from error
    except (OSError, csv.Error) as error:
        raise NotMarks(f"{path} cannot be read: {error}") from error
    return columns, rows, delimiter


def write_marks(path: Path, marks: Iterable[Mark]) -> tuple[Path, str]:
    """Write marks as a CSV file, one line per student and assignment.

    Lines of other students and assignments that the file has already stay, and so do points that
    a teacher wrote into its column "open question", unless nbgrader knows better ones. They count
    in the total of every line, graded now or earlier. A file that is locked, or that was spoilt
    during the grading, stays as it is; then the marks are written beside it.

    Args:
        path: The file. The columns are student, assignment, the tasks by number, the open
            question, total, maximum and note, and after these a teacher's own. An open question
            without a mark is blank.
        marks: The marks.

    Returns:
        Where they were written, and why not into the file itself, "" if they were.
    """
    columns, rows, delimiter, reason = [*_FIRST, *_LAST], {}, ",", ""
    try:
        columns, rows, delimiter = read_marks(path)
    except NotMarks as error:
        reason = str(error)
    for row in map(_row, marks):
        earlier = rows.get(_key(row), {})
        by_hand = row[_BY_HAND] or earlier.get(_BY_HAND, "")
        # points of tasks that the assignment has no more go, a teacher's own columns stay
        own = {name: text for name, text in earlier.items() if not _task_number(name)}
        rows[_key(row)] = {**own, **row, _BY_HAND: by_hand}
    tasks = sorted(
        {name for row in rows.values() for name in row if _task_number(name)}, key=_task_number
    )
    own = [name for name in columns if name not in (*_FIRST, *_LAST) and not _task_number(name)]
    file = io.StringIO()
    table = csv.DictWriter(file, [*_FIRST, *tasks, *_LAST, *own], restval="", delimiter=delimiter)
    table.writeheader()
    table.writerows(map(_with_points_by_hand, rows.values()))
    if not reason and path.exists() and not _is_writable(path):
        reason = f"{path} is read-only"
    if not reason:
        try:
            _write(path, file.getvalue())
            return path, ""
        except PermissionError:  # on Windows while a spreadsheet has it open
            reason = f"{path} is in use or its folder is read-only"
    names = (path.with_suffix(f".new{number or ''}{path.suffix}") for number in count())
    beside = next(name for name in names if not name.exists())
    _write(beside, file.getvalue())
    return beside, reason


def _write(path: Path, text: str) -> None:
    write_whole(path, text, "utf-8-sig")  # without a byte-order mark spreadsheets read Latin-1


def _is_writable(path: Path) -> bool:
    # to an administrator everything is writable, also what somebody protected
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & stat.S_IWUSR)


def _key(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in _FIRST)


def _task_number(column: str) -> int:
    """The number in the name of a task's column, 0 for any other column."""
    word, _, number = column.partition(" ")
    return int(number) if word == "task" and number.isdecimal() else 0


def _row(mark: Mark) -> Row:
    graded = [task for task in mark.tasks if not task.by_hand]
    return {
        "student": mark.submission.student,
        "assignment": mark.submission.assignment.stem,
        **{f"task {n}": _figure(mark.points[task.name]) for n, task in enumerate(graded, 1)},
        _BY_HAND: " ".join(_figure(mark.points[task.name]) for task in mark.tasks if task.by_hand),
        "total": _figure(mark.total),
        "maximum": str(mark.maximum),
        "note": mark.note,
    }


def _with_points_by_hand(row: Row) -> Row:
    """A line whose total counts the open question, if what stands there is a number."""
    points = [_number(value) for name, value in row.items() if _task_number(name) and value]
    by_hand = _number(row[_BY_HAND])
    if by_hand is None or None in points:
        return row
    notes = [note for note in row["note"].split("; ") if not note.startswith(_BY_HAND)]
    total = _figure(sum(points) + by_hand)
    return {**row, _BY_HAND: _figure(by_hand), "total": total, "note": "; ".join(notes)}


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
