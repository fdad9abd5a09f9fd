"""The map of the book: what each stored chapter asks, reached and cost."""

import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from dlbook.tools.chapters import NOTEBOOKS, Chapter, find_chapters

RESULT = "result"  # id of the cell whose checks are the chapter's headline figures

_CHECKED = re.compile(r"check\(\s*\"([^\"]+)\"")
_TITLE = re.compile(r"^# \d+ · (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^\*\*(.+?)\*\*$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One row of the map.

    Attributes:
        stem: Name of the notebook without its ending.
        title: The chapter's title.
        question: The question that its model answers.
        result: What its headline figure is called.
        value: The headline figure, None before the chapter was executed.
        seconds: Seconds of the stored run, without the imports; None likewise.
        device: Where it ran.
    """

    stem: str
    title: str
    question: str
    result: str
    value: float | None
    seconds: float | None
    device: str

    @property
    def reached(self) -> str:
        """The headline figure as text: a share as a percentage, a count as it is."""
        if self.value is None:
            return "not run yet"
        is_share = 0 < self.value <= 1 and "accuracy" in self.result
        figure = f"{100 * self.value:.2f} %" if is_share else f"{self.value:,.4g}"
        return f"{self.result}: {figure}"

    @property
    def minutes(self) -> str:
        """The time of the stored run in minutes."""
        return "" if self.seconds is None else f"{max(self.seconds, 6) / 60:.1f}"


def chapter_map(folder: Path = NOTEBOOKS) -> list[Entry]:
    """An entry for every chapter in a folder, in reading order.

    The headline figure is the first check of the cell with the id "result", as the last stored
    run measured it.

    Args:
        folder: Where the notebooks lie.
    """
    return [_entry(chapter) for chapter in find_chapters(folder)]


def headlines(notebook: NotebookNode) -> list[str]:
    """Names of the checks in the cell with the id "result"; the first is the headline figure."""
    source = next((cell.source for cell in notebook.cells if cell.get("id") == RESULT), "")
    return _CHECKED.findall(source)


def as_markdown(entries: list[Entry]) -> str:
    """The map as a Markdown table with links to the chapters."""
    rows = ["| chapter | question | reached | minutes |", "|---|---|---|---|"]
    rows += [
        f"| [{entry.stem[:2]} {entry.title}]({entry.stem}.ipynb) | {entry.question} "
        f"| {entry.reached} | {entry.minutes} |"
        for entry in entries
    ]
    return "\n".join(rows)


def _entry(chapter: Chapter) -> Entry:
    notebook = chapter.read()
    head = notebook.cells[0].source if notebook.cells else ""
    record = notebook.metadata.get("dlbook", {})
    values = {check["name"]: check["value"] for check in record.get("checks", [])}
    name = next(iter(headlines(notebook)), "")
    return Entry(
        stem=chapter.stem,
        title=_first(_TITLE, head, chapter.words),
        question=_first(_QUESTION, head, ""),
        result=name,
        value=values.get(name),
        seconds=record.get("seconds"),
        device=record.get("device", ""),
    )


def _first(pattern: re.Pattern[str], text: str, otherwise: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else otherwise
