"""Training steps of the book's models against plain PyTorch, and train.fit against model.fit.

    python tests/benchmarks/bench.py [--quick] [--rows xor,dense] [--output FILE.md]

Both sides take turns in one process (A B A B …) on the same arrays, so that a slow moment of the
machine meets both. A round's number is its time divided by its steps; the table has the median of
the rounds, and the median of the ratios of the pairs. The first round of each side, in which
functions are compiled and memory is claimed, does not count; nor does a pair during which other
programs took more than a twentieth of the machine, for they slow the two sides down unequally.

Keras runs a compiled model with accuracy among its metrics, fed by ``dlbook.train.fit``, shuffled,
pixels as stored, with the settings that the table names: for the two small nets they are those of
the benchmark, not of the chapters, which leave ``steps_per_execution`` at 1. PyTorch runs as the
articles' listings do, eagerly and on the same number of threads: tensors in memory (pixels scaled
and laid out beforehand), slices for batches, ``zero_grad``, forward, loss, ``backward``, ``step``,
and no metric.
"""

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from dlbook import train
from dlbook.models import cnn, mlp
from dlbook.runtime import setup, versions

import keras  # isort: skip
import torch  # isort: skip

import torch_nets  # isort: skip

BATCH = 64
Side = Callable[[], float]  # one round; returns milliseconds per step


class Row(NamedTuple):
    """One model on both sides.

    Attributes:
        title: What the table calls it.
        keras_net: Builds the Keras model.
        torch_net: Builds the PyTorch module.
        arrays: Makes inputs and targets for a number of steps.
        steps: Steps of a round.
        jit_compile: XLA on or off. On was faster for the two small nets; it slows convolutions
            on a CPU, so it is off for them, as in their chapter.
        steps_per_execution: Steps between two returns to Python. It helps the two small nets.
    """

    title: str
    keras_net: Callable[[], keras.Model]
    torch_net: Callable[[], torch.nn.Module]
    arrays: Callable[[int], tuple[np.ndarray, np.ndarray]]
    steps: int
    jit_compile: bool
    steps_per_execution: int


def pictures(*shape: int) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Random pictures and labels: the time of a step does not depend on what they show."""

    def make(steps: int) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(0)
        x = generator.integers(0, 256, size=(steps * BATCH, *shape), dtype=np.uint8)
        return x, generator.integers(0, 10, size=len(x))

    return make


def xor(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The four examples of XOR, once for each step."""
    return np.tile(mlp.XOR_X, (steps, 1)), np.tile(mlp.XOR_Y, (steps, 1))


GREY, COLOUR = pictures(28, 28, 1), pictures(32, 32, 3)
ROWS = {
    "xor": Row("XOR net, 4 × 2", mlp.build_mlp, torch_nets.xor_net, xor, 1000, True, 50),
    "dense": Row(
        "dense net, 64 × 784", cnn.build_dense_net, torch_nets.dense_net, GREY, 200, True, 10
    ),
    "language": Row(
        "CNN of Language, 64 × 28×28",
        *(cnn.build_language_cnn, torch_nets.language_cnn, GREY, 16, False, 1),
    ),
    "ten": Row("CNN of Ten, 64 × 28×28", cnn.build_ten_cnn, torch_nets.ten_cnn, GREY, 12, False, 1),
    "primer": Row(
        "CNN of Primer, 64 × 32×32×3",
        *(cnn.build_primer_cnn, torch_nets.primer_cnn, COLOUR, 16, False, 1),
    ),
    "cnn": Row(
        "the book's CNN, 64 × 28×28", cnn.build_cnn, torch_nets.book_cnn, GREY, 16, False, 1
    ),
}
# the dense net with train.fit and with model.fit: steps of an epoch, epochs of a round
FITS = {"fit-small": (16, 20), "fit-middle": (64, 10), "fit-long": (1000, 2)}


def compiled(row: Row) -> keras.Model:
    """The row's Keras model, ready to train."""
    keras.utils.set_random_seed(0)
    model = row.keras_net()
    several = model.output_shape[-1] > 1
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if several
        else "binary_crossentropy",
        metrics=["accuracy"],
        jit_compile=row.jit_compile,
        steps_per_execution=row.steps_per_execution,
    )
    return model


def keras_side(row: Row, x: np.ndarray, y: np.ndarray, steps: int) -> Side:
    """Rounds of ``train.fit``."""
    model = compiled(row)

    def run() -> float:
        history = train.fit(model, x, y, epochs=1, batch_size=len(x) // steps, table=False)
        return 1000 * history.history["seconds"][0] / steps

    return run


def torch_side(row: Row, x: np.ndarray, y: np.ndarray, steps: int) -> Side:
    """Rounds of the plain loop."""
    torch.manual_seed(0)
    net = row.torch_net()
    if x.dtype == np.uint8:
        inputs = torch.from_numpy(x).permute(0, 3, 1, 2).float().div(255).contiguous()
        targets, criterion = torch.from_numpy(y), torch.nn.CrossEntropyLoss()
    else:
        inputs, targets = torch.from_numpy(x).float(), torch.from_numpy(y).float()
        criterion = torch.nn.BCELoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    net.train()
    batch = len(x) // steps

    def run() -> float:
        began = time.perf_counter()
        for start in range(0, len(inputs), batch):
            optimizer.zero_grad()
            loss = criterion(net(inputs[start : start + batch]), targets[start : start + batch])
            loss.backward()
            optimizer.step()
        return 1000 * (time.perf_counter() - began) / steps

    return run


def fit_sides(steps: int, epochs: int) -> tuple[Side, Side]:
    """Rounds of whole calls of ``train.fit`` and of ``model.fit`` on NumPy arrays."""
    # one step at a time: the default of both
    row = ROWS["dense"]._replace(jit_compile=False, steps_per_execution=1)
    x, y = row.arrays(steps)
    ours, plain = compiled(row), compiled(row)

    def timed(function: Callable[[], object]) -> float:
        began = time.perf_counter()
        function()
        return 1000 * (time.perf_counter() - began) / (epochs * steps)

    return (
        lambda: timed(lambda: train.fit(ours, x, y, epochs=epochs, batch_size=BATCH, table=False)),
        lambda: timed(lambda: plain.fit(x, y, epochs=epochs, batch_size=BATCH, verbose=0)),
    )


class Others:
    """How much of the machine other programs use from now on."""

    def __init__(self):
        self.began, self.busy, self.own = time.perf_counter(), *self._seconds()

    @staticmethod
    def _seconds() -> tuple[float, float]:
        machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
        idle = machine.idle + getattr(machine, "iowait", 0.0)
        # guest time is counted in user time too
        return sum(machine) - idle - getattr(machine, "guest", 0.0), sum(own[:2])

    def share(self) -> float:
        """Their part of all cores, 0 to 1."""
        busy, own = self._seconds()
        seconds = (time.perf_counter() - self.began) * psutil.cpu_count()
        return max(0.0, (busy - self.busy) - (own - self.own)) / seconds


def compare(left: Side, right: Side, rounds: int) -> tuple[float, float, float, str]:
    """Medians of both sides, of right / left pair by pair, and a note if it was never quiet."""
    left(), right()  # compile, claim memory
    pairs, disturbed = [], []
    while len(pairs) < rounds and len(disturbed) < 2 * rounds:
        others = Others()
        if len(pairs) % 2:  # neither side always comes second
            second, first = right(), left()
        else:
            first, second = left(), right()
        (pairs if others.share() < 0.05 else disturbed).append((first, second))
    note = ""
    if 2 * len(pairs) < rounds:
        pairs, note = pairs + disturbed, " (disturbed by other programs)"
    return (
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(second / first for first, second in pairs),
        note,
    )


def report(rows: list[str], quick: bool) -> str:
    """Measure the rows, and the Markdown text with one or two tables."""
    rounds = 2 if quick else 15
    pairs, fits = [], []
    for name in rows:
        if name in ROWS:
            row = ROWS[name]
            steps = max(row.steps_per_execution, row.steps // 20 if quick else row.steps)
            x, y = row.arrays(steps)
            left, right, ratio, note = compare(
                keras_side(row, x, y, steps), torch_side(row, x, y, steps), rounds
            )
            settings = f"jit_compile={row.jit_compile}, steps_per_execution="
            settings += str(row.steps_per_execution)
            pairs.append(
                [row.title + note, f"{left:.3g}", f"{right:.3g}", f"**{ratio:.2f}**", settings]
            )
        else:
            steps, epochs = FITS[name]
            if quick:
                steps, epochs = min(steps, 64), 2
            left, right, ratio, note = compare(*fit_sides(steps, epochs), max(2, rounds // 3))
            title = f"dense net, {epochs} epochs of {steps} steps"
            fits.append([title + note, f"{left:.3g}", f"{right:.3g}", f"**{ratio:.2f}**"])
        print(f"measured {name}: {left:.3g} ms, {right:.3g} ms{note}", file=sys.stderr)
    parts = []
    if pairs:
        head = ["training step", "Keras, ms", "PyTorch, ms", "PyTorch / Keras", "Keras's settings"]
        parts.append(markdown(head, pairs))
    if fits:
        head = ["a step of whole calls", "`train.fit`, ms", "`model.fit`, ms", "ratio"]
        parts.append(markdown(head, fits))
    parts.append(f"{machine()}; medians of {rounds} rounds.")
    return "\n\n".join(parts)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; numbers on the right."""
    align = ["---", *["---:"] * 3, *["---"] * (len(head) - 4)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, align, *rows])


def machine() -> str:
    """The machine in one line."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":")[1].strip()
                break
    known = versions()
    return (
        f"{name}, {torch.get_num_threads()} threads on both sides, Python {known['python']}, "
        f"TensorFlow {known['tensorflow']}, Keras {known['keras']}, PyTorch {torch.__version__}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print the tables."""
    names = [*ROWS, *FITS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few steps: does it run at all")
    parser.add_argument("--rows", help=f"some of {','.join(names)}; default: all")
    parser.add_argument("--output", type=Path, help="write the tables there too")
    options = parser.parse_args(arguments)
    rows = options.rows.replace(",", " ").split() if options.rows else names
    unknown = sorted(set(rows) - set(names))
    if unknown:
        parser.error(f"unknown rows {', '.join(unknown)}: choose from {', '.join(names)}")

    found = setup(seed=0, mixed_precision=False)
    torch.set_num_threads(found.cores)
    text = report(rows, options.quick)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
