"""Environment steps per second, learning included: the book's DQN against the listing's loop.

Both sides play CartPole-v1. The listing's loop is ``dlbook.models.dqn_listing``: one environment,
and in each of its steps 64 samples (four in a quick run), each with ``predict`` and ``fit``. The
book's is ``dlbook.models.dqn.train`` with the chapter's settings: 16 environments, and for each of
their steps 32 samples, in compiled batches. Because the two do not learn equally much in a step,
the table has samples per second too. The evaluations in between, of which the listing has none,
are left out.
"""

import dataclasses

import gymnasium
import timing

from dlbook.models import dqn, dqn_listing

BATCH = 64


def cartpole(count: int) -> gymnasium.vector.VectorEnv:
    """Gymnasium's own vectorised CartPole."""
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point"
    )


def book_side(steps: int) -> timing.Side:
    """Rounds of ``train``; milliseconds per environment step."""
    config = dataclasses.replace(
        dqn.CARTPOLE, total_steps=steps, evaluate_every=2 * steps, goal=None, warm_up_steps=256
    )
    agent = dqn.build_agent(cartpole(1), config)
    return lambda: timing.milliseconds(lambda: dqn.train(cartpole, config, agent=agent), steps)


def listing_side(steps: int, batch_size: int) -> timing.Side:
    """Rounds of the loop; the memory is filled before the first."""
    agent, env = dqn_listing.OneByOne(10**9, epsilon=1.0), gymnasium.make("CartPole-v1")
    agent.play(env, 4 * batch_size, seed=0)  # at random, without learning: no batch is that large
    agent.batch_size, agent.epsilon = batch_size, 0.01
    return lambda: timing.milliseconds(lambda: agent.play(env, steps), steps)


def table(quick: bool) -> str:
    """Measure environment steps and samples learned."""
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS // 3
    batch_size = 4 if quick else BATCH
    book, listing, ratio, note = timing.compare(
        "dqn", book_side(2_048 if quick else 20_480), listing_side(1, batch_size), rounds
    )
    samples = dqn.CARTPOLE.updates * dqn.CARTPOLE.batch_size / dqn.CARTPOLE.learn_every
    rows = [
        ["environment steps" + note, 1000 / book, 1000 / listing, ratio],
        [
            "samples learned",
            *(1000 * samples / book, 1000 * batch_size / listing, ratio * samples / batch_size),
        ],
    ]
    cells = [[name, timing.figure(a), timing.figure(b), f"**{c:,.0f}**"] for name, a, b, c in rows]
    return timing.markdown(["DQN, in a second", "dlbook", "predict and fit", "ratio"], cells)
