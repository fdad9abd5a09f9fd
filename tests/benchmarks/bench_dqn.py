"""Environment steps per second, learning included: the book's DQN against the listing's loop.

    python tests/benchmarks/bench_dqn.py [--quick] [--output FILE.md]

Both sides take turns in one process (A B A B …) on CartPole-v1. The listing's loop is
``dlbook.models.dqn_listing``: one environment, and in each of its steps 64 samples (four with
--quick), each with ``predict`` and ``fit``. The book's is ``dlbook.models.dqn.train`` with the
chapter's settings: 16 environments, and for each of their steps 32 samples, in compiled batches.
Because the two do not learn equally much in a step, the table has samples per second too. The
evaluations in between, of which the listing has none, are left out. bench.py says how pairs are
formed and which of them do not count.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import gymnasium

from dlbook.models import dqn, dqn_listing
from dlbook.runtime import setup

import bench  # isort: skip

BATCH = 64


def cartpole(count: int) -> gymnasium.vector.VectorEnv:
    """Gymnasium's own vectorised CartPole."""
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point"
    )


def book_side(steps: int) -> bench.Side:
    """Rounds of ``train``; milliseconds per environment step."""
    config = dataclasses.replace(
        dqn.CARTPOLE, total_steps=steps, evaluate_every=2 * steps, goal=None, warm_up_steps=256
    )
    agent = dqn.build_agent(cartpole(1), config)

    def run() -> float:
        began = time.perf_counter()
        dqn.train(cartpole, config, agent=agent)
        return 1000 * (time.perf_counter() - began) / steps

    return run


def listing_side(steps: int, batch_size: int) -> bench.Side:
    """Rounds of the loop; the memory is filled before the first."""
    agent, env = dqn_listing.OneByOne(10**9, epsilon=1.0), gymnasium.make("CartPole-v1")
    agent.play(env, 4 * batch_size, seed=0)  # at random, without learning: no batch is that large
    agent.batch_size, agent.epsilon = batch_size, 0.01

    def run() -> float:
        began = time.perf_counter()
        agent.play(env, steps)
        return 1000 * (time.perf_counter() - began) / steps

    return run


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few steps: does it run at all")
    parser.add_argument("--output", type=Path, help="write the table there too")
    options = parser.parse_args(arguments)
    setup(seed=0, mixed_precision=False)
    rounds = 2 if options.quick else 5
    batch_size = 4 if options.quick else BATCH
    book, listing, ratio, note = bench.compare(
        book_side(2_048 if options.quick else 20_480), listing_side(1, batch_size), rounds
    )
    samples = dqn.CARTPOLE.updates * dqn.CARTPOLE.batch_size / dqn.CARTPOLE.learn_every
    rows = [
        ["environment steps" + note, 1000 / book, 1000 / listing, ratio],
        [
            "samples learned",
            *(1000 * samples / book, 1000 * batch_size / listing, ratio * samples / batch_size),
        ],
    ]
    cells = [[name, f"{a:,.3g}", f"{b:,.3g}", f"**{c:,.0f}**"] for name, a, b, c in rows]
    head = ["in a second", "dlbook", "predict and fit", "ratio"]
    text = bench.markdown(head, cells) + f"\n\n{bench.machine()}; medians of {rounds} rounds."
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
