"""The CSV file of a class's marks."""

from pathlib import Path

import pytest

from dlbook.tools.chapters import Chapter
from dlbook.tools.classroom.course import Task
from dlbook.tools.classroom.marks import Mark, open_question_note, write_marks
from dlbook.tools.classroom.submissions import Submission

HEAD = "student,assignment,task 1,task 2,open question,total,maximum,note"
WAITING = open_question_note(5)


def task(name: str, points: int, by_hand: bool = False) -> Task:
    return Task(name, name, points, by_hand)


def mark(student: str, *points: float, by_hand: float | None = None, stem: str = "02_sums") -> Mark:
    """A mark for tasks of three points each, and an open question of five."""
    tasks = [task(f"t{number}", 3) for number in range(len(points))]
    values: dict[str, float | None] = {t.name: p for t, p in zip(tasks, points, strict=True)}
    note = WAITING if by_hand is None else ""
    submission = Submission(student, Chapter(Path(f"{stem}.ipynb")), None)
    return Mark(submission, [*tasks, task("why", 5, True)], {**values, "why": by_hand}, note)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def test_one_line_for_each_student_and_assignment(tmp_path: Path) -> None:
    path = tmp_path / "new" / "marks.csv"
    write_marks(path, [mark("ada", 3, 2.5), mark("bob", 0, 0, by_hand=0)])
    assert lines(path) == [
        HEAD,
        f"ada,02_sums,3,2.5,,5.5,11,{WAITING}",
        "bob,02_sums,0,0,0,0,11,",
    ]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # or spreadsheets take it for Latin-1


def test_lines_of_others_stay_when_some_are_graded_later(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    write_marks(path, [mark("ada", 1, by_hand=2), mark("bob", 2, by_hand=2)])
    write_marks(path, [mark("bob", 3, by_hand=4), mark("ada", 3, 3, by_hand=1, stem="03_cnn")])
    assert lines(path) == [
        HEAD,
        "ada,02_sums,1,,2,3,8,",
        "bob,02_sums,3,,4,7,8,",
        "ada,03_cnn,3,3,1,7,11,",
    ]


@pytest.mark.parametrize("written", ["4", "4.0", "4,0"])
def test_points_that_a_teacher_wrote_into_the_file_stay_and_count(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "marks.csv"
    write_marks(path, [mark("ada", 3, 3)])
    text = path.read_text(encoding="utf-8-sig").replace(",,6,", f',"{written}",6,')
    path.write_text(text, encoding="utf-8")
    write_marks(path, [mark("ada", 3, 1)])
    assert lines(path) == [HEAD, "ada,02_sums,3,1,4,8,11,"]
    write_marks(path, [mark("ada", 3, 1, by_hand=5)])  # nbgrader's are newer
    assert lines(path) == [HEAD, "ada,02_sums,3,1,5,9,11,"]


def test_points_in_the_lines_of_others_count_too(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    write_marks(path, [mark("ada", 3, 2.5), mark("bob", 1, 1)])
    text = path.read_text(encoding="utf-8-sig").replace("3,2.5,,5.5,", "3,2.5,4,5.5,")
    path.write_text(text, encoding="utf-8")
    write_marks(path, [mark("eve", 0, 0)])  # the only one that is late
    assert lines(path)[1:3] == ["ada,02_sums,3,2.5,4,9.5,11,", f"bob,02_sums,1,1,,2,11,{WAITING}"]


@pytest.mark.parametrize("written", ["nan", "inf", "good"])
def test_what_is_no_number_is_kept_and_not_counted(tmp_path: Path, written: str) -> None:
    path = tmp_path / "marks.csv"
    write_marks(path, [mark("ada", 3, 3), mark("bob", 3, 3)])
    text = path.read_text(encoding="utf-8-sig").replace(",,6,", f",{written},6,")
    path.write_text(text, encoding="utf-8")
    write_marks(path, [mark("ada", 3, 1)])
    assert lines(path) == [
        HEAD,
        f"ada,02_sums,3,1,{written},4,11,{WAITING}",
        f"bob,02_sums,3,3,{written},6,11,{WAITING}",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "name;mark\nada;3\n", HEAD + "\nada,02_sums,1\n", HEAD + ",more\n", '"\n', "\x00"],
    ids=["empty", "foreign", "short line", "more columns", "open quote", "no text"],
)
def test_a_file_that_is_no_file_of_marks_is_kept_under_another_name(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "marks.csv"
    path.write_text(text, encoding="utf-8")
    write_marks(path, [mark("ada", 3, 3, by_hand=0)])
    assert lines(path) == [HEAD, "ada,02_sums,3,3,0,6,11,"]
    assert (tmp_path / "marks.old.csv").read_text(encoding="utf-8") == text
