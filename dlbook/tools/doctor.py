"""Look at this machine and say what the book needs of it, with the remedy for each fault."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dlbook.runtime import KERAS_SETTINGS, can_write

OLDEST, NEWEST = (3, 11), (3, 13)
_PROBE_LIMIT = 240  # seconds; without byte code on a slow disk TensorFlow can take over a minute

# Runs in a process of its own: TensorFlow writes log lines, may crash, and is slow to import.
# The answer is its last line of output.
_PROBE = """
import json, time
start = time.perf_counter()
import tensorflow as tf
answer = {"tensorflow": tf.__version__, "seconds": time.perf_counter() - start, "gpus": []}
for gpu in tf.config.list_physical_devices("GPU"):
    details = tf.config.experimental.get_device_details(gpu)
    answer["gpus"].append(details.get("device_name", gpu.name))
try:
    import keras
    names = "backend", "floatx", "image_data_format", "epsilon"
    answer["keras_settings"] = {name: getattr(keras.config, name)() for name in names}
    answer["keras"] = keras.__version__
except Exception as error:
    answer["keras_error"] = f"{type(error).__name__}: {error}"
print()
print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Args:
        status: "ok", "note" (works, but worth knowing) or "fault" (chapters will fail).
        name: What was looked at.
        text: What was found.
        remedy: The command or step that mends it; "" where nothing needs mending.
    """

    status: str
    name: str
    text: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything. Uses no network and changes nothing."""
    probe = probe_tensorflow()
    parts: list[Callable[[], Iterable[Finding]]] = [
        lambda: [python_finding(sys.version_info[:3])],
        lambda: tensorflow_findings(probe),
        lambda: [gpu_finding(probe, platform.system(), shutil.which("nvidia-smi") is not None)],
        lambda: [memory_finding()],
        lambda: [threads_finding(os.environ)],
        cache_findings,
        data_findings,
        lambda: [kernel_finding()],
        lambda: [byte_code_finding(os.environ)],
        lambda: [tests_finding()],
    ]
    return [finding for part in parts for finding in part()]


def as_json(findings: Iterable[Finding]) -> str:
    """The findings as JSON: a list of objects with status, name, text and remedy."""
    return json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False)


def python_finding(version: tuple[int, ...]) -> Finding:
    """Whether this Python is one that the book is tested on."""
    text = ".".join(map(str, version)) + f" ({sys.executable})"
    if OLDEST <= version[:2] <= NEWEST:
        return Finding("ok", "Python", text)
    remedy = "install Python 3.11, 3.12 or 3.13, then: make distclean run PYTHON=python3.12"
    return Finding("fault", "Python", text, remedy)


def probe_tensorflow(python: str = sys.executable) -> dict[str, Any]:
    """Ask another process about TensorFlow and Keras; {"error": …} when it cannot tell."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [python, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_LIMIT,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"importing it took over {_PROBE_LIMIT} s"}
    except OSError as error:
        return {"error": str(error)}
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"the import ended with status {done.returncode}"}


def tensorflow_findings(probe: Mapping[str, Any]) -> list[Finding]:
    """TensorFlow, Keras, and what the user has set for Keras."""
    install = f"{_python()} -m pip install -e ."
    if "error" in probe:
        text = f"cannot be imported: {probe['error']}"
        return [Finding("fault", "TensorFlow", text, install)]
    seconds = probe["seconds"]
    findings = [Finding("ok", "TensorFlow", f"{probe['tensorflow']}, imported in {seconds:.0f} s")]
    if "keras_error" in probe:
        # the usual cause: a settings file that names a backend which is not installed
        remedy = "export KERAS_BACKEND=tensorflow; if that does not help: " + install
        return [*findings, Finding("fault", "Keras", probe["keras_error"], remedy)]
    findings.append(Finding("ok", "Keras", probe["keras"]))

    file = os.path.join(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json")
    settings = probe["keras_settings"]
    if settings["backend"] != "tensorflow":
        where = "KERAS_BACKEND" if "KERAS_BACKEND" in os.environ else file
        text = f"{settings['backend']}, set by {where}; the chapters need tensorflow"
        findings.append(Finding("fault", "Keras backend", text, "export KERAS_BACKEND=tensorflow"))
    changed = {name: value for name, value in KERAS_SETTINGS.items() if settings[name] != value}
    if changed:
        found = ", ".join(f"{name} {settings[name]}" for name in changed)
        remedy = f"none needed; without {file} other programs use Keras's own settings too"
        text = f"{found} in {file}; setup() sets {', '.join(map(str, changed.values()))} instead"
        findings.append(Finding("note", "Keras settings", text, remedy))
    return findings


def gpu_finding(probe: Mapping[str, Any], system: str, has_nvidia: bool) -> Finding:
    """Whether TensorFlow sees a GPU, and what to do where it should and does not."""
    if probe.get("gpus"):
        return Finding("ok", "GPU", ", ".join(probe["gpus"]))
    if system == "Windows":
        text = "none: TensorFlow sees no GPU on native Windows. Chapters run on the CPU."
        return Finding("note", "GPU", text, "to use one: wsl --install, then the book inside WSL2")
    if system == "Linux" and has_nvidia:
        text = "nvidia-smi is here, but TensorFlow sees no GPU. Chapters run on the CPU."
        return Finding("note", "GPU", text, f"{_python()} -m pip install -e '.[gpu]'")
    return Finding("ok", "GPU", "none seen; every chapter runs on the CPU")


def memory_finding() -> Finding:
    """Main memory, in all and free."""
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.total / 1e9:.0f} GB, {memory.available / 1e9:.1f} GB of it free"
    if memory.available < 3e9:
        return Finding("note", "memory", text, "close other programs before the larger chapters")
    return Finding("ok", "memory", text)


def threads_finding(environment: Mapping[str, str]) -> Finding:
    """The cores that this process may use, and settings that hold TensorFlow back."""
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    physical = psutil.cpu_count(logical=False) or "unknown"
    text = f"{usable} usable ({os.cpu_count()} logical, {physical} physical)"
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    limits = [f"{name}={environment[name]}" for name in names if environment.get(name)]
    if limits:
        remedy = "unset " + " ".join(limit.partition("=")[0] for limit in limits)
        return Finding("note", "cores", f"{text}; held back by {', '.join(limits)}", remedy)
    return Finding("ok", "cores", text)


def cache_findings() -> list[Finding]:
    """The folder for downloaded data: can it be written to, and is there room?"""
    from dlbook.data import DataSettingError, cache_folder

    try:
        folder = Path(cache_folder())
    except DataSettingError as error:
        return [Finding("fault", "cache", str(error), "unset DLBOOK_CACHE")]
    elsewhere = "export DLBOOK_CACHE=FOLDER, with a folder that you may write to"
    if not can_write(folder):
        return [Finding("fault", "cache", f"{folder} cannot be written to", elsewhere)]
    existing = next(part for part in (folder, *folder.parents) if part.exists())
    free = shutil.disk_usage(existing).free / 1e9
    if free < 2:
        text = f"{folder}, only {free:.1f} GB free"
        return [Finding("note", "cache", text, "export DLBOOK_CACHE=FOLDER on a larger disk")]
    return [Finding("ok", "cache", f"{folder}, {free:.0f} GB free")]


def data_findings() -> list[Finding]:
    """Which collections are here, and which would be replaced by stand-ins."""
    from dlbook import data

    try:
        mode, folder = data.mode(), data.mirror_folder()
    except data.DataSettingError as error:
        return [Finding("fault", "data", str(error), "unset DLBOOK_DATA DLBOOK_DATA_DIR")]
    where = f"; mirror folder {folder}" if folder else ""
    findings = [Finding("ok", "data setting", f"DLBOOK_DATA={mode}{where}")]
    for name, collection in data.COLLECTIONS.items():
        states = data.status(collection)
        missing = sum(not state.good for state in states)
        damaged = [state.detail for state in states if state.detail]
        text = f"{len(states)} files in the {' and '.join(sorted({s.state for s in states}))}"
        if missing:
            text = f"{missing} of {len(states)} files missing or damaged"
            text += "; chapters use a stand-in without them" * (mode != "real")
        text = "; passed over: ".join([text, *damaged])
        status = "fault" if missing and mode == "real" else "note" if missing or damaged else "ok"
        remedy = "" if status == "ok" else f"dlbook data fetch {name}"
        findings.append(Finding(status, f"data {name}", text, remedy))
    return findings


def kernel_finding() -> Finding:
    """Whether Jupyter's "Python 3" kernel is this Python."""
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        remedy = f"{_python()} -m pip install -e ."
        return Finding("fault", "Jupyter kernel", "ipykernel is missing", remedy)
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    remedy = f"{_python()} -m ipykernel install --sys-prefix --name python3"
    try:
        executable = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("fault", "Jupyter kernel", "there is no kernel python3", remedy)
    # a bare "python" in a kernel's command means the Python that starts it
    if executable in ("python", "python3", f"python3.{sys.version_info.minor}"):
        executable = sys.executable
    # compared without following links: a venv's python is a link to the one it was made from
    if os.path.normcase(os.path.abspath(executable)) == os.path.normcase(
        os.path.abspath(sys.executable)
    ):
        return Finding("ok", "Jupyter kernel", f"python3 is {executable}")
    text = f"python3 is {executable}, another Python than this one; `make lab` would use that"
    return Finding("note", "Jupyter kernel", text, remedy)


def byte_code_finding(environment: Mapping[str, str]) -> Finding:
    """Whether TensorFlow was compiled to byte code when it was installed."""
    # PathFinder finds the folder without importing the package, which find_spec may do
    spec = PathFinder.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations:
        return Finding("note", "byte code", "TensorFlow is not installed")
    folder = Path(next(iter(spec.submodule_search_locations)))
    tag = f"*.{sys.implementation.cache_tag}.pyc"
    if any((folder / "__pycache__").glob(tag)):
        return Finding("ok", "byte code", "TensorFlow's modules are compiled")
    text = "TensorFlow's modules are not compiled: every kernel takes 20 s longer to start"
    if environment.get("PYTHONDONTWRITEBYTECODE"):
        text += " (PYTHONDONTWRITEBYTECODE is set, so they never will be by themselves)"
    return Finding("note", "byte code", text, f"{_python()} -m compileall -q -j 0 {folder.parent}")


def tests_finding() -> Finding:
    """Whether pytest and nbval are here, which only `make test` needs."""
    missing = [name for name in ("pytest", "nbval") if find_spec(name) is None]
    if not missing:
        return Finding("ok", "tests", "pytest and nbval are installed")
    text = f"{' and '.join(missing)} missing; only `make test` needs it"
    return Finding("note", "tests", text, f"{_python()} -m pip install -e '.[test]'")


def _python() -> str:
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable
