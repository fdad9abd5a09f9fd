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

import nbformat
import psutil
import pytest
from click.testing import CliRunner, Result

from dlbook.tools import chapters as book
from dlbook.tools.cli import main
from dlbook.tools.execution import kernel_environment, store_refusals
from dlbook.tools.reporting import digits, is_result

MakeNotebook = Callable[..., Path]
FAST = ("import dlbook", "# ## Sums", "print(1)\nprint(2)", "dlbook.check('total', 3, at_least=2)")


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


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("run",),
        ("doctor",),
        ("data",),
        ("data", "fetch"),
        ("data", "verify"),
        ("data", "mirror"),
        ("assignment",),
        ("assignment", "release"),
        ("assignment", "check"),
        ("assignment", "grade"),
    ],
)
def test_help_has_examples_and_exit_codes(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    if command not in ((), ("data",), ("assignment",)):
        assert "Examples:" in result.output
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
def chapters(tmp_path: Path) -> list[book.Chapter]:
    for stem in ("00_start_here", "01_mlp_from_scratch", "03_cnn", "07_word2vec", "30_cnn_again"):
        (tmp_path / f"{stem}.ipynb").touch()
    (tmp_path / "notes.ipynb").touch()
    return book.find_chapters(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["3"], "03"),
        (["03", "0"], "00 03"),
        (["cnn"], "03"),
        (["cnn_a"], "30"),
        (["03_c"], "03"),
        (["MLP"], "01"),
        (["notebooks/07_word2vec.ipynb", "7"], "07"),
        (["all"], "00 01 03 07 30"),
    ],
)
def test_chapters_are_chosen_by_name(chapters: list, names: list[str], numbers: str) -> None:
    assert [c.stem[:2] for c in book.select_chapters(names, chapters)] == numbers.split()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wordvec", "07_word2vec"),
        ("99", "there is no chapter"),
        ("cn", "several"),
        ("", "no chapter"),
    ],
)
def test_an_unknown_chapter_gets_the_close_ones(chapters: list, name: str, said: str) -> None:
    with pytest.raises(book.UnknownChapter, match=said):
        book.select_chapters([name], chapters)


def test_the_model_module_is_the_longest_beginning(tmp_path: Path) -> None:
    chapter = book.Chapter(tmp_path / "01_mlp_from_scratch.ipynb", tmp_path)
    assert chapter.model_module is None
    (tmp_path / "mlp.py").touch()
    assert chapter.model_module == tmp_path / "mlp.py"
    (tmp_path / "mlp_from.py").touch()
    (tmp_path / "mlp_fro.py").touch()
    assert chapter.model_module == tmp_path / "mlp_from.py"


def test_wrong_usage_ends_with_2(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    path = make_notebook("00_start_here", *FAST)
    assert execute(path, "nonsense").exit_code == 2
    assert execute(path, "--check", "--store").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert run("run", "--notebooks", tmp_path / "empty").exit_code == 2


def test_a_wrong_setting_ends_with_2_before_anything_runs(
    make_notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_notebook("00_start_here", *FAST)
    monkeypatch.setenv("DLBOOK_DATA", "reel")
    result = execute(path, "00")
    assert result.exit_code == 2
    assert "reel" in result.output


# --- execution


def test_run_writes_notebook_page_and_record(make_notebook: MakeNotebook, tmp_path: Path) -> None:
    path = make_notebook("00_start_here", *FAST)
    before = path.read_bytes()
    result = execute(path, "0")
    assert result.exit_code == 0, result.output
    assert path.read_bytes() == before
    assert re.search(r"total +│ +3 +│ +≥ 2", result.output)
    assert (tmp_path / "build" / "00_start_here.html").stat().st_size > 1000
    text = (tmp_path / "build" / "00_start_here.ipynb").read_text("utf-8")
    assert text.endswith("}\n")
    notebook = nbformat.reads(text, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["cell-0", "cell-1", "cell-2", "cell-3"]
    # the two prints are one output, however they were cut; the report left no cell and no output
    assert [o.text for o in notebook.cells[2].outputs] == ["1\n2\n"]
    assert [c.execution_count for c in book.code_cells(notebook)] == [1, 2, 3]
    assert "execution" not in notebook.cells[0].metadata
    assert notebook.metadata.kernelspec == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    assert "version" not in notebook.metadata.language_info
    record = notebook.metadata.dlbook
    assert record.hash == book.content_hash(book.Chapter(path), notebook)
    (check,) = record.checks
    assert (check.name, check.value, check.passed, check.bar) == ("total", 3.0, True, 2.0)
    assert 0 <= record.seconds < record.seconds_total
    assert set(record) >= {"data", "versions", "device", "peak_memory_mb"}


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
        "03_cnn",
        "import dlbook, os, sys",
        "print([sys.executable, os.getcwd(), os.environ['DLBOOK_DATA_DIR']])",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    )
    result = execute(path, "3", "--no-html")
    assert result.exit_code == 0, result.output
    notebook = nbformat.read(tmp_path / "build" / "03_cnn.ipynb", as_version=4)
    seen = [sys.executable, str(path.parent), str(tmp_path / "mirror")]
    assert notebook.cells[1].outputs[0].text == f"{seen}\n"
    assert "image/png" in notebook.cells[2].outputs[0].data
    assert not (tmp_path / "build" / "03_cnn.html").exists()


def test_a_failing_chapter_is_shown_and_the_others_go_on(
    make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    make_notebook("00_start_here", "import dlbook", "x = 1\n1 / 0", "print('not reached')")
    path = make_notebook("03_cnn", *FAST)
    result = execute(path, "all", "--no-html")
    assert result.exit_code == 1
    assert "ZeroDivisionError: division by zero" in result.output
    assert re.search(r"code cell 2:\n +x = 1", result.output)
    assert "03_cnn: done" in result.output
    failed = nbformat.read(tmp_path / "build" / "00_start_here.ipynb", as_version=4)
    assert "dlbook" not in failed.metadata
    assert failed.cells[2].execution_count is None


def test_a_cell_that_is_there_to_fail_may(make_notebook: MakeNotebook) -> None:
    path = make_notebook("03_cnn", "import dlbook", "1 / 0", "print('reached')")
    rewrite(path, lambda n: n.cells[1].metadata.update(tags=["nbval-raises-exception"]))
    assert execute(path, "cnn", "--no-html").exit_code == 0


def test_a_cell_that_hangs_or_kills_its_kernel(make_notebook: MakeNotebook) -> None:
    make_notebook("00_start_here", "import time", "time.sleep(60)")
    path = make_notebook("03_cnn", "import os", "os._exit(7)")
    result = execute(path, "all", "--no-html", "--timeout", 2)
    assert result.exit_code == 1
    assert "took longer than 2 s" in result.output
    assert "the kernel died" in result.output


def test_data_that_cannot_be_had_end_with_3(make_notebook: MakeNotebook) -> None:
    # the error of the real mode; here raised by a download in the mode that allows none
    path = make_notebook("03_cnn", "from dlbook import data", "data.locate('mnist')")
    result = execute(path, "3", "--no-html")
    assert result.exit_code == 3
    assert "DataUnavailableError" in result.output
    make_notebook("00_start_here", "1 / 0")
    assert execute(path, "all", "--no-html").exit_code == 1


def test_stand_in_data_are_said_loudly(make_notebook: MakeNotebook) -> None:
    path = make_notebook("03_cnn", "from dlbook import data", "mnist = data.load_mnist()")
    result = execute(path, "3", "--no-html")
    assert result.exit_code == 0, result.output
    assert "mnist: STAND-IN" in result.output
    assert "NOT from the real data" in result.output


def test_a_terminal_gets_a_live_line_and_an_interrupt_stops_the_kernel(
    make_notebook: MakeNotebook, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    path = make_notebook(
        "03_cnn",
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


# --- storing, and what makes a chapter stale


@pytest.fixture(scope="module")
def stored_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chapter that was executed and stored; not to be changed."""
    folder = tmp_path_factory.mktemp("stored")
    path = folder / "00_start_here.ipynb"
    cells = [nbformat.v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(FAST)]
    cells[1] = nbformat.v4.new_markdown_cell("## Sums", id="cell-1")
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "real")
        result = execute(path, "0", "--store", "--no-html", "--output", folder / "build")
    assert result.exit_code == 0, result.output
    assert "00_start_here: stored" in result.output
    return path


@pytest.fixture
def stored(stored_once: Path, tmp_path: Path) -> Path:
    """The stored chapter, to be changed."""
    path = tmp_path / "notebooks" / stored_once.name
    path.parent.mkdir()
    path.write_bytes(stored_once.read_bytes())
    return path


def test_a_stored_chapter_is_fresh(stored: Path) -> None:
    result = execute(stored, "--check")
    assert result.exit_code == 0
    assert result.output == "00_start_here: fresh\n"


def set_source(number: int, source: str) -> Callable:
    return lambda n: n.cells[number].update(source=source)


def add_output(**fields: object) -> Callable:
    return lambda n: n.cells[2].outputs.append(nbformat.v4.new_output(**fields))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_source(2, "print(3)"), "code cells changed"),
        (lambda n: n.cells.pop(2), "code cells changed"),
        (lambda n: n.cells.append(nbformat.v4.new_code_cell("1")), "was not executed"),
        (add_output(output_type="stream", name="stderr", text="x"), "output on stderr"),
        (add_output(output_type="error", ename="E", evalue=""), "error output"),
        (lambda n: n.cells[2].update(execution_count=9), "in one go"),
        (lambda n: n.metadata.dlbook.update(data={"mnist": "stand-in"}), "stand-in data: mnist"),
        (lambda n: n.metadata.pop("dlbook"), "never stored"),
        (add_output(output_type="stream", name="stdout", text="x" * 3_000_001), "3.0 MB large"),
    ],
)
def test_a_stale_chapter_is_named_with_the_reason(
    stored: Path, change: Callable, reason: str
) -> None:
    rewrite(stored, change)
    result = execute(stored, "--check")
    assert result.exit_code == 1
    assert "00_start_here: STALE" in result.output
    assert reason in result.output


@pytest.mark.parametrize(
    "change",
    [
        set_source(1, "## Other words"),
        set_source(2, "print(1)   \nprint(2)\n\n"),
        lambda n: n.cells[2].metadata.update(tags=["nbval-ignore-output"]),
    ],
)
def test_prose_tags_and_trailing_space_make_nothing_stale(stored: Path, change: Callable) -> None:
    rewrite(stored, change)
    assert execute(stored, "--check").exit_code == 0


def test_a_changed_model_module_makes_its_chapter_stale(tmp_path: Path, stored: Path) -> None:
    notebook = nbformat.read(stored, as_version=4)
    path = tmp_path / "notebooks" / "01_mlp_from_scratch.ipynb"
    chapter = book.Chapter(path, tmp_path)
    module = tmp_path / "mlp.py"
    module.write_text("def build():\n    return 1\n")
    notebook.metadata.dlbook["hash"] = book.content_hash(chapter, notebook)
    nbformat.write(notebook, path)
    assert book.stale_reasons(chapter) == []
    module.write_text("def build():   \n    return 1\n\n")
    assert book.stale_reasons(chapter) == []
    module.write_text("def build():\n    return 2\n")
    assert "dlbook/models/mlp.py changed" in book.stale_reasons(chapter)[0]


def test_a_file_that_is_no_notebook_is_stale(tmp_path: Path) -> None:
    (tmp_path / "03_cnn.ipynb").write_text("<html>")
    assert "cannot be read" in book.stale_reasons(book.Chapter(tmp_path / "03_cnn.ipynb"))[0]
    assert run("run", "--notebooks", tmp_path, "3", "--output", tmp_path).exit_code == 1


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("import sys; print('x', file=sys.stderr)", "stderr"),
        ("import os; print(os.path.expanduser('~/x'))", "an output names"),
        ("import pathlib; print(pathlib.Path('/tmp/x'))", "/tmp/x"),
        ("raise RuntimeError", None),
        # --store runs in real mode whatever the default, so that no minutes are wasted
        ("import os; assert os.environ['DLBOOK_DATA'] != 'real'", None),
    ],
)
def test_what_must_not_be_stored_is_not(
    make_notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch, cell: str, reason: str | None
) -> None:
    monkeypatch.setenv("DLBOOK_DATA", "auto")
    path = make_notebook("03_cnn", "import dlbook", cell)
    before = path.read_bytes()
    result = execute(path, "3", "--store", "--no-html")
    assert result.exit_code == 1
    assert path.read_bytes() == before
    if reason:
        assert "was not stored" in result.output
        assert reason in result.output


def test_stand_in_data_are_refused_for_store(
    make_notebook: MakeNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.v4.new_notebook(metadata={"dlbook": {"data": {"mnist": "stand-in"}}})
    assert store_refusals(notebook) == ["mnist is stand-in data"]
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    assert execute(make_notebook("03_cnn", *FAST), "3", "--store").exit_code == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("saved to /home/ann/x.png", True),
        (r"saved to C:\Users\ann\x", True),
        ("see https://example.org/home/ann/page", False),
        ("3 /tmp", False),
        ("a/b and 1/home", False),
        (f"{Path.home()}", True),
    ],
)
def test_paths_of_a_machine_are_recognised(text: str, found: bool) -> None:
    output = nbformat.v4.new_output("stream", text=text)
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    assert bool(book.machine_paths(nbformat.v4.new_notebook(cells=[cell]))) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.99234, "0.9923"), (60000.0, "60,000"), (1234.56, "1,234.6"), (1e-7, "1e-07"), (3, "3")],
)
def test_numbers_have_the_digits_that_mean_something(value: float, text: str) -> None:
    assert digits(value) == text


def test_only_measured_numbers_that_clear_their_bar_are_results() -> None:
    assert is_result({"name": "accuracy", "value": 0.9, "passed": True, "bar": 0.8})
    # shown to fail, a condition, an array
    assert not is_result({"name": "accuracy", "value": 0.7, "passed": False, "bar": 0.8})
    assert not is_result({"name": "holds", "value": 1.0, "passed": True, "bar": None})
    assert not is_result({"name": "shares", "value": None, "passed": True, "bar": 0.1})


# --- data


def test_data_commands_on_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DLBOOK_DATA_DIR", raising=False)
    listed = run("data", "list")
    assert listed.exit_code == 0
    assert re.search(r"mnist.*missing", listed.output)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("data", "verify", "--folder", empty).exit_code == 3
    damaged = empty / "mnist" / "train-images-idx3-ubyte.gz"
    damaged.parent.mkdir()
    damaged.write_bytes(b"<html>")
    result = run("data", "verify", "--folder", empty, "mnist")
    assert result.exit_code == 1
    assert "damaged" in result.output
    # in stand-in mode the network is not touched
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    assert run("data", "fetch", "mnist").exit_code == 3
    assert run("data", "mirror", tmp_path / "mirror").exit_code == 3


@pytest.mark.parametrize("command", [("fetch",), ("verify",), ("mirror", "folder")])
def test_an_unknown_collection_ends_with_2(command: tuple[str, ...]) -> None:
    result = run("data", *command, "nonsense")
    assert result.exit_code == 2
    assert "mnist" in result.output


def test_a_wrong_folder_ends_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLBOOK_DATA", "auto")
    monkeypatch.setenv("DLBOOK_DATA_DIR", "/nowhere/at/all")
    for command in (("data", "list"), ("data", "fetch"), ("data", "verify")):
        result = run(*command)
        assert result.exit_code == 2
        assert "/nowhere/at/all" in result.output
