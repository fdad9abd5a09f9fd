"""The ``dlbook`` command: run chapters, look at the machine, get the data, mark assignments.

Everything slow is imported inside the commands, so that ``--help`` answers at once.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal
from rich.table import Column, Table
from rich.text import Text

from dlbook.output import allow_every_sign
from dlbook.runtime import can_write
from dlbook.tools import DATA_MISSING, FAILED, INTERRUPTED, console
from dlbook.tools.classroom.commands import assignment

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dlbook")
def main() -> None:
    """The workbench of dlbook, a Keras/TensorFlow workbook.

    \b
    The data that chapters use are chosen by three environment variables:
      DLBOOK_DATA      auto (default): real data, else a stand-in; real: an error instead of
                       a stand-in; stand-in: never touch the network
      DLBOOK_DATA_DIR  a folder that holds the data already
      DLBOOK_CACHE     where downloads are kept

    \b
    Exit codes:
      0  all well
      1  a chapter, a task, a file or the machine is not as it should be
      2  wrong usage
      3  real data could not be had
    """
    allow_every_sign()


@contextmanager
def _data_errors() -> Iterator[None]:
    """Turn the errors of dlbook.data, which are written for readers, into exit codes."""
    from dlbook import data as store

    try:
        yield
    except store.DataSettingError as error:
        raise click.UsageError(str(error)) from error
    except store.DataUnavailableError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(DATA_MISSING)


@main.command()
@click.argument("chapters", nargs=-1)
@click.option("--output", type=_FOLDER, default="build", help="Folder of results, else build.")
@click.option("--store", "mode", flag_value="store", help="Also store the outputs; real data only.")
@click.option("--untrained", "mode", flag_value="untrained", help="Which checks pass untrained?")
@click.option("--check", "mode", flag_value="check", help="Only say what is stale.")
@click.option("--map", "mode", flag_value="map", help="Only renew the map and the table.")
@click.option("--html/--no-html", default=True, help="Write an HTML page for each chapter.")
@click.option("--notebooks", type=_FOLDER, help="Other chapters than the book's own.")
@_data_errors()
def run(
    chapters: tuple[str, ...], output: Path, mode: str | None, html: bool, notebooks: Path | None
) -> None:
    """Execute CHAPTERS from top to bottom and show what they reach.

    A chapter is named by its number, its name or the beginning of its name: "3", "cnn"; "all" is
    the whole book. Without any, the tour is run: the chapters that a newcomer should see. A
    chapter that fails does not stop the others.

    The executed notebooks and HTML pages go to the output folder; the chapters themselves stay
    as they are.
    """
    from dlbook.tools.chapters import NOTEBOOKS, find_chapters, select_chapters, tour
    from dlbook.tools.overview import write_overview

    folder = notebooks or NOTEBOOKS
    found = find_chapters(folder)
    if not found:
        raise click.UsageError(f"there are no chapters in {folder}; run this in a checkout.")
    if chapters or mode in ("check", "map"):
        chosen = select_chapters(chapters or ["all"], found)
    else:
        chosen = tour(found)
    if mode == "check":
        sys.exit(FAILED if _print_stale(chosen) else 0)
    code = _execute(chosen, output, mode, html) if mode != "map" else 0
    if mode in ("map", "store"):
        for path in write_overview(folder):
            click.echo(f"renewed: {path}")
    sys.exit(code)


def _execute(chapters: list[Any], output: Path, mode: str | None, html: bool) -> int:
    from dlbook import data
    from dlbook.tools.storing import run_once, run_untrained, store

    # a wrong setting would make every chapter fail, each after seconds of start-up
    data.mirror_folder()
    data.mode()
    if not can_write(output):
        raise click.UsageError(f"{output} cannot be written to.")
    work = {"store": store, "untrained": run_untrained}.get(mode, run_once)
    outcomes: list[Any] = []
    try:
        for chapter in chapters:
            outcomes.append(work(chapter, output, html))
    except ValueError as error:  # a file that is no notebook
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted; {len(outcomes)} of {len(chapters)} chapters were finished.")
        return INTERRUPTED
    _print_summary(outcomes, output if mode != "untrained" else None)
    kinds = {outcome.run.failure for outcome in outcomes if outcome.run.failure}
    if kinds == {"DataUnavailableError"}:
        return DATA_MISSING
    return 0 if all(outcome.ok for outcome in outcomes) else FAILED


def _print_summary(outcomes: list[Any], folder: Path | None) -> None:
    """The closing table: what was reached, on which data, how long it took; and the folder."""
    from dlbook.data.kinds.dataset import STAND_IN
    from dlbook.tools.overview import reached
    from dlbook.tools.record import over_budget

    numbers = [Column(name, justify="right") for name in ("seconds", "memory")]
    table, screen = Table("chapter", "reached", "data", *numbers, "outcome"), console()
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


def _print_stale(chapters: list[Any]) -> bool:
    """Say for each chapter whether its stored outputs are fresh, and why not; is one stale?"""
    from dlbook.tools.record import stale_reasons

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


@main.command()
def doctor() -> None:
    """Look at this machine: is it ready for the book, and if not, what to do.

    Looks at Python, packages, memory, the GPU, the settings of Keras, the cache and the data. Uses
    no network and changes nothing. A note is worth knowing; a fault makes chapters fail.
    """
    from dlbook.tools.doctor import examine

    screen = console()
    with screen.status("looking at the machine and the data"):
        findings = examine()
    styles = {"ok": "green", "note": "yellow", "fault": "bold red"}
    for status, name, text, remedy in findings:
        line = Text(f"{status:<6} ", style=styles[status])
        line.append(f"{name:<15} {' '.join(text.split())}", "default")
        line.append(f"\n{'':<22} → {remedy}" if remedy else "", "default")
        # one long line can be copied into a shell; a wrapped one cannot
        screen.print(line, soft_wrap=True)
    faults = sum(finding.status == "fault" for finding in findings)
    click.echo(f"{faults} to mend" if faults else "no faults: ready")
    sys.exit(FAILED if faults else 0)


@main.group()
def data() -> None:
    """What data there are: list, fetch, verify, or make a mirror folder.

    Data are looked for in the mirror folder (DLBOOK_DATA_DIR), then in the cache, then at their
    official addresses. Every file is verified against a checksum before it is used.
    """


@data.command("list")
@_data_errors()
def list_data() -> None:
    """Show every collection: size, licence, and where its files are now."""
    from dlbook import data as store

    size = Column("size", justify="right")
    table = Table("collection", "what it is", size, "licence", "where")
    for name, collection in store.COLLECTIONS.items():
        states = Counter(status.state for status in store.status(collection))
        where = ", ".join(f"{count} {state}" for state, count in states.items())
        table.add_row(name, collection.title, decimal(collection.size), collection.licence, where)
    console().print(table)


@data.command()
@click.argument("names", nargs=-1)
@_data_errors()
def fetch(names: tuple[str, ...]) -> None:
    """Find or download the collections NAMES (default: all) and verify them."""
    from dlbook import data as store

    missing = False
    for collection in [store.get_collection(name) for name in names or store.COLLECTIONS]:
        try:
            located = store.locate(collection)
        except store.DataUnavailableError as error:  # the others may still be had
            missing = True
            click.echo(f"{collection.name}: {error}", err=True)
        else:
            click.echo(f"{collection.name}: {len(located.paths)} files, {located.source}")
            for note in located.notes:
                click.echo(f"  {note}")
    sys.exit(DATA_MISSING if missing else 0)


@data.command()
@_data_errors()
def verify() -> None:
    """Check every file against its checksum."""
    from dlbook import data as store

    states = [state for name in store.COLLECTIONS for state in store.status(name)]
    for state in states:
        click.echo(": ".join(filter(None, [state.file.path, state.state, state.detail])))
    if any(state.state == "damaged" for state in states):
        click.echo("Damaged files are fetched again by: dlbook data fetch")
        sys.exit(FAILED)
    sys.exit(0 if all(state.path for state in states) else DATA_MISSING)


@data.command()
@click.argument("folder", type=_FOLDER)
@_data_errors()
def mirror(folder: Path) -> None:
    """Make FOLDER a mirror with every collection, for a classroom.

    Copy the folder to every machine, or share it, and set DLBOOK_DATA_DIR to it there: no
    machine needs a network then. Made again, it verifies the folder and mends damaged files.
    """
    from dlbook import data as store

    for path, action in store.make_mirror(folder, store.COLLECTIONS).items():
        click.echo(f"{path}: {action}")
    click.echo(f"Use it with: export DLBOOK_DATA_DIR={folder.absolute()}")


main.add_command(assignment)

if __name__ == "__main__":
    main()
