"""Environment steps per second, learning included: the book's DQN against the listing's loop.

Both sides play CartPole-v1. The listing's loop, ``OneByOne``, has one environment, and learns in
each of its steps from 64 samples (four in a quick run), each with ``predict`` and ``fit``. The
book's is ``dlbook.models.dqn.train`` with the chapter's settings and one agent: 16 environments,
and for each of their steps 32 samples, in compiled batches. Because the two do not learn equally
much in a step, the table has samples per second too.
"""

from collections import deque

import gymnasium
import numpy as np
import timing

from dlbook.models import dqn

import keras  # isort: skip

BATCH = 64


def cartpole(count: int) -> gymnasium.vector.VectorEnv:
    """Gymnasium's own vectorised CartPole."""
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point"
    )


class OneByOne:
    """The agent of the article "Ten" §10, written anew so that it runs: one sample at a time.

    It is correct and slow: every sample of a batch costs one or two calls of ``predict`` and one
    of ``fit``, which are made for whole data sets and take longer to set up than to compute.

    Args:
        batch_size: Samples learned from in each step.
        discount: What a reward one step later counts.
        copy_every: Steps between two copies to the target network.
        epsilon: Share of random actions.
        seed: Seed of the exploration and the samples.
    """

    def __init__(
        self,
        batch_size: int = 64,
        *,
        discount: float = 0.99,
        copy_every: int = 10,
        epsilon: float = 0.01,
        seed: int = 0,
    ):
        units = keras.layers.Dense(24, "relu"), keras.layers.Dense(24, "relu")
        self.online = keras.Sequential([keras.Input((4,)), *units, keras.layers.Dense(2)])
        self.online.compile(keras.optimizers.Adam(1e-3), "mse")
        self.target = keras.models.clone_model(self.online)
        self.target.set_weights(self.online.get_weights())
        self.memory: deque = deque(maxlen=100_000)
        self.batch_size, self.discount = batch_size, discount
        self.copy_every, self.epsilon = copy_every, epsilon
        self.generator = np.random.default_rng(seed)
        self.steps = 0

    def act(self, state: np.ndarray) -> int:
        """A random action, or the one of the largest value. ``state`` is (1, features)."""
        if self.generator.random() < self.epsilon:
            return int(self.generator.integers(2))
        return int(np.argmax(self.online.predict(state, verbose=0)[0]))

    def learn(self) -> None:
        """Draw a batch and fit its samples one after another."""
        if len(self.memory) < self.batch_size:
            return
        for place in self.generator.choice(len(self.memory), self.batch_size, replace=False):
            state, action, reward, next_state, terminated = self.memory[place]
            target = self.online.predict(state, verbose=0)
            target[0, action] = reward
            if not terminated:
                best = self.target.predict(next_state, verbose=0).max()
                target[0, action] += self.discount * best
            self.online.fit(state, target, verbose=0)
        if self.steps % self.copy_every == 0:
            self.target.set_weights(self.online.get_weights())

    def play(self, env: gymnasium.Env, steps: int, seed: int | None = None) -> None:
        """Take steps in one environment and learn in each of them.

        Args:
            env: CartPole, or another task of four numbers and two actions.
            steps: Number of steps; where an episode ends, the next begins.
            seed: Seed of the environment.
        """
        state = env.reset(seed=seed)[0][None]
        for _ in range(steps):
            action = self.act(state)
            next_state, reward, terminated, truncated, _ = env.step(action)
            self.memory.append((state, action, reward, next_state[None], terminated))
            self.steps += 1
            self.learn()
            state = env.reset()[0][None] if terminated or truncated else next_state[None]


def book_side(steps: int) -> timing.Side:
    """Rounds of ``train``, building and compiling included; milliseconds per environment step."""
    config = dqn.Config(total_steps=steps, warm_up_steps=256)
    return lambda: timing.milliseconds(lambda: dqn.train(cartpole, config), steps)


def listing_side(steps: int, batch_size: int) -> timing.Side:
    """Rounds of the loop; the memory is filled before the first."""
    agent, env = OneByOne(10**9, epsilon=1.0), gymnasium.make("CartPole-v1")
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
    samples = dqn.Config.updates * dqn.Config.batch_size / dqn.Config.learn_every
    rows = [
        ["environment steps" + note, 1000 / book, 1000 / listing, ratio],
        [
            "samples learned",
            *(1000 * samples / book, 1000 * batch_size / listing, ratio * samples / batch_size),
        ],
    ]
    cells = [[name, timing.figure(a), timing.figure(b), f"**{c:,.0f}**"] for name, a, b, c in rows]
    return timing.markdown(["DQN, in a second", "dlbook", "predict and fit", "ratio"], cells)
