"""The marks of a class, and the CSV file that keeps them."""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlbook.tools.classroom.course import Task
from dlbook.tools.classroom.submissions import Submission

NOT_GRADED = ("not a notebook", "missing", "not graded")  # how the notes of these begin
_FIRST, _BY_HAND = ("student", "assignment"), "open question"
_LAST = (_BY_HAND, "total", "maximum", "note")

Row = dict[str, str]  # a line of the file, by the names of its columns


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


def write_marks(path: Path, marks: Iterable[Mark]) -> None:
    """Write marks as a CSV file, one line per student and assignment.

    Lines of other students and assignments that the file has already stay, and so do points that
    a teacher wrote into its column "open question", unless nbgrader knows better ones. They count
    in the total of every line, graded now or earlier. A file that cannot be read as one of marks
    is kept under another name, with ".old" in it.

    Args:
        path: The file. The columns are student, assignment, the tasks by number, the open
            question, total, maximum and note. An open question without a mark is blank.
        marks: The marks.
    """
    rows = _earlier(path)
    for mark in marks:
        row = _row(mark)
        key = tuple(row[name] for name in _FIRST)
        rows[key] = {**row, _BY_HAND: row[_BY_HAND] or rows.get(key, {}).get(_BY_HAND, "")}
    numbers = {name for row in rows.values() for name in row if name.startswith("task ")}
    columns = [*_FIRST, *sorted(numbers, key=lambda name: int(name.split()[1])), *_LAST]
    path.parent.mkdir(parents=True, exist_ok=True)
    # a byte-order mark, or spreadsheets take names for Latin-1
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(map(_with_points_by_hand, rows.values()))


def _earlier(path: Path) -> dict[tuple[str, ...], Row]:
    """The lines of a file of marks by student and assignment; what is no such file is moved."""
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, strict=True)
            columns, rows = table.fieldnames or (), list(table)
        others = [name for name in columns if name not in (*_FIRST, *_LAST)]
        known = {*_FIRST, *_LAST} <= set(columns) and all(_is_task(name) for name in others)
        if known and not any(None in (*row, *row.values()) for row in rows):  # too long, too short
            return {tuple(row[name] for name in _FIRST): row for row in rows}
    except (ValueError, csv.Error):
        pass
    path.replace(path.with_suffix(f".old{path.suffix}"))
    return {}


def _is_task(column: str) -> bool:
    word, _, number = column.partition(" ")
    return word == "task" and number.isdecimal()


def _row(mark: Mark) -> Row:
    by_hand: Sequence[Task] = [task for task in mark.tasks if task.by_hand]
    graded = [task for task in mark.tasks if not task.by_hand]
    return {
        "student": mark.submission.student,
        "assignment": mark.submission.assignment.stem,
        **{f"task {n}": _figure(mark.points[task.name]) for n, task in enumerate(graded, 1)},
        _BY_HAND: " ".join(_figure(mark.points[task.name]) for task in by_hand),
        "total": _figure(mark.total),
        "maximum": str(mark.maximum),
        "note": mark.note,
    }


def _with_points_by_hand(row: Row) -> Row:
    """A line whose total counts the open question, if what stands there is a number."""
    points = [_number(value) for name, value in row.items() if _is_task(name) and value]
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
