"""The map and README's table: written from the records, and in agreement with them."""

from pathlib import Path

import nbformat
import pytest

from dlbook.tools.chapters import HOUSE
from dlbook.tools.overview import (
    MAP,
    entries,
    map_text,
    reached,
    readme_table,
    write_overview,
)

HEAD = """# 03 · Nets
**Does it work?**

| | |
|---|---|
| Model | a net · 网络 |
| Mirrors | Nobody §1 |
| Data | digits: many of them; letters: all |
| At full size | wider |"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three chapters; the first, never run, has the map, and the last builds on the others."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    record = {"headline": {"name": "test accuracy", "value": 0.9876}, "seconds": 90.0}
    for stem, head, metadata in (
        ("00_empty", "", {}),
        ("03_nets", HEAD, {**record, "lesson": {"prerequisites": ["00_empty"]}}),
        ("07_deep", "# 07 · Deep", {"lesson": {"prerequisites": ["00_empty", "03_nets"]}}),
    ):
        cells = [nbformat.v4.new_markdown_cell(head)]
        cells += [nbformat.v4.new_markdown_cell("old", id=MAP)] if stem == "00_empty" else []
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"dlbook": metadata})
        nbformat.write(notebook, folder / f"{stem}.ipynb")
    (tmp_path / "README.md").write_text("a\n<!-- chapters -->\n<!-- /chapters -->\nb\n")
    return folder


def test_the_rows_say_what_heads_and_records_say(folder: Path) -> None:
    rows = readme_table(entries(folder)).splitlines()
    assert rows[2] == "| [00 empty](notebooks/00_empty.ipynb) | – | – | – | not run yet |  | – |"
    assert rows[3] == (
        "| [03 Nets](notebooks/03_nets.ipynb) | a net · 网络 | Nobody §1 | digits, letters "
        "| test accuracy: 98.76 % | 1.5 | wider |"
    )
    table, picture = map_text(entries(folder)).split("\n\n")
    row = "| [03 Nets](03_nets.ipynb) | Does it work? | test accuracy: 98.76 % | 1.5 |"
    assert table.splitlines()[3] == row
    assert {line.count("|") for line in table.splitlines()} == {5}
    alt = "The map of prerequisites: 03 needs 00; 07 needs 00, 03."
    assert picture == f"![{alt}](attachment:map.png)"


def test_counts_are_written_as_counts() -> None:
    assert reached({"headline": {"name": "starts solved", "value": 200.0}}) == "starts solved: 200"
    assert reached({"headline": {"name": "nats", "value": 1.0}}) == "nats: 1"
    assert reached({}) == "not run yet"


def test_the_overview_is_written_once_and_redrawn_only_when_the_arrows_change(folder: Path) -> None:
    first, readme = folder / "00_empty.ipynb", folder.parent / "README.md"
    assert write_overview(folder) == [readme, first]
    assert readme.read_text().startswith("a\n<!-- chapters -->\n| chapter |")
    assert readme.read_text().endswith("|\n<!-- /chapters -->\nb\n")
    assert write_overview(folder) == []
    cell = nbformat.read(first, as_version=4).cells[1]
    picture = cell.attachments["map.png"]["image/png"]
    assert picture.startswith("iVBOR")

    def change(**fields: object) -> str:
        notebook = nbformat.read(folder / "07_deep.ipynb", as_version=4)
        notebook.metadata.dlbook.update(fields)
        nbformat.write(notebook, folder / "07_deep.ipynb")
        write_overview(folder)
        return nbformat.read(first, as_version=4).cells[1].attachments["map.png"]["image/png"]

    assert change(headline={"name": "loss", "value": 0.5}) == picture
    assert change(lesson={"prerequisites": ["00_empty"]}) != picture


def test_the_book_s_map_and_table_say_what_its_records_say() -> None:
    book = entries()
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    assert f"<!-- chapters -->\n{readme_table(book)}<!-- /chapters -->" in readme
    maps = [c for e in book for c in e.chapter.read().cells if c.get("id") == MAP]
    assert [cell.source for cell in maps if cell.cell_type == "markdown"] == [map_text(book)]


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.chapter.stem)
def test_every_chapter_has_what_the_table_shows(entry) -> None:
    assert entry.question
    assert entry.record.get("headline")
    assert {"Model", "Mirrors", "Data", "Takes"} <= entry.rows.keys()
