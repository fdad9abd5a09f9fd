"""Look at this machine and say what the book needs of it, with the remedy for each fault."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rich.filesize import decimal

from dlbook.runtime import can_write

_PYTHON = f'"{sys.executable}"' if " " in sys.executable else sys.executable
_INSTALL = f"{_PYTHON} -m pip install -e ."

# Runs in a process of its own: TensorFlow may crash. The answer is its last line of output.
_PROBE = """
import json, dlbook, keras
machine = dlbook.setup()
text = f"{machine.device}, {machine.memory_gb:.0f} GB of memory"
text += f", {machine.cores} CPU cores" if machine.has_gpu else ""
found = {"text": text, "gpu": machine.has_gpu, "changed": machine.changed}
print("\\n" + json.dumps({**found, "backend": keras.config.backend()}))
"""


class Finding(NamedTuple):
    """One line of the doctor's report."""

    status: str  # "ok", "note" (works, but worth knowing) or "fault" (chapters will fail)
    name: str  # what was looked at
    text: str  # what was found
    remedy: str = ""  # the command or step that mends it; "" where nothing needs mending


def examine() -> list[Finding]:
    """Look at everything. Uses no network and changes nothing."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    lacking = [line for line in done.stdout.splitlines() if line.startswith("dlbook ")]
    return [
        Finding("ok", "Python", f"{platform.python_version()} ({sys.executable})"),
        *(Finding("fault", "packages", line, _INSTALL) for line in lacking),
        *machine_findings(probe_machine()),
        *data_findings(),
    ]


def probe_machine(python: str = sys.executable) -> dict[str, Any]:
    """What ``setup`` finds in another process; {"error": …} when it fails there."""
    done = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"the import ended with {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def machine_findings(probe: Mapping[str, Any]) -> Iterator[Finding]:
    """TensorFlow, the machine that it sees, and what the user has set for Keras."""
    backend = "export KERAS_BACKEND=tensorflow"
    if "error" in probe:
        # a settings file may also name a backend which is not installed
        remedy = f"{_INSTALL}; if that does not help: {backend}"
        yield Finding("fault", "TensorFlow", f"cannot be imported: {probe['error']}", remedy)
        return
    yield Finding("ok", "machine", probe["text"])
    if not probe["gpu"] and shutil.which("nvidia-smi"):
        text = "nvidia-smi is here, but TensorFlow sees no GPU. Chapters run on the CPU."
        yield Finding("note", "GPU", text, f"{_PYTHON} -m pip install -e '.[gpu]'")
    file = os.path.join(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json")
    if probe["backend"] != "tensorflow":
        where = "KERAS_BACKEND" if "KERAS_BACKEND" in os.environ else file
        text = f"{probe['backend']}, set by {where}; the chapters need tensorflow"
        yield Finding("fault", "Keras backend", text, backend)
    for sentence in probe["changed"]:
        remedy = f"none needed; without {file} other programs use Keras's own settings too"
        yield Finding("note", "Keras settings", sentence, remedy)


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
    absent = [(n, s.file.size) for n in data.COLLECTIONS for s in data.status(n) if not s.path]
    names, size = " ".join(dict(absent)), sum(size for _, size in absent)
    free = shutil.disk_usage(next(f for f in (cache, *cache.parents) if f.exists())).free
    text = f"{cache}, {decimal(free)} free"
    if can_write(cache) and free > size:
        yield Finding("ok", "cache", text)
    else:
        remedy = "make room, or export DLBOOK_CACHE=FOLDER, with a folder that you may write to"
        yield Finding("fault", "cache", f"{text}: no room, or no right to write", remedy)
    if names:
        status, without = ("fault", "fail") if mode == "real" else ("note", "use a stand-in")
        text = f"{decimal(size)} are not here: {names}; chapters {without} without them"
        yield Finding(status, "data", text, f"dlbook data fetch {names}")
    else:
        yield Finding("ok", "data", "every collection is here")
