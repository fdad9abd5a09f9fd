"""setup(): seeds, log level, device, precision, threads; and what could not be fixed."""

import atexit
import contextlib
import logging
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from dlbook.output import as_html, display_bundle, in_notebook

# Read by TensorFlow once, when it is first loaded; 3 keeps everything but fatal lines away.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow leaves oneDNN off on CPUs without AVX-512. With it, a training step of chapter 03's net
# takes 24 to 31 ms instead of 44 on a CPU with AVX2. Also read once, at the first import.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# What the chapters need of Keras, which a user's keras.json may have set otherwise.
KERAS_SETTINGS = {"floatx": "float32", "image_data_format": "channels_last", "epsilon": 1e-7}


def can_write(folder: Path) -> bool:
    """Whether files can be made in a folder, or in the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    # tried, because os.access is wrong on network folders and for root on read-only ones
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _replace_a_missing_home() -> None:
    """Give Matplotlib and Keras a temporary folder; kernels inherit it with the environment."""
    missing: set[str] = set()
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        if not all(can_write(Path(home, "matplotlib").expanduser()) for home in (config, cache)):
            missing = {"MPLCONFIGDIR"}  # or it writes to standard error
    except RuntimeError:  # HOME is not set, and the user has no entry that names one
        missing = {"MPLCONFIGDIR", "KERAS_HOME"}  # or Keras makes a folder called ~
    if missing - os.environ.keys():
        folder = tempfile.mkdtemp(prefix="dlbook-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ.update(dict.fromkeys(missing - os.environ.keys(), folder))


_replace_a_missing_home()


@dataclass(frozen=True)
class Machine:
    """What ``setup`` found.

    Attributes:
        device: Where TensorFlow computes: the GPU's name, or the number of CPU cores.
        gpus: Names of the GPUs that TensorFlow sees.
        cores: Logical CPU cores that this process may use.
        memory_gb: Main memory in GB (10⁹ bytes).
        precision: Keras's dtype policy: "float32", or "mixed_…" on a GPU that gains from it.
        versions: Python and package versions.
        not_reproducible: What the seed does not fix on this machine, one sentence each.
        changed: What ``setup`` set otherwise than the user's keras.json, one sentence each.
    """

    device: str
    gpus: tuple[str, ...]
    cores: int
    memory_gb: float
    precision: str
    versions: dict[str, str]
    not_reproducible: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @property
    def has_gpu(self) -> bool:
        """True when TensorFlow sees a GPU."""
        return bool(self.gpus)

    def describe(self) -> str:
        """Several plain lines about the machine."""
        facts = [("device", self.device), ("cores", self.cores)]
        facts += [("memory", f"{self.memory_gb:.0f} GB"), ("precision", self.precision)]
        facts += self.versions.items()
        facts += [("not fixed", sentence) for sentence in self.not_reproducible]
        facts += [("changed", sentence) for sentence in self.changed]
        return "\n".join(f"{name:<11} {fact}" for name, fact in facts)


def setup(seed: int = 0, *, deterministic: bool = False, mixed_precision: bool = True) -> Machine:
    """Prepare this process for a chapter and print one line.

    Seeds Python, NumPy and Keras; lets GPU memory grow instead of taking it whole; switches to
    mixed precision on a GPU with tensor cores. Works before and after Keras was imported. Where a
    user's keras.json says otherwise than the chapters need, it sets that too, and says so.

    Args:
        seed: Seed of all random numbers.
        deterministic: Also ask TensorFlow for bitwise equal results from run to run on this
            machine. Slower, and it switches XLA compilation off.
        mixed_precision: Allow mixed precision on a GPU that gains from it. False also keeps the
            GPU's matrix products at full float32, without TF32's shorter fractions: for chapters
            that compare a layer with a hand calculation.

    Returns:
        What was found, and what the seed does not fix here.

    Raises:
        ValueError: ``seed`` is no whole number from 0 to 2³²-1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1, not {seed!r}")
    not_fixed: list[str] = []
    changed: list[str] = []
    tensorflow, keras = _load()
    keras.utils.set_random_seed(seed)
    for name, wanted in KERAS_SETTINGS.items():
        found = getattr(keras.config, name)()
        if found != wanted:
            getattr(keras.config, f"set_{name}")(wanted)
            changed.append(f"Keras's {name} is {wanted} for this session, not {found}")
    gpus = tensorflow.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tensorflow.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # the GPU is already in use by this process
            not_fixed.append("the GPU was in use before setup(), so it keeps all of its memory")
    policy = _precision(tensorflow, gpus) if mixed_precision else "float32"
    if policy != keras.mixed_precision.global_policy().name:
        keras.mixed_precision.set_global_policy(policy)
    tensorflow.config.experimental.enable_tensor_float_32_execution(mixed_precision)
    if deterministic:
        tensorflow.config.experimental.enable_op_determinism()
    else:
        not_fixed.append(
            "sums over threads or a GPU may be added in another order: "
            "equal to about six digits, not to the bit"
        )
    print(f"dlbook is ready, seed {seed}")
    for sentence in changed:
        if in_notebook():  # without a plain form, so that nbval finds nothing to compare
            display_bundle(html=as_html("", "", sentence))
        else:
            print(sentence)
    return Machine(
        device=_device(),
        gpus=tuple(_gpu_name(gpu) for gpu in gpus),
        cores=_cores(),
        memory_gb=psutil.virtual_memory().total / 1e9,
        precision=policy,
        versions=versions(),
        not_reproducible=tuple(not_fixed),
        changed=tuple(changed),
    )


@contextlib.contextmanager
def quiet_start_up() -> Iterator[None]:
    """Keep TensorFlow's start-up lines off standard error, unless the start-up fails.

    They are written by C++ to file descriptor 2, past ``sys.stderr``, whatever the log level.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    saved = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except BaseException:
            caught.seek(0)
            os.write(saved, caught.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "keras", "numpy")},
    }


def report() -> dict[str, Any]:
    """Facts about this process as JSON-able values; ``dlbook run`` stores them in the notebook.

    Returns:
        ``versions``, ``device``, ``data`` (name of each loaded set and where it came from),
        ``peak_memory_mb``, ``checks``, and ``headline``: name and value of the check that is
        the chapter's main figure, or None.
    """
    from dlbook.checks import checks
    from dlbook.data import loaded

    try:
        import resource
    except ImportError:  # Windows
        peak = psutil.Process().memory_info().peak_wset
    else:  # kilobytes on Linux, bytes on macOS
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    met = checks()
    headlines = [{"name": c["name"], "value": c["value"]} for c in met if c.get("headline")]
    return {
        "versions": versions(),
        "device": _device(),
        "data": loaded(),
        "peak_memory_mb": round(peak / 1e6),
        "headline": headlines[-1] if headlines else None,
        "checks": met,
    }


def _load() -> tuple[Any, Any]:
    with quiet_start_up():
        import keras
        import tensorflow

        tensorflow.config.list_physical_devices()  # the first look at the devices logs too
    tensorflow.get_logger().addFilter(_is_no_retracing_alarm)  # adding it twice adds it once
    return tensorflow, keras


def _is_no_retracing_alarm(record: logging.LogRecord) -> bool:
    """TensorFlow warns when one function is traced again and again, told by its line in Keras.

    All models of a notebook share that line, so a fifth one sets it off.
    """
    return "triggered tf.function retracing" not in record.getMessage()


def _precision(tensorflow: Any, gpus: list[Any]) -> str:
    """Mixed precision where the GPU has tensor cores for it, by its compute capability."""
    if not gpus:
        return "float32"
    details = tensorflow.config.experimental.get_device_details(gpus[0])
    capability = details.get("compute_capability", (0, 0))
    if capability >= (8, 0):
        return "mixed_bfloat16"  # Ampere and later: no loss scaling needed
    return "mixed_float16" if capability >= (7, 0) else "float32"


def _device() -> str:
    """Where TensorFlow computes, as far as it is loaded."""
    tensorflow = sys.modules.get("tensorflow")
    gpus = tensorflow.config.list_physical_devices("GPU") if tensorflow else []
    return _gpu_name(gpus[0]) if gpus else f"{_cores()} CPU cores"


def _gpu_name(gpu: Any) -> str:
    details = sys.modules["tensorflow"].config.experimental.get_device_details(gpu)
    return details.get("device_name", gpu.name)


def _cores() -> int:
    # those that this process may use: a container or a batch queue may have cut them down
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(allowed(0)) if allowed else os.cpu_count() or 1
