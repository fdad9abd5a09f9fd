"""Every chapter keeps the contract: fresh outputs, compared cells, checks, alt text, tags.

Run on what is stored in notebooks/; nothing is executed here (pytest's nbval does that).
"""

import re
from pathlib import Path

import nbformat
import pytest

from dlbook.tools import chapters as book

CHAPTERS = book.find_chapters()
IGNORED = "nbval-ignore-output"
TAGS = {
    IGNORED,
    "nbval-check-output",
    "nbval-skip",
    "nbval-raises-exception",
    "raises-exception",
    "untrained-fails",  # its checks must fail on a model that was not trained
}
FEWEST, MOST = 20, 40  # code cells

chapters = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
_cache: dict[Path, nbformat.NotebookNode] = {}


def notebook_of(chapter: book.Chapter) -> nbformat.NotebookNode:
    return _cache.setdefault(chapter.path, chapter.read())


def test_there_are_chapters() -> None:
    assert CHAPTERS, f"no chapters in {book.NOTEBOOKS}"


def test_nothing_else_lies_among_the_chapters() -> None:
    others = set(book.NOTEBOOKS.glob("*.ipynb")) - {chapter.path for chapter in CHAPTERS}
    assert others == set()


def test_no_two_chapters_have_one_number() -> None:
    numbers = [chapter.stem[:2] for chapter in CHAPTERS]
    assert len(set(numbers)) == len(numbers)


@chapters
def test_the_stored_outputs_are_fresh(chapter: book.Chapter) -> None:
    assert book.stale_reasons(chapter) == []


@chapters
def test_the_file_is_a_valid_notebook_with_stable_cell_ids(chapter: book.Chapter) -> None:
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
def test_it_has_the_size_of_a_chapter(chapter: book.Chapter) -> None:
    count = len(book.code_cells(notebook_of(chapter)))
    assert count <= MOST
    assert count >= FEWEST or chapter.stem.startswith("00_")


@chapters
def test_it_starts_with_a_title_and_the_set_up(chapter: book.Chapter) -> None:
    notebook = notebook_of(chapter)
    assert notebook.cells[0].cell_type == "markdown"
    assert re.match(rf"# {chapter.stem[:2]}\b", notebook.cells[0].source)
    assert "dlbook.setup(" in book.code_cells(notebook)[0].source


@chapters
def test_at_least_half_of_the_cells_with_output_are_compared(chapter: book.Chapter) -> None:
    shown = [cell for cell in book.code_cells(notebook_of(chapter)) if cell.outputs]
    compared = [cell for cell in shown if IGNORED not in book.cell_tags(cell)]
    assert shown
    assert 2 * len(compared) >= len(shown)


def is_compared_check(cell: nbformat.NotebookNode) -> bool:
    ignored = {IGNORED, "nbval-skip"} & book.cell_tags(cell)
    return not ignored and re.search(r"\bcheck\(", cell.source) is not None


def unchecked(cells: list[nbformat.NotebookNode]) -> list[str]:
    """The ignored cells that no compared check follows, but for an ignored last cell."""
    checks = [number for number, cell in enumerate(cells) if is_compared_check(cell)]
    last_check = max(checks, default=-1)
    return [
        book.first_line(cell.source)
        for number, cell in enumerate(cells[:-1])
        if IGNORED in book.cell_tags(cell) and number > last_check
    ]


@chapters
def test_every_ignored_result_is_followed_by_a_compared_check(chapter: book.Chapter) -> None:
    assert unchecked(book.code_cells(notebook_of(chapter))) == []


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
def test_all_tags_are_known(chapter: book.Chapter) -> None:
    cells = notebook_of(chapter).cells
    assert {tag for cell in cells for tag in book.cell_tags(cell)} <= TAGS
    for cell in cells:
        if "untrained-fails" in book.cell_tags(cell):
            assert is_compared_check(cell), book.first_line(cell.source)
    # the old form of the tags, in a comment, would be missed by the tests above
    assert not any(re.search(r"#\s*NBVAL_", cell.source, re.IGNORECASE) for cell in cells)


@chapters
def test_no_path_of_a_machine_is_stored(chapter: book.Chapter) -> None:
    assert book.machine_paths(notebook_of(chapter), sources=True) == []


@chapters
def test_every_picture_has_alt_text(chapter: book.Chapter) -> None:
    without = []
    for number, cell in enumerate(book.code_cells(notebook_of(chapter)), start=1):
        for output in cell.outputs:
            for kind in output.get("data", {}):
                described = output.get("metadata", {}).get(kind, {})
                if kind.startswith("image/") and not str(described.get("alt", "")).strip():
                    without.append(f"code cell {number}: {book.first_line(cell.source)}")
    assert without == []


@chapters
def test_no_output_holds_an_address(chapter: book.Chapter) -> None:
    for cell in book.code_cells(notebook_of(chapter)):
        for output in cell.outputs:
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"\bat 0x[0-9a-fA-F]{6,}", text), book.first_line(cell.source)


@chapters
def test_a_chapter_with_training_can_fail(chapter: book.Chapter) -> None:
    cells = book.code_cells(notebook_of(chapter))
    trains = any(re.search(r"\btrain\.fit\(|\bmlp\.train\(", cell.source) for cell in cells)
    tagged = [cell for cell in cells if "untrained-fails" in book.cell_tags(cell)]
    assert tagged or not trains
