"""What the records say of the whole book: README's table of chapters and the map."""

import base64
import io
import itertools
import re
import textwrap
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from dlbook.tools.chapters import NOTEBOOKS, Chapter, find_chapters
from dlbook.tools.execution import write_notebook

MAP = "map"  # id of the text cell that holds the map, in whatever chapter has one
PICTURE = "map.png"

_TITLE = re.compile(r"^# \d+ · (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^\*\*(.+?)\*\*$", re.MULTILINE)
_ROW = re.compile(r"^\| ([^|]+?) \| *([^|]*?) *\|$", re.MULTILINE)
_TABLE = re.compile(r"(<!-- chapters -->\n).*?(<!-- /chapters -->)", re.DOTALL)


class Entry:
    """A chapter, as the overview shows it: what its head and its record say."""

    def __init__(self, chapter: Chapter) -> None:
        head, self.chapter, self.record = head_of(chapter.read()), chapter, chapter.record
        self.prerequisites: list[str] = self.record.get("lesson", {}).get("prerequisites", [])
        title, question = _TITLE.search(head), _QUESTION.search(head)
        self.title = title[1] if title else chapter.words
        self.question = question[1] if question else ""
        self.rows = dict(_ROW.findall(head))  # of the table: what a line is called -> what it says


def entries(folder: Path = NOTEBOOKS) -> list[Entry]:
    """An entry for every chapter in a folder, in reading order."""
    return [Entry(chapter) for chapter in find_chapters(folder)]


def head_of(notebook: NotebookNode) -> str:
    """The text of a chapter's first cell."""
    return notebook.cells[0].source if notebook.cells else ""


def reached(record: dict[str, Any]) -> str:
    """The headline figure of a record as text: a share in per cent, a count as it is."""
    headline = record.get("headline")
    if not headline or headline["value"] is None:
        return "no headline" if "seconds" in record else "not run yet"
    name, value = headline["name"], headline["value"]
    is_share = 0 < value <= 1 and re.search(r"accuracy|share", name)
    return f"{name}: {100 * value:.2f} %" if is_share else f"{name}: {value:,.4g}"


def minutes(record: dict[str, Any]) -> str:
    """The time of a record in minutes, without the imports."""
    return f"{max(record['seconds'], 6) / 60:.1f}" if "seconds" in record else ""


def fill_head(notebook: NotebookNode, record: dict[str, Any]) -> None:
    """Write what a run reached and took into the table in the chapter's head, in place."""
    took = f"{minutes(record)} minutes on {record.get('device')}"
    rows = {"| Reaches |": reached(record), "| Takes |": took}
    lines = head_of(notebook).splitlines()
    for number, line in enumerate(lines):
        for start, text in rows.items():
            if line.startswith(start):
                lines[number] = f"{start} {text} |"
    notebook.cells[0].source = "\n".join(lines)


def readme_table(book: list[Entry]) -> str:
    """The table of README.md."""
    rows = [
        "| chapter | model | articles | data | result reached | minutes | at full size on a GPU |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in book:
        link = f"[{entry.chapter.stem[:2]} {entry.title}](notebooks/{entry.chapter.path.name})"
        told = [entry.rows.get(name, "–") for name in ("Model", "Mirrors", "Data", "At full size")]
        # "MNIST: 70,000 digits; iris: 150 flowers" -> "MNIST, iris"
        told[2] = ", ".join(part.partition(":")[0].strip() for part in told[2].split(";"))
        told[3:3] = [reached(entry.record), minutes(entry.record)]
        rows.append(f"| {' | '.join([link, *told])} |")
    return "\n".join(rows) + "\n"


def map_text(book: list[Entry]) -> str:
    """The map as Markdown: a table with links to the chapters, and the picture's place."""
    rows = ["| chapter | question | reached | minutes |", "|---|---|---|---|"]
    rows += [
        f"| [{entry.chapter.stem[:2]} {entry.title}]({entry.chapter.path.name}) | {entry.question} "
        f"| {reached(entry.record)} | {minutes(entry.record)} |"
        for entry in book
    ]
    return "\n".join(rows) + f"\n\n![{_alt_text(book)}](attachment:{PICTURE})"


def _alt_text(book: list[Entry]) -> str:
    needs = [
        f"{entry.chapter.stem[:2]} needs {', '.join(stem[:2] for stem in entry.prerequisites)}"
        for entry in book
        if entry.prerequisites
    ]
    return f"The map of prerequisites: {'; '.join(needs)}."


def write_overview(folder: Path = NOTEBOOKS) -> list[Path]:
    """Bring README's table and the map into agreement with the stored records.

    README.md lies beside the folder and has the lines ``<!-- chapters -->`` and
    ``<!-- /chapters -->``. The map is the text cell "map" of any chapter. Returns what changed.
    """
    book, changed = entries(folder), []
    readme = Path(folder).absolute().parent / "README.md"
    if readme.is_file():
        old = readme.read_text(encoding="utf-8")
        table = readme_table(book)
        new = _TABLE.sub(lambda found: found[1] + table + found[2], old)
        if new != old:
            readme.write_text(new, encoding="utf-8", newline="\n")
            changed.append(readme)
    text = map_text(book)
    for entry in book:
        notebook = entry.chapter.read()
        for cell in notebook.cells:
            if (cell.cell_type, cell.get("id")) == ("markdown", MAP) and cell.source != text:
                # the picture shows what its alt text says, so an unchanged one stays
                if _alt_text(book) not in cell.source:
                    picture = base64.b64encode(draw_map(book)).decode()
                    cell.attachments = {PICTURE: {"image/png": picture}}
                cell.source = text
                write_notebook(notebook, entry.chapter.path)
                changed.append(entry.chapter.path)
    return changed


def draw_map(book: list[Entry]) -> bytes:
    """The chapters and what they build on, as a PNG: foundations on the left."""
    import networkx
    from matplotlib import pyplot as plt

    from dlbook import plot

    graph = networkx.DiGraph()
    graph.add_nodes_from(entry.chapter.stem for entry in book)
    graph.add_edges_from(
        (need, entry.chapter.stem)
        for entry in book
        for need in entry.prerequisites
        if need in graph and need < entry.chapter.stem
    )
    columns = map(sorted, networkx.topological_generations(graph))
    rows = [" ".join(row) for row in itertools.zip_longest(*columns, fillvalue=".")]
    arrows = networkx.transitive_reduction(graph).edges  # what follows from others stays out
    names = {stem: textwrap.fill(stem.replace("_", " "), 16) for stem in graph}
    drawing = plot.mechanism(rows, [f"{start} -> {end}" for start, end in arrows], text=names)
    buffer = io.BytesIO()
    drawing.figure.savefig(buffer, dpi=80, metadata={"Software": None})
    plt.close(drawing.figure)
    return buffer.getvalue()
