"""What the commands share: exit codes, tables, and the console."""

import sys
from typing import Any

FAILED, DATA_MISSING, INTERRUPTED = 1, 3, 130  # click ends wrong usage with 2


def table(*columns: str, right: tuple[str, ...] = ("size",)) -> Any:
    """An empty table of rich's; the columns in ``right`` hold numbers."""
    from rich.table import Table

    made = Table()
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def console() -> Any:
    """Where commands print."""
    from rich.console import Console

    # in a log there is no edge to wrap at
    return Console() if sys.stdout.isatty() else Console(width=140)
