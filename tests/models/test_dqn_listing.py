"""The listing's agent, one sample at a time: it runs and learns what Bellman's equation says."""

import gymnasium
import numpy as np

from dlbook.models import dqn_listing


def test_it_plays_and_learns_in_each_step():
    agent = dqn_listing.OneByOne(2, copy_every=3, epsilon=0.0)
    before = [weights.copy() for weights in agent.online.get_weights()]
    agent.play(gymnasium.make("CartPole-v1"), 3, seed=0)
    assert (agent.steps, len(agent.memory)) == (3, 3)
    for old, new in zip(before, agent.online.get_weights(), strict=True):
        assert not np.array_equal(old, new)
    # the third step ended with a copy
    for target, online in zip(agent.target.get_weights(), agent.online.get_weights(), strict=True):
        np.testing.assert_array_equal(target, online)


def test_a_time_limit_is_no_terminal_state():
    agent = dqn_listing.OneByOne(10**6, epsilon=1.0)  # never learns
    env = gymnasium.make("CartPole-v1", max_episode_steps=5)
    agent.play(env, 10, seed=0)
    states = np.concatenate([sample[0] for sample in agent.memory])
    follow = np.concatenate([sample[3] for sample in agent.memory])
    assert not any(sample[4] for sample in agent.memory)
    # the second episode begins anew
    np.testing.assert_array_equal(states[1:5], follow[:4])
    assert not np.allclose(states[5], follow[4])


def test_the_target_of_a_sample(monkeypatch):
    agent = dqn_listing.OneByOne(1, discount=0.5)
    state, next_state = np.ones((1, 4), "float32"), np.zeros((1, 4), "float32")
    seen = []
    monkeypatch.setattr(agent.online, "fit", lambda x, y, verbose: seen.append(y.copy()))
    values = agent.online.predict(state, verbose=0)[0]
    best = agent.target.predict(next_state, verbose=0).max()
    for terminated, expected in ((False, 1 + 0.5 * best), (True, 1.0)):
        agent.memory.clear()
        agent.memory.append((state, 1, 1.0, next_state, terminated))
        agent.learn()
        np.testing.assert_allclose(seen[-1], [[values[0], expected]], rtol=1e-5)
