"""Deep Q-learning in vectorised environments: the agent, and its training."""

from dlbook.models.dqn.agent import DQN, Transitions, build_q_network
from dlbook.models.dqn.training import (
    Config,
    ReplayBuffer,
    Rollout,
    Run,
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
    "Run",
    "Transitions",
    "build_agent",
    "build_q_network",
    "check_spaces",
    "evaluate",
    "train",
]
