"""The marks of a class, as lines of the CSV file that keeps them."""

import csv
import io
import math
import stat
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path

import click

from dlbook.tools.classroom.course import Task
from dlbook.tools.execution import write_whole

_FIRST, _BY_HAND = ["student", "assignment"], "open question"
_LAST = [_BY_HAND, "total", "maximum", "note"]
# what a mark says as long as nobody has read the answer
OPEN_QUESTION = f"{_BY_HAND}: up to {{}} points are to be given by hand"

Row = dict[str, str]  # a line of the file, by the names of its columns


def mark_of(
    student: str,
    assignment: str,
    tasks: Sequence[Task],
    points: Mapping[str, float | None],
    notes: Sequence[str],
) -> Row:
    """What a submission is worth, as a line of the file, with notes for the teacher.

    Points go by task; they are None, which counts 0, where a person has to give them.
    """
    by_test = [task for task in tasks if not task.by_hand]
    return {
        "student": student,
        "assignment": assignment,
        **{f"task {n}": _figure(points[task.name]) for n, task in enumerate(by_test, 1)},
        _BY_HAND: " ".join(_figure(points[task.name]) for task in tasks if task.by_hand),
        "total": _figure(sum(value or 0 for value in points.values())),
        "maximum": str(sum(task.points for task in tasks)),
        "note": "; ".join(notes),
    }


def read_marks(path: Path) -> tuple[list[str], dict[tuple[str, ...], Row], str]:
    """Read a file of marks, also as a spreadsheet saves it; it need not exist.

    Returns:
        The names of the columns, the lines by student and assignment, and what is between columns.

    Raises:
        UsageError: The file is none of marks.
    """
    rows: dict[tuple[str, ...], Row] = {}
    try:
        data = path.read_bytes() if path.is_file() else b""
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        table = csv.DictReader(io.StringIO(text, ""), restval="", strict=True, delimiter=delimiter)
        columns = list(table.fieldnames or [*_FIRST, *_LAST])
        if missing := {*_FIRST, *_LAST} - set(columns):
            raise ValueError(f"it has no column {min(missing)!r}")
        if len(columns) > len(set(columns)):
            raise ValueError("two columns have one name")
        for row in table:
            if None in row:
                raise ValueError(f"line {table.line_num} has too many columns")
            if any(row.values()) and rows.setdefault(_key(row), row) is not row:
                raise ValueError(f"line {table.line_num} is {row['student']}'s second")
    except UnicodeDecodeError as error:
        raise click.UsageError(f'{path} is no text in UTF-8: save it as "CSV UTF-8"') from error
    except (OSError, ValueError, csv.Error) as error:
        raise click.UsageError(f"{path} is no file of marks: {error}") from error
    return columns, rows, delimiter


def write_marks(path: Path, marks: Iterable[Row]) -> tuple[Path, str]:
    """Write marks as a CSV file, one line per student and assignment.

    Lines of others stay, and so do a teacher's own columns and points in "open question", unless
    nbgrader knows better ones. These count in the total of every line. A file that is locked, or
    that was spoilt during the grading, stays as it is; then the marks are written beside it.

    Returns:
        Where they were written, and why not into the file itself, "" if they were.
    """
    columns, rows, delimiter, reason = [], {}, ",", ""
    try:
        columns, rows, delimiter = read_marks(path)
    except click.UsageError as error:
        reason = error.message
    for row in marks:
        earlier = rows.get(_key(row), {})
        by_hand = row[_BY_HAND] or earlier.get(_BY_HAND, "")
        # points of tasks that the assignment has no more go, a teacher's own columns stay
        own = {name: text for name, text in earlier.items() if not _task_number(name)}
        rows[_key(row)] = {**own, **row, _BY_HAND: by_hand}
    names = {name for row in rows.values() for name in row if _task_number(name)}
    own = [name for name in columns if name not in _FIRST + _LAST and not _task_number(name)]
    names = [*_FIRST, *sorted(names, key=_task_number), *_LAST, *own]
    file = io.StringIO()
    table = csv.DictWriter(file, names, restval="", delimiter=delimiter)
    table.writeheader()
    table.writerows(map(_with_points_by_hand, rows.values()))

    encoding = "utf-8-sig"  # without a byte-order mark spreadsheets read Latin-1
    if not reason:
        try:
            if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
                raise PermissionError  # also to an administrator, who could write it
            write_whole(path, file.getvalue(), encoding)
            return path, ""
        except PermissionError:  # on Windows also while a spreadsheet has it open
            reason = f"{path} is read-only or in use"
    names = (path.with_suffix(f".new{number or ''}{path.suffix}") for number in count())
    beside = next(name for name in names if not name.exists())
    write_whole(beside, file.getvalue(), encoding)
    return beside, reason


def _key(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in _FIRST)


def _task_number(column: str) -> int:
    """The number in the name of a task's column, 0 for any other column."""
    word, _, number = column.partition(" ")
    return int(number) if word == "task" and number.isdecimal() else 0


def _with_points_by_hand(row: Row) -> Row:
    """A line whose total counts the open question, if what stands there is a number."""
    points = [_number(text) for name, text in row.items() if _task_number(name) and text]
    points.append(_number(row[_BY_HAND]))
    if None in points:
        return row
    notes = [note for note in row["note"].split("; ") if not note.startswith(_BY_HAND)]
    by_hand, total = _figure(points[-1]), _figure(sum(points))
    return {**row, _BY_HAND: by_hand, "total": total, "note": "; ".join(notes)}


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
