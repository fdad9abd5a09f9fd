"""What all benchmarks share: fair rounds of two sides, tables, and the line about the machine.

Both sides take turns in one process (A B A B …), so that a slow moment of the machine meets both.
A table has the median of the rounds, and the median of the ratios of the pairs. The first round of
each side, in which functions are compiled and memory is claimed, does not count; nor does a pair
during which other programs took more than a twentieth of the machine, for they slow the two sides
down unequally.
"""

import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from dlbook.runtime import versions

# Triton's compiler and TensorFlow's do not live in one process on every machine (the second one to
# be imported ends it), and PyTorch on a processor does without Triton.
sys.modules.setdefault("triton", None)

import torch  # isort: skip # noqa: E402

ROUNDS, QUICK_ROUNDS = 15, 2
Side = Callable[[], float]  # one round; returns milliseconds per step


class Medians(NamedTuple):
    """What ``compare`` found.

    Attributes:
        left: Milliseconds of the left side.
        right: Milliseconds of the right side.
        ratio: Right / left, pair by pair.
        note: Says so where the machine was never quiet; else empty.
    """

    left: float
    right: float
    ratio: float
    note: str

    def cells(self) -> list[str]:
        """Both times and the ratio, as a table has them."""
        return [figure(self.left), figure(self.right), f"**{self.ratio:.2f}**"]


class Others:
    """How much of the machine other programs use from now on."""

    def __init__(self):
        self.began, self.busy, self.own = time.perf_counter(), *self._seconds()

    @staticmethod
    def _seconds() -> tuple[float, float]:
        machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        # guest time is counted in user time too
        return sum(machine) - idle - getattr(machine, "guest", 0.0), sum(own[:2])

    def share(self) -> float:
        """Their part of all cores, 0 to 1."""
        busy, own = self._seconds()
        seconds = (time.perf_counter() - self.began) * psutil.cpu_count()
        return max(0.0, (busy - self.busy) - (own - self.own)) / seconds


def compare(name: str, left: Side, right: Side, rounds: int) -> Medians:
    """Take turns, and print one line to standard error when it is done.

    Args:
        name: What is measured.
        left: One side.
        right: The other.
        rounds: Pairs that count.

    Returns:
        Medians of both sides and of their ratio.
    """
    left(), right()  # compile, claim memory
    pairs, disturbed = [], []
    while len(pairs) < rounds and len(disturbed) < 2 * rounds:
        others = Others()
        if len(pairs) % 2:  # neither side always comes second
            second, first = right(), left()
        else:
            first, second = left(), right()
        (pairs if others.share() < 0.05 else disturbed).append((first, second))
    note = ""
    if 2 * len(pairs) < rounds:
        pairs, note = pairs + disturbed, " (disturbed by other programs)"
    found = Medians(
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(second / first for first, second in pairs),
        note,
    )
    print(
        f"measured {name}: {figure(found.left)} ms, {figure(found.right)} ms{note}", file=sys.stderr
    )
    return found


def milliseconds(function: Callable[[], object], steps: int) -> float:
    """Time of one step of a call that makes many."""
    began = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - began) / steps


def figure(value: float) -> str:
    """Three significant digits, and never with an exponent: 0.0811, 12.3, 12,300."""
    return f"{float(f'{value:.3g}'):,.15g}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the second to fourth columns are numbers."""
    align = ["---", *["---:"] * 3, *["---"] * (len(head) - 4)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, align, *rows])


def machine() -> str:
    """The machine in one line."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":")[1].strip()
                break
    known = versions()
    return (
        f"{name}, {torch.get_num_threads()} threads on both sides, Python {known['python']}, "
        f"TensorFlow {known['tensorflow']}, Keras {known['keras']}, PyTorch {torch.__version__}"
    )
