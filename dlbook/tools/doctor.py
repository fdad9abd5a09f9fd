"""Look at this machine and say what the book needs of it, with the remedy for each fault."""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dlbook.runtime import KERAS_SETTINGS, can_write

_PYTHON = f'"{sys.executable}"' if " " in sys.executable else sys.executable
_INSTALL = f"{_PYTHON} -m pip install -e ."
_SLOW_IMPORT = 20  # seconds; with byte code it takes 3 to 10
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


class Finding(NamedTuple):
    """One line of the doctor's report.

    Attributes:
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
    return [
        Finding("ok", "Python", f"{platform.python_version()} ({sys.executable})"),
        *tensorflow_findings(probe),
        gpu_finding(probe.get("gpus", []), sys.platform, shutil.which("nvidia-smi") is not None),
        *data_findings(),
        kernel_finding(),
    ]


def probe_tensorflow(python: str = sys.executable) -> dict[str, Any]:
    """Ask another process about TensorFlow and Keras; {"error": …} when it cannot tell."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command, limit = [python, "-c", _PROBE], _PROBE_LIMIT
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, env=environment
        )
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, OSError) as error:
        return {"error": str(error)}
    except (IndexError, json.JSONDecodeError):
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"the import ended with status {done.returncode}"}


def tensorflow_findings(probe: Mapping[str, Any]) -> Iterator[Finding]:
    """TensorFlow, Keras, and what the user has set for Keras."""
    if "error" in probe:
        yield Finding("fault", "TensorFlow", f"cannot be imported: {probe['error']}", _INSTALL)
        return
    text = f"{probe['tensorflow']}, imported in {probe['seconds']:.0f} s"
    if probe["seconds"] < _SLOW_IMPORT:
        yield Finding("ok", "TensorFlow", text)
    else:
        text += ": every kernel starts so slowly; most often its modules are not compiled"
        remedy = f"{_PYTHON} -m compileall -q -j 0 {sysconfig.get_path('purelib')}"
        yield Finding("note", "TensorFlow", text, remedy)
    backend = "export KERAS_BACKEND=tensorflow"
    if "keras_error" in probe:
        # the usual cause: a settings file that names a backend which is not installed
        remedy = f"{backend}; if that does not help: {_INSTALL}"
        yield Finding("fault", "Keras", probe["keras_error"], remedy)
        return
    yield Finding("ok", "Keras", probe["keras"])
    file = os.path.join(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json")
    settings = probe["keras_settings"]
    if settings["backend"] != "tensorflow":
        where = "KERAS_BACKEND" if "KERAS_BACKEND" in os.environ else file
        text = f"{settings['backend']}, set by {where}; the chapters need tensorflow"
        yield Finding("fault", "Keras backend", text, backend)
    changed = {name: value for name, value in KERAS_SETTINGS.items() if settings[name] != value}
    if changed:
        found = ", ".join(f"{name} {settings[name]}" for name in changed)
        remedy = f"none needed; without {file} other programs use Keras's own settings too"
        text = f"{found} in {file}; setup() sets {', '.join(map(str, changed.values()))} instead"
        yield Finding("note", "Keras settings", text, remedy)


def gpu_finding(gpus: list[str], system: str, has_nvidia: bool) -> Finding:
    """Whether TensorFlow sees a GPU, and what to do where it should and does not."""
    if gpus:
        return Finding("ok", "GPU", ", ".join(gpus))
    if system == "win32":
        text = "none: TensorFlow sees no GPU on native Windows. Chapters run on the CPU."
        return Finding("note", "GPU", text, "to use one: wsl --install, then the book inside WSL2")
    if system == "linux" and has_nvidia:
        text = "nvidia-smi is here, but TensorFlow sees no GPU. Chapters run on the CPU."
        return Finding("note", "GPU", text, f"{_PYTHON} -m pip install -e '.[gpu]'")
    return Finding("ok", "GPU", "none seen; every chapter runs on the CPU")


def data_findings() -> Iterator[Finding]:
    """The folders for data, and which collections would be replaced by stand-ins."""
    from dlbook import data

    try:
        mode, folder, cache = data.mode(), data.mirror_folder(), data.cache_folder()
    except data.DataSettingError as error:
        remedy = "unset DLBOOK_DATA DLBOOK_DATA_DIR DLBOOK_CACHE"
        yield Finding("fault", "data setting", str(error), remedy)
        return
    where = f"; mirror folder {folder}" if folder else ""
    yield Finding("ok", "data setting", f"DLBOOK_DATA={mode}{where}")
    if can_write(cache):
        yield Finding("ok", "cache", str(cache))
    else:
        remedy = "export DLBOOK_CACHE=FOLDER, with a folder that you may write to"
        yield Finding("fault", "cache", f"{cache} cannot be written to", remedy)
    for name, collection in data.COLLECTIONS.items():
        states = data.status(collection)
        missing = sum(not state.good for state in states)
        text = f"{len(states) - missing} of {len(states)} files are here"
        if missing and mode != "real":
            text += "; chapters use a stand-in without them"
        damaged = [state.detail for state in states if state.detail]
        text = "; passed over: ".join([text, *damaged])
        status = "fault" if missing and mode == "real" else "note" if missing or damaged else "ok"
        remedy = "" if status == "ok" else f"dlbook data fetch {name}"
        yield Finding(status, f"data {name}", text, remedy)


def kernel_finding() -> Finding:
    """Whether Jupyter's "Python 3" kernel is this Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        executable = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("fault", "Jupyter kernel", "ipykernel is missing", _INSTALL)
    # a bare "python" in a kernel's command means the Python that starts it
    if executable in ("python", "python3", f"python3.{sys.version_info.minor}"):
        executable = sys.executable
    # compared without following links: a venv's python is a link to the one it was made from
    if Path(executable).absolute() == Path(sys.executable).absolute():
        return Finding("ok", "Jupyter kernel", f"python3 is {executable}")
    text = f"python3 is {executable}, another Python than this one; `make lab` would use that"
    remedy = f"{_PYTHON} -m ipykernel install --sys-prefix --name python3"
    return Finding("note", "Jupyter kernel", text, remedy)
