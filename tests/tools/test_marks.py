"""The CSV file of a class's marks."""

import re
from pathlib import Path

import click
import pytest

from dlbook.tools.classroom.course import Task
from dlbook.tools.classroom.marks import OPEN_QUESTION, Row, mark_of, read_marks, write_marks

HEAD = "student,assignment,task 1,task 2,open question,total,maximum,note"
WAITING = OPEN_QUESTION.format(5)


def task(name: str, points: int, by_hand: bool = False) -> Task:
    return Task(name, name, points, by_hand)


def mark(student: str, *points: float, by_hand: float | None = None, stem: str = "02_sums") -> Row:
    """A mark for tasks of three points each, and an open question of five."""
    tasks = [task(f"t{number}", 3) for number in range(len(points))]
    values: dict[str, float | None] = {t.name: p for t, p in zip(tasks, points, strict=True)}
    notes = [WAITING] if by_hand is None else []
    values["why"] = by_hand
    return mark_of(student, stem, [*tasks, task("why", 5, True)], values, notes)


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
    write_marks(path, [mark("bob", 3, by_hand=4), mark("ada", 3, 3, by_hand=1, stem="31_made_up")])
    assert lines(path) == [
        HEAD,
        "ada,02_sums,1,,2,3,8,",
        "bob,02_sums,3,,4,7,8,",
        "ada,31_made_up,3,3,1,7,11,",
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
    ("between", "encoding"), [(";", "utf-8"), (",", "utf-8"), ("\t", "utf-16")]
)
def test_a_file_that_a_spreadsheet_saved_is_read(
    tmp_path: Path, between: str, encoding: str
) -> None:
    path = tmp_path / "marks.csv"
    write_marks(path, [mark("José", 3, 2.5), mark("bob", 1, 1)])
    table = [line.split(",") for line in lines(path)]
    table[1][4:6] = ["4", "5.5"]
    table = [[*row, own] for row, own in zip(table, ["remark", "late", ""], strict=True)]
    text = "\n".join(between.join(row) for row in [*table, [""] * len(table[0])])
    path.write_text(text.replace("2.5", "2,5" if between == ";" else "2.5"), encoding=encoding)
    assert write_marks(path, [mark("eve", 0, 0)]) == (path, "")
    comma = "2,5" if between == ";" else "2.5"
    expected = [
        [*HEAD.split(","), "remark"],
        ["José", "02_sums", "3", comma, "4", "9.5", "11", "", "late"],
        ["bob", "02_sums", "1", "1", "", "2", "11", WAITING, ""],
        ["eve", "02_sums", "0", "0", "", "0", "11", WAITING, ""],
    ]
    assert lines(path) == [between.join(row) for row in expected]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"name;mark\nada;3\n", "it has no column 'assignment'"),
        (HEAD.encode() + b"\nada,02_sums,1,1,,2,11,,more\n", "line 2 has too many columns"),
        (HEAD.encode() + b",a,a\nada,02_sums,1\n", "two columns have one name"),
        (HEAD.encode() + b"\nada,02_sums,1\nada,02_sums,1\n", "line 3 is ada's second"),
        (HEAD.encode() + b'\n"\n', "unexpected end of data"),
        (HEAD.encode() + b"\nJos\xe9,02_sums,1,1,,2,11,\n", 'save it as "CSV UTF-8"'),
    ],
    ids=["foreign", "long line", "one name", "twice", "open quote", "Latin-1"],
)
def test_a_file_that_cannot_be_read_is_refused_and_left_alone(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = tmp_path / "marks.csv"
    path.write_bytes(data)
    with pytest.raises(click.UsageError, match=re.escape(reason)):
        read_marks(path)
    # it may also be spoilt while the grading goes on
    for name in ("marks.new.csv", "marks.new1.csv"):
        beside, said = write_marks(path, [mark("ada", 3, 3, by_hand=0)])
        assert beside == tmp_path / name
        assert reason in said
        assert lines(beside) == [HEAD, "ada,02_sums,3,3,0,6,11,"]
    assert path.read_bytes() == data


@pytest.mark.parametrize("kind", ["read-only", "locked"])
def test_a_file_that_cannot_be_written_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "marks.csv"
    write_marks(path, [mark("ada", 1, 1, by_hand=2)])
    before = path.read_bytes()
    replace = Path.replace

    def locked(source: Path, target: Path) -> Path:
        if target == path:
            raise PermissionError(13, "used by another process")
        return replace(source, target)

    if kind == "locked":
        monkeypatch.setattr(Path, "replace", locked)
    else:
        path.chmod(0o444)
    beside, reason = write_marks(path, [mark("bob", 3, 3, by_hand=0)])
    assert path.read_bytes() == before
    assert beside == tmp_path / "marks.new.csv"
    assert str(path) in reason
    assert lines(beside) == [HEAD, "ada,02_sums,1,1,2,4,11,", "bob,02_sums,3,3,0,6,11,"]
    assert sorted(tmp_path.iterdir()) == [path, beside]  # no half file is left
