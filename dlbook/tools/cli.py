"""The ``dlbook`` command: run chapters, look at the machine, get the data, mark assignments.

Everything slow is imported inside the commands, so that ``--help`` answers at once.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from dlbook.output import allow_every_sign
from dlbook.tools import terminal
from dlbook.tools.classroom.commands import assignment
from dlbook.tools.terminal import DATA_MISSING, FAILED, INTERRUPTED, epilog

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="dlbook")
def main() -> None:
    """The workbench of dlbook, a Keras/TensorFlow workbook.

    \b
    dlbook run         execute chapters; see what they reach
    dlbook doctor      is this machine ready? if not, what to do
    dlbook data        what data there are; fetch, verify, make a folder for a classroom
    dlbook assignment  check your own answers; hand out and grade a class's

    \b
    The data that chapters use are chosen by three environment variables:
      DLBOOK_DATA      auto (default): real data, else a stand-in; real: an error instead of
                       a stand-in; stand-in: never touch the network
      DLBOOK_DATA_DIR  a folder that holds the data already
      DLBOOK_CACHE     where downloads are kept
    """
    allow_every_sign()


@main.command(
    epilog=epilog(
        "  dlbook run                  the tour for newcomers\n"
        "  dlbook run 3 gpt            chapter 03, and the one called gpt\n"
        "  dlbook run all --no-html    the whole book, notebooks only\n"
        "  dlbook run --check          which stored chapters are stale, and why\n"
        "For maintainers:\n"
        "  dlbook run --store 3        execute on real data, stand-in and untrained; store\n"
        "  dlbook run --untrained 3    which checks pass although nothing was learnt\n"
        "  dlbook run --map            bring README's table and the map up to date",
        "a chapter failed, is stale, or could not be stored",
        data=True,
    )
)
@click.argument("chapters", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All chapters, as the word all does.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    show_default=True,
    help="Folder for the executed notebooks and pages.",
)
@click.option("--store", "mode", flag_value="store", help="Also store the outputs; real data only.")
@click.option(
    "--untrained", "mode", flag_value="untrained", help="Switch training off; store nothing."
)
@click.option("--check", "mode", flag_value="check", help="Execute nothing; say what is stale.")
@click.option(
    "--map", "mode", flag_value="map", help="Execute nothing; renew the map and the table."
)
@click.option("--html/--no-html", default=True, help="Write an HTML page for each chapter.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=1800,
    show_default=True,
    help="Seconds that one cell may take.",
)
@click.option(
    "--notebooks",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folder of chapters than the book's own.",
)
def run(
    chapters: tuple[str, ...],
    everything: bool,
    output: Path,
    mode: str | None,
    html: bool,
    timeout: float,
    notebooks: Path | None,
) -> None:
    """Execute CHAPTERS from top to bottom and show what they reach.

    A chapter is named by its number, its name or the beginning of its name. Without any, the tour
    is run: the chapters that a newcomer should see. A chapter that fails does not stop the others.

    The executed notebooks and HTML pages go to the output folder; the chapters themselves stay
    as they are.
    """
    from dlbook.tools.chapters import (
        NOTEBOOKS,
        UnknownChapter,
        find_chapters,
        select_chapters,
        tour,
    )

    folder = notebooks or NOTEBOOKS
    found = find_chapters(folder)
    if not found:
        raise click.UsageError(f"there are no chapters in {folder}; run this in a checkout.")
    try:
        if everything or (mode in ("check", "map") and not chapters):
            chosen = found
        else:
            chosen = select_chapters(chapters, found) if chapters else tour(found)
    except UnknownChapter as error:
        raise click.UsageError(str(error)) from error
    if mode == "check":
        sys.exit(_check(chosen))
    if mode == "map":
        _write_overview(folder)
    else:
        sys.exit(_execute(chosen, folder, output, mode, html, timeout))


def _check(chapters: list[Any]) -> int:
    from dlbook.tools.record import stale_reasons
    from dlbook.tools.reporting import print_stale

    reasons = {chapter.stem: stale_reasons(chapter) for chapter in chapters}
    print_stale(terminal.console(), reasons)
    return FAILED if any(reasons.values()) else 0


def _write_overview(folder: Path) -> None:
    from dlbook.tools.overview import write_overview

    for path in write_overview(folder):
        click.echo(f"renewed: {path}")


def _execute(
    chapters: list[Any], folder: Path, output: Path, mode: str | None, html: bool, timeout: float
) -> int:
    import os

    from dlbook import data
    from dlbook.tools.reporting import make_reporter, print_failure, print_summary
    from dlbook.tools.storing import Workshop

    with _data_errors():
        # a wrong setting would make every chapter fail, each after seconds of start-up
        kind = data.mode()
        data.mirror_folder()
    if mode == "store" and kind == "stand-in":
        raise click.UsageError("--store needs the real data, but DLBOOK_DATA is stand-in.")
    _make_writable(output)
    console = terminal.console()
    reporter = make_reporter(console)
    workshop = Workshop(output, os.environ, reporter, timeout, html)
    work = {"store": workshop.store, "untrained": workshop.run_untrained}.get(mode, workshop.run)
    outcomes = []
    try:
        for chapter in chapters:
            try:
                outcome = work(chapter)
            except ValueError as error:  # a file that is no notebook
                raise click.ClickException(str(error)) from error
            print_failure(console, outcome)
            outcomes.append(outcome)
    except KeyboardInterrupt:
        console.print(f"\nInterrupted; {len(outcomes)} of {len(chapters)} chapters were finished.")
        return INTERRUPTED
    finally:
        reporter.close()
        if any(outcome.stored for outcome in outcomes):
            _write_overview(folder)
    print_summary(console, outcomes, output)
    failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
    if failures and all(failure.is_missing_data for failure in failures):
        return DATA_MISSING
    return 0 if all(outcome.ok for outcome in outcomes) else FAILED


def _make_writable(folder: Path) -> None:
    """Make the output folder, and refuse one that cannot be written before anything runs."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise click.UsageError(f"{folder} cannot be written: {error.strerror}") from error


@main.command(
    epilog=epilog(
        "  dlbook doctor               a table with the remedy for each fault\n"
        "  dlbook doctor --json        the same for scripts",
        "there is a fault",
    )
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def doctor(as_json: bool) -> None:
    """Look at this machine: is it ready for the book, and if not, what to do.

    Looks at Python, TensorFlow, Keras, the GPU, memory, cores, the cache, the data, the Jupyter
    kernel and the tools for tests. Uses no network and changes nothing. A note is worth knowing;
    a fault makes chapters fail.
    """
    from dlbook.tools import doctor as practice

    if as_json:
        findings = practice.examine()
        click.echo(practice.as_json(findings))
    else:
        console = terminal.console()
        with console.status("looking at TensorFlow, Jupyter and the data"):
            findings = practice.examine()
        for finding in findings:
            _print_finding(console, finding)
        faults = sum(finding.status == "fault" for finding in findings)
        console.print("no faults: ready" if not faults else f"{faults} to mend")
    sys.exit(FAILED if any(finding.status == "fault" for finding in findings) else 0)


def _print_finding(console: Any, finding: Any) -> None:
    from rich.text import Text

    style = {"ok": "green", "note": "yellow", "fault": "bold red"}[finding.status]
    text = finding.text.replace("\n", " ")
    # one long line can be copied into a shell; a wrapped one cannot
    line = Text(f"{finding.status:<6} ", style=style).append(
        f"{finding.name:<15} {text}", "default"
    )
    console.print(line, soft_wrap=True)
    if finding.remedy:
        console.print(Text(f"{'':<22} → {finding.remedy}"), soft_wrap=True)


@main.group()
def data() -> None:
    """What data there are: list, fetch, verify, or make a mirror folder.

    Data are looked for in the mirror folder (DLBOOK_DATA_DIR), then in the cache, then at their
    official addresses. Every file is verified against a checksum before it is used.
    """


@data.command("list", epilog=epilog("  dlbook data list"))
def list_data() -> None:
    """Show every collection: size, licence, and where its files are now."""
    from dlbook import data as store

    with _data_errors():
        mode, folder = store.mode(), store.mirror_folder()
        table = terminal.table("collection", "what it is", "size", "licence", "where")
        for name, collection in store.COLLECTIONS.items():
            states = store.status(collection)
            where = ", ".join(
                f"{sum(s.state == state for s in states)} of {len(states)} {state}"
                for state in dict.fromkeys(s.state for s in states)
            )
            if len({s.state for s in states}) == 1:
                where = states[0].state
            table.add_row(name, collection.title, _size(collection.size), collection.licence, where)
        console = terminal.console()
        console.print(table)
        console.print(f"DLBOOK_DATA: {mode}", highlight=False)
        console.print(f"mirror folder: {folder or 'none (DLBOOK_DATA_DIR)'}", soft_wrap=True)
        console.print(f"cache: {store.cache_folder()}", soft_wrap=True)


@data.command(
    epilog=epilog(
        "  dlbook data fetch           everything\n  dlbook data fetch mnist     one collection",
        data=True,
    )
)
@click.argument("names", nargs=-1)
def fetch(names: tuple[str, ...]) -> None:
    """Find or download the collections NAMES (default: all) and verify them."""
    from dlbook import data as store

    console = terminal.console()
    missing = []
    with _data_errors():
        for collection in _collections(names):
            try:
                located = store.locate(collection)
            except store.DataUnavailableError as error:
                # the others may still be had
                missing.append(collection.name)
                click.echo(f"{collection.name}: {error}", err=True)
                continue
            text = f"{collection.name}: {len(located.paths)} files, {located.source}"
            for line in (text, *(f"  {note}" for note in located.notes)):
                console.print(line, soft_wrap=True, markup=False, highlight=False)
    sys.exit(DATA_MISSING if missing else 0)


@data.command(
    epilog=epilog(
        "  dlbook data verify                  all that is in the mirror folder and the cache\n"
        "  dlbook data verify --folder /media/course mnist",
        "a file is damaged",
        data=True,
    )
)
@click.argument("names", nargs=-1)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Look only at this mirror folder.",
)
def verify(names: tuple[str, ...], folder: Path | None) -> None:
    """Check every file of the collections NAMES (default: all) against its checksum."""
    from dlbook import data as store

    with _data_errors():
        collections = [collection.name for collection in _collections(names)]
        states = store.verify(collections, folder=folder)
    table = terminal.table("file", "state", "path")
    for state in states:
        where = str(state.path) if state.path else ""
        detail = f"{state.state}: {state.detail}" if state.detail else state.state
        table.add_row(state.file.path, detail, where)
    console = terminal.console()
    console.print(table)
    if any(state.state == "damaged" for state in states):
        console.print("Damaged files are fetched again by: dlbook data fetch")
        sys.exit(FAILED)
    missing = sum(not state.good for state in states)
    console.print(f"{len(states) - missing} good, {missing} missing")
    sys.exit(DATA_MISSING if missing else 0)


@data.command(
    epilog=epilog(
        "  dlbook data mirror /media/course         a folder with everything\n"
        "  dlbook data mirror /media/course mnist   with one collection\n"
        "  DLBOOK_DATA_DIR=/media/course dlbook run",
        data=True,
    )
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", nargs=-1)
def mirror(folder: Path, names: tuple[str, ...]) -> None:
    """Make FOLDER a mirror with the collections NAMES (default: all), for a classroom.

    Copy the folder to every machine, or share it, and set DLBOOK_DATA_DIR to it there: no
    machine needs a network then.
    """
    from dlbook import data as store

    with _data_errors():
        collections = [collection.name for collection in _collections(names)]
        made = store.make_mirror(folder, collections)
    table = terminal.table("file", "size", "")
    for entry in made:
        table.add_row(entry.file.path, _size(entry.file.size), entry.action)
    console = terminal.console()
    console.print(table)
    console.print(f"Use it with: export DLBOOK_DATA_DIR={folder.absolute()}", soft_wrap=True)


def _collections(names: tuple[str, ...]) -> list[Any]:
    from dlbook import data as store

    return [store.get_collection(name) for name in names] or list(store.COLLECTIONS.values())


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


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


main.add_command(assignment)

if __name__ == "__main__":
    main()
