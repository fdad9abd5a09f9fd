"""Execute chapters with a kernel of this Python, and write the results as notebook and page."""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import nbformat
from nbformat import NotebookNode

from dlbook.tools.chapters import (
    Chapter,
    code_cells,
    content_hash,
    execution_faults,
    first_line,
    headings,
    is_stand_in,
    machine_paths,
    may_raise,
    normalise,
)

_MARK = "dlbook-report:"
_REPORT_CODE = f"""
import json as _json
import dlbook.runtime as _runtime
print("\\n" + {_MARK!r} + _json.dumps(_runtime.report()))
"""
_START_UP_LIMIT = 120  # seconds; a cold disk and no byte code make a kernel slow to start


class Reporter(Protocol):
    """Who is told how a chapter gets on."""

    def chapter_started(self, chapter: Chapter, cells: int) -> None:
        """A chapter with so many code cells starts."""

    def cell_started(self, number: int, heading: str) -> None:
        """Code cell ``number`` (from 1), which stands under ``heading``, starts."""

    def cell_finished(self, number: int, heading: str, seconds: float) -> None:
        """Code cell ``number`` took so long."""

    def chapter_finished(self, outcome: "Outcome") -> None:
        """The chapter is done, well or not."""

    def close(self) -> None:
        """Nothing more comes; also called after an interruption."""


@dataclass
class Failure:
    """Why a chapter could not be executed to its end.

    Args:
        cell: Number of the code cell, from 1.
        source: Its code.
        kind: The exception's name.
        message: Its text.
        traceback: Its traceback, with ANSI colours, or "".
    """

    cell: int
    source: str
    kind: str
    message: str
    traceback: str = ""

    @property
    def is_missing_data(self) -> bool:
        """Whether data could not be had where only the real ones will do."""
        return self.kind == "DataUnavailableError"


@dataclass
class Outcome:
    """What came of executing a chapter.

    Args:
        chapter: The chapter.
        seconds: Wall time of all cells after the first, which imports and sets up.
        seconds_total: Wall time of all cells.
        record: What was written into the notebook's metadata; empty after a failure.
        failure: What stopped it, or None.
        refusals: Why the outputs were not stored, where that was asked for.
        notebook: The executed notebook.
        page: The same as an HTML page, or None.
        stored: Whether the chapter itself was overwritten.
    """

    chapter: Chapter
    seconds: float = 0.0
    seconds_total: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    refusals: list[str] = field(default_factory=list)
    notebook: Path | None = None
    page: Path | None = None
    stored: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for was done."""
        return self.failure is None and not self.refusals


def kernel_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a chapter's kernel, made from the caller's.

    Folders become absolute, because the kernel works in the notebook's folder and not in the
    caller's; a matplotlib backend of the caller's is dropped, because it would turn the figures
    in the notebook off.
    """
    result = dict(environment)
    result.pop("MPLBACKEND", None)
    for name in ("DLBOOK_DATA_DIR", "DLBOOK_CACHE"):
        if result.get(name):
            result[name] = str(Path(result[name]).expanduser().absolute())
    result.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # otherwise the debugger writes a warning about frozen modules to the terminal
    result.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    return result


def execute_chapter(
    chapter: Chapter,
    *,
    output: Path,
    reporter: Reporter,
    timeout: float | None = None,
    html: bool = True,
    store: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Execute a chapter from top to bottom and write the results.

    Args:
        chapter: What to execute. The file itself changes only with ``store``.
        output: Folder for ``<chapter>.ipynb`` and ``<chapter>.html``; made if missing.
        reporter: Who is told how it gets on.
        timeout: Seconds that one cell may take; None: any time.
        html: Whether to write the page.
        store: Also write the executed notebook over the chapter, unless something forbids it.
        environment: The caller's environment variables; None: those of this process.

    Returns:
        What came of it. A cell that fails is no exception here: see ``Outcome.failure``.
    """
    notebook = chapter.read()
    outcome = Outcome(chapter)
    reporter.chapter_started(chapter, len(code_cells(notebook)))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    environment = kernel_environment(os.environ if environment is None else environment)
    report = _run_cells(chapter, notebook, outcome, reporter, timeout, environment)
    if outcome.failure is None:
        outcome.record = {
            "hash": content_hash(chapter, notebook),
            **report,
            "seconds": round(outcome.seconds, 1),
            "seconds_total": round(outcome.seconds_total, 1),
        }
    normalise(notebook, outcome.record or None)
    outcome.notebook = output / f"{chapter.stem}.ipynb"
    write_notebook(notebook, outcome.notebook)
    if html:
        outcome.page = outcome.notebook.with_suffix(".html")
        outcome.page.write_text(_page(notebook, chapter.stem), encoding="utf-8")
    if store and outcome.failure is None:
        outcome.refusals = store_refusals(notebook)
        if not outcome.refusals:
            write_notebook(notebook, chapter.path)
            outcome.stored = True
    reporter.chapter_finished(outcome)
    return outcome


def store_refusals(notebook: NotebookNode) -> list[str]:
    """Why an executed notebook must not become the stored one; empty when it may."""
    data = notebook.metadata.get("dlbook", {}).get("data", {})
    refusals = [f"{name} is stand-in data" for name, source in data.items() if is_stand_in(source)]
    refusals += execution_faults(notebook)
    refusals += [f"an output names {path}" for path in machine_paths(notebook)]
    return refusals


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook so that a reader never meets half of one."""
    # nbformat.writes checks the notebook; LF line ends on every system keep differences small
    write_whole(path, nbformat.writes(notebook).rstrip("\n") + "\n")


def write_whole(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write a text file so that a reader never meets half of it, nor an interruption leaves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding=encoding, newline="")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _run_cells(
    chapter: Chapter,
    notebook: NotebookNode,
    outcome: Outcome,
    reporter: Reporter,
    timeout: float | None,
    environment: dict[str, str],
) -> dict[str, Any]:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        km=this_python(),
        timeout=timeout,
        startup_timeout=_START_UP_LIMIT,
        resources={"metadata": {"path": str(chapter.path.parent.absolute())}},
        record_timing=False,
        store_widget_state=False,
    )
    cells = code_cells(notebook)
    indices = {id(cell): index for index, cell in enumerate(notebook.cells)}
    number, source = 0, ""
    try:
        # the kernel manager is ours, so that without cleanup_kc the kernel would live on
        with client.setup_kernel(env=environment, cleanup_kc=True):
            try:
                for number, (cell, heading) in enumerate(
                    zip(cells, headings(notebook), strict=True), start=1
                ):
                    source = cell.source
                    reporter.cell_started(number, heading)
                    client.allow_errors = may_raise(cell)
                    start = time.perf_counter()
                    try:
                        client.execute_cell(cell, indices[id(cell)], execution_count=number)
                    finally:
                        seconds = time.perf_counter() - start
                        outcome.seconds_total += seconds
                        outcome.seconds += seconds if number > 1 else 0.0
                    reporter.cell_finished(number, heading, seconds)
                source = _REPORT_CODE
                return _ask_report(client)
            except BaseException:
                # no grace for a kernel that is stopped in the middle of a training
                client.shutdown_kernel = "immediate"
                raise
    except CellExecutionError as error:
        outputs = cells[number - 1].outputs
        lines = next((o.traceback for o in outputs if o.output_type == "error"), [])
        outcome.failure = Failure(number, source, error.ename, error.evalue, "\n".join(lines))
    except CellTimeoutError:
        text = f"the cell took longer than {timeout:g} s (dlbook run --timeout allows more)"
        outcome.failure = Failure(number, source, "Timeout", text)
    except DeadKernelError:
        text = "the kernel died; most often the machine had no memory left (see dlbook doctor)"
        outcome.failure = Failure(number, source, "DeadKernel", text)
    return {}


def _ask_report(client: Any) -> dict[str, Any]:
    """Ask the kernel what it used, in an execution that leaves nothing in the notebook."""
    cell = nbformat.v4.new_code_cell(_REPORT_CODE)
    client.allow_errors = False
    client.nb = nbformat.v4.new_notebook(cells=[cell])
    client.execute_cell(cell, 0, store_history=False)
    text = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
    return json.loads(text.rpartition(_MARK)[2])


def this_python() -> Any:
    """A manager for a kernel that is this very Python, whatever is registered as "python3"."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(**get_kernel_dict())

    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())
    if can_encrypt(AsyncKernelManager):
        manager.transport_encryption = "auto"
    return manager


def can_encrypt(manager: type) -> bool:
    """Whether kernels of a class of managers can be talked to in code.

    Newer kernels warn in the terminal about a connection in clear text; older ones know nothing.
    """
    import zmq

    return "transport_encryption" in manager.class_trait_names() and zmq.has("curve")


def _page(notebook: NotebookNode, title: str) -> str:
    from nbconvert import HTMLExporter

    quiet = logging.getLogger("dlbook.nbconvert")
    quiet.setLevel(logging.ERROR)
    exporter = HTMLExporter(log=quiet)
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]


def summary_line(outcome: Outcome) -> str:
    """One plain line about a finished chapter."""
    if outcome.failure is not None:
        failure = outcome.failure
        return (
            f"{outcome.chapter.stem}: FAILED in code cell {failure.cell} "
            f"({first_line(failure.source)[:40]}) after {outcome.seconds_total:.0f} s: "
            f"{failure.kind}"
        )
    if outcome.refusals:
        return f"{outcome.chapter.stem}: executed in {outcome.seconds_total:.0f} s, NOT STORED"
    end = "stored" if outcome.stored else "done"
    return f"{outcome.chapter.stem}: {end} in {outcome.seconds_total:.0f} s"
