"""Stepping through vectorised environments, and remembering what happened.

``Rollout`` makes transitions of the steps, ``ReplayBuffer`` holds the last of them, ``evaluate``
plays whole episodes. Nothing here knows how an agent learns.

The environments are ``gymnasium.vector.VectorEnv``: many copies of one task that move together.
"""

from collections.abc import Callable
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

Policy = Callable[[np.ndarray], np.ndarray]  # observations (n, features) -> actions (n,)


class Transitions(NamedTuple):
    """Steps of an agent, one in each row. Batches of them may have more leading dimensions.

    Attributes:
        observations: (rows, features), float32: before the action.
        actions: (rows,), int32.
        rewards: (rows,), float32.
        next_observations: (rows, features), float32: after the action.
        terminated: (rows,), float32: 1 where the task itself ended, so that nothing follows. A
            time limit does not end the task: those rows have 0.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_observations: np.ndarray
    terminated: np.ndarray


class ReplayBuffer:
    """The last transitions, in arrays that are written in a circle.

    Args:
        capacity: Transitions held. After that the oldest are overwritten.
        num_features: Numbers in an observation.

    Raises:
        ValueError: An argument is smaller than 1.
    """

    def __init__(self, capacity: int, num_features: int):
        if capacity < 1 or num_features < 1:
            raise ValueError(f"{capacity=} and {num_features=} must be 1 or more")
        self.capacity = capacity
        self.arrays = Transitions(
            np.zeros((capacity, num_features), "float32"),
            np.zeros(capacity, "int32"),
            np.zeros(capacity, "float32"),
            np.zeros((capacity, num_features), "float32"),
            np.zeros(capacity, "float32"),
        )
        self.added = 0  # since the beginning, the overwritten ones too

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, new: Transitions) -> None:
        """Write transitions over the oldest ones.

        Raises:
            ValueError: More rows than the capacity, another shape, or NaN.
        """
        rows = len(new.rewards)
        if rows > self.capacity:
            raise ValueError(f"{rows} transitions do not fit in a buffer of {self.capacity=}")
        places = (self.added + np.arange(rows)) % self.capacity
        for name, store, values in zip(Transitions._fields, self.arrays, new, strict=True):
            values = np.asarray(values)
            if values.shape != (rows, *store.shape[1:]):
                wanted = (rows, *store.shape[1:])
                raise ValueError(f"{name} has the shape {values.shape}, the buffer takes {wanted}")
            _require_finite(name, values)
        for store, values in zip(self.arrays, new, strict=True):
            store[places] = values
        self.added += rows

    def sample(self, batches: int, batch_size: int, generator: np.random.Generator) -> Transitions:
        """Draw batches of transitions, each with the same probability, with replacement.

        Args:
            batches: Number of batches.
            batch_size: Transitions of a batch.
            generator: Source of the random numbers.

        Returns:
            Arrays (batches, batch_size, …).

        Raises:
            ValueError: The buffer holds fewer transitions than a batch has.
        """
        if len(self) < batch_size:
            raise ValueError(
                f"the buffer holds {len(self)} transitions, fewer than {batch_size=}: "
                "take more steps before the first update"
            )
        places = generator.integers(len(self), size=(batches, batch_size))
        return Transitions(*(store[places] for store in self.arrays))


class Rollout:
    """Steps in vectorised environments, as transitions that never join two episodes.

    After an episode has ended, its environment begins another by itself. Gymnasium does so in the
    next step, whose action counts for nothing (``AutoresetMode.NEXT_STEP``): no transition is made
    of that step. Or it does so in the same step (``SAME_STEP``): the last observation is then
    fetched from ``info["final_obs"]``.

    Args:
        envs: Vectorised environments with ``Discrete`` actions and observations in a ``Box`` of
            one dimension.
        seed: Seed of the environments.

    Raises:
        ValueError: Other actions or observations, or environments that do not reset themselves.
    """

    def __init__(self, envs: VectorEnv, seed: int):
        check_spaces(envs)
        self.mode = envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        if self.mode == AutoresetMode.DISABLED:
            raise ValueError(
                "envs must reset themselves: make them with autoreset_mode NEXT_STEP or SAME_STEP"
            )
        self.envs = envs
        self.observations = envs.reset(seed=seed)[0]
        _require_finite("observations", self.observations)
        self.returns = np.zeros(envs.num_envs)  # of the running episodes
        self._resets = np.zeros(envs.num_envs, bool)  # the next step only resets

    def step(self, actions: np.ndarray) -> tuple[Transitions, dict[int, float]]:
        """One step in every environment.

        Args:
            actions: (num_envs,).

        Returns:
            The transitions, and the return (sum of rewards) of every episode that ended, by the
            number of its environment.

        Raises:
            ValueError: The environments returned NaN.
        """
        after, rewards, terminated, truncated, info = self.envs.step(actions)
        ended = terminated | truncated
        last = after
        if self.mode == AutoresetMode.SAME_STEP and ended.any():
            last = after.copy()
            last[ended] = np.stack(list(info["final_obs"][ended]))
        _require_finite("observations", last)
        _require_finite("rewards", rewards)
        real = ~self._resets
        self.returns[real] += rewards[real]
        finished = {int(i): float(self.returns[i]) for i in np.flatnonzero(ended)}
        self.returns[ended] = 0.0
        # a time limit (truncated) ends the episode but not the task, so it is left out here
        columns = (self.observations, actions, rewards, last, terminated.astype("float32"))
        transitions = Transitions(*(column[real] for column in columns))
        self.observations = after
        if self.mode == AutoresetMode.NEXT_STEP:
            self._resets = ended
        return transitions, finished


def evaluate(policy: Policy, envs: VectorEnv, *, episodes: int = 100, seed: int = 0) -> np.ndarray:
    """Returns of whole episodes.

    Every environment plays its share of the episodes. Taking the first ones that end anywhere
    would favour short episodes.

    Args:
        policy: From observations (n, features) to actions (n,), such as ``agent.act``.
        envs: Vectorised environments.
        episodes: Number of episodes.
        seed: Seed of the environments.

    Returns:
        (episodes,): the sum of rewards of each.

    Raises:
        ValueError: ``episodes`` is smaller than 1, or see ``Rollout``.
    """
    if episodes < 1:
        raise ValueError(f"episodes must be 1 or more, not {episodes}")
    rollout = Rollout(envs, seed)
    shares = [len(part) for part in np.array_split(np.arange(episodes), envs.num_envs)]
    returns: list[list[float]] = [[] for _ in shares]
    while any(len(own) < share for own, share in zip(returns, shares, strict=True)):
        _, finished = rollout.step(policy(rollout.observations))
        for number, total in finished.items():
            returns[number].append(total)
    return np.concatenate([own[:share] for own, share in zip(returns, shares, strict=True)])


def check_spaces(envs: VectorEnv) -> tuple[int, int]:
    """Numbers in an observation, and number of actions.

    Raises:
        ValueError: The actions are not ``Discrete`` from 0, or the observations are not a ``Box``
            of one dimension.
    """
    actions, observations = envs.single_action_space, envs.single_observation_space
    if not isinstance(actions, gymnasium.spaces.Discrete) or actions.start != 0:
        raise ValueError(
            f"envs has the action space {actions}: DQN needs Discrete(n), one value for each of n "
            "actions; cut a continuous range into steps with a wrapper"
        )
    if not isinstance(observations, gymnasium.spaces.Box) or len(observations.shape) != 1:
        raise ValueError(
            f"envs has the observation space {observations}: this network needs a Box of one "
            "dimension; flatten others with gymnasium.wrappers.vector.FlattenObservation"
        )
    return observations.shape[0], int(actions.n)


def _require_finite(name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinite values: mend the environment first")
