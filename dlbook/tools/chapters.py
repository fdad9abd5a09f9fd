"""The chapters as files: find them, name them, read them, know the places that are theirs."""

import json
import re
import runpy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import nbformat
from nbformat import NotebookNode

HOUSE = Path(__file__).resolve().parents[2]
NOTEBOOKS = HOUSE / "notebooks"

# A "Duplicate" of JupyterLab's, or a second download, has other signs in its name: no chapter.
_NAME = re.compile(r"\d\d_[a-z0-9_]+\.ipynb")
_RAISING_TAGS = {"raises-exception", "nbval-raises-exception"}


@dataclass(frozen=True)
class Chapter:
    """One notebook of the book: ``path`` is named ``<two digits>_<words>.ipynb``."""

    path: Path

    @property
    def stem(self) -> str:
        """The chapter's name, as ``05_toy_nets``."""
        return self.path.stem

    @property
    def words(self) -> str:
        """The name without its number, as ``toy_nets``."""
        return self.stem.partition("_")[2]

    @property
    def house(self) -> Path:
        """The checkout with the chapter's other places; this one, for a notebook from elsewhere."""
        own = self.path.absolute().parent.parent
        return own if (own / "dlbook").is_dir() else HOUSE

    @property
    def model_files(self) -> list[Path]:
        """The chapter's own modules: the longest beginning of its words that lies in models.

        ``05_toy_nets`` finds ``toy_nets.py``, or all of the package ``toy_nets/``, else
        ``toy.py`` or ``toy/``.
        """
        models = self.house / "dlbook" / "models"
        name = self.words
        while name:
            if (models / name).is_dir():
                return sorted((models / name).rglob("*.py"))
            if (models / f"{name}.py").is_file():
                return [models / f"{name}.py"]
            name = name.rpartition("_")[0]
        return []

    @property
    def settings(self) -> dict[str, Any]:
        """The names in ``tests/chapters/<chapter>.py``: what tools must know of the chapter."""
        path = self.house / "tests" / "chapters" / f"{self.stem}.py"
        return runpy.run_path(str(path)) if path.is_file() else {}

    @property
    def record(self) -> dict[str, Any]:
        """What its metadata say of its lesson and its last stored run; {} for no notebook."""
        try:
            # much quicker than reading and validating the whole notebook
            return json.loads(self.path.read_bytes())["metadata"].get("dlbook", {})
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}  # a broken file is named by read(), when it is asked for

    def read(self) -> NotebookNode:
        """Read the notebook; a ValueError where the file is none."""
        return read_notebook(self.path)


def read_notebook(path: Path) -> NotebookNode:
    """Read any notebook that Jupyter opens, as a valid one in format 4.

    Jupyter overlooks small faults, as fields that are missing or unknown; here they are repaired.

    Raises:
        ValueError: The file is not a notebook.
    """
    try:
        # some editors begin a file with a byte-order mark
        found = nbformat.reader.reads(path.read_text(encoding="utf-8-sig"))
        notebook = nbformat.convert(found, 4)
        if not nbformat.validator.isvalid(notebook):
            notebook = _repaired(notebook)
            nbformat.validate(notebook)
    except OSError:
        raise
    except Exception as error:  # JSON of any other form raises whatever nbformat stumbles over
        reason = first_line(str(error))[:200]
        raise ValueError(f"{path} cannot be read as a notebook: {reason}") from error
    return notebook


def _repaired(notebook: NotebookNode) -> NotebookNode:
    """The same cells without outputs, in which only what the format knows is left."""
    made = nbformat.v4.new_notebook()
    made.metadata = notebook.metadata
    for cell in notebook.cells:
        kind = cell.cell_type if cell.get("cell_type") in ("code", "markdown") else "raw"
        whole = getattr(nbformat.v4, f"new_{kind}_cell")(cell.get("source") or "")
        whole.metadata = cell.metadata
        if kind != "code" and cell.get("attachments"):
            whole.attachments = cell.attachments
        made.cells.append(whole)
    return nbformat.validator.normalize(made, strip_invalid_metadata=True)[1]


def find_chapters(folder: Path = NOTEBOOKS) -> list[Chapter]:
    """All chapters of a folder, in reading order."""
    return [Chapter(p) for p in sorted(Path(folder).glob("*.ipynb")) if _NAME.fullmatch(p.name)]


def tour(chapters: list[Chapter]) -> list[Chapter]:
    """The chapters whose lesson says ``tour``: what a newcomer runs first."""
    return [c for c in chapters if c.record.get("lesson", {}).get("tour")] or chapters[:1]


def select_chapters(
    names: Iterable[str], chapters: list[Chapter], what: str = "chapter"
) -> list[Chapter]:
    """The chapters that a reader's names stand for, in reading order, each once.

    Names are numbers ("5", "05"), stems ("05_toy"), words ("toy"), beginnings of these, or "all".
    One that fits none or several is a UsageError; ``what`` is its word for them.
    """
    chosen = {chapter for name in names for chapter in _matches(name, chapters, what)}
    return [chapter for chapter in chapters if chapter in chosen]


def _matches(name: str, chapters: list[Chapter], what: str) -> list[Chapter]:
    wanted = Path(name).name.removesuffix(".ipynb").lower().rstrip("_")
    if wanted == "all":
        return chapters
    if wanted.isdecimal():
        found = [c for c in chapters if int(c.stem[:2]) == int(wanted)]
    else:
        called = {chapter: (chapter.stem.lower(), chapter.words.lower()) for chapter in chapters}
        found = [c for c, names in called.items() if wanted in names]
        if wanted and not found:
            found = [c for c, names in called.items() if any(n.startswith(wanted) for n in names)]
    if len(found) == 1:
        return found
    said = f"{name!r} fits several {what}s" if found else f"there is no {what} {name!r}; there are"
    raise click.UsageError(f"{said}: {', '.join(chapter.stem for chapter in found or chapters)}")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells that hold code."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def cell_tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def may_raise(cell: NotebookNode) -> bool:
    """Whether an error is what the cell is there to show."""
    return bool(cell_tags(cell) & _RAISING_TAGS)


def first_line(text: str) -> str:
    """The first line that is not blank, without its comment or heading marks."""
    lines = (line.strip() for line in text.splitlines())
    return next((line.lstrip("# ") for line in lines if line), "")
