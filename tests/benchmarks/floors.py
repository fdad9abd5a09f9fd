"""How far the chapters' checks clear their bars, over several seeds.

    python tests/benchmarks/floors.py 01 --seeds 20
    python tests/benchmarks/floors.py 03 --seeds 5 --output floors.md
    python tests/benchmarks/floors.py 03 14 --seeds 5 --reports build/floors

Each seed is a run of the chapter in a kernel of its own, with the line ``SEED = 0``
of its set-up cell changed. A check is safe when the mean clears the bar by three standard
deviations. With ``--reports`` each run's report is kept in a folder and read there the next time,
so a study that was interrupted goes on where it stopped; take an empty folder when the chapter or
the data have changed. Set DLBOOK_DATA and DLBOOK_DATA_DIR as for any run.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

from dlbook.tools.chapters import Chapter, code_cells, find_chapters, select_chapters
from dlbook.tools.execution import execute

SAFE = 3.0  # standard deviations
SOFT = "from dlbook.tools import rehearsal as _rehearsal; _rehearsal.soften_checks()"


def measure(chapter: Chapter, seed: int) -> dict:
    """Execute a chapter with another seed.

    Returns:
        ``dlbook.report()``, after checks that failed as well as after those that passed.

    Raises:
        ValueError: No cell has the line ``SEED = 0``, or the chapter did not reach its end.
    """
    notebook = chapter.read()
    seeded = [cell for cell in code_cells(notebook) if "SEED = 0\n" in cell.source]
    if not seeded:
        raise ValueError(f"{chapter.stem} has no line SEED = 0")
    for cell in seeded:
        cell.source = cell.source.replace("SEED = 0\n", f"SEED = {seed}\n")
    title = f"{chapter.stem}, seed {seed}"
    run = execute(
        notebook,
        chapter.path.parent,
        title=title,
        console=Console(stderr=True),
        first=SOFT,
        keep_going=True,
    )
    if run.failure or run.errors:
        raise ValueError(f"{title}: {run.failure or run.errors}")
    return run.report


def report(chapter: Chapter, seed: int, folder: Path | None) -> dict:
    """``measure``, or what ``folder`` keeps of an earlier run with this seed."""
    if folder is None:
        return measure(chapter, seed)
    kept = folder / f"{chapter.stem}_{seed}.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(measure(chapter, seed)), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def distance_in_spreads(values: np.ndarray, bar: float) -> float:
    """How many standard deviations the mean lies above the bar.

    Positive numbers that spread by more than a quarter of their mean, such as by how much a state
    moves, are taken by their logarithms: they never fall below 0 and now and then lie far above.
    """
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    if 0 < bar < values.mean() < 4 * spread and values.min() > 0:
        values, bar = np.log(values), np.log(bar)
        spread = values.std(ddof=1)
    margin = values.mean() - bar
    return margin / spread if spread else np.copysign(np.inf, margin)


def table(stem: str, reports: list[dict]) -> tuple[list[str], bool]:
    """Markdown rows of a chapter's checks with a bar, and whether all of them are safe."""
    rows, safe = [], True
    checks = {c["name"]: c for c in reports[0]["checks"] if c["bar"] is not None}
    for name, first in checks.items():
        found = [c for report in reports for c in report["checks"] if c["name"] == name]
        values = np.array([c["value"] for c in found if c["value"] is not None], dtype=float)
        if not len(values):
            continue
        upward = 1 if first["side"] == "at least" else -1
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        in_spreads = upward * distance_in_spreads(values, first["bar"])
        deliberate = not any(c["passed"] for c in found)  # a failure that the chapter shows
        safe &= deliberate or in_spreads >= SAFE
        worst = values.min() if upward == 1 else values.max()
        rows.append(
            f"| {stem} | {name} | {first['side']} {first['bar']:g} | {values.mean():.5g} "
            f"| {spread:.2g} | {worst:.5g} | {in_spreads:.1f} |"
        )
    # checks without a bar: none may fail for one seed and pass for another
    for name in {c["name"] for report in reports for c in report["checks"] if c["bar"] is None}:
        passed = [c["passed"] for r in reports for c in r["checks"] if c["name"] == name]
        if any(passed) and not all(passed):
            safe = False
            rows.append(f"| {stem} | {name} | holds | FAILED {passed.count(False)} times ||||")
    return rows, safe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="+", help="number, name or path of a chapter")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--reports", type=Path, help="folder that keeps each run's report")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines = [
        "| chapter | check | bar | mean | std | worst | margin in std |",
        "|---|---|---|---|---|---|---|",
    ]
    all_safe = True
    for chapter in select_chapters(options.chapters, find_chapters()):
        reports = [report(chapter, seed, options.reports) for seed in range(options.seeds)]
        rows, safe = table(chapter.stem, reports)
        sources = {source for report in reports for source in report["data"].values()}
        lines += rows
        lines.append(f"| {chapter.stem} | seeds: {options.seeds}; data: {', '.join(sources)} |||||")
        all_safe &= safe
    text = "\n".join(lines)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    sys.exit(0 if all_safe else 1)


if __name__ == "__main__":
    main()
