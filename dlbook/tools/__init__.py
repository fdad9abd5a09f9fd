"""The workshop around the book: the ``dlbook`` command and what it needs. No chapter imports it."""

import sys

from rich.console import Console

FAILED, DATA_MISSING, INTERRUPTED = 1, 3, 130  # exit codes; click ends wrong usage with 2


def console() -> Console:
    """Where commands print: as wide as the terminal; in a log there is no edge to wrap at."""
    return Console() if sys.stdout.isatty() else Console(width=140)
