"""setup() and report(): seeds, quiet start-up, and what is done with a GPU."""

import json
import os
import random
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import dlbook
from dlbook import runtime

DRAW = """
import random, numpy
numbers = [random.random(), *numpy.random.rand(2), *keras.random.normal((2,)).numpy().tolist()]
numbers += keras.initializers.GlorotUniform()((2, 2)).numpy().ravel().tolist()
print(*numbers)
"""
DLBOOK_FIRST = f"""
import sys
import dlbook
assert "tensorflow" not in sys.modules, "import dlbook is quick"
machine = dlbook.setup(seed=7)
import keras
{DRAW}
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("adam", "mse", jit_compile=True)
x = numpy.ones((4, 3))
model.fit(x, x[:, :1], verbose=0)
"""
KERAS_FIRST = f"""
import keras, random, numpy
random.random(), numpy.random.rand(), keras.random.normal((2,))
import dlbook
machine = dlbook.setup(seed=7)
{DRAW}
"""


def run_python(script: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=180
    )


@pytest.fixture(scope="module", autouse=True)
def processes():
    """Fresh processes, started together: each spends its time importing TensorFlow."""
    with ThreadPoolExecutor() as pool:
        yield {
            "dlbook first": pool.submit(run_python, DLBOOK_FIRST),
            "keras first": pool.submit(run_python, KERAS_FIRST),
        }


@pytest.fixture
def tensorflow():
    return runtime._load()[0]


@pytest.fixture
def policy():
    """Keras's precision is the same after the test."""
    runtime._load()
    import keras

    yield lambda: keras.mixed_precision.global_policy().name
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def make_gpu(monkeypatch: pytest.MonkeyPatch, tensorflow):
    """Pretend that there is a GPU of a compute capability."""

    def make(capability: tuple[int, int] | None, *, in_use: bool = False) -> list:
        gpu = SimpleNamespace(name="/physical_device:GPU:0", device_type="GPU")
        grown = []

        def set_memory_growth(device, enable):
            if in_use:
                raise RuntimeError("Physical devices cannot be modified after being initialized")
            grown.append((device, enable))

        details = {"device_name": "Imaginary 100"}
        if capability is not None:
            details["compute_capability"] = capability
        config = tensorflow.config
        monkeypatch.setattr(config, "list_physical_devices", lambda kind=None: [gpu])
        monkeypatch.setattr(config.experimental, "set_memory_growth", set_memory_growth)
        monkeypatch.setattr(config.experimental, "get_device_details", lambda device: details)
        return grown

    return make


# ---- seeds ----


def numbers_of(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1]


def test_the_seed_fixes_python_numpy_and_keras_before_and_after_keras_was_imported(processes):
    first, second = (numbers_of(future.result()) for future in processes.values())
    assert len(first.split()) == 9
    assert first == second


def test_the_same_seed_again_gives_the_same_numbers(policy):
    import keras

    def draw(seed: int) -> list[float]:
        dlbook.setup(seed=seed)
        numbers = [random.random(), np.random.rand()]  # noqa: NPY002
        return [*numbers, *keras.random.normal((2,)).numpy().tolist()]

    assert draw(1) == draw(1)
    assert all(a != b for a, b in zip(draw(1), draw(2), strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True, None])
def test_a_wrong_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be a whole number"):
        dlbook.setup(seed=seed)


# ---- what is printed ----


def test_a_fresh_process_prints_one_stable_line_and_nothing_on_standard_error(processes):
    future: Future = processes["dlbook first"]
    done = future.result()
    assert done.stdout.splitlines()[0] == "dlbook is ready, seed 7"
    assert len(done.stdout.splitlines()) == 2  # the other one is the script's own
    assert done.stderr == ""


def test_start_up_is_quiet(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with runtime.quiet_start_up():
        os.write(2, b"cuda_platform.cc:123 no CUDA here\n")
    assert capfd.readouterr().err == ""
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "later\n"


def test_several_models_are_no_alarm(policy, tensorflow):
    dlbook.setup()
    logger = tensorflow.get_logger()

    def passes(message: str) -> bool:
        return bool(logger.filter(logger.makeRecord("", 30, "", 1, message, (), None)))

    assert not passes("5 out of the last 9 calls to <…> triggered tf.function retracing. Tracing …")
    assert passes("the learning rate is not a number")


def test_start_up_restores_standard_error_after_a_failure(monkeypatch, capfd):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)

    def fail() -> None:
        with runtime.quiet_start_up():
            os.write(2, b"the reason\n")
            raise ImportError("no such library")

    with pytest.raises(ImportError):
        fail()
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "the reason\nlater\n"


# ---- devices ----


def test_without_a_gpu(policy, monkeypatch, tensorflow):
    monkeypatch.setattr(tensorflow.config, "list_physical_devices", lambda kind=None: [])
    machine = dlbook.setup()
    assert (machine.has_gpu, machine.gpus) == (False, ())
    assert machine.device == f"{machine.cores} CPU cores"
    assert machine.precision == policy() == "float32"
    assert machine.memory_gb > 0.5
    assert len(machine.not_reproducible) >= 1


@pytest.mark.parametrize(
    ("capability", "precision"),
    [
        ((9, 0), "mixed_bfloat16"),
        ((8, 0), "mixed_bfloat16"),
        ((7, 5), "mixed_float16"),
        ((7, 0), "mixed_float16"),
        ((6, 1), "float32"),
        (None, "float32"),
    ],
)
def test_precision_follows_the_gpu(capability, precision: str, make_gpu, policy):
    grown = make_gpu(capability)
    machine = dlbook.setup()
    assert machine.has_gpu
    assert machine.device == "Imaginary 100"
    assert machine.precision == policy() == precision
    assert [enable for _, enable in grown] == [True]


def test_mixed_precision_can_be_refused_and_taken_back(make_gpu, policy):
    make_gpu((8, 0))
    dlbook.setup()
    assert policy() == "mixed_bfloat16"
    assert dlbook.setup(mixed_precision=False).precision == policy() == "float32"


def test_a_gpu_in_use_keeps_its_memory_and_says_so(make_gpu, policy):
    grown = make_gpu((8, 0), in_use=True)
    machine = dlbook.setup()
    assert grown == []
    assert any("in use before setup()" in sentence for sentence in machine.not_reproducible)


def test_deterministic_asks_tensorflow_for_it(policy, monkeypatch, tensorflow):
    asked = []
    monkeypatch.setattr(
        tensorflow.config.experimental, "enable_op_determinism", lambda: asked.append(True)
    )
    fast, exact = dlbook.setup(), dlbook.setup(deterministic=True)
    assert asked == [True]
    assert len(exact.not_reproducible) == len(fast.not_reproducible) - 1


def test_the_description_has_every_fact(policy):
    machine = dlbook.setup()
    lines = machine.describe().splitlines()
    for fact in (machine.device, f"{machine.memory_gb:.0f} GB", machine.precision):
        assert any(line.endswith(f" {fact}") for line in lines)
    for name, number in machine.versions.items():
        assert f"{name:<11} {number}" in lines
    assert all(any(sentence in line for line in lines) for sentence in machine.not_reproducible)


# ---- report() ----


def test_the_report_is_json_and_complete(capsys):
    dlbook.check("reported", 0.5, at_least=0.25)
    report = dlbook.report()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    names = {"versions", "device", "data", "peak_memory_mb", "checks", "headline"}
    assert set(report) == names
    assert set(report["versions"]) == {"python", "tensorflow", "keras", "numpy"}
    assert report["versions"]["numpy"] == np.__version__
    assert 50 < report["peak_memory_mb"] < 100_000
    assert report["checks"][-1] == {
        "name": "reported",
        "value": 0.5,
        "passed": True,
        "bar": 0.25,
        "side": "at least",
    }


def test_the_report_names_the_gpu(make_gpu):
    make_gpu((8, 0))
    assert dlbook.report()["device"] == "Imaginary 100"


# ---- machines that are set up otherwise ----


@pytest.fixture
def keras_file(policy):
    """Keras as a user's keras.json may have set it."""
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    yield
    for name, value in runtime.KERAS_SETTINGS.items():
        getattr(keras.config, f"set_{name}")(value)


def test_setup_sets_what_a_keras_file_sets_otherwise_and_says_so(keras_file, capsys):
    import keras

    machine = dlbook.setup(seed=3)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "dlbook is ready, seed 3"
    assert lines[1:] == list(machine.changed)
    for sentence, words in zip(
        machine.changed,
        [
            ("floatx", "float32", "float64"),
            ("image_data_format", "channels_last", "channels_first"),
        ],
        strict=True,
    ):
        assert all(word in sentence for word in words)
        assert sentence in machine.describe()
    assert keras.config.floatx() == keras.layers.Dense(1).dtype == "float32"
    assert keras.layers.Conv2D(1, 1).data_format == "channels_last"
    assert dlbook.setup(seed=3).changed == ()  # nothing is left to say


def test_in_a_notebook_it_says_so_in_a_form_that_nbval_skips(keras_file, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(runtime, "in_notebook", lambda: True)
    monkeypatch.setattr(runtime, "display_bundle", lambda **forms: shown.append(forms))
    dlbook.setup(seed=3)
    assert capsys.readouterr().out == "dlbook is ready, seed 3\n"
    assert [list(forms) for forms in shown] == [["html"], ["html"]]


NO_ENTRY = """
import pwd
def getpwuid(number):
    raise KeyError(number)
pwd.getpwuid = getpwuid
"""


@pytest.mark.skipif(os.name != "posix", reason="homes are another matter on Windows")
@pytest.mark.parametrize("home", [None, "/dev/null/home"], ids=["no home", "no right to write"])
def test_a_home_that_cannot_be_used_is_no_obstacle_and_no_noise(home: str | None, tmp_path: Path):
    script = (NO_ENTRY if home is None else "") + (
        "import dlbook, os\n"
        "from dlbook import data\n"
        "states = data.status(data.COLLECTIONS['mnist'])\n"
        "print(data.cache_folder().is_absolute(), not any(state.path for state in states))\n"
        "import matplotlib.pyplot\n"
        "import dlbook.models\n"
        "print(os.environ['MPLCONFIGDIR'], '~' in os.listdir())"
    )
    environment = {
        k: v for k, v in os.environ.items() if not re.match("HOME|XDG_|MPLC|DLBOOK_C", k)
    }
    environment |= {"HOME": home} if home else {}
    environment |= {"DLBOOK_DATA_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "True True"
    folder, _, has_wrong_folder = second.partition(" ")
    assert has_wrong_folder == "False"
    assert folder.startswith(str(tmp_path))
    assert not os.path.exists(folder)  # taken away at the end


def test_a_usable_home_is_left_to_matplotlib(tmp_path: Path):
    environment = {k: v for k, v in os.environ.items() if not re.match("HOME|XDG_|MPLC", k)}
    script = "import dlbook, os; print(os.environ.get('MPLCONFIGDIR'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "None\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="folder rights are another matter on Windows")
def test_a_folder_is_tried_not_asked(tmp_path: Path):
    assert runtime.can_write(tmp_path / "not" / "yet")
    assert list(tmp_path.iterdir()) == []
    assert not runtime.can_write(Path("/proc"))
    (tmp_path / "file").touch()
    assert not runtime.can_write(tmp_path / "file" / "below")


def test_the_version_is_that_of_the_package():
    assert dlbook.__version__[0].isdigit()
