"""Every setting of a run of ``dlbook.models.dqn``, in one place, and those of two tasks."""

from dataclasses import dataclass


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
        epsilon_start: Share of random actions at the beginning.
        epsilon_end: Share of random actions after ``epsilon_steps``.
        epsilon_steps: Steps in which the share falls, in a straight line.
        evaluate_every: Steps between two evaluations.
        evaluation_episodes: Episodes of an evaluation.
        goal: A mean return to stop at. None: never stop early.
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
    epsilon_start: float = 1.0
    epsilon_end: float = 0.05
    epsilon_steps: int = 10_000
    evaluate_every: int = 4_000
    evaluation_episodes: int = 50
    goal: float | None = None
    goal_times: int = 3

    def __post_init__(self):
        counts = (
            "num_envs",
            "batch_size",
            "learn_every",
            "updates",
            "epsilon_steps",
            "evaluation_episodes",
            "goal_times",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        for name in ("epsilon_start", "epsilon_end"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, not {getattr(self, name)}")
        if self.buffer_size < max(self.batch_size, self.num_envs):
            raise ValueError(
                f"buffer_size={self.buffer_size} is too small: a batch has {self.batch_size} "
                f"transitions, a step of all environments {self.num_envs}"
            )
        # in a step in which its environment is reset, a transition is missing
        if self.warm_up_steps < 1.5 * self.batch_size:
            raise ValueError(
                f"warm_up_steps={self.warm_up_steps} does not fill a batch of {self.batch_size}: "
                "take half as many steps again, or more"
            )

    def epsilon(self, step: int) -> float:
        """Share of random actions at a step."""
        done = min(1.0, step / self.epsilon_steps)
        return self.epsilon_start + done * (self.epsilon_end - self.epsilon_start)


# a cart's track is 2.4 m to each side, a pole falls at 0.2 rad; a reward of 1 in each step is worth
# 1 / (1 - 0.99) = 100 when it never ends, which is where the values start
CARTPOLE = Config(
    total_steps=40_000,
    buffer_size=2_000,  # with 50,000 it learns as well, and overestimates more
    scale=(2.4, 2.0, 0.2, 2.0),
    initial_value=100.0,
    epsilon_steps=5_000,
    evaluate_every=1_000,
    evaluation_episodes=100,
    goal=500.0,
    goal_times=3,
)

# for a run on a GPU: Acrobot-v1, a pendulum of two links that has to swing its tip up. Six numbers,
# three actions, a reward of -1 in each step
ACROBOT = Config(
    num_envs=64,
    total_steps=400_000,
    hidden=(256, 256),
    scale=(1.0, 1.0, 1.0, 1.0, 6.0, 12.0),
    batch_size=512,
    buffer_size=200_000,
    learn_every=1_024,
    epsilon_steps=50_000,
    evaluate_every=20_000,
    evaluation_episodes=100,
)
