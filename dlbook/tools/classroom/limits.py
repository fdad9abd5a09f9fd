"""What a kernel is told before it runs a student's cells: a limit on what a cell may print."""

import sys
from collections.abc import Callable
from typing import Any

OUTPUT_LIMIT = 1_000_000  # characters that a cell may print and display
KERNEL_OPTION = "--IPKernelApp.exec_lines=import dlbook.tools.classroom.limits as _limits; " + (
    "_limits.limit_output(get_ipython()); del _limits"
)


class OutputLimitError(RuntimeError):
    """A cell prints more than a person can read: most often in an endless loop."""


def limit_output(shell: Any, limit: int = OUTPUT_LIMIT) -> None:
    """Let a cell that prints too much fail, before its output fills the grader's memory.

    Args:
        shell: IPython's shell in the kernel.
        limit: Characters that a cell may print and display.
    """
    left, whole = limit, []

    def spend(text: str) -> None:
        nonlocal left
        left -= len(text)
        if left < 0:
            raise OutputLimitError(f"more than {limit:,} characters printed: an endless loop?")

    def limited(write: Callable[[str], int]) -> Callable[[str], int]:
        def write_within(text: str) -> int:
            spend(text)
            return write(text)

        return write_within

    # for each cell anew, because IPython too replaces the methods while a cell runs
    def start(*_: Any) -> None:
        nonlocal left
        left = limit
        for stream in (sys.stdout, sys.stderr):
            whole.append((stream, stream.write))
            stream.write = limited(stream.write)

    def finish(*_: Any) -> None:
        while whole:
            stream, write = whole.pop()
            stream.write = write

    def displayed(message: dict[str, Any]) -> dict[str, Any]:
        spend(str(message["content"]))
        return message

    shell.events.register("pre_run_cell", start)
    shell.events.register("post_run_cell", finish)
    shell.display_pub.register_hook(displayed)
