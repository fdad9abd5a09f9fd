"""The record of a stored run: what it comes from, what makes it stale, and its form."""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from dlbook.tools.chapters import HOUSE, Chapter, cell_tags, code_cells, first_line, may_raise

SIZE_LIMIT = 3_000_000  # bytes; above this, code hosts stop rendering a notebook
REAL_SECONDS, STAND_IN_SECONDS, MEMORY_MB = 240, 30, 4 * 1024**3 / 1e6
UNTRAINED_FAILS = "untrained-fails"  # tag of a cell whose checks an untrained model must fail
CELLS = "its code cells"

# A path that belongs to one machine. The look-behind keeps the paths inside URLs out.
_FOREIGN_PATH = re.compile(
    r"(?<![\w./:~-])/(?:home|root|Users|tmp|var|private|work|mnt|opt|usr)/[\w.-]+"
    r"|(?<!\w)[A-Za-z]:\\(?:Users|Temp|Windows)\\[\w.-]+"
)


def part_hashes(
    chapter: Chapter, notebook: NotebookNode, data_sets: Iterable[str]
) -> dict[str, str]:
    """Fingerprints of all that a chapter's numbers come from, by name.

    These are its code cells; its own modules, those that its cells import from ``dlbook.models``
    and ``dlbook.layers``, and all that these import there; and the stand-ins of its data sets.
    Prose, outputs and white space at line ends do not count, nor do ``plot``, ``train``, the
    reading of data and the tools: a better figure must not make the whole book stale.

    Args:
        chapter: The chapter.
        notebook: What is in it.
        data_sets: Names of the data sets that it loads.
    """
    sources = [cell.source for cell in code_cells(notebook)]
    files = set(chapter.model_files)
    for source in sources:
        files |= _imported(source, "", chapter.house, ("models", "layers"))
    files = _all_imported(files, chapter.house, ("models", "layers"))
    folder = chapter.house / "dlbook" / "data" / "stand_ins"
    stand_ins = {folder / f"{name.replace('-', '_')}.py" for name in data_sets}
    stand_ins = {path for path in stand_ins if path.is_file()}
    files |= _all_imported(stand_ins, chapter.house, ("data.stand_ins",))
    cells = json.dumps([_without_trailing_space(source) for source in sources], ensure_ascii=False)
    parts = {CELLS: cells}
    for path in sorted(files):
        name = path.relative_to(chapter.house).as_posix()
        parts[name] = _without_trailing_space(path.read_text(encoding="utf-8"))
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in parts.items()}


def _all_imported(files: set[Path], house: Path, folders: tuple[str, ...]) -> set[Path]:
    """The files and all that they import, and so on, inside some folders of dlbook."""
    found, waiting = set(), list(files)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            package = ".".join(path.relative_to(house).parent.parts)
            text = path.read_text(encoding="utf-8")
            waiting += _imported(text, package, house, folders)
    return found


def _imported(source: str, package: str, house: Path, folders: tuple[str, ...]) -> set[Path]:
    """The files inside some folders of dlbook that a piece of Python in a package imports."""
    names: set[str] = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            inner = [f"{origin}.{alias.name}" for alias in node.names]
            # a name that is no module comes from the package's own file
            names.update(name if _module(name, house) else origin for name in inner)
    roots = tuple(f"dlbook.{folder}" for folder in folders)
    files: set[Path] = set()
    for name in names:
        steps = name.split(".")
        for count in range(1, len(steps) + 1):
            prefix = ".".join(steps[:count])
            inside = prefix.startswith(tuple(f"{root}." for root in roots))
            if inside or (prefix in roots and prefix == name):
                path = _module(prefix, house)
                files |= {path} if path else set()
    return files


def _parsed(source: str) -> ast.AST:
    lines = source.splitlines()
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)
    try:
        return ast.parse(plain)
    except SyntaxError:  # a cell that shows one
        return ast.Module([], [])


def _module(name: str, house: Path) -> Path | None:
    path = house.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


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
    data = record.get("data", {})
    if "parts" in record:
        now, then = part_hashes(chapter, notebook, data), record["parts"]
        changed = [name for name in {**now, **then} if now.get(name) != then.get(name)]
        reasons = [f"{name} changed since the outputs were stored" for name in changed]
    else:
        reasons = ["its outputs were never stored by `dlbook run --store`"]
    stand_ins = [name for name, source in data.items() if is_stand_in(source)]
    reasons += [f"it ran on stand-in data: {name}" for name in stand_ins]
    reasons += execution_faults(notebook)
    size = chapter.path.stat().st_size
    if size > SIZE_LIMIT:
        reasons.append(f"it is {size / 1e6:.1f} MB large, over {SIZE_LIMIT / 1e6:.0f} MB")
    return reasons


def over_budget(record: dict[str, Any]) -> list[str]:
    """Which limits on time and memory a stored run breaks."""
    measured = {
        "seconds on the real data": (record.get("seconds"), REAL_SECONDS),
        "seconds on stand-in data": (record.get("stand_in", {}).get("seconds"), STAND_IN_SECONDS),
        "MB of memory": (record.get("peak_memory_mb"), MEMORY_MB),
    }
    return [
        f"{value or 'no'} {what}, at most {limit:.0f}"
        for what, (value, limit) in measured.items()
        if value is None or value > limit
    ]


def must_fail_untrained(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells whose checks a model that was not trained must fail."""
    return [cell for cell in code_cells(notebook) if UNTRAINED_FAILS in cell_tags(cell)]


def untrained_faults(notebook: NotebookNode, checks: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the checks that must fail, given what an untrained model reached.

    Args:
        notebook: The chapter.
        checks: The checks that the untrained run met, each with the id of its ``cell``.
    """
    faults = []
    for cell in must_fail_untrained(notebook):
        met = [check for check in checks if check["cell"] == cell.id]
        faults += [f"passes untrained: {check['name']}" for check in met if check["passed"]]
        if not met:
            faults.append(f"untrained, no check was reached in {first_line(cell.source)[:60]!r}")
    return faults


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


def normalise(notebook: NotebookNode, record: dict[str, Any]) -> None:
    """Bring an executed notebook into the one form in which it is stored, in place.

    Args:
        notebook: The executed notebook.
        record: What goes into ``metadata["dlbook"]``, beside the author's ``lesson``.
    """
    lesson = notebook.metadata.get("dlbook", {}).get("lesson")
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        # no version: a stored chapter must not differ from Python 3.11 to 3.12
        language_info={"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
    )
    if record or lesson:
        notebook.metadata["dlbook"] = {**({"lesson": lesson} if lesson else {}), **record}
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
