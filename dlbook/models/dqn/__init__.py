"""Deep Q-learning in vectorised environments: agents side by side, and their training."""

from dlbook.models.dqn.agent import DQN, StackedDense, Transitions, build_q_network, value_of
from dlbook.models.dqn.training import (
    Config,
    ReplayBuffer,
    Rollout,
    build_agent,
    check_spaces,
    evaluate,
    train,
)

__all__ = [
    "DQN",
    "Config",
    "ReplayBuffer",
    "Rollout",
    "StackedDense",
    "Transitions",
    "build_agent",
    "build_q_network",
    "check_spaces",
    "evaluate",
    "train",
    "value_of",
]
