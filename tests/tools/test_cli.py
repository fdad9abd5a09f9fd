"""The dlbook command on small made-up chapters: what it runs, writes, refuses, and returns."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import nbformat
import psutil
import pytest
from click.testing import CliRunner, Result

from dlbook.tools import execution
from dlbook.tools.chapters import (
    Chapter,
    code_cells,
    find_chapters,
    select_chapters,
    tour,
)
from dlbook.tools.cli import main
from dlbook.tools.execution import kernel_environment

MakeNotebook = Callable[..., Path]
FAST = (
    "import dlbook",
    "# ## Sums",
    "print(1)\nprint(2)",
    "dlbook.check('total', 3, at_least=2, headline=True)",
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def execute(path: Path, *arguments: object) -> Result:
    output = path.parent.parent / "build"
    return run("run", "--notebooks", path.parent, "--output", output, *arguments)


def rewrite(path: Path, change: Callable[[nbformat.NotebookNode], object]) -> None:
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


# --- help


def test_help_names_the_commands_and_the_exit_codes() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert {"run", "doctor", "data", "assignment"} <= set(result.output.split())
    assert re.search(r"Exit codes:\n +0 ", result.output)


def test_help_is_fast_and_imports_no_tensorflow() -> None:
    code = (
        "import sys\nfrom dlbook.tools.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "slow = {'tensorflow', 'keras', 'sklearn', 'matplotlib', 'nbclient', 'nbgrader'}\n"
        "slow &= set(sys.modules)\nassert not slow, slow"
    )
    best = min(_seconds([sys.executable, "-c", code]) for _ in range(3))
    assert best < 1


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


# --- which chapters


@pytest.fixture
def chapters(tmp_path: Path) -> list[Chapter]:
    for stem in ("00_begin", "01_deep_toy", "03_sums", "07_wordlist", "30_sums_again"):
        (tmp_path / f"{stem}.ipynb").touch()
    (tmp_path / "notes.ipynb").touch()
    return find_chapters(tmp_path)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["3"], "03"),
        (["03", "0"], "00 03"),
        (["sums"], "03"),
        (["sums_a"], "30"),
        (["03_s"], "03"),
        (["DEEP"], "01"),
        (["notebooks/07_wordlist.ipynb", "7"], "07"),
        (["all"], "00 01 03 07 30"),
    ],
)
def test_chapters_are_chosen_by_name(chapters: list, names: list[str], numbers: str) -> None:
    assert [c.stem[:2] for c in select_chapters(names, chapters)] == numbers.split()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wordlst", "07_wordlist"),
        ("99", "there is no chapter"),
        ("su", "several"),
        ("", "no chapter"),
    ],
)
def test_an_unknown_chapter_gets_those_that_there_are(chapters: list, name: str, said: str) -> None:
    with pytest.raises(click.UsageError, match=said):
        select_chapters([name], chapters)


def test_a_duplicate_of_a_chapter_is_no_chapter(tmp_path: Path) -> None:
    for name in ("03_sums", "03_sums-Copy1", "03_sums (1)", "03_sums copy", "._03_sums"):
        (tmp_path / f"{name}.ipynb").touch()
    assert [c.stem for c in find_chapters(tmp_path)] == ["03_sums"]
    assert [c.stem for c in select_chapters(["3"], find_chapters(tmp_path))] == ["03_sums"]


def test_the_tour_is_what_the_lessons_say(make_notebook: MakeNotebook) -> None:
    paths = [make_notebook(stem, *FAST) for stem in ("00_begin", "01_deep_toy", "03_sums")]
    found = find_chapters(paths[0].parent)
    assert [c.stem[:2] for c in tour(found)] == ["00"]
    for path in paths[1:]:
        rewrite(path, lambda n: n.metadata.update(dlbook={"lesson": {"tour": True}}))
    paths[0].write_text("<html>")
    assert [c.stem[:2] for c in tour(found)] == ["01", "03"]


def test_the_models_are_the_longest_beginning(tmp_path: Path) -> None:
    models = tmp_path / "dlbook" / "models"
    models.mkdir(parents=True)
    chapter = Chapter(tmp_path / "notebooks" / "01_deep_toy_nets.ipynb")
    assert chapter.model_files == []
    (models / "deep.py").touch()
    assert chapter.model_files == [models / "deep.py"]
    (models / "deep_toy").mkdir()
    (models / "deep_to.py").touch()
    for name in ("__init__.py", "blocks.py"):
        (models / "deep_toy" / name).touch()
    assert [path.name for path in chapter.model_files] == ["__init__.py", "blocks.py"]


def test_wrong_usage_ends_with_2(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    path = make_notebook("00_begin", *FAST)
    assert execute(path, "nonsense").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert run("run", "--notebooks", tmp_path / "empty").exit_code == 2


def test_an_output_folder_that_cannot_be_written_is_refused_before_a_kernel_starts(
    make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    path = make_notebook("00_begin", *FAST)
    (tmp_path / "file").touch()
    result = run("run", "--notebooks", path.parent, "--output", tmp_path / "file" / "build")
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert "00_begin" not in result.output


def test_a_wrong_setting_ends_with_2_before_anything_runs(
    make_notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_notebook("00_begin", *FAST)
    monkeypatch.setenv("DLBOOK_DATA", "reel")
    result = execute(path, "00")
    assert result.exit_code == 2
    assert "reel" in result.output


# --- execution


def test_run_writes_notebook_page_and_record(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    path = make_notebook("00_begin", *FAST)
    before = path.read_bytes()
    result = execute(path, "0")
    assert result.exit_code == 0, result.output
    assert path.read_bytes() == before
    assert re.search(r"00_begin │ total: 3 +│", result.output)
    assert (tmp_path / "build" / "00_begin.html").stat().st_size > 1000
    text = (tmp_path / "build" / "00_begin.ipynb").read_text("utf-8")
    assert text.endswith("}\n")
    notebook = nbformat.reads(text, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["cell-0", "cell-1", "cell-2", "cell-3"]
    # the two prints are one output, however they were cut; the report left no cell and no output
    assert [o.text for o in notebook.cells[2].outputs] == ["1\n2\n"]
    assert [c.execution_count for c in code_cells(notebook)] == [1, 2, 3]
    assert "execution" not in notebook.cells[0].metadata
    assert notebook.metadata.kernelspec == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    assert "version" not in notebook.metadata.language_info
    record = notebook.metadata.dlbook
    (check,) = record.checks
    assert (check.name, check.value, check.passed, check.bar) == ("total", 3.0, True, 2.0)
    assert record.headline == {"name": "total", "value": 3.0}
    assert record.seconds >= 0
    assert set(record) >= {"data", "versions", "device", "peak_memory_mb", "parts"}


def test_the_kernel_is_this_python_in_the_notebooks_folder(
    make_notebook: MakeNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a kernel of another Python, registered as python3, must not be used
    spec = tmp_path / "share" / "kernels" / "python3"
    spec.mkdir(parents=True)
    wrong = {"argv": ["/bin/false"], "display_name": "wrong", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(wrong))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    (tmp_path / "mirror").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLBOOK_DATA_DIR", "mirror")
    path = make_notebook(
        "03_sums",
        "import dlbook, os, sys",
        "print([sys.executable, os.getcwd(), os.environ['DLBOOK_DATA_DIR']])",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    )
    result = execute(path, "3", "--no-html")
    assert result.exit_code == 0, result.output
    notebook = nbformat.read(tmp_path / "build" / "03_sums.ipynb", as_version=4)
    seen = [sys.executable, str(path.parent), str(tmp_path / "mirror")]
    assert notebook.cells[1].outputs[0].text == f"{seen}\n"
    assert "image/png" in notebook.cells[2].outputs[0].data
    assert not (tmp_path / "build" / "03_sums.html").exists()


def test_a_failing_chapter_is_shown_and_the_others_go_on(
    make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    make_notebook("00_begin", "import dlbook", "x = 1\n1 / 0", "print('not reached')")
    path = make_notebook("03_sums", *FAST)
    result = execute(path, "all")
    assert result.exit_code == 1
    assert "ZeroDivisionError: division by zero" in result.output
    assert re.search(r"code cell 2 .+\n +x = 1\n +1 / 0", result.output)
    assert "03_sums: done" in result.output
    failed = nbformat.read(tmp_path / "build" / "00_begin.ipynb", as_version=4)
    assert "dlbook" not in failed.metadata
    assert failed.cells[2].execution_count is None


def test_a_cell_that_is_there_to_fail_may(make_notebook: MakeNotebook) -> None:
    path = make_notebook("03_sums", "import dlbook", "1 / 0", "print('reached')")
    rewrite(path, lambda n: n.cells[1].metadata.update(tags=["nbval-raises-exception"]))
    assert execute(path, "sums").exit_code == 0


def test_a_cell_that_hangs_or_kills_its_kernel(
    make_notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "CELL_LIMIT", 2)
    make_notebook("00_begin", "import time", "time.sleep(60)")
    path = make_notebook("03_sums", "import os", "os._exit(7)")
    result = execute(path, "all")
    assert result.exit_code == 1
    assert "took longer than 2 s" in result.output
    assert "the kernel died" in result.output


def test_data_that_cannot_be_had_end_with_3(make_notebook: MakeNotebook) -> None:
    # the error of the real mode; here raised by a download in the mode that allows none
    path = make_notebook("03_sums", "from dlbook import data", "data.locate('mnist')")
    result = execute(path, "3")
    assert result.exit_code == 3
    assert "DataUnavailableError" in result.output
    make_notebook("00_begin", "1 / 0")
    assert execute(path, "all").exit_code == 1


def test_stand_in_data_are_said_loudly(make_notebook: MakeNotebook) -> None:
    path = make_notebook("03_sums", "from dlbook import data", "mnist = data.load_mnist()")
    result = execute(path, "3")
    assert result.exit_code == 0, result.output
    assert "mnist: STAND-IN" in result.output
    assert "NOT from the real data" in result.output


def test_a_terminal_gets_a_live_line_and_an_interrupt_stops_the_kernel(
    make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    path = make_notebook(
        "03_sums",
        "import os, pathlib, time",
        "# ## Training",
        f"pathlib.Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(60)",
    )
    master, slave = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "dlbook.tools.cli",
        "run",
        "3",
        "--notebooks",
        str(path.parent),
    ]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        # tests that were started in the background have SIGINT switched off, and hand that down
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    os.close(slave)
    shown = _read(master, until=lambda text: "cell 2 of 2" in text and "Training" in text)
    assert "cell 2 of 2" in shown
    while not (note.exists() and note.read_text()):
        time.sleep(0.05)
    kernel = int(note.read_text())
    assert psutil.pid_exists(kernel)
    process.send_signal(signal.SIGINT)
    shown += _read(master, until=lambda text: "Interrupted" in text)
    assert process.wait(timeout=20) == 130
    assert "Traceback" not in shown
    os.close(master)
    assert not psutil.pid_exists(kernel)


def _read(terminal: int, until: Callable[[str], bool], limit: float = 60) -> str:
    text, end = "", time.monotonic() + limit
    while time.monotonic() < end and not until(text):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                text += os.read(terminal, 65536).decode("utf-8", "replace")
            except OSError:  # the other side is closed
                break
    return text


def test_a_relative_folder_in_the_environment_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = kernel_environment({"DLBOOK_DATA_DIR": "d", "DLBOOK_CACHE": "", "MPLBACKEND": "Agg"})
    assert made["DLBOOK_DATA_DIR"] == str(tmp_path / "d")
    assert made["DLBOOK_CACHE"] == ""
    assert "MPLBACKEND" not in made


# --- data


def test_data_commands_on_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DLBOOK_DATA_DIR", raising=False)
    listed = run("data", "list")
    assert listed.exit_code == 0
    assert re.search(r"mnist.*missing", listed.output)
    assert run("data", "verify").exit_code == 3
    damaged = tmp_path / "cache" / "mnist" / "train-images-idx3-ubyte.gz"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"<html>")
    result = run("data", "verify")
    assert result.exit_code == 1
    assert "damaged" in result.output
    # in stand-in mode the network is not touched
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    assert run("data", "fetch", "mnist").exit_code == 3
    assert run("data", "mirror", tmp_path / "mirror").exit_code == 3


def test_an_unknown_collection_ends_with_2() -> None:
    result = run("data", "fetch", "nonsense")
    assert result.exit_code == 2
    assert "mnist" in result.output


def test_a_wrong_folder_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLBOOK_DATA", "auto")
    monkeypatch.setenv("DLBOOK_DATA_DIR", "/nowhere/at/all")
    for command in (("data", "list"), ("data", "fetch"), ("data", "verify")):
        result = run(*command)
        assert result.exit_code == 2
        assert "/nowhere/at/all" in result.output
