"""All benchmarks of the book: its models against plain PyTorch, and its own ways against others.

    python tests/benchmarks/bench.py [--quick] [--rows xor,dense] [--output FILE.md]

Every comparison takes turns in one process, as timing.py says. What the sides do stands in the
modules: bench_steps.py (training steps, train.fit), bench_gan.py (a step of a GAN),
bench_unet.py (a step of a diffusion model), bench_nerf.py (radiance fields),
bench_gnn.py (a GCN's epoch), bench_word2vec.py (word vectors, against gensim),
bench_generation.py (writing with a cache), bench_translation.py (beam search with a cache) and
bench_dqn.py (steps in an environment).
"""

import argparse
from pathlib import Path

import bench_dqn
import bench_gan
import bench_generation
import bench_gnn
import bench_nerf
import bench_steps
import bench_translation
import bench_unet
import bench_word2vec
import timing

from dlbook.runtime import setup

import torch  # isort: skip

TABLES = {
    "gan": bench_gan.table,
    "unet": bench_unet.table,
    "nerf": bench_nerf.table,
    "gcn": bench_gnn.table,
    "word2vec": bench_word2vec.table,
    "generation": bench_generation.table,
    "search": bench_translation.table,
    "dqn": bench_dqn.table,
}
NAMES = [*bench_steps.ROWS, *bench_steps.FITS, *TABLES]


def report(names: list[str], quick: bool) -> str:
    """Measure some of ``NAMES``, and the Markdown text with their tables."""
    steps = [name for name in names if name in bench_steps.ROWS]
    fits = [name for name in names if name in bench_steps.FITS]
    parts = []
    if steps:
        parts.append(bench_steps.steps_table(steps, quick))
    if fits:
        parts.append(bench_steps.fits_table(fits, quick))
    parts += [TABLES[name](quick) for name in names if name in TABLES]
    rounds = f"{timing.QUICK_ROUNDS}" if quick else f"{timing.ROUNDS // 3} to {timing.ROUNDS}"
    return "\n\n".join([*parts, f"{timing.machine()}; medians of {rounds} rounds."])


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few steps: does it run at all")
    parser.add_argument("--rows", help=f"some of {','.join(NAMES)}; default: all")
    parser.add_argument("--output", type=Path, help="write the tables there too")
    options = parser.parse_args(arguments)
    names = options.rows.replace(",", " ").split() if options.rows else NAMES
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"unknown rows {', '.join(unknown)}: choose from {', '.join(NAMES)}")

    found = setup(seed=0, mixed_precision=False)
    torch.set_num_threads(found.cores)
    text = report(names, options.quick)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
