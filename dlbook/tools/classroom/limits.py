"""What a kernel is told before it runs a student's cells: a limit on what a cell may print."""

import sys
from functools import partial
from typing import Any

OUTPUT_LIMIT = 1_000_000  # characters that a cell may print and display
KERNEL_OPTION = "--IPKernelApp.exec_lines=import dlbook.tools.classroom.limits as _limits; " + (
    "_limits.limit_output(get_ipython()); del _limits"
)


class OutputLimitError(RuntimeError):
    """A cell prints more than a person can read: most often in an endless loop."""


def limit_output(shell: Any) -> None:
    """Let a cell of IPython's shell fail that prints so much that it fills the grader's memory."""
    left = OUTPUT_LIMIT

    def spend(text: str) -> None:
        nonlocal left
        left -= len(text)
        if left < 0:
            raise OutputLimitError(
                f"more than {OUTPUT_LIMIT:,} characters printed: an endless loop?"
            )

    def printed(stream: Any, text: str) -> int:
        spend(text)
        return type(stream).write(stream, text)

    def displayed(message: dict[str, Any]) -> dict[str, Any]:
        spend(str(message["content"]))
        return message

    def start(*_: Any) -> None:
        nonlocal left
        left = OUTPUT_LIMIT
        for stream in (sys.stdout, sys.stderr):  # IPython, too, replaces the method in each cell
            stream.write = partial(printed, stream)

    shell.events.register("pre_run_cell", start)
    shell.display_pub.register_hook(displayed)
