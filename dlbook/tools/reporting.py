"""What the reader sees of several chapters: the table after a run, and which are stale."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Column, Table
from rich.text import Text

from dlbook.data.kinds.dataset import STAND_IN
from dlbook.tools import console
from dlbook.tools.chapters import Chapter
from dlbook.tools.overview import reached
from dlbook.tools.record import over_budget, stale_reasons
from dlbook.tools.storing import Outcome


def print_summary(outcomes: Sequence[Outcome], folder: Path | None) -> None:
    """The closing table: what was reached, on which data, how long it took; and the folder."""
    seconds, memory = (Column(name, justify="right") for name in ("seconds", "memory"))
    table, screen = Table("chapter", "reached", "data", seconds, memory, "outcome"), console()
    stand_ins = set()
    for outcome in outcomes:
        memory, data = outcome.record.get("peak_memory_mb"), outcome.record.get("data", {})
        if outcome.run.failure:
            word, style = f"FAILED: {outcome.run.failure}", "bold red"
        elif outcome.refusals:
            word, style = "REFUSED", "bold red"
        else:
            word, style = "stored" if outcome.stored else "ok", "green"
        stand_ins |= {name for name, source in data.items() if source == STAND_IN}
        table.add_row(
            outcome.chapter.stem,
            Text(reached(outcome.record) if outcome.record else ""),
            Text(", ".join(f"{n}: {s.replace(STAND_IN, 'STAND-IN')}" for n, s in data.items())),
            f"{outcome.run.seconds:.0f}",
            f"{memory:,.0f} MB" if memory else "",
            Text(word, style),
        )
    screen.print(table)
    for outcome in outcomes:
        over = over_budget(outcome.record) if outcome.stored else []
        for reason in outcome.refusals + [f"over budget: {what}" for what in over]:
            screen.print(Text(f"{outcome.chapter.stem}: {reason}", style="red"))
    if stand_ins:
        text = (
            f"STAND-IN DATA were used for: {', '.join(sorted(stand_ins))}. These results are NOT "
            "from the real data. To get them: `dlbook data fetch`, or set DLBOOK_DATA_DIR to a "
            "folder that has them (`dlbook data list` shows what is missing)."
        )
        screen.print(Text(text, style="bold yellow"))
    if folder:
        screen.print(Text(f"Executed chapters: {folder}"), soft_wrap=True)


def print_stale(chapters: Sequence[Chapter]) -> bool:
    """Say for each chapter whether its stored outputs are fresh, and why not; is one stale?"""
    reasons = {chapter.stem: stale_reasons(chapter) for chapter in chapters}
    for stem, found in reasons.items():
        style, word = ("bold red", "STALE") if found else ("green", "fresh")
        console().print(Text(f"{stem}: {word}", style))
        for reason in found:
            print(f"  {reason}")
    stale = " ".join(stem[:2] for stem, found in reasons.items() if found)
    if stale:
        print(f"Execute and store again: dlbook run --store {stale}")
    return bool(stale)
