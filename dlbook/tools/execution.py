"""Execute chapters with a kernel of this Python, and write the results as notebook and page."""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.text import Text

from dlbook.tools.chapters import code_cells, first_line, may_raise

_MARK = "dlbook-report:"
_REPORT = f"""
import json as _json
import dlbook.runtime as _runtime
print("\\n" + {_MARK!r} + _json.dumps(_runtime.report()))
"""
_START_UP_LIMIT = 120  # seconds; a cold disk and no byte code make a kernel slow to start
CELL_LIMIT = 1800  # seconds that one cell may take


@dataclass
class Run:
    """What came of executing a notebook."""

    notebook: NotebookNode  # with its new outputs
    seconds: float = 0.0  # wall time of all cells after the first, which imports and sets up
    seconds_total: float = 0.0  # wall time of the whole, the start of the kernel included
    # what dlbook.report() said at the end, each check with the id of its cell where keep_going was
    # asked for; empty after a failure
    report: dict[str, Any] = field(default_factory=dict)
    # where keep_going went on: cell id -> what it raised
    errors: dict[str, str] = field(default_factory=dict)
    failure: str = ""  # name of the exception that stopped it


def kernel_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a chapter's kernel, made from the caller's."""
    result = dict(environment)
    result.pop("MPLBACKEND", None)  # it would turn the figures in the notebook off
    for name in ("DLBOOK_DATA_DIR", "DLBOOK_CACHE"):
        if result.get(name):  # the kernel works in the notebook's folder, not in the caller's
            result[name] = str(Path(result[name]).expanduser().absolute())
    result.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # otherwise the debugger writes a warning about frozen modules to the terminal
    result.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    return result


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    title: str,
    console: Console,
    settings: Mapping[str, str] | None = None,
    first: str = "",
    before: Mapping[str, str] | None = None,
    keep_going: bool = False,
) -> Run:
    """Execute a notebook from top to bottom, in place, with a kernel that works in a folder.

    A cell that fails is no exception here: see ``Run.failure``.

    Args:
        console: Where the reader sees how it gets on: a line that moves with the cells in a
            terminal, and at the end how it went.
        settings: Environment variables beside the caller's.
        first: Code before the first cell; like that of ``before``, it leaves no trace.
        before: Code before a cell, by the cell's id.
        keep_going: Go on after a cell that raises, and note which checks each cell met.
    """
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    run = Run(notebook)
    client = client_of(notebook, folder, timeout=CELL_LIMIT)
    environment = kernel_environment({**os.environ, **(settings or {})})
    begun = time.perf_counter()
    total, number, heading, owners = len(code_cells(notebook)), 0, "set-up", []
    cell = nbformat.v4.new_code_cell(first)
    try:
        # the kernel manager is ours, so that without cleanup_kc the kernel would live on
        with (
            console.status(Text(f"{title}: starting")) as status,
            client.setup_kernel(env=environment, cleanup_kc=True),
        ):
            try:
                _ask(client, cell)
                for index, cell in enumerate(notebook.cells):
                    if cell.cell_type == "markdown" and cell.source.startswith("#"):
                        heading = first_line(cell.source)
                    if cell.cell_type != "code" or not cell.source.strip():
                        continue
                    number += 1
                    extra = (before or {}).get(cell.get("id"), "")
                    _ask(client, nbformat.v4.new_code_cell(extra))  # nothing, if it is empty
                    status.update(Text(f"{title}: cell {number} of {total}, {heading}"))
                    client.allow_errors = keep_going or may_raise(cell)
                    start = time.perf_counter()
                    client.execute_cell(cell, index, execution_count=number)
                    run.seconds += time.perf_counter() - start if number > 1 else 0.0
                    if keep_going:
                        met = len(_report(client)["checks"])
                        owners += [cell.get("id")] * (met - len(owners))
                        for output in cell.outputs:
                            if output.output_type == "error" and not may_raise(cell):
                                run.errors[cell.get("id")] = f"{output.ename}: {output.evalue}"
                run.report = _report(client)
                for check, owner in zip(run.report["checks"], owners, strict=False):
                    check["cell"] = owner
            except BaseException:
                # no grace for a kernel that is stopped in the middle of a training
                client.shutdown_kernel = "immediate"
                raise
    except CellExecutionError as error:
        run.failure, message = error.ename, str(error)
    except CellTimeoutError:
        run.failure, message = "Timeout", f"the cell took longer than {CELL_LIMIT} s"
    except DeadKernelError:
        run.failure, message = "DeadKernel", "the kernel died; most often no memory was left"
    run.seconds_total = time.perf_counter() - begun
    told = Text(f"✓ {title}: done in {run.seconds_total:.0f} s", "green")
    if run.failure:
        where = f"FAILED in code cell {number} after {run.seconds_total:.0f} s"
        shown = "\n    ".join(cell.source.strip().splitlines()[:6])
        # the traceback's end holds the message
        end = "\n  ".join(Text.from_ansi(message).plain.strip().splitlines()[-6:])
        head = (f"✗ {title}: {where}: {run.failure}", "bold red")
        told = Text.assemble(head, f"\n    {shown}\n", (f"  {end}", "red"))
    console.print(told, soft_wrap=True)
    return run


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


def _ask(client: Any, cell: NotebookNode) -> str:
    """What a cell prints, in an execution that leaves nothing in the notebook."""
    if not cell.source:
        return ""
    book = client.nb
    client.allow_errors, client.nb = False, nbformat.v4.new_notebook(cells=[cell])
    try:
        client.execute_cell(cell, 0, store_history=False)
    finally:
        client.nb = book
    return "".join(o.text for o in cell.outputs if o.get("name") == "stdout")


def _report(client: Any) -> dict[str, Any]:
    return json.loads(_ask(client, nbformat.v4.new_code_cell(_REPORT)).rpartition(_MARK)[2])


def client_of(notebook: NotebookNode, folder: Path, **settings: Any) -> Any:
    """nbclient for a notebook, whose old outputs are removed; its kernel works in the folder.

    The kernel is this very Python, whatever is registered as "python3".
    """
    import zmq
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(**get_kernel_dict())

    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())
    if "transport_encryption" in manager.trait_names() and zmq.has("curve"):
        manager.transport_encryption = "auto"  # newer managers warn of a clear connection
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    settings["resources"] = {"metadata": {"path": str(folder.absolute())}}
    return NotebookClient(notebook, km=manager, startup_timeout=_START_UP_LIMIT, **settings)


def as_page(notebook: NotebookNode, title: str) -> str:
    """The notebook as an HTML page."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(log=logging.getLogger("dlbook.nbconvert"))
    exporter.log.setLevel(logging.ERROR)
    return exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})[0]
