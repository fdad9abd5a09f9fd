"""Stepping through vectorised environments, remembering what happened, and learning from it.

``Rollout`` makes transitions of the steps, ``ReplayBuffer`` holds the last of them, ``evaluate``
plays whole episodes, ``train`` puts them together.

The environments are ``gymnasium.vector.VectorEnv``: many copies of one task that move together, so
that one call of the network serves all of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import gymnasium
import keras
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from dlbook.models.dqn.agent import DQN, Transitions, build_q_network

Policy = Callable[[np.ndarray], np.ndarray]  # observations (n, features) -> actions (n,)


class ReplayBuffer:
    """The last transitions, in arrays that are written in a circle.

    Args:
        capacity: Transitions held. After that the oldest are overwritten.
        num_features: Numbers in an observation.
    """

    def __init__(self, capacity: int, num_features: int):
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
            ValueError: More rows than the capacity.
        """
        rows = len(new.rewards)
        if rows > self.capacity:
            raise ValueError(f"{rows} transitions do not fit in a buffer of {self.capacity=}")
        places = (self.added + np.arange(rows)) % self.capacity
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
            raise ValueError(f"{len(self)} transitions do not fill {batch_size=}: warm up longer")
        places = generator.integers(len(self), size=(batches, batch_size))
        return Transitions(*(store[places] for store in self.arrays))


class Rollout:
    """Steps in vectorised environments, as transitions that never join two episodes.

    After an episode has ended, its environment begins another by itself in the next step, whose
    action counts for nothing (``AutoresetMode.NEXT_STEP``): no transition is made of that step.

    Args:
        envs: Vectorised environments with ``Discrete`` actions and observations in a ``Box`` of
            one dimension.
        seed: Seed of the environments.

    Raises:
        ValueError: Other actions or observations, or another way of beginning anew.
    """

    def __init__(self, envs: VectorEnv, seed: int):
        check_spaces(envs)
        mode = envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        if mode != AutoresetMode.NEXT_STEP:
            raise ValueError(f"envs begin anew by {mode}: make them with AutoresetMode.NEXT_STEP")
        self.envs = envs
        self.observations = np.array(envs.reset(seed=seed)[0])
        self.returns = np.zeros(envs.num_envs)  # of the running episodes
        self._resets = np.zeros(envs.num_envs, bool)  # the next step only resets

    def step(self, actions: np.ndarray) -> tuple[Transitions, dict[int, float]]:
        """One step in every environment.

        Args:
            actions: (num_envs,).

        Returns:
            The transitions, and the return (sum of rewards) of every episode that ended, by the
            number of its environment.
        """
        after, rewards, terminated, truncated, _ = self.envs.step(actions)
        ended = terminated | truncated
        real = ~self._resets
        self.returns[real] += rewards[real]
        finished = {int(i): float(self.returns[i]) for i in np.flatnonzero(ended)}
        self.returns[ended] = 0.0
        # a time limit (truncated) ends the episode but not the task, so it is left out here
        columns = (self.observations, actions, rewards, after, terminated.astype("float32"))
        transitions = Transitions(*(column[real] for column in columns))
        self.observations = np.array(after)  # a copy: environments may write into it again
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
    """
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


@dataclass(frozen=True)
class Config:
    """Every setting of a training run.

    Attributes:
        seed: Seed of the weights, the environments, the exploration and the batches.
        num_envs: Environments that move together.
        total_steps: Steps to train for, all environments added up.
        hidden: Units of each hidden layer of the Q-network.
        scale: A typical size of each number in an observation; the network divides by it.
        activation: Activation of the hidden layers. With ELU, CartPole was learned sooner than with
            ReLU, and with every seed.
        initial_value: Value of every action before anything is learned.
        learning_rate: Adam's, at the beginning. It falls to zero in a straight line.
        clip_norm: Longest gradient allowed; a longer one is shortened.
        batch_size: Transitions of an update.
        buffer_size: Transitions that the replay buffer holds.
        warm_up_steps: Steps before the first update.
        learn_every: Steps between two calls of ``learn``.
        updates: Updates of a call of ``learn``.
        discount: What a reward one step later counts.
        target_rate: How far the target network moves to the online network, 0 to 1. At 1 it is a
            copy.
        target_every: Updates between two moves of the target network.
        double: Double DQN: the online network chooses the next action, the target network
            values it.
        jit_compile: Compile ``learn`` with XLA: a second more before the first update, and every
            update takes half the time.
        epsilon_start: Share of random actions at the beginning.
        epsilon_end: Share of random actions after ``epsilon_steps``.
        epsilon_steps: Steps in which the share falls, in a straight line.
        evaluate_every: Steps between two evaluations.
        evaluation_episodes: Episodes of an evaluation.
        goal: A mean return to stop at.
        goal_times: Stop when this many evaluations in a row have reached the goal. One of them may
            be luck, and an agent that is good now may be bad a thousand steps later.
    """

    seed: int = 0
    num_envs: int = 16
    total_steps: int = 100_000
    hidden: tuple[int, ...] = (64, 64)
    scale: tuple[float, ...] | None = None
    activation: str = "elu"
    initial_value: float = 0.0
    learning_rate: float = 1e-3
    clip_norm: float = 10.0
    batch_size: int = 64
    buffer_size: int = 50_000
    warm_up_steps: int = 1_000
    learn_every: int = 256
    updates: int = 128
    discount: float = 0.99
    target_rate: float = 0.05
    target_every: int = 1
    double: bool = True
    jit_compile: bool = True
    epsilon_start: float = 1.0
    epsilon_end: float = 0.05
    epsilon_steps: int = 10_000
    evaluate_every: int = 4_000
    evaluation_episodes: int = 50
    goal: float = math.inf
    goal_times: int = 3

    def epsilon(self, step: int) -> float:
        """Share of random actions at a step."""
        done = min(1.0, step / self.epsilon_steps)
        return self.epsilon_start + done * (self.epsilon_end - self.epsilon_start)


@dataclass
class Run:
    """What ``train`` returns.

    Attributes:
        agent: The agent, with the weights of its best evaluation; without any, with the last.
        steps: Steps at each evaluation.
        scores: Mean return of each evaluation.
        values: Mean Q-value of the actions learned from, since the evaluation before.
        episodes: (step, return) of every training episode, with random actions among its own.
    """

    agent: DQN
    steps: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    episodes: list[tuple[int, float]] = field(default_factory=list)


def build_agent(envs: VectorEnv, config: Config) -> DQN:
    """A compiled agent for the observations and actions of environments."""
    num_features, num_actions = check_spaces(envs)
    online = build_q_network(
        num_features,
        num_actions,
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
    optimizer = keras.optimizers.Adam(rate, clipnorm=config.clip_norm)
    # Huber: squared for small errors, linear for large ones, so that no surprise tears the net
    agent.compile(optimizer, keras.losses.Huber(), jit_compile=config.jit_compile)
    return agent


def train(
    make_envs: Callable[[int], VectorEnv], config: Config, *, agent: DQN | None = None
) -> Run:
    """Train an agent, and keep the weights of its best evaluation.

    Args:
        make_envs: From a number to that many environments.
        config: All settings.
        agent: An agent to go on with; a new one by default. Its own settings stay.

    Returns:
        The trained agent and how it went.

    Raises:
        FloatingPointError: The loss is no finite number.
        ValueError: See ``Rollout``.
    """
    generator = np.random.default_rng(config.seed)
    envs = make_envs(config.num_envs)
    judges = make_envs(config.evaluation_episodes)
    run = Run(agent or build_agent(envs, config))
    agent, rollout = run.agent, Rollout(envs, int(generator.integers(2**31)))
    buffer = ReplayBuffer(config.buffer_size, agent.online.input_shape[-1])
    best, logs, learned, evaluated = None, [], 0, 0
    for step in range(config.num_envs, config.total_steps + 1, config.num_envs):
        actions = agent.act(rollout.observations, config.epsilon(step), generator)
        transitions, finished = rollout.step(actions)
        buffer.add(transitions)
        run.episodes += [(step, total) for total in finished.values()]
        if step >= config.warm_up_steps and step - learned >= config.learn_every:
            learned = step
            batches = buffer.sample(config.updates, config.batch_size, generator)
            logs.append(agent.learn(batches))
        if logs and step - evaluated >= config.evaluate_every:
            evaluated = step
            start, episodes = int(generator.integers(2**31)), config.evaluation_episodes
            scores = evaluate(agent.act, judges, episodes=episodes, seed=start)
            run.steps.append(step)
            run.scores.append(float(scores.mean()))
            run.values.append(float(np.mean([log["value"] for log in logs])))
            logs = []
            if run.scores[-1] == max(run.scores):  # the last one of equals
                best = agent.get_weights()
            recent = run.scores[-config.goal_times :]
            if len(recent) == config.goal_times and min(recent) >= config.goal:
                break
    if best is not None:  # without an evaluation, the last weights stay
        agent.set_weights(best)
    envs.close()
    judges.close()
    return run
