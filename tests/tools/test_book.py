"""The map of the book, and the README's table, which must say the same."""

from pathlib import Path

import nbformat
import pytest

from dlbook.tools import book

HOUSE = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cells = [
        nbformat.v4.new_markdown_cell("# 03 · Nets\n**Does it work?**\n\n| | |"),
        nbformat.v4.new_code_cell('check("other", 1, at_least=0)', id="first"),
        nbformat.v4.new_code_cell(
            'check(\n    "test accuracy", a, at_least=0.9)\ncheck("loss", b, at_most=1)',
            id="result",
        ),
    ]
    record = {
        "checks": [{"name": "other", "value": 1.0}, {"name": "test accuracy", "value": 0.9876}],
        "seconds": 90.0,
        "device": "2 CPU cores",
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"dlbook": record})
    nbformat.write(notebook, tmp_path / "03_nets.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "07_empty.ipynb")
    return tmp_path


def test_an_entry_is_read_from_the_stored_notebook(folder):
    entry, empty = book.chapter_map(folder)
    assert (entry.title, entry.question) == ("Nets", "Does it work?")
    assert entry.reached == "test accuracy: 98.76 %"
    assert entry.minutes == "1.5"
    assert (empty.title, empty.reached, empty.minutes) == ("empty", "not run yet", "")


def test_the_headlines_are_the_checks_of_the_result_cell(folder):
    notebook = nbformat.read(folder / "03_nets.ipynb", 4)
    assert book.headlines(notebook) == ["test accuracy", "loss"]


def test_counts_are_written_as_counts(folder):
    entry = book.chapter_map(folder)[0]
    counted = book.Entry(**{**vars(entry), "result": "starts solved", "value": 200.0})
    assert counted.reached == "starts solved: 200"


def test_markdown_links_the_chapters(folder):
    rows = book.as_markdown(book.chapter_map(folder)).splitlines()
    assert rows[2].startswith("| [03 Nets](03_nets.ipynb) | Does it work? | test accuracy: 98.76 %")
    assert {row.count("|") for row in rows} == {5}


@pytest.mark.parametrize("entry", book.chapter_map(), ids=lambda entry: entry.stem)
def test_readme_says_what_the_stored_run_reached(entry):
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    row = next((line for line in readme.splitlines() if f"{entry.stem}.ipynb" in line), "")
    assert row, f"README.md has no row for {entry.stem}"
    cells = [cell.strip() for cell in row.split("|")]
    assert entry.reached in cells
    assert entry.minutes in cells


@pytest.mark.parametrize("entry", book.chapter_map(), ids=lambda entry: entry.stem)
def test_every_chapter_has_a_headline_result(entry):
    assert entry.result
    assert entry.question
    assert entry.value is not None
