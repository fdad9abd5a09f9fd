"""The record of a stored run: what makes it stale, and what does not."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from dlbook.tools.chapters import Chapter
from dlbook.tools.record import machine_paths, over_budget, part_hashes, stale_reasons

FILES = {
    "dlbook/models/__init__.py": "",
    "dlbook/models/toy/__init__.py": "from dlbook.models.toy.blocks import Block\n",
    "dlbook/models/toy/blocks.py": "from ..other import helper\n",
    "dlbook/models/other.py": "def late():\n    from dlbook.layers import mixing\n",
    "dlbook/models/shown.py": "from dlbook.layers import gate\n",
    "dlbook/models/stranger.py": "",
    "dlbook/layers/__init__.py": "from dlbook.layers.gates import gate\n",
    "dlbook/layers/gates.py": "gate = 1\n",
    "dlbook/layers/mixing.py": "import dlbook.layers.sums\n",
    "dlbook/layers/sums.py": "",
    "dlbook/layers/unused.py": "",
    "dlbook/data/stand_ins/toy_texts.py": "from dlbook.data.stand_ins import words\n",
    "dlbook/data/stand_ins/words.py": "",
    "dlbook/data/toy_texts.py": "",
    "dlbook/plot.py": "",
}
COUNTED = {
    "dlbook/models/toy/__init__.py",
    "dlbook/models/toy/blocks.py",
    "dlbook/models/other.py",
    "dlbook/models/shown.py",
    "dlbook/layers/__init__.py",
    "dlbook/layers/gates.py",
    "dlbook/layers/mixing.py",
    "dlbook/layers/sums.py",
    "dlbook/data/stand_ins/toy_texts.py",
    "dlbook/data/stand_ins/words.py",
}
CELLS = ("%matplotlib inline\nfrom dlbook import plot\nfrom dlbook.models import shown", "print(1)")


@pytest.fixture
def stored(tmp_path: Path) -> Chapter:
    """A chapter with a fresh record."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    cells = [nbformat.v4.new_markdown_cell("## Sums", id="text")]
    for number, source in enumerate(CELLS, start=1):
        cells.append(nbformat.v4.new_code_cell(source, id=f"c{number}", execution_count=number))
    notebook = nbformat.v4.new_notebook(cells=cells)
    chapter = Chapter(tmp_path / "notebooks" / "05_toy_nets.ipynb")
    data = {"toy-texts": "mirror folder"}
    notebook.metadata["dlbook"] = {"data": data, "parts": part_hashes(chapter, notebook, data)}
    chapter.path.parent.mkdir()
    nbformat.write(notebook, chapter.path)
    return chapter


def rewrite(chapter: Chapter, change: Callable[[nbformat.NotebookNode], object]) -> None:
    notebook = chapter.read()
    change(notebook)
    nbformat.write(notebook, chapter.path)


def test_a_stored_chapter_is_fresh(stored: Chapter) -> None:
    assert stale_reasons(stored) == []
    assert set(stored.record["parts"]) == {"its code cells", *COUNTED}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_part_makes_the_chapter_stale_and_no_other_file_does(
    stored: Chapter, name: str
) -> None:
    path = stored.house / name
    path.write_text(FILES[name].replace("\n", "  \n") + "\n\n")
    assert stale_reasons(stored) == []
    path.write_text(FILES[name] + "raise SystemExit\n")
    changed = [f"{name} changed since the outputs were stored"] if name in COUNTED else []
    assert stale_reasons(stored) == changed


def test_a_part_that_is_gone_or_new_makes_the_chapter_stale(stored: Chapter) -> None:
    (stored.house / "dlbook/layers/sums.py").unlink()
    (stored.house / "dlbook/models/toy/more.py").write_text("")
    reasons = stale_reasons(stored)
    assert [reason.partition(" changed")[0] for reason in reasons] == [
        "dlbook/models/toy/more.py",
        "dlbook/layers/sums.py",
    ]


def set_source(number: int, source: str) -> Callable:
    return lambda n: n.cells[number].update(source=source)


def add_output(**fields: object) -> Callable:
    return lambda n: n.cells[2].outputs.append(nbformat.v4.new_output(**fields))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_source(2, "print(3)"), "code cells changed"),
        (lambda n: n.cells.pop(2), "code cells changed"),
        (lambda n: n.cells.append(nbformat.v4.new_code_cell("1")), "was not executed"),
        (add_output(output_type="stream", name="stderr", text="x"), "output on stderr"),
        (add_output(output_type="error", ename="E", evalue=""), "error output"),
        (lambda n: n.cells[2].update(execution_count=9), "in one go"),
        (lambda n: n.metadata.dlbook.data.update(mnist="stand-in"), "stand-in data: mnist"),
        (lambda n: n.metadata.pop("dlbook"), "never stored"),
        (lambda n: n.metadata.dlbook.pop("parts"), "never stored"),
        (add_output(output_type="stream", name="stdout", text="x" * 3_000_001), "3.0 MB large"),
    ],
)
def test_a_stale_chapter_is_named_with_the_reason(
    stored: Chapter, change: Callable, reason: str
) -> None:
    rewrite(stored, change)
    assert any(reason in found for found in stale_reasons(stored))


@pytest.mark.parametrize(
    "change",
    [
        set_source(0, "## Other words"),
        set_source(2, "print(1)   \n\n"),
        lambda n: n.cells[2].metadata.update(tags=["nbval-ignore-output"]),
        lambda n: n.metadata.dlbook.update(lesson={"level": "intermediate"}),
    ],
)
def test_prose_tags_lesson_and_trailing_space_make_nothing_stale(
    stored: Chapter, change: Callable
) -> None:
    rewrite(stored, change)
    assert stale_reasons(stored) == []


@pytest.mark.parametrize("text", ["<html>", "[]", "3"])
def test_a_file_that_is_no_notebook_is_stale(tmp_path: Path, text: str) -> None:
    path = tmp_path / "05_toy_nets.ipynb"
    path.write_text(text)
    (reason,) = stale_reasons(Chapter(path))
    assert "cannot be read" in reason


def test_budgets() -> None:
    record = {"seconds": 239, "stand_in": {"seconds": 29.9}, "peak_memory_mb": 4000}
    assert over_budget(record) == []
    large = over_budget({**record, "seconds": 241, "peak_memory_mb": 4300})
    assert large == [
        "241 seconds on the real data, at most 240",
        "4300 MB of memory, at most 4295",
    ]
    record.pop("stand_in")
    assert over_budget(record) == ["no seconds on stand-in data, at most 30"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("saved to /home/ann/x.png", True),
        (r"saved to C:\Users\ann\x", True),
        ("see https://example.org/home/ann/page", False),
        ("3 /tmp", False),
        ("a/b and 1/home", False),
        (f"{Path.home()}", True),
    ],
)
def test_paths_of_a_machine_are_recognised(text: str, found: bool) -> None:
    output = nbformat.v4.new_output("stream", text=text)
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    assert bool(machine_paths(nbformat.v4.new_notebook(cells=[cell]))) == found
