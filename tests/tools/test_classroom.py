"""dlbook assignment: what it hands out, how it checks one notebook, and how it marks a class."""

import csv
import html
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner, Result
from course_helpers import (
    TINY,
    answered,
    cell_of,
    hand_in,
    real_course,
    source_of,
    tiny_course,
    with_answer,
    without_cells,
)
from nbformat import NotebookNode

from dlbook.tools.chapters import read_notebook
from dlbook.tools.classroom import checking
from dlbook.tools.classroom.course import (
    as_released,
    find_assignments,
    grade_id,
    redefines_check,
    restored,
    tasks_of,
)
from dlbook.tools.cli import main

LOOP = "def {}(*arguments, **options):\n    while True:\n        pass"
PRINTS = "def add(x, y):\n    while True:\n        print('x' * 1000)"
# an interruption is an exception like any other
STUBBORN = """import time
def twice(x):
    while True:
        try:
            time.sleep(0.05)
        except BaseException:
            pass"""
REAL = ("01_mlp_from_scratch", "03_cnn")


def as_text(name: str) -> Callable[[NotebookNode], None]:
    """A change to a notebook: a cell is no code any more."""

    def change(notebook: NotebookNode) -> None:
        cell = cell_of(notebook, name)
        cell.cell_type = "markdown"
        del cell["outputs"], cell["execution_count"]

    return change


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return tiny_course(tmp_path / "course")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["assignment", *(str(a) for a in arguments)])


def check(course: Path, notebook: NotebookNode | str, *options: object) -> Result:
    path = course / "mine.ipynb"
    if isinstance(notebook, str):
        path.write_text(notebook, encoding="utf-8")
    else:
        nbformat.write(notebook, path)
    return run("check", path, "--course", course, *options)


# --- check


def test_check_gives_points_and_says_what_is_to_be_done(course: Path) -> None:
    result = check(course, answered(course, tasks=1))
    assert result.exit_code == 1
    lines = [line.split("│") for line in result.output.splitlines() if line.startswith("│")]
    rows = [[part.strip() for part in line[1:-1]] for line in lines]
    assert rows == [
        ["1. Task twice", "2", "yes", ""],
        ["2. Task add", "3", "no", "not answered yet"],
        ["3. Why?", "5", "by hand", "not answered yet"],
    ]
    assert "2 of 5 points pass the visible tests" in result.output
    assert "5 more points are given by hand" in result.output


def test_check_is_content_with_right_answers_and_leaves_the_file_alone(course: Path) -> None:
    notebook = answered(course)
    result = check(course, notebook)
    assert result.exit_code == 0, result.output
    assert "your teacher marks it" in result.output
    assert nbformat.read(course / "mine.ipynb", as_version=4) == notebook


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("def add(x, y):\n    return x", "both numbers count"),
        ("def add(x, y):\n    return x.shape", "AttributeError: 'int' object has no attribute"),
        ("def add(x, y)\n    return x + y", "in the answer: SyntaxError: expected ':'"),
        (
            "def add(x, y):\n    warnings.warn('add is old')\n    return x + y",
            "no warning may be printed",
        ),
        (LOOP.format("add"), "stopped after 2 s: is there an endless loop?"),
        (PRINTS, "more than 1,000,000 characters printed: an endless loop?"),
        (PRINTS.replace("print", "display"), "more than 1,000,000 characters printed"),
        ("import os\nos._exit(1)", "the kernel died"),
    ],
    ids=["wrong", "error", "syntax", "warning", "loop", "prints", "displays", "died"],
)
def test_check_gives_a_hint(course: Path, answer: str, hint: str) -> None:
    notebook = answered(course)
    with_answer("add", answer)(notebook)
    result = check(course, notebook, "--timeout", 2)
    assert result.exit_code == 1
    assert hint in " ".join(result.output.split())
    assert "2 of 5 points" in result.output


def test_a_loop_that_cannot_be_interrupted_is_ended(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "STOP_TIMEOUT", 3)
    notebook = answered(course)
    with_answer("twice", STUBBORN)(notebook)
    result = check(course, notebook, "--timeout", 2)
    assert "0 of 5 points" in result.output
    assert result.output.count("stopped after 2 s") == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_cells("add-test"), "deleted: add-test"),
        (lambda notebook: cell_of(notebook, "add-test").update(source="pass"), "changed: add-test"),
        (lambda notebook: cell_of(notebook, "setup").update(source="x = 1"), "changed: setup"),
        (as_text("add-test"), "changed: add-test"),
        (as_text("setup"), "changed: setup"),
        (
            without_cells("twice-test", "twice-answer", "add-test", "add-answer"),
            "has no cells of any assignment of this course",
        ),
    ],
    ids=["deleted", "changed", "set-up", "test as text", "set-up as text", "foreign"],
)
def test_check_refuses_other_test_cells(course: Path, change: Callable, said: str) -> None:
    notebook = answered(course)
    cell_of(notebook, "question-answer").metadata.pop("nbgrader")
    change(notebook)
    result = check(course, notebook)
    assert result.exit_code == 1
    assert said in result.output
    assert "mine.ipynb" in result.output
    assert "│" not in result.output


def test_blanks_at_the_ends_of_lines_are_no_change(course: Path) -> None:
    notebook = answered(course)
    cell_of(notebook, "add-test").source += "  \n\n"
    assert check(course, notebook).exit_code == 0


@pytest.mark.parametrize("text", ["", "no notebook", "[]", "3", "{}", '{"nbformat": 4}'])
def test_check_says_that_a_file_is_no_notebook(course: Path, text: str) -> None:
    result = check(course, text)
    assert result.exit_code == 1
    assert "mine.ipynb cannot be read as a notebook" in result.output


def test_check_says_that_a_file_is_missing(course: Path) -> None:
    result = run("check", course / "nowhere.ipynb")
    assert result.exit_code == 2
    assert "does not exist" in result.output


def test_check_says_that_the_set_up_fails(course: Path) -> None:
    path = source_of(course).path
    source = nbformat.read(path, as_version=4)
    cell_of(source, "setup").source = "import nothing_of_this_name"
    nbformat.write(source, path)
    result = check(course, answered(course))
    assert result.exit_code == 1
    assert "the set-up cell fails: ModuleNotFoundError" in result.output


def test_check_works_without_nbgrader_and_the_others_say_what_is_missing(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader", None)  # an import of it or of a part of it fails
    assert "5 of 5 points" in check(course, answered(course)).output
    for command in ("release", "grade"):
        result = run(command, "--course", course)
        assert result.exit_code == 1
        assert result.output.splitlines() == [
            "Error: this needs nbgrader: pip install -c constraints.txt -e '.[classroom]'"
        ]


def test_where_the_assignments_are_not_installed_that_is_said(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = course / "mine.ipynb"
    nbformat.write(answered(course), path)
    monkeypatch.setattr("dlbook.tools.classroom.course.COURSE", course / "site-packages")
    result = run("check", path)
    assert result.exit_code == 2
    assert "not with the installed package" in result.output
    assert str(course / "site-packages") in result.output


# --- what Jupyter opens is a notebook


def minor_4(notebook: dict) -> None:
    notebook["nbformat_minor"] = 4  # which had no ids


def loosely_made(notebook: dict) -> None:
    """Change all that programs other than Jupyter leave out, add or write in another way."""
    for cell in notebook["cells"]:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
        cell.update(id="the same", language="python")
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"]["tags"] = "a tag"
    for cell in ({"cell_type": "heading", "source": "End"}, {"cell_type": "code", "outputs": [{}]}):
        notebook["cells"].append({**cell, "metadata": {}})
    notebook["metadata"]["kernelspec"] = {"name": "python3"}
    del notebook["nbformat_minor"]


@pytest.mark.parametrize(
    ("change", "encoding"),
    [(minor_4, "utf-8"), (lambda notebook: None, "utf-8-sig"), (loosely_made, "utf-8")],
    ids=["minor 4", "byte-order mark", "loosely made"],
)
def test_small_faults_that_jupyter_overlooks_are_repaired(
    course: Path, change: Callable, encoding: str, recwarn: pytest.WarningsRecorder
) -> None:
    notebook = json.loads(json.dumps(answered(course)))
    change(notebook)
    path = course / "mine.ipynb"
    path.write_text(json.dumps(notebook), encoding=encoding)
    found = read_notebook(path)
    assert nbformat.validator.isvalid(found)
    cells = {grade_id(cell): cell for cell in found.cells}
    for cell in answered(course).cells:
        assert cells[grade_id(cell)].source == cell.source
        assert cells[grade_id(cell)].cell_type == cell.cell_type
    assert not recwarn.list
    assert "5 of 5 points" in run("check", path, "--course", course).output


# --- the notebooks of a course


def test_tasks_have_titles_points_and_a_person_for_the_open_question(course: Path) -> None:
    tasks = tasks_of(source_of(course).read())
    assert [(t.name, t.title, t.points, t.by_hand) for t in tasks] == [
        ("twice", "1. Task twice", 2, False),
        ("add", "2. Task add", 3, False),
        ("question", "3. Why?", 5, True),
    ]


@pytest.mark.parametrize("name", ["head", "setup", "twice-answer", "add-test", "question-answer"])
def test_a_deleted_cell_comes_back_to_its_place(course: Path, name: str) -> None:
    source = source_of(course).read()
    notebook = answered(course)
    notebook.cells.insert(3, nbformat.v4.new_code_cell("my_own = 1"))
    without_cells(name)(notebook)
    whole, changed, deleted = restored(notebook, source)
    assert (changed, deleted) == ([], [name])
    named = [grade_id(cell) for cell in whole.cells if grade_id(cell)]
    assert named == [grade_id(cell) for cell in source.cells]
    assert cell_of(whole, name).source == as_released(cell_of(source, name))
    assert len(notebook.cells) == len(source.cells)  # the student's own is as it was


@pytest.mark.parametrize(
    ("code", "redefined"),
    [
        ("def check(*arguments, **options):\n    pass", True),
        ("from builtins import print as check", True),
        ("import dlbook\ndlbook.check = print", True),
        ("check: object = print", True),
        ("check('mine', 2, equals=2)\nchecked = check", False),
        ("%time 1\ncheck = print", True),
        ("check = ", False),
    ],
)
def test_another_check_is_noticed(course: Path, code: str, redefined: bool) -> None:
    notebook = answered(course)
    assert not redefines_check(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    assert redefines_check(notebook) is redefined


# --- with nbgrader


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
    result = run("grade", "--course", course, "--timeout", 3)
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
            "changed cells were replaced: add-test; output: more than allowed (twice)",
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
        ("stubborn", ["0", "0"], "not graded: endless loop that could not be interrupted"),
        ("killer", ["0", "0"], "not graded: the kernel died"),
        ("hungry", ["0", "3"], "memory: more than allowed (twice)"),
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
    result = run("grade", tmp_path, "--course", course, "--csv", tmp_path / "new" / "marks.csv")
    assert result.exit_code == 1
    marks = marks_of(tmp_path / "new" / "marks.csv")
    assert marks.keys() == {f"ada {TINY}", f"bob {TINY}"}
    assert points_of(marks[f"ada {TINY}"]) == ["2", "3"]
    assert marks[f"ada {TINY}"]["open question"] == "4"
    assert marks[f"ada {TINY}"]["total"] == "9"
    assert marks[f"ada {TINY}"]["note"] == ""
    assert marks[f"bob {TINY}"]["note"] == "not a notebook"


@pytest.mark.nbgrader
def test_no_answer_is_blamed_for_a_set_up_that_fails(course: Path) -> None:
    pytest.importorskip("nbgrader")
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
    course: Path, tmp_path: Path
) -> None:
    pytest.importorskip("nbgrader")
    hand_in(course / "submitted", "ada", answered(course))
    foreign = tmp_path / "list.csv"
    foreign.write_text("name;mark\nada;3\n", encoding="utf-8")
    for path, said in (
        (foreign, "is no file of marks"),
        (foreign / "marks.csv", "no marks can be"),
    ):
        result = run("grade", "--course", course, "--csv", path)
        assert result.exit_code == 2
        assert said in result.output
    assert not (course / "release").exists()
    assert foreign.read_text(encoding="utf-8") == "name;mark\nada;3\n"


def test_grade_says_what_it_cannot_find(course: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbgrader")
    result = run("grade", "--course", course)
    assert result.exit_code == 2
    assert "there is no folder" in result.output
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run("grade", empty, "--course", course)
    assert result.exit_code == 2
    assert "has no submissions" in result.output
    result = run("grade", empty, "--course", course, "--assignment", "99")
    assert result.exit_code == 2
    assert "there is no assignment '99'; known: 02_sums" in result.output
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


def test_the_environment_is_as_it_was(graded: tuple) -> None:
    assert os.environ.get("CUDA_VISIBLE_DEVICES") != "-1"
    assert checking.grading_environment()["CUDA_VISIBLE_DEVICES"] == "-1"


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
    result = run("grade", folder, "--course", course, "--timeout", 12)
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
    assert notes["loop"].startswith(f"endless loop: stopped after 12 s ({tasks[1].name})")
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
