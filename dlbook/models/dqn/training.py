"""Stepping through vectorised environments, remembering what happened, and learning from it.

``Rollout`` makes transitions of the steps, ``ReplayBuffer`` holds the last of them, ``evaluate``
plays whole episodes, ``train`` puts them together.

The environments are ``gymnasium.vector.VectorEnv``: many copies of one task that move together, so
that one call of the network serves all of them. Here they are shared out among agents that learn
side by side, each from its own copies: arrays have the shape (agents, copies, …).
"""

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import keras
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from dlbook.models.dqn.agent import DQN, Transitions, build_q_network

Policy = Callable[[np.ndarray], np.ndarray]  # (agents, copies, features) -> (agents, copies)


class ReplayBuffer:
    """The last transitions of every agent, in arrays that are written in a circle.

    Args:
        capacity: Transitions held for each agent. After that the oldest are overwritten.
        num_features: Numbers in an observation.
        agents: Number of agents.
    """

    def __init__(self, capacity: int, num_features: int, agents: int = 1):
        self.capacity = capacity
        self.arrays = Transitions(
            np.zeros((agents, capacity, num_features), "float32"),
            np.zeros((agents, capacity), "int32"),
            np.zeros((agents, capacity), "float32"),
            np.zeros((agents, capacity, num_features), "float32"),
            np.zeros((agents, capacity), "float32"),
        )
        self.added = np.zeros(agents, int)  # since the beginning, the overwritten ones too

    def add(self, new: Transitions, real: np.ndarray) -> None:
        """Write transitions over the oldest ones.

        Args:
            new: Arrays (agents, copies, …).
            real: (agents, copies), bool: the transitions to keep, as ``Rollout.step`` says.

        Raises:
            ValueError: More transitions than the capacity.
        """
        counts = real.sum(axis=1)
        if counts.max() > self.capacity:
            raise ValueError(f"{counts.max()} transitions do not fit in {self.capacity=}")
        places = (self.added[:, None] + real.cumsum(axis=1) - 1) % self.capacity
        owners = np.nonzero(real)[0]
        for store, values in zip(self.arrays, new, strict=True):
            store[owners, places[real]] = values[real]
        self.added += counts

    def sample(self, batches: int, batch_size: int, generator: np.random.Generator) -> Transitions:
        """Draw batches of transitions, each with the same probability, with replacement.

        Args:
            batches: Number of batches.
            batch_size: Transitions of a batch, for each agent.
            generator: Source of the random numbers.

        Returns:
            Arrays (batches, agents, batch_size, …).

        Raises:
            ValueError: The buffer holds fewer transitions of an agent than a batch has.
        """
        held = np.minimum(self.added, self.capacity)
        if held.min() < batch_size:
            raise ValueError(f"{held.min()} transitions do not fill {batch_size=}: warm up longer")
        places = generator.integers(held[:, None], size=(batches, len(held), batch_size))
        owners = np.arange(len(held))[:, None]
        return Transitions(*(store[owners, places] for store in self.arrays))


class Rollout:
    """Steps in vectorised environments, as transitions that never join two episodes.

    After an episode has ended, its environment begins another by itself in the next step, whose
    action counts for nothing (``AutoresetMode.NEXT_STEP``): ``real`` leaves that step out.

    Args:
        envs: Vectorised environments with ``Discrete`` actions and observations in a ``Box`` of
            one dimension.
        seed: Seed of the environments.
        agents: Number of agents that share the environments out among themselves.

    Attributes:
        observations: (agents, copies, features): what the agents see now.

    Raises:
        ValueError: Other actions or observations, another way of beginning anew, or a number of
            environments that cannot be shared out evenly.
    """

    def __init__(self, envs: VectorEnv, seed: int, agents: int = 1):
        check_spaces(envs)
        mode = envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        if mode != AutoresetMode.NEXT_STEP:
            raise ValueError(f"envs begin anew by {mode}: make them with AutoresetMode.NEXT_STEP")
        if envs.num_envs % agents:
            raise ValueError(f"{envs.num_envs} environments for {agents} agents")
        self.envs, self.shape = envs, (agents, envs.num_envs // agents)
        self.observations = self._shared_out(envs.reset(seed=seed)[0])
        self.returns = np.zeros(self.shape)  # of the running episodes
        self._resets = np.zeros(self.shape, bool)  # the next step only resets

    def step(self, actions: np.ndarray) -> tuple[Transitions, np.ndarray, np.ndarray]:
        """One step in every environment.

        Args:
            actions: (agents, copies).

        Returns:
            The transitions, arrays (agents, copies, …); where they are real, (agents, copies) of
            bool; and the returns (sums of rewards) of the episodes that ended with this step,
            (agents, copies), NaN where none did.
        """
        moved = self.envs.step(np.reshape(actions, -1))
        after, rewards, terminated, truncated = (self._shared_out(part) for part in moved[:4])
        ended, real = terminated | truncated, ~self._resets
        self.returns += np.where(real, rewards, 0.0)
        finished = np.where(ended, self.returns, np.nan)
        self.returns[ended] = 0.0
        # a time limit (truncated) ends the episode but not the task, so it is left out here
        made = Transitions(self.observations, actions, rewards, after, terminated.astype("float32"))
        self.observations, self._resets = after, ended
        return made, real, finished

    def _shared_out(self, array: np.ndarray) -> np.ndarray:
        """(environments, …) -> (agents, copies, …), copied: environments may reuse the array."""
        return np.array(array).reshape(*self.shape, *np.shape(array)[1:])


def evaluate(
    policy: Policy, envs: VectorEnv, *, episodes: int = 100, seed: int = 0, agents: int = 1
) -> np.ndarray:
    """Returns of whole episodes.

    Every environment plays its share of the episodes. Taking the first ones that end anywhere
    would favour short episodes.

    Args:
        policy: From observations (agents, copies, features) to actions (agents, copies), such as
            ``agent.act``.
        envs: Vectorised environments, shared out among the agents.
        episodes: Number of episodes of each agent, a multiple of its environments.
        seed: Seed of the environments.
        agents: Number of agents.

    Returns:
        (agents, episodes): the sum of rewards of each.

    Raises:
        ValueError: The episodes cannot be shared out evenly.
    """
    rollout = Rollout(envs, seed, agents)
    copies = envs.num_envs // agents
    if episodes % copies:
        raise ValueError(f"{episodes} episodes for {copies} environments of an agent")
    returns = np.full((agents, copies, episodes // copies), np.nan)
    played = np.zeros((agents, copies), int)
    while (played < returns.shape[-1]).any():
        finished = rollout.step(policy(rollout.observations))[2]
        new = ~np.isnan(finished) & (played < returns.shape[-1])
        returns[(*np.nonzero(new), played[new])] = finished[new]
        played += new
    return returns.reshape(agents, episodes)


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


@dataclass(frozen=True)
class Config:
    """Every setting of a training run.

    Attributes:
        seed: Seed of the weights, the environments, the exploration and the batches.
        agents: Agents that learn side by side, each for itself.
        copies: Environments of each agent, which move together.
        total_steps: Steps of each agent, all its environments added up.
        hidden: Units of each hidden layer of the Q-network.
        scale: A typical size of each number in an observation; the network divides by it.
        activation: Activation of the hidden layers.
        initial_value: Value of every action before anything is learned.
        loss: Name of a Keras loss, between values and targets.
        learning_rate: Adam's, at the beginning. It falls to zero in a straight line.
        batch_size: Transitions of an update.
        memory: Transitions that the replay buffer holds for each agent.
        warm_up_steps: Steps before the first update.
        learn_every: Steps between two calls of ``learn``, a multiple of ``copies``.
        updates: Updates of a call of ``learn``.
        discount: What a reward one step later counts.
        target_rate: How far the target network moves to the online network after an update, 0 to
            1. At 1 it is a copy.
        target_every: Updates between two moves of the target network.
        double: Double DQN: the online network chooses the next action, the target network
            values it.
        jit_compile: Compile ``learn`` with XLA: a second more before the first update, and every
            update is faster.
        epsilon_start: Share of random actions at the beginning.
        epsilon_end: Share of random actions after ``epsilon_steps``.
        epsilon_steps: Steps in which the share falls, in a straight line.
    """

    seed: int = 0
    agents: int = 1
    copies: int = 16
    total_steps: int = 51_200
    hidden: tuple[int, ...] = (64, 64)
    scale: tuple[float, ...] | None = None
    activation: str = "relu"
    initial_value: float = 0.0
    loss: str = "mean_squared_error"
    learning_rate: float = 3e-3
    batch_size: int = 64
    memory: int = 51_200
    warm_up_steps: int = 1_024
    learn_every: int = 256
    updates: int = 128
    discount: float = 0.99
    target_rate: float = 0.03
    target_every: int = 1
    double: bool = True
    jit_compile: bool = True
    epsilon_start: float = 1.0
    epsilon_end: float = 0.05
    epsilon_steps: int = 5_000

    def epsilon(self, step: int) -> float:
        """Share of random actions at a step."""
        done = min(1.0, step / self.epsilon_steps)
        return self.epsilon_start + done * (self.epsilon_end - self.epsilon_start)


def build_agent(envs: VectorEnv, config: Config) -> DQN:
    """Compiled agents side by side, for the observations and actions of environments."""
    num_features, num_actions = check_spaces(envs)
    online = build_q_network(
        num_features,
        num_actions,
        agents=config.agents,
        hidden=config.hidden,
        scale=config.scale,
        activation=config.activation,
        initial_value=config.initial_value,
        seed=config.seed,
    )
    agent = DQN(
        online,
        discount=config.discount,
        target_rate=config.target_rate,
        target_every=config.target_every,
        double=config.double,
    )
    updates = config.updates * max(1, config.total_steps // config.learn_every)
    rate = keras.optimizers.schedules.PolynomialDecay(config.learning_rate, updates, 0.0)
    agent.compile(keras.optimizers.Adam(rate), config.loss, jit_compile=config.jit_compile)
    return agent


def train(
    make_envs: Callable[[int], VectorEnv],
    config: Config,
    *,
    watch: Callable[[int, DQN, np.ndarray], None] | None = None,
) -> DQN:
    """Train agents side by side for a fixed number of steps, and keep the last weights.

    No episode is played beside those learned from, and nothing is chosen by a score.

    Args:
        make_envs: From a number to that many environments.
        config: All settings.
        watch: Called after every step with the number of steps of each agent, the agents, and the
            returns of the episodes that just ended, as ``Rollout.step`` gives them.

    Returns:
        The trained agents.

    Raises:
        FloatingPointError: The loss is no finite number.
        ValueError: The settings contradict each other, or see ``Rollout``.
    """
    if config.learn_every % config.copies:
        raise ValueError(f"{config.learn_every=} is no multiple of {config.copies=}")
    generator = np.random.default_rng(config.seed)
    envs = make_envs(config.agents * config.copies)
    agent = build_agent(envs, config)
    rollout = Rollout(envs, int(generator.integers(2**31)), config.agents)
    memory = ReplayBuffer(config.memory, rollout.observations.shape[-1], config.agents)
    for step in range(config.copies, config.total_steps + 1, config.copies):
        actions = agent.act(rollout.observations, config.epsilon(step), generator)
        transitions, real, returns = rollout.step(actions)
        memory.add(transitions, real)
        if step >= config.warm_up_steps and step % config.learn_every == 0:
            agent.learn(memory.sample(config.updates, config.batch_size, generator))
        if watch is not None:
            watch(step, agent, returns)
    envs.close()
    return agent
