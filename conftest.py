"""Settings for all tests, those of the notebooks included.

Tests use the stand-in data unless DLBOOK_DATA says otherwise, so that they never need a network.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from dlbook.tools.execution import kernel_environment

# nbval's kernels inherit this process's environment, so it is settled before the first one starts:
# folders absolute (kernels work in notebooks/), no log lines of TensorFlow's, and no MPLBACKEND,
# which would keep figures out of the notebooks.
_SETTINGS = kernel_environment({"DLBOOK_DATA": "stand-in", **os.environ})
for _name in set(os.environ) - set(_SETTINGS):
    del os.environ[_name]
os.environ.update(_SETTINGS)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """nbval compares no HTML, where ``check`` shows measured values, and no GIF, as no PNG."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html", "image/gif")


@pytest.fixture(autouse=True, scope="session")
def _no_windows() -> None:
    """Figures of the tests themselves open no windows. Kernels of notebooks keep theirs inline."""
    import matplotlib

    matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """A test leaves no figure behind."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def make_notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a small notebook: ``make_notebook("05_toy", "print(1)", "# Heading", ...)``.

    A cell that starts with "# " and has one line is prose; the others are code. The file lies in
    ``tmp_path / "notebooks"``.
    """

    def make(stem: str, *cells: str) -> Path:
        path = tmp_path / "notebooks" / f"{stem}.ipynb"
        path.parent.mkdir(exist_ok=True)
        made = []
        for number, text in enumerate(cells):
            kind = "markdown" if text.startswith("# ") and "\n" not in text else "code"
            cell = getattr(nbformat.v4, f"new_{kind}_cell")(text)
            cell.id = f"cell-{number}"
            made.append(cell)
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    return make
