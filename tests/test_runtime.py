"""setup() and report(): seeds, quiet start-up, and what is done with a GPU."""

import json
import os
import random
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
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
assert not [s for s in machine.not_reproducible if "log lines" in s]
"""
KERAS_FIRST = f"""
import keras, random, numpy
random.random(), numpy.random.rand(), keras.random.normal((2,))
import dlbook
machine = dlbook.setup(seed=7)
{DRAW}
assert [s for s in machine.not_reproducible if "loaded before dlbook" in s]
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


def test_start_up_keeps_what_is_no_start_up_noise(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with runtime.quiet_start_up():
        os.write(2, b"cuda_platform.cc:123 no CUDA here\nsomething else went wrong\n")
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\n")
    assert capfd.readouterr().err == "something else went wrong\n"
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
    assert set(report) == {"versions", "device", "data", "peak_memory_mb", "checks"}
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


# ---- where it runs ----


@pytest.mark.parametrize(
    ("shell", "expected"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)],
    ids=["plain Python", "IPython in a terminal", "a kernel"],
)
def test_in_notebook(shell, expected: bool, monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert runtime.in_notebook() is expected


def test_the_version_is_that_of_the_package():
    assert dlbook.__version__[0].isdigit()
