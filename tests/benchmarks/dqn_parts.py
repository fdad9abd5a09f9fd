"""What each part of chapter 21's agents is for: several agents for each change, fresh episodes.

    python tests/benchmarks/dqn_parts.py --seed 20 "no target network" "Huber loss"

Without names, all changes are measured; each takes about 15 seconds of one core for five agents.
The chapter makes the runs of section 9 itself, with seed 20; this repeats them with other seeds.
"""

import argparse
import dataclasses

import gymnasium
import numpy as np

from dlbook.models import dqn

BASE = dqn.Config(scale=(2.4, 2.0, 0.2, 2.0))
LISTING = {
    "epsilon_start": 0.01, "epsilon_end": 0.01, "learning_rate": 1e-3, "warm_up_steps": 64,
    "learn_every": 16, "updates": 16, "target_rate": 1.0, "target_every": 10, "double": False,
    "scale": None, "total_steps": 20_480,
}  # fmt: skip
CHANGES = {
    "none": {},
    "without Double": {"double": False},
    "no target network": {"target_rate": 1.0},
    "no replay": {"memory": 256},
    "memory of 2,048 steps": {"memory": 2_048},
    "Huber loss": {"loss": "huber"},
    "time limit of 50 as an end": {},
    "random actions only": {"epsilon_end": 1.0},
    "listing as meant": {"hidden": (24, 24), **LISTING},
    "listing's network": {"hidden": (24, 24)},
}
LIMITS = {"time limit of 50 as an end": 50, "listing as meant": 100}


class LimitIsEnd(gymnasium.vector.VectorWrapper):
    """A time limit is reported as the end of the task."""

    def step(self, actions):
        after, rewards, terminated, truncated, info = self.env.step(actions)
        return after, rewards, terminated | truncated, truncated, info


def carts(count: int, **settings: int) -> gymnasium.vector.VectorEnv:
    """Gymnasium's own vectorised CartPole."""
    kind = "vector_entry_point"
    return gymnasium.make_vec("CartPole-v1", count, vectorization_mode=kind, **settings)


def world(name: str, count: int) -> gymnasium.vector.VectorEnv:
    """The carts that a change is trained on."""
    if name in LIMITS:
        return LimitIsEnd(carts(count, max_episode_steps=LIMITS[name]))
    return carts(count)


def measure(name: str, seed: int, agents: int) -> str:
    """A row of the table: score of every agent, their mean, and the mean first Q-value."""
    config = dataclasses.replace(BASE, seed=seed, agents=agents, **CHANGES[name])
    agent = dqn.train(lambda count: world(name, count), config)
    envs = carts(100 * config.agents)
    start = dqn.Rollout(envs, 2**31 + seed, config.agents).observations
    believed = np.asarray(agent(start)).max(axis=-1).mean()
    lasts = dqn.evaluate(
        agent.act, envs, episodes=100, seed=2**31 + seed, agents=config.agents
    ).mean(axis=1)
    scores = ", ".join(f"{value:.0f}" for value in np.sort(lasts))
    return f"| {name} | {scores} | {lasts.mean():.0f} | {believed:.0f} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(CHANGES))
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--agents", type=int, default=5)
    given = parser.parse_args()
    for change in given.names or CHANGES:
        print(measure(change, given.seed, given.agents), flush=True)
