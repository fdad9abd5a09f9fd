"""Look at this machine and say what the book needs of it, with the remedy for each fault."""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dlbook.runtime import KERAS_SETTINGS, can_write

_PYTHON = f'"{sys.executable}"' if " " in sys.executable else sys.executable
_INSTALL = f"{_PYTHON} -m pip install -e ."
_SLOW_IMPORT = 20  # seconds; with byte code it takes 3 to 10

# Runs in a process of its own: TensorFlow may crash. The answer is its last line of output.
_PROBE = """
import json, time
start = time.perf_counter()
import keras, tensorflow
names = "backend", "floatx", "image_data_format", "epsilon"
print("\\n" + json.dumps({
    "versions": f"{tensorflow.__version__} with Keras {keras.__version__}",
    "seconds": time.perf_counter() - start,
    "gpus": [gpu.name for gpu in tensorflow.config.list_physical_devices("GPU")],
    "keras_settings": {name: getattr(keras.config, name)() for name in names},
}))
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
    return [
        Finding("ok", "Python", f"{platform.python_version()} ({sys.executable})"),
        *tensorflow_findings(probe_tensorflow()),
        *data_findings(),
    ]


def probe_tensorflow(python: str = sys.executable) -> dict[str, Any]:
    """Ask another process about TensorFlow and Keras; {"error": …} when it cannot tell."""
    done = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"the import ended with {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def tensorflow_findings(probe: Mapping[str, Any]) -> Iterator[Finding]:
    """TensorFlow, what the user has set for Keras, and the GPU."""
    backend = "export KERAS_BACKEND=tensorflow"
    if "error" in probe:
        # a settings file may also name a backend which is not installed
        remedy = f"{_INSTALL}; if that does not help: {backend}"
        yield Finding("fault", "TensorFlow", f"cannot be imported: {probe['error']}", remedy)
        return
    text = f"{probe['versions']}, imported in {probe['seconds']:.0f} s"
    if probe["seconds"] < _SLOW_IMPORT:
        yield Finding("ok", "TensorFlow", text)
    else:
        text += ": every kernel starts so slowly; most often its modules are not compiled"
        remedy = f"{_PYTHON} -m compileall -q -j 0 {sysconfig.get_path('purelib')}"
        yield Finding("note", "TensorFlow", text, remedy)
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
    if probe["gpus"] or not shutil.which("nvidia-smi"):
        text = ", ".join(probe["gpus"]) or "none seen; every chapter runs on the CPU"
        yield Finding("ok", "GPU", text)
    else:
        text = "nvidia-smi is here, but TensorFlow sees no GPU. Chapters run on the CPU."
        yield Finding("note", "GPU", text, f"{_PYTHON} -m pip install -e '.[gpu]'")


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
    states = {name: data.status(name) for name in data.COLLECTIONS}
    absent = [name for name, found in states.items() if not all(copy.good for copy in found)]
    if absent:
        status, without = ("fault", "fail") if mode == "real" else ("note", "use a stand-in")
        text = f"not here: {', '.join(absent)}; chapters {without} without them"
        yield Finding(status, "data", text, f"dlbook data fetch {' '.join(absent)}")
    else:
        yield Finding("ok", "data", "every collection is here")
