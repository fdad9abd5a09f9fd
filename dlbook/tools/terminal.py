"""What the commands share: exit codes, the end of a help text, tables, and the console."""

import sys
from typing import Any

FAILED, DATA_MISSING, INTERRUPTED = 1, 3, 130  # click ends wrong usage with 2


def epilog(examples: str, failed: str = "", data: bool = False) -> str:
    """The end of a help text: examples, and the exit codes that the command can have.

    Args:
        examples: Lines with commands, indented by two.
        failed: What exit code 1 means; "" for a command that cannot fail.
        data: Whether exit code 3 can come.
    """
    codes = ["0  all well", *([f"1  {failed}"] if failed else []), "2  wrong usage"]
    codes += ["3  real data could not be had"] if data else []
    return f"\b\nExamples:\n{examples}\n\n\b\nExit codes:\n  " + "\n  ".join(codes)


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
