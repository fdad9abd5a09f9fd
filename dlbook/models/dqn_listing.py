"""The agent of the article "Ten" §10, written anew so that it runs: one sample at a time.

It is correct and slow, and is here to be measured against ``dlbook.models.dqn``: every sample of a
batch costs one or two calls of ``predict`` and a call of ``fit``. Each of those calls is made for
whole data sets and takes longer to set up than to compute.
"""

from collections import deque

import gymnasium
import keras
import numpy as np
from keras import layers


def build_listing_network(num_features: int = 4, num_actions: int = 2) -> keras.Model:
    """The article's network: two hidden layers of 24 units, Adam, squared error."""
    model = keras.Sequential(
        [
            keras.Input((num_features,)),
            layers.Dense(24, "relu"),
            layers.Dense(24, "relu"),
            layers.Dense(num_actions),
        ],
        name="listing_network",
    )
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    return model


class OneByOne:
    """Deep Q-learning with a queue of samples, ``predict`` and ``fit``.

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
        self.online, self.target = build_listing_network(), build_listing_network()
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
