"""The chapters as files: find them, name them, fingerprint them, and say what makes one stale."""

import difflib
import hashlib
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

HOUSE = Path(__file__).resolve().parents[2]
NOTEBOOKS = HOUSE / "notebooks"
MODELS = HOUSE / "dlbook" / "models"
TOUR = ("00", "03")
SIZE_LIMIT = 3_000_000  # bytes; above this, code hosts stop rendering a notebook

_RAISING_TAGS = {"raises-exception", "nbval-raises-exception"}
# A path that belongs to one machine. The look-behind keeps the paths inside URLs out.
_FOREIGN_PATH = re.compile(
    r"(?<![\w./:~-])/(?:home|root|Users|tmp|var|private|work|mnt|opt|usr)/[\w.-]+"
    r"|(?<!\w)[A-Za-z]:\\(?:Users|Temp|Windows)\\[\w.-]+"
)


class UnknownChapter(ValueError):
    """A name that stands for no chapter, or for more than one."""


@dataclass(frozen=True)
class Chapter:
    """One notebook of the book.

    Args:
        path: The notebook, named ``<two digits>_<words>.ipynb``.
        models: The folder with the model modules.
    """

    path: Path
    models: Path = MODELS

    @property
    def stem(self) -> str:
        """The chapter's name, as ``03_cnn``."""
        return self.path.stem

    @property
    def words(self) -> str:
        """The name without its number, as ``cnn``."""
        return self.stem.partition("_")[2]

    @property
    def model_module(self) -> Path | None:
        """The chapter's own module: the longest beginning of its words that is a file in models.

        ``01_mlp_from_scratch`` finds ``mlp_from_scratch.py`` if that exists, else
        ``mlp_from.py``, else ``mlp.py``; None where there is none of them.
        """
        words = self.words.split("_")
        for count in range(len(words), 0, -1):
            module = self.models / ("_".join(words[:count]) + ".py")
            if words[0] and module.is_file():
                return module
        return None

    def read(self) -> NotebookNode:
        """Read the notebook.

        Raises:
            ValueError: The file is not a notebook.
        """
        return read_notebook(self.path)


def read_notebook(path: Path) -> NotebookNode:
    """Read any notebook that Jupyter opens.

    Jupyter overlooks small faults, as fields that are missing or unknown; here they are repaired.

    Args:
        path: The file.

    Returns:
        The notebook in format 4, valid.

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
    """A notebook with the same cells, in which only what the format knows is left."""
    cells = []
    for cell in notebook.cells:
        kind = cell.cell_type if cell.get("cell_type") in ("code", "markdown") else "raw"
        whole = getattr(nbformat.v4, f"new_{kind}_cell")(cell.get("source") or "")
        whole.metadata = cell.metadata
        if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", str(cell.get("id", ""))):
            whole.id = cell.id
        if kind == "code":
            whole.execution_count = cell.get("execution_count")
            whole.outputs = [
                output
                for output in cell.get("outputs") or []
                if nbformat.validator.isvalid(output, "output", 4, 5)
            ]
        elif cell.get("attachments"):
            whole.attachments = cell.attachments
        cells.append(whole)
    made = nbformat.v4.new_notebook()
    made.cells, made.metadata = cells, notebook.metadata
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cell's id that is there twice is replaced
        return nbformat.validator.normalize(made, strip_invalid_metadata=True)[1]


def find_chapters(folder: Path = NOTEBOOKS, models: Path = MODELS) -> list[Chapter]:
    """All chapters of a folder, in reading order."""
    return [Chapter(path, models) for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))]


def select_chapters(names: Iterable[str], chapters: list[Chapter]) -> list[Chapter]:
    """The chapters that a reader's names stand for, in reading order, each once.

    Args:
        names: Numbers ("3", "03"), stems ("03_cnn"), words ("cnn"), beginnings of these, or "all".
        chapters: What there is to choose from.

    Raises:
        UnknownChapter: A name fits no chapter or several.
    """
    chosen: set[Path] = set()
    for name in names:
        chosen.update(chapter.path for chapter in _matches(name, chapters))
    return [chapter for chapter in chapters if chapter.path in chosen]


def _matches(name: str, chapters: list[Chapter]) -> list[Chapter]:
    wanted = Path(name).name.removesuffix(".ipynb").lower().rstrip("_")
    if wanted == "all":
        return chapters
    if wanted.isdecimal():
        found = [c for c in chapters if int(c.stem[:2]) == int(wanted)]
    else:
        found = [c for c in chapters if wanted in (c.stem.lower(), c.words.lower())]
        if wanted and not found:
            found = [c for c in chapters if c.stem.lower().startswith(wanted)]
            found = found or [c for c in chapters if c.words.lower().startswith(wanted)]
    if len(found) == 1:
        return found
    if found:
        fitting = ", ".join(chapter.stem for chapter in found)
        raise UnknownChapter(f"{name!r} fits several chapters: {fitting}")
    known = {key: c.stem for c in chapters for key in (c.stem.lower(), c.words.lower(), c.stem[:2])}
    close = difflib.get_close_matches(wanted, known, n=6, cutoff=0.4)
    near = list(dict.fromkeys(known[key] for key in close))[:3]
    listed = ", ".join(near or [chapter.stem for chapter in chapters]) or "none found"
    raise UnknownChapter(f"there is no chapter {name!r}; {'close' if near else 'known'}: {listed}")


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


def headings(notebook: NotebookNode) -> list[str]:
    """The heading that each code cell stands under; "" before the first heading."""
    current, result = "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"^#{1,4}\s+(.+?)\s*#*$", cell.source, flags=re.MULTILINE)
            current = found[-1] if found else current
        elif cell.cell_type == "code" and cell.source.strip():
            result.append(current)
    return result


def content_hash(chapter: Chapter, notebook: NotebookNode) -> str:
    """Fingerprint of what a chapter's outputs come from: its code cells and its model module.

    Prose, outputs, metadata and white space at line ends do not count, nor do shared modules: a
    better plot must not make the whole book stale.
    """
    parts = [_without_trailing_space(c.source) for c in code_cells(notebook)]
    module = chapter.model_module
    if module is not None:
        parts.append(_without_trailing_space(module.read_text(encoding="utf-8")))
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _without_trailing_space(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()


def is_stand_in(source: str) -> bool:
    """Whether a data set's recorded source says that it was a stand-in."""
    return source.strip().lower().startswith("stand-in")


def stale_reasons(chapter: Chapter) -> list[str]:
    """Why the stored outputs of a chapter are not to be trusted; empty when it is fresh."""
    try:
        notebook = chapter.read()
    except ValueError as error:
        return [str(error)]
    record = notebook.metadata.get("dlbook", {})
    reasons = []
    if not record:
        reasons.append("its outputs were never stored by `dlbook run --store`")
    elif record.get("hash") != content_hash(chapter, notebook):
        module = chapter.model_module
        what = "its code cells" + (f" or dlbook/models/{module.name}" if module else "")
        reasons.append(f"{what} changed since the outputs were stored")
    stand_ins = [name for name, source in record.get("data", {}).items() if is_stand_in(source)]
    if stand_ins:
        reasons.append(f"it ran on stand-in data: {', '.join(stand_ins)}")
    reasons += execution_faults(notebook)
    size = chapter.path.stat().st_size
    if size > SIZE_LIMIT:
        reasons.append(f"it is {size / 1e6:.1f} MB large, over {SIZE_LIMIT / 1e6:.0f} MB")
    return reasons


def execution_faults(notebook: NotebookNode) -> list[str]:
    """What is wrong with the outputs themselves: errors, stderr, gaps, order."""
    faults = []
    cells = code_cells(notebook)
    for number, cell in enumerate(cells, start=1):
        where = f"code cell {number} ({first_line(cell.source)[:40]})"
        if any(o.output_type == "error" for o in cell.outputs) and not may_raise(cell):
            faults.append(f"{where} has an error output")
        if any(o.get("name") == "stderr" for o in cell.outputs):
            faults.append(f"{where} has output on stderr")
        if cell.execution_count is None:
            faults.append(f"{where} was not executed")
    counts = [cell.execution_count for cell in cells]
    if None not in counts and counts != list(range(1, len(cells) + 1)):
        faults.append("its cells were not executed in one go from top to bottom")
    return faults


def machine_paths(notebook: NotebookNode, *, sources: bool = False) -> list[str]:
    """Absolute paths in the outputs, and with ``sources`` in the cells as well."""
    own = [str(path) for path in (HOUSE, Path.home()) if path != Path("/")]
    found: list[str] = []
    for text in _texts(notebook, sources=sources):
        found += _FOREIGN_PATH.findall(text)
        found += [path for path in own if re.search(re.escape(path) + r"\b", text)]
    return sorted(set(found))


def _texts(notebook: NotebookNode, *, sources: bool) -> Iterator[str]:
    for cell in notebook.cells:
        if sources:
            yield cell.source
        for output in cell.get("outputs", []):
            yield from _output_texts(output)


def _output_texts(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "stream":
        yield output.text
    elif output.output_type == "error":
        yield "\n".join(output.traceback)
    else:
        for kind, content in output.data.items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                yield content if isinstance(content, str) else json.dumps(content)


def normalise(notebook: NotebookNode, record: dict[str, Any] | None) -> None:
    """Bring an executed notebook into the one form in which it is stored, in place.

    Args:
        notebook: The executed notebook.
        record: What goes into ``metadata["dlbook"]``; None leaves the notebook without one.
    """
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        # no version: a stored chapter must not differ from Python 3.11 to 3.12
        language_info={"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
    )
    if record is not None:
        notebook.metadata["dlbook"] = record
    for cell in notebook.cells:
        for key in ("execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _merged(output for output in cell.outputs if _keep(output))
    notebook.nbformat, notebook.nbformat_minor = 4, max(5, notebook.nbformat_minor)


def _keep(output: NotebookNode) -> bool:
    """Drop the views of widgets, which are dead without their kernel; say whether any is left."""
    data = output.get("data")
    if data is None or data.pop("application/vnd.jupyter.widget-view+json", None) is None:
        return True
    data.pop("text/plain", None)  # only the widget's repr
    return bool(data)


def _merged(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Consecutive pieces of one stream as one output: how they were cut depends on the clock."""
    merged: list[NotebookNode] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged
