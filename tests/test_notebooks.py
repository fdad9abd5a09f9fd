"""Every chapter keeps the contract: fresh outputs, compared cells, checks, alt text, tags.

Run on what is stored in notebooks/; nothing is executed here (pytest's nbval does that).
"""

import re
from pathlib import Path

import nbformat
import pytest

from dlbook.tools.chapters import (
    HOUSE,
    NOTEBOOKS,
    Chapter,
    cell_tags,
    code_cells,
    find_chapters,
    first_line,
)
from dlbook.tools.overview import head_of
from dlbook.tools.record import (
    UNTRAINED_FAILS,
    machine_paths,
    must_fail_untrained,
    over_budget,
    stale_reasons,
    untrained_faults,
)

CHAPTERS = find_chapters()
IGNORED = "nbval-ignore-output"
TAGS = {
    IGNORED,
    "nbval-check-output",
    "nbval-skip",
    "nbval-raises-exception",
    "raises-exception",
    UNTRAINED_FAILS,
}
FEWEST, MOST = 20, 40  # code cells
LEVELS = ("introductory", "intermediate", "advanced")
# what serves all chapters, and so names none
SHARED = (
    "dlbook/tools/**/*.py",
    "dlbook/*.py",
    "tests/**/*.py",
    "conftest.py",
    ".ci/run",
    "Makefile",
)

chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
_cache: dict[Path, nbformat.NotebookNode] = {}


def notebook_of(chapter: Chapter) -> nbformat.NotebookNode:
    return _cache.setdefault(chapter.path, chapter.read())


def test_there_are_chapters() -> None:
    assert CHAPTERS, f"no chapters in {NOTEBOOKS}"


def test_nothing_else_lies_among_the_chapters() -> None:
    others = set(NOTEBOOKS.glob("*.ipynb")) - {chapter.path for chapter in CHAPTERS}
    assert others == set()


def test_no_two_chapters_have_one_number() -> None:
    numbers = [chapter.stem[:2] for chapter in CHAPTERS]
    assert len(set(numbers)) == len(numbers)


@chapters
def test_the_stored_outputs_are_fresh(chapter: Chapter) -> None:
    assert stale_reasons(chapter) == []


@chapters
def test_the_stored_runs_are_within_budget(chapter: Chapter) -> None:
    assert over_budget(chapter.record) == []


@chapters
def test_the_checks_of_tagged_cells_failed_without_training(chapter: Chapter) -> None:
    met = chapter.record.get("untrained", {}).get("checks", [])
    assert untrained_faults(notebook_of(chapter), met) == []


@chapters
def test_the_lesson_and_the_head_agree(chapter: Chapter) -> None:
    lesson, head = chapter.record["lesson"], head_of(notebook_of(chapter))
    assert lesson["level"] in LEVELS
    assert 1 <= lesson["reading_minutes"] <= 120
    assert 3 <= len(lesson["objectives"]) <= 5
    assert set(lesson["prerequisites"]) <= {other.stem for other in CHAPTERS} - {chapter.stem}
    needs = re.search(r"^\*You need:\*(.+?)(?:\n\n|\Z)", head, re.M | re.S).group(1)
    named = sorted(re.findall(r"\b\d\d\b", needs))
    assert named == sorted(stem[:2] for stem in lesson["prerequisites"])
    later = [stem for stem in lesson["prerequisites"] if stem > chapter.stem]
    assert not later or "later in the book, because" in " ".join(needs.split())
    listed = re.search(r"^\*You will learn:\*\n+((?:- .+\n?(?:  .+\n?)*)+)", head, re.M).group(1)
    items = [" ".join(item.split()) for item in re.split(r"^- ", listed, flags=re.M)[1:]]
    assert items == [" ".join(objective.split()) for objective in lesson["objectives"]]


@chapters
def test_the_file_is_a_valid_notebook_with_stable_cell_ids(chapter: Chapter) -> None:
    notebook = notebook_of(chapter)
    nbformat.validate(notebook)
    # without ids of its own nbformat would invent new ones at each reading
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    text = chapter.path.read_text(encoding="utf-8")
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(f'"id": "{identity}"' in text for identity in ids)
    assert text.endswith("}\n")
    assert set(notebook.metadata) == {"dlbook", "kernelspec", "language_info"}


@chapters
def test_it_has_the_size_of_a_chapter(chapter: Chapter) -> None:
    count = len(code_cells(notebook_of(chapter)))
    assert count <= MOST
    assert count >= FEWEST or chapter == CHAPTERS[0]  # the first only shows how the book works


@chapters
def test_no_heading_and_no_paragraph_stands_twice(chapter: Chapter) -> None:
    """As it happens when two people mend the same gap."""
    cells = [cell for cell in notebook_of(chapter).cells if cell.cell_type == "markdown"]
    parts = "\n\n".join(cell.source for cell in cells).split("\n\n")
    told = [part for part in parts if part.startswith("#") or len(part) > 80]
    assert sorted({part for part in told if told.count(part) > 1}) == []


@chapters
def test_no_section_is_lost(chapter: Chapter) -> None:
    prose = [cell.source for cell in notebook_of(chapter).cells if cell.cell_type == "markdown"]
    found = re.findall(r"^## (\d+)\. ", "\n".join(prose), flags=re.MULTILINE)
    assert [int(number) for number in found] == [*range(1, len(found) + 1)]
    assert len(found) > 5


@chapters
def test_it_starts_with_a_title_and_the_set_up(chapter: Chapter) -> None:
    notebook = notebook_of(chapter)
    assert notebook.cells[0].cell_type == "markdown"
    assert re.match(rf"# {chapter.stem[:2]}\b", notebook.cells[0].source)
    assert "dlbook.setup(" in code_cells(notebook)[0].source


@chapters
def test_at_least_half_of_the_cells_with_output_are_compared(chapter: Chapter) -> None:
    shown = [cell for cell in code_cells(notebook_of(chapter)) if cell.outputs]
    compared = [cell for cell in shown if IGNORED not in cell_tags(cell)]
    assert shown
    assert 2 * len(compared) >= len(shown)


def is_compared_check(cell: nbformat.NotebookNode) -> bool:
    ignored = {IGNORED, "nbval-skip"} & cell_tags(cell)
    return not ignored and re.search(r"\bcheck\(", cell.source) is not None


def unchecked(cells: list[nbformat.NotebookNode]) -> list[str]:
    """The ignored cells that no compared check follows, but for an ignored last cell."""
    checks = [number for number, cell in enumerate(cells) if is_compared_check(cell)]
    last_check = max(checks, default=-1)
    return [
        first_line(cell.source)
        for number, cell in enumerate(cells[:-1])
        if IGNORED in cell_tags(cell) and number > last_check
    ]


@chapters
def test_every_ignored_result_is_followed_by_a_compared_check(chapter: Chapter) -> None:
    assert unchecked(code_cells(notebook_of(chapter))) == []


def test_an_ignored_result_without_a_check_is_found() -> None:
    def cell(source: str, *tags: str) -> nbformat.NotebookNode:
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    fit, figure, check = cell("fit()", IGNORED), cell("plot()", IGNORED), cell("check(1)")
    end = cell("print()")
    assert unchecked([fit, figure, check, end]) == []
    assert unchecked([check, fit, end]) == ["fit()"]
    assert unchecked([fit, cell("check(1)", IGNORED), end]) == ["fit()", "check(1)"]
    assert unchecked([fit, cell("recheck(1)"), end]) == ["fit()"]
    assert unchecked([check, fit]) == []


@chapters
def test_all_tags_are_known(chapter: Chapter) -> None:
    cells = notebook_of(chapter).cells
    assert {tag for cell in cells for tag in cell_tags(cell)} <= TAGS
    for cell in cells:
        if UNTRAINED_FAILS in cell_tags(cell):
            assert is_compared_check(cell), first_line(cell.source)
    # the old form of the tags, in a comment, would be missed by the tests above
    assert not any(re.search(r"#\s*NBVAL_", cell.source, re.IGNORECASE) for cell in cells)


@chapters
def test_no_path_of_a_machine_is_stored(chapter: Chapter) -> None:
    assert machine_paths(notebook_of(chapter), sources=True) == []


@chapters
def test_every_picture_has_alt_text(chapter: Chapter) -> None:
    without = []
    for number, cell in enumerate(code_cells(notebook_of(chapter)), start=1):
        for output in cell.outputs:
            for kind in output.get("data", {}):
                described = output.get("metadata", {}).get(kind, {})
                if kind.startswith("image/") and not str(described.get("alt", "")).strip():
                    without.append(f"code cell {number}: {first_line(cell.source)}")
    assert without == []


@chapters
def test_no_output_holds_an_address(chapter: Chapter) -> None:
    for cell in code_cells(notebook_of(chapter)):
        for output in cell.outputs:
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"\bat 0x[0-9a-fA-F]{6,}", text), first_line(cell.source)


@chapters
def test_a_chapter_with_training_can_fail(chapter: Chapter) -> None:
    notebook = notebook_of(chapter)
    trains = any(re.search(r"\.(fit|train)\(", cell.source) for cell in code_cells(notebook))
    assert must_fail_untrained(notebook) or not trains


def test_no_tool_and_no_other_test_names_a_chapter() -> None:
    shared = [path for name in SHARED for path in sorted(HOUSE.glob(name)) if path.is_file()]
    own = (HOUSE / "tests" / "chapters", HOUSE / "tests" / "models")
    naming = [
        f"{path.relative_to(HOUSE)} names {chapter.stem}"
        for path in shared
        if not path.is_relative_to(own[0]) and not path.is_relative_to(own[1])
        for chapter in CHAPTERS
        if chapter.stem in path.read_text(encoding="utf-8")
    ]
    assert len(shared) > 30
    assert naming == []
