"""What the reader sees while chapters run, and the table at the end."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dlbook.tools.chapters import first_line
from dlbook.tools.execution import Reporter
from dlbook.tools.overview import reached
from dlbook.tools.record import is_stand_in, over_budget
from dlbook.tools.storing import Outcome

SLOW_CELL = 2.0  # seconds; a cell that takes longer gets a line of its own in a log
_REAL_DATA_HINT = (
    "These results are NOT from the real data. To get them: `dlbook data fetch` (needs a network), "
    "or set DLBOOK_DATA_DIR to a folder that has them (`dlbook data mirror` makes one), then run "
    "again. `dlbook data list` shows what is missing."
)


def make_reporter(console: Console) -> Reporter:
    """A live line per run in a terminal, plain lines everywhere else."""
    return LiveReporter(console) if console.is_terminal else PlainReporter(console)


class PlainReporter:
    """One line when a run starts, ends, or has a cell that takes long: for logs."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._cells = 0

    def _line(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True, highlight=False)

    def run_started(self, title: str, cells: int) -> None:
        """Say that a run starts."""
        self._cells = cells
        self._line(f"{title}: {cells} code cells")

    def cell_started(self, number: int, heading: str) -> None:
        """Say nothing yet."""

    def cell_finished(self, number: int, heading: str, seconds: float) -> None:
        """Name a cell that took long."""
        if seconds >= SLOW_CELL:
            self._line(f"  cell {number} of {self._cells}, {heading or 'set-up'}: {seconds:.0f} s")

    def run_finished(self, line: str, ok: bool) -> None:
        """Say how it went."""
        self._line(line)

    def close(self) -> None:
        """Nothing is open."""


class LiveReporter:
    """A line that follows the cells of a run; one line stays of a finished one."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress: Progress | None = None
        self._task = None

    def run_started(self, title: str, cells: int) -> None:
        """Open the live line."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("cell {task.fields[cell]} of {task.total}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[heading]}", style="dim"),
            console=self.console,
            transient=True,
        )
        self._task = self._progress.add_task(title, total=cells, cell=0, heading="starting")
        self._progress.start()

    def cell_started(self, number: int, heading: str) -> None:
        """Move to a cell."""
        if self._progress is not None:
            self._progress.update(self._task, cell=number, heading=escape(heading or "set-up"))

    def cell_finished(self, number: int, heading: str, seconds: float) -> None:
        """Move the bar."""
        if self._progress is not None:
            self._progress.update(self._task, completed=number)

    def run_finished(self, line: str, ok: bool) -> None:
        """Close the live line and leave one that stays."""
        self.close()
        mark, style = ("✓", "green") if ok else ("✗", "bold red")
        self.console.print(Text(f"{mark} {line}", style=style))

    def close(self) -> None:
        """Give the terminal back; also after an interruption."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def print_failure(console: Console, outcome: Outcome) -> None:
    """Show where a chapter stopped: the head of the cell and the last lines of the error."""
    failure = outcome.failure
    if failure is None:
        return
    console.print(Text(f"\n{outcome.chapter.stem}, code cell {failure.cell}:", style="bold"))
    lines = failure.source.strip().splitlines()
    for line in lines[:6] + (["…"] if len(lines) > 6 else []):
        console.print(Text(f"    {line}"), soft_wrap=True)
    shown = Text.from_ansi(failure.traceback).plain.strip().splitlines()[-6:]
    # the traceback's end holds the message, but for errors of ours that have no traceback
    for line in shown or f"{failure.kind}: {failure.message}".splitlines():
        console.print(Text(f"  {line}", style="red"), soft_wrap=True)


def print_summary(console: Console, outcomes: Sequence[Outcome], folder: Path) -> None:
    """The closing table: what was reached, on which data, how long it took, where it lies."""
    runs = Table()
    for name in ("chapter", "reached", "data", "seconds", "memory", "outcome"):
        runs.add_column(name, justify="right" if name in ("seconds", "memory") else "left")
    for outcome in outcomes:
        memory = outcome.record.get("peak_memory_mb")
        runs.add_row(
            outcome.chapter.stem,
            Text(reached(outcome.record) if outcome.record else ""),
            Text(_data_text(outcome)),
            f"{outcome.seconds:.0f}",
            f"{memory:,.0f} MB" if memory else "",
            _outcome_text(outcome),
        )
    console.print(runs)
    for outcome in outcomes:
        for reason in outcome.refusals:
            console.print(Text(f"{outcome.chapter.stem}: {reason}", style="red"))
        for reason in over_budget(outcome.record) if outcome.stored else []:
            console.print(Text(f"{outcome.chapter.stem} is over budget: {reason}", style="red"))
    names = sorted({n for o in outcomes for n in _stand_ins(o)})
    if names:
        text = f"STAND-IN DATA were used for: {', '.join(names)}. {_REAL_DATA_HINT}"
        console.print(Text(text, style="bold yellow"))
    if any(outcome.notebook for outcome in outcomes):
        pages = any(outcome.page for outcome in outcomes)
        kinds = "Executed notebooks and HTML pages" if pages else "Executed notebooks"
        console.print(Text(f"{kinds}: {folder}"), soft_wrap=True)


def print_stale(console: Console, reasons: dict[str, list[str]]) -> None:
    """Say for each chapter whether its stored outputs are fresh, and why not."""
    for stem, found in reasons.items():
        if not found:
            console.print(Text(f"{stem}: fresh", style="green"))
            continue
        console.print(Text(f"{stem}: STALE", style="bold red"))
        for reason in found:
            console.print(Text(f"  {reason}"), soft_wrap=True)
    stale = [stem for stem, found in reasons.items() if found]
    if stale:
        numbers = " ".join(stem[:2] for stem in stale)
        console.print(Text(f"Execute and store again: dlbook run --store {numbers}"))


def _stand_ins(outcome: Outcome) -> list[str]:
    return [n for n, source in outcome.record.get("data", {}).items() if is_stand_in(source)]


def _data_text(outcome: Outcome) -> str:
    data = outcome.record.get("data", {})
    return ", ".join(
        f"{name}: {'STAND-IN' if is_stand_in(source) else source}" for name, source in data.items()
    )


def _outcome_text(outcome: Outcome) -> Text:
    if outcome.failure is not None:
        cell = first_line(outcome.failure.source)[:30]
        return Text(f"FAILED: {outcome.failure.kind} at {cell}", style="bold red")
    if outcome.refusals:
        return Text("REFUSED", style="bold red")
    return Text("stored" if outcome.stored else "ok", style="green")
