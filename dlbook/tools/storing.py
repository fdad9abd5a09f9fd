"""Run a chapter for a reader, or three times for the record: real data, stand-in, untrained."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlbook.data.kinds.dataset import STAND_IN
from dlbook.tools import console
from dlbook.tools.chapters import Chapter
from dlbook.tools.execution import Run, as_page, execute, write_notebook, write_whole
from dlbook.tools.overview import fill_head
from dlbook.tools.record import (
    execution_faults,
    machine_paths,
    must_fail_untrained,
    normalise,
    part_hashes,
    untrained_faults,
)

_STAND_IN = {"DLBOOK_DATA": "stand-in"}
FULL_SIZE = "full-size"  # id of the cell that needs a GPU
_UNTRAINED = """
from dlbook.tools import rehearsal as _rehearsal
_rehearsal.soften_checks()
_rehearsal.switch_training_off()
"""
_CLAIM_A_GPU = """
import dataclasses as _dataclasses
machine = _dataclasses.replace(machine, gpus=("none, in truth",))
"""


@dataclass
class Outcome:
    """What came of a chapter."""

    chapter: Chapter
    run: Run  # of several that of the real data, or the one that was refused
    # what was written into the notebook's metadata; empty after a failure
    record: dict[str, Any] = field(default_factory=dict)
    # why the outputs were not stored, or what an untrained model passes
    refusals: list[str] = field(default_factory=list)
    stored: bool = False  # whether the chapter itself was overwritten

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for was done."""
        return not self.run.failure and not self.refusals


def run_once(chapter: Chapter, output: Path, html: bool) -> Outcome:
    """Execute a chapter; write it, and with ``html`` its page, into the output folder."""
    return _written(chapter, _execute(chapter), output, html)


def run_untrained(chapter: Chapter, *_: Any) -> Outcome:
    """Execute a chapter on stand-in data without any learning; see what passes all the same."""
    run = _untrained(chapter)
    return Outcome(chapter, run, refusals=_untrained_refusals(run))


def store(chapter: Chapter, output: Path, html: bool) -> Outcome:
    """Execute a chapter on stand-ins, untrained and on real data; store it if all three go well.

    The real run comes last: it is the long one, and the others find most of what is refused.
    """
    names = chapter.record.get("data", ())
    before = part_hashes(chapter, chapter.read(), names)
    stand_in = _execute(chapter, " on stand-in data", settings=_STAND_IN)
    if stand_in.failure:
        return Outcome(chapter, stand_in)
    untrained = _untrained(chapter)
    outcome = Outcome(chapter, untrained, refusals=_untrained_refusals(untrained))
    if not outcome.ok:
        return outcome
    # DLBOOK_STORE lets the chapter write what others load of it: dlbook.data.save_artifact
    real = {"DLBOOK_DATA": "real", "DLBOOK_STORE": "1"}
    run = _execute(chapter, settings=real)
    outcome = _written(chapter, run, output, html)
    outcome.refusals = _real_refusals(run)
    if before != part_hashes(chapter, chapter.read(), names):
        outcome.refusals.append("its cells, or what they import, changed while it ran")
    if outcome.ok:
        record = outcome.record
        record["stand_in"] = _small_record(stand_in, stand_in.report["checks"])
        tagged = {cell.id for cell in must_fail_untrained(run.notebook)}
        met = [check for check in untrained.report["checks"] if check["cell"] in tagged]
        record["untrained"] = _small_record(untrained, met)
        record["stored_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        normalise(run.notebook, record)
        fill_head(run.notebook, record)
        write_notebook(run.notebook, chapter.path)
        outcome.stored = True
    return outcome


def _execute(chapter: Chapter, how: str = "", **options: Any) -> Run:
    notebook, folder, title = chapter.read(), chapter.path.parent, chapter.stem + how
    return execute(notebook, folder, title=title, console=console(), **options)


def _untrained(chapter: Chapter) -> Run:
    own = chapter.settings
    return _execute(
        chapter,
        " untrained",
        settings=_STAND_IN,
        first=_UNTRAINED + own.get("UNTRAINED", ""),
        before={FULL_SIZE: _CLAIM_A_GPU + own.get("TINY", "")},
        keep_going=True,
    )


def _written(chapter: Chapter, run: Run, output: Path, html: bool) -> Outcome:
    """The outcome of a run whose notebook, and page, were written into the output folder."""
    record = {}
    if not run.failure:
        parts = part_hashes(chapter, run.notebook, run.report["data"])
        record = {**run.report, "seconds": round(run.seconds, 1), "parts": parts}
    normalise(run.notebook, record)
    write_notebook(run.notebook, output / f"{chapter.stem}.ipynb")
    if html:
        page = as_page(run.notebook, chapter.stem)
        write_whole(output / f"{chapter.stem}.html", page)
    return Outcome(chapter, run, record)


def _small_record(run: Run, checks: list[dict[str, Any]]) -> dict[str, Any]:
    """The record of a run beside the real one; its seconds have the kernel's start in them."""
    seconds = round(run.seconds_total, 1)
    return {"seconds": seconds, "headline": run.report["headline"], "checks": checks}


def _real_refusals(run: Run) -> list[str]:
    """Why a run must not become the stored one; empty when it may, or has failed anyway."""
    if run.failure:
        return []
    data, checks = run.report["data"], run.report["checks"]
    refusals = [f"{name} is stand-in data" for name, source in data.items() if source == STAND_IN]
    headlines = [check["value"] for check in checks if check.get("headline")]
    if len(headlines) != 1 or headlines[0] is None:
        refusals.append("not exactly one check, of a single number, says headline=True")
    refusals += execution_faults(run.notebook)
    return refusals + [f"an output names {path}" for path in machine_paths(run.notebook)]


def _untrained_refusals(run: Run) -> list[str]:
    """What is wrong with the checks of an untrained run, or with its section at full size."""
    if run.failure:
        return []
    faults = untrained_faults(run.notebook, run.report["checks"])
    if FULL_SIZE in run.errors:
        faults.append(f"at full size, in small: {run.errors[FULL_SIZE]}")
    # an error in an earlier cell is the reason why a later one is not reached
    others = [f"untrained, cell {cell!r}: {text}" for cell, text in run.errors.items()]
    tagged = {cell.id for cell in must_fail_untrained(run.notebook)}
    return faults + others if faults or tagged & run.errors.keys() else []
