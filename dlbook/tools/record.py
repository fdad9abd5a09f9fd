"""The record of a stored run: what it comes from, what makes it stale, and its form."""

import ast
import hashlib
import itertools
import json
import re
from collections.abc import Iterable
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from dlbook.data.kinds.dataset import STAND_IN
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
    """
    house, models = chapter.house, ("dlbook.models", "dlbook.layers")
    sources = [cell.source for cell in code_cells(notebook)]
    files = set(chapter.model_files).union(*(_imported(s, "", house, models) for s in sources))
    made = "dlbook.data.stand_ins"
    stand_ins = {_module(f"{made}.{name.replace('-', '_')}", house) for name in data_sets} - {None}
    files = _all_imported(files, house, models) | _all_imported(stand_ins, house, (made,))
    cells = json.dumps([_without_trailing_space(source) for source in sources], ensure_ascii=False)
    parts = {CELLS: cells}
    for path in sorted(files):
        name = path.relative_to(house).as_posix()
        parts[name] = _without_trailing_space(path.read_text(encoding="utf-8"))
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in parts.items()}


def _all_imported(files: set[Path], house: Path, roots: tuple[str, ...]) -> set[Path]:
    """The files and all that they import, and so on, inside some packages."""
    found, waiting = set(), set(files)
    while waiting:
        path = waiting.pop()
        found.add(path)
        package = ".".join(path.relative_to(house).parent.parts)
        waiting |= _imported(path.read_text(encoding="utf-8"), package, house, roots) - found
    return found


def _imported(source: str, package: str, house: Path, roots: tuple[str, ...]) -> set[Path]:
    """The files inside the packages ``roots`` that a piece of Python in ``package`` imports."""
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*", "", source, flags=re.MULTILINE))
    except SyntaxError:  # a cell that shows one
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            for inner in (f"{origin}.{alias.name}" for alias in node.names):
                # a name that is no module comes from the package's own file
                names.add(inner if _module(inner, house) else origin)
    modules = names & set(roots)
    for name in names:
        while name.startswith(tuple(f"{root}." for root in roots)):
            modules.add(name)
            name = name.rpartition(".")[0]
    return {path for name in modules if (path := _module(name, house))}


def _module(name: str, house: Path) -> Path | None:
    path = house.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _without_trailing_space(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()


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
    stand_ins = [name for name, source in data.items() if source == STAND_IN]
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
    """What is wrong with the checks that must fail, given those that an untrained run met."""
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
    texts = [cell.source for cell in notebook.cells if sources]
    for output in itertools.chain(*(cell.get("outputs", []) for cell in notebook.cells)):
        texts += [output.get("text", ""), "\n".join(output.get("traceback", []))]
        for kind, content in output.get("data", {}).items():
            if not kind.startswith("image/") or kind == "image/svg+xml":
                texts.append(content if isinstance(content, str) else json.dumps(content))
    found = {path for text in texts for path in _FOREIGN_PATH.findall(text)}
    found |= {path for path in own for text in texts if re.search(re.escape(path) + r"\b", text)}
    return sorted(found)


def normalise(notebook: NotebookNode, record: dict[str, Any]) -> None:
    """Bring an executed notebook into the form in which it is stored, in place, with its record."""
    old = notebook.metadata.get("dlbook", {})
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        # no version: a stored chapter must not differ from Python 3.11 to 3.12
        language_info={"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
    )
    lesson = {"lesson": old["lesson"]} if old.get("lesson") else {}
    if record or lesson:
        notebook.metadata["dlbook"] = {**lesson, **record}
    for cell in notebook.cells:
        for key in ("execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            # pieces of one stream are one output: how they were cut depends on the clock
            pieces, cell.outputs = cell.outputs, []
            for name, group in itertools.groupby(pieces, lambda output: output.get("name")):
                first, *rest = group
                if name:
                    first.text += "".join(output.text for output in rest)
                cell.outputs += [first] if name else [first, *rest]
    notebook.nbformat, notebook.nbformat_minor = 4, max(5, notebook.nbformat_minor)
