"""dlbook assignment release and grade: nbgrader at work, from student versions to feedback."""

import csv
import html
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from click.testing import Result
from course_helpers import (
    LOOP,
    STUBBORN,
    TINY,
    answered,
    as_text,
    cell_of,
    hand_in,
    real_course,
    run,
    source_of,
    tiny_course,
    with_answer,
    without_cells,
)
from nbformat import NotebookNode

from dlbook.tools.chapters import find_chapters
from dlbook.tools.classroom.course import (
    as_released,
    find_assignments,
    grade_id,
    restored,
    tasks_of,
)

REAL = tuple(chapter.stem for chapter in find_chapters()[1:3])  # two of the book's own


def with_helper(notebook: NotebookNode) -> None:
    """Answer with a module of the student's own, which lies beside the notebook."""
    with_answer("twice", "import my_sums\ntwice = my_sums.twice")(notebook)


HELPER = "def twice(x):\n    return 2 * x\n"


def copied(notebook: NotebookNode) -> None:
    """Copy a stub above the answer, as a student does who wants to keep it."""
    stub = nbformat.v4.new_code_cell("raise NotImplementedError()")
    stub.metadata = cell_of(notebook, "twice-answer").metadata
    notebook.cells.insert(3, stub)


def cheating(notebook: NotebookNode) -> None:
    """Print without end, and turn the test of a wrong answer into a text."""
    with_answer("twice", "while True:\n    print('x' * 1000)")(notebook)
    with_answer("add", "def add(x, y):\n    return 3")(notebook)
    as_text("add-test")(notebook)


def grade_all(course: Path, changes: dict[str, Callable]) -> tuple[Path, Result, dict[str, dict]]:
    """Grade right answers with changes to them; the course, what was said, and the marks."""
    pytest.importorskip("nbgrader")
    for student, change in changes.items():
        notebook = answered(course)
        cell_of(notebook, "question-answer").source = "I think so."
        change(notebook)
        path = hand_in(course / "submitted", student, notebook)
        (path.parent / "my_sums.py").write_text(HELPER, encoding="utf-8")
    result = run("grade", "--course", course)
    return course, result, marks_of(course / "marks.csv")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, dict[str, dict]]:
    """A small course, with names in which a pattern or an address would see signs of its own."""
    course = tiny_course(tmp_path_factory.mktemp("tiny") / "course [2026] 100%20 of 20?")
    for student in ("nobody", "__MACOSX/ada", ".cache"):
        (course / "submitted" / student).mkdir(parents=True)
    changes: dict[str, Callable[[NotebookNode], object]] = {
        "ada": lambda notebook: notebook.update(nbformat_minor=4),
        "bob [late]": with_helper,
        "tidy": without_cells("setup", "add-answer", "add-test", "question-task"),
        "cheat": cheating,
    }
    return grade_all(course, changes)


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, dict[str, dict]]:
    """A small course after submissions that hang, kill or fill the kernel."""
    changes: dict[str, Callable[[NotebookNode], object]] = {
        "stubborn": with_answer("twice", STUBBORN),
        "killer": with_answer("twice", "import os\nos._exit(1)"),
        "hungry": with_answer("twice", "def twice(x):\n    return bytearray(5 * 2**30)"),
        "double": copied,
        "clever": with_answer("twice", "def twice(x):\n    return 0\ncheck = lambda *a, **b: None"),
    }
    return grade_all(tiny_course(tmp_path_factory.mktemp("tiny") / "course"), changes)


def marks_of(path: Path) -> dict[str, dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {f"{row['student']} {row['assignment']}": row for row in csv.DictReader(file)}


def points_of(row: dict[str, str]) -> list[str]:
    return [value for name, value in row.items() if name.startswith("task ")]


@pytest.mark.parametrize(
    ("student", "points", "note"),
    [
        ("ada", ["2", "3"], "open question: up to 5 points are to be given by hand"),
        ("bob [late]", ["2", "3"], "open question"),
        (
            "tidy",
            ["2", "0"],
            "deleted cells were put back: setup, add-answer, add-test, question-task",
        ),
        (
            "cheat",
            ["0", "0"],
            "changed cells were replaced: add-test; more than 1,000,000 characters printed",
        ),
        ("nobody", ["0", "0"], "missing: no notebook was handed in"),
    ],
)
def test_whatever_is_handed_in_gets_its_marks_and_a_note(
    graded: tuple, student: str, points: list[str], note: str
) -> None:
    row = graded[2][f"{student} {TINY}"]
    assert points_of(row) == points
    assert row["note"].startswith(note)
    assert (row["total"], row["maximum"]) == (str(sum(map(int, points))), "10")
    # a 0 would be taken for the teacher's when the student hands in later
    assert row["open question"] == ""


@pytest.mark.nbgrader
@pytest.mark.parametrize(
    ("student", "points", "note"),
    [
        ("stubborn", ["0", "0"], "stopped after 5 s: is there an endless loop? (twice, add)"),
        ("killer", ["0", "0"], "the kernel died: most often no memory was left (twice, add)"),
        ("hungry", ["0", "3"], "more memory than allowed (twice)"),
        ("double", ["2", "3"], "open question"),
        ("clever", ["2", "3"], "an answer redefines check"),
    ],
)
def test_whatever_an_answer_does_the_next_one_has_its_turn(
    survived: tuple, student: str, points: list[str], note: str
) -> None:
    if student == "hungry" and sys.platform != "linux":
        pytest.skip("only Linux enforces the limit")
    row = survived[2][f"{student} {TINY}"]
    assert points_of(row) == points
    assert row["note"].startswith(note)


def test_grade_tells_each_student_and_that_some_could_not_be_graded(graded: tuple) -> None:
    _, result, marks = graded
    assert result.exit_code == 1
    told = [line for line in result.output.splitlines() if " of 5: " in line]
    assert len(told) == len(marks) == 5
    assert told[0].startswith(f"1 of 5: ada, {TINY}: 5 of 10 points (open question: up to 5")
    assert "Traceback" not in result.output


def test_each_student_gets_one_page_that_names_the_tasks(graded: tuple) -> None:
    course = graded[0]
    for student in ("ada", "bob [late]", "tidy", "cheat"):
        folder = course / "feedback" / student / TINY
        assert [path.name for path in folder.iterdir()] == [f"{TINY}.html"]
        assert '"#add-test">2. Task add</a>' in (folder / f"{TINY}.html").read_text("utf-8")
    assert not (course / "prepared").exists()


def test_what_was_handed_in_stays_as_it_is(graded: tuple) -> None:
    folder = graded[0] / "submitted" / "tidy" / TINY
    assert {path.name for path in folder.iterdir()} == {f"{TINY}.ipynb", "my_sums.py"}
    kept = nbformat.read(folder / f"{TINY}.ipynb", as_version=4)
    assert "setup" not in [grade_id(cell) for cell in kept.cells]


def test_a_mark_that_a_teacher_gave_is_kept_and_counts(
    graded: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbgrader.api import Gradebook

    course = graded[0]
    monkeypatch.chdir(course)  # in an address, % and ? of the folder's name would mean something
    with Gradebook("sqlite:///gradebook.db") as gradebook:
        grade = gradebook.find_grade("question-answer", TINY, TINY, "ada")
        assert grade.needs_manual_grade
        grade.manual_score = 4
        gradebook.db.commit()
    # as files that came by mail from a Mac
    notebook = answered(course)
    with_helper(notebook)
    nbformat.write(notebook, tmp_path / "ada.ipynb")
    (tmp_path / "my_sums.py").write_text(HELPER, encoding="utf-8")
    (tmp_path / "._ada.ipynb").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "bob.ipynb").write_text("no notebook", encoding="utf-8")
    assert run("check", tmp_path / "ada.ipynb", "--course", course).exit_code == 0
    nearby = os.path.relpath(tmp_path)
    result = run("grade", nearby, "--course", course)
    assert result.exit_code == 1
    marks = marks_of(course / "marks.csv")
    assert marks.keys() == {*graded[2], f"bob {TINY}"}
    assert points_of(marks[f"ada {TINY}"]) == ["2", "3"]
    assert marks[f"ada {TINY}"]["open question"] == "4"
    assert marks[f"ada {TINY}"]["total"] == "9"
    assert marks[f"ada {TINY}"]["note"] == ""
    assert marks[f"bob {TINY}"]["note"] == "not a notebook"


@pytest.mark.nbgrader
def test_no_answer_is_blamed_for_a_set_up_that_fails(tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    course = tiny_course(tmp_path / "course")
    path = source_of(course).path
    source = nbformat.read(path, as_version=4)
    cell_of(source, "setup").source = "raise OSError('no TensorFlow here')"
    nbformat.write(source, path)
    hand_in(course / "submitted", "ada", answered(course))
    result = run("grade", "--course", course)
    assert result.exit_code == 1
    note = marks_of(course / "marks.csv")[f"ada {TINY}"]["note"]
    assert note == "not graded: the set-up cell fails: OSError: no TensorFlow here"


def test_grade_refuses_marks_that_it_cannot_keep_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nbgrader")
    course = tiny_course(tmp_path / "course")
    hand_in(course / "submitted", "ada", answered(course))
    foreign = course / "marks.csv"
    foreign.write_text("name;mark\nada;3\n", encoding="utf-8")
    result = run("grade", "--course", course)
    assert result.exit_code == 2
    assert "is no file of marks" in result.output
    assert foreign.read_text(encoding="utf-8") == "name;mark\nada;3\n"
    foreign.unlink()

    def read_only(dir: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    result = run("grade", "--course", course)
    assert result.exit_code == 2
    assert "no marks can be" in result.output
    assert not (course / "release").exists()


def test_grade_says_what_it_cannot_find(tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    course = tiny_course(tmp_path / "course")
    result = run("grade", "--course", course)
    assert result.exit_code == 2
    assert "there is no folder" in result.output
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run("grade", empty, "--course", course)
    assert result.exit_code == 2
    assert "has no submissions" in result.output
    result = run("release", "99", "--course", course)
    assert result.exit_code == 2
    assert "there is no assignment '99'; there are: 02_sums" in result.output
    result = run("release", "--course", empty)
    assert result.exit_code == 2
    assert f"there are no assignments in {empty}" in result.output
    (course / "nbgrader_config.py").unlink()
    result = run("release", "--course", course)
    assert result.exit_code == 2
    assert "it has no nbgrader_config.py" in result.output


@pytest.mark.nbgrader
def test_nbgrader_releases_every_assignment_as_check_expects_it(tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    stems = [assignment.stem for assignment in find_assignments()]
    course = real_course(tmp_path / "course", stems)
    result = run("release", "--course", course)
    assert result.exit_code == 0, result.output
    for assignment in find_assignments():
        path = course / "release" / assignment.stem / f"{assignment.stem}.ipynb"
        assert str(path) in result.output
        source = assignment.read()
        handed_out = nbformat.read(path, as_version=4)
        assert [cell.source for cell in handed_out.cells] == [as_released(c) for c in source.cells]
        assert restored(handed_out, source)[1:] == ([], [])
        assert "BEGIN" not in path.read_text(encoding="utf-8")
        for cell in handed_out.cells:
            if grade_id(cell).endswith("-test"):
                assert cell.metadata.editable is cell.metadata.deletable is False


# --- the book's own assignments, from release to feedback


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, dict[str, dict]]:
    """Two of the book's assignments with five submissions each."""
    pytest.importorskip("nbgrader")
    course = real_course(tmp_path_factory.mktemp("real") / "course", REAL)
    assert run("release", "--course", course).exit_code == 0
    folder = tmp_path_factory.mktemp("collected")
    for stem in REAL:
        names = [task.name for task in tasks_of(source_of(course, stem).read())]
        blank = nbformat.read(course / "release" / stem / f"{stem}.ipynb", as_version=4)
        looping = answered(course, stem)
        with_answer(names[1], _endless(cell_of(looping, f"{names[1]}-answer").source))(looping)
        hand_in(folder, "perfect", answered(course, stem), stem)
        hand_in(folder, "blank", blank, stem)
        hand_in(folder, "half", answered(course, stem, tasks=3), stem)
        hand_in(folder, "loop", looping, stem)
        hand_in(folder, "broken", '{"cells": [', stem)
    result = run("grade", folder, "--course", course)
    return course, result, marks_of(course / "marks.csv")


def _endless(source: str) -> str:
    name = source.partition("def ")[2].partition("(")[0]
    return LOOP.format(name)


@pytest.mark.nbgrader
@pytest.mark.parametrize("stem", REAL)
def test_five_submissions_get_the_marks_that_they_are_worth(classroom: tuple, stem: str) -> None:
    course, result, marks = classroom
    assert result.exit_code == 1  # two are no notebooks
    tasks = tasks_of(source_of(course, stem).read())
    full = [str(task.points) for task in tasks if not task.by_hand]
    nothing = ["0"] * len(full)
    expected = {
        "perfect": full,
        "blank": nothing,
        "half": full[:3] + nothing[3:],
        "loop": [full[0], "0", *full[2:]],
        "broken": nothing,
    }
    for student, points in expected.items():
        row = marks[f"{student} {stem}"]
        assert points_of(row) == points, student
        assert row["total"] == str(sum(map(int, points))), student
        assert row["maximum"] == str(sum(task.points for task in tasks)), student
    notes = {student: marks[f"{student} {stem}"]["note"] for student in expected}
    assert notes["blank"] == ""
    assert notes["loop"].startswith("stopped after 12 s: is there an endless loop?")
    assert f"({tasks[1].name})" in notes["loop"]
    assert notes["broken"] == "not a notebook"


@pytest.mark.nbgrader
@pytest.mark.parametrize("stem", REAL)
def test_a_blank_version_fails_at_each_task(classroom: tuple, stem: str) -> None:
    """What ``nbgrader validate`` says; with ``--invert`` it says less: that none passed."""
    from nbgrader.validator import Validator

    from dlbook.tools.classroom.grading import Course

    tasks = tasks_of(source_of(classroom[0], stem).read())
    path = classroom[0] / "release" / stem / f"{stem}.ipynb"
    found = Validator(config=Course(classroom[0]).config).validate(str(path))
    assert found.keys() == {"failed"}
    assert len(found["failed"]) == len(tasks)


@pytest.mark.nbgrader
@pytest.mark.parametrize("stem", REAL)
def test_feedback_pages_name_the_task_that_failed(classroom: tuple, stem: str) -> None:
    course = classroom[0]
    tasks = tasks_of(source_of(course, stem).read())

    def page(student: str) -> str:
        path = course / "feedback" / student / stem / f"{stem}.html"
        return " ".join(path.read_text(encoding="utf-8").split())

    for student, failed in {"perfect": [], "half": tasks[3:], "loop": tasks[1:2]}.items():
        text = page(student)
        for task in tasks:
            score = 0 if task in failed or task.by_hand else task.points
            title = html.escape(task.title)
            said = f'"#{task.graded_cell}">{title}</a> (Score: {score}.0 / {task.points}.0)'
            assert said in text, (student, task.name)
    assert "NotImplementedError" in page("half")
    assert "CellTimeoutError" in page("loop")
    assert "KeyboardInterrupt" not in page("perfect")
    assert not (course / "feedback" / "broken").exists()
