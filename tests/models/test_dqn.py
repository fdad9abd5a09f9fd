"""Deep Q-learning: targets and updates by hand, acting, learning a task with known values."""

import dataclasses

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from dlbook.models import dqn

import keras  # isort: skip
import tensorflow as tf  # isort: skip

GENERATOR = np.random.default_rng(0)


class Chain(gymnasium.Env):
    """Five places in a row. Action 1 goes right, 0 left. The right end pays 1 and ends the task."""

    def __init__(self, limit: int = 30, start: int = 0, actions=None, reward: float = 1.0):
        self.action_space = actions or gymnasium.spaces.Discrete(2)
        self.observation_space = gymnasium.spaces.Box(0, 1, (5,), np.float32)
        self.limit, self.start, self.reward = limit, start, reward

    def reset(self, *, seed=None, options=None):
        self.place, self.steps = self.start, 0
        return np.eye(5, dtype="float32")[self.place], {}

    def step(self, action):
        self.place = min(4, max(0, self.place + (1 if action else -1)))
        self.steps += 1
        done = self.place == 4
        observation = np.eye(5, dtype="float32")[self.place]
        return observation, self.reward * done, done, self.steps >= self.limit, {}


def chains(count: int = 2, mode: AutoresetMode = AutoresetMode.NEXT_STEP, **settings):
    return SyncVectorEnv([lambda: Chain(**settings)] * count, autoreset_mode=mode)


def cartpole(count: int):
    return gymnasium.make_vec(
        "CartPole-v1", num_envs=count, vectorization_mode="vector_entry_point"
    )


def transitions(rows: int, features: int = 4, actions: int = 2) -> dqn.Transitions:
    return dqn.Transitions(
        GENERATOR.normal(size=(rows, features)).astype("float32"),
        GENERATOR.integers(actions, size=rows).astype("int32"),
        GENERATOR.normal(size=rows).astype("float32"),
        GENERATOR.normal(size=(rows, features)).astype("float32"),
        GENERATOR.integers(2, size=rows).astype("float32"),
    )


def agent_of(double: bool = True, features: int = 4, actions: int = 3, **settings) -> dqn.DQN:
    online = dqn.build_q_network(features, actions, hidden=(8, 7))
    agent = dqn.DQN(online, double=double, **settings)
    other = dqn.build_q_network(features, actions, hidden=(8, 7), seed=1)
    agent.target_network.set_weights(other.get_weights())
    agent.compile(keras.optimizers.SGD(0.1), keras.losses.Huber(), jit_compile=True)
    return agent


def stacked(batches: list[dqn.Transitions]) -> dqn.Transitions:
    return dqn.Transitions(*(np.stack(column) for column in zip(*batches, strict=True)))


# ---- the network ----


def test_values_have_one_column_per_action_and_are_float32():
    model = dqn.build_q_network(4, 3, hidden=(8, 7), scale=(1, 2, 3, 4))
    values = model(GENERATOR.normal(size=(5, 4)).astype("float32"))
    assert (values.shape, values.dtype) == ((5, 3), tf.float32)
    assert model.count_params() == (4 + 1) * 8 + (8 + 1) * 7 + (7 + 1) * 3


def test_the_network_by_hand():
    model = dqn.build_q_network(3, 2, hidden=(6,), scale=(1, 2, 4), initial_value=50.0)
    kernel, bias, last, last_bias = model.get_weights()
    np.testing.assert_array_equal(last_bias, [50, 50])
    x = GENERATOR.normal(size=(4, 3)).astype("float32")
    hidden = np.maximum(x / np.array([1, 2, 4]) @ kernel + bias, 0)
    np.testing.assert_allclose(model(x), hidden @ last + last_bias, rtol=1e-5)


def test_the_seed_decides_the_weights_and_no_two_layers_are_alike():
    first, again, other = (dqn.build_q_network(8, hidden=(8, 8), seed=s) for s in (3, 3, 4))
    kernels = first.get_weights()[::2]
    for own, same, different in zip(
        kernels, again.get_weights()[::2], other.get_weights()[::2], strict=True
    ):
        np.testing.assert_array_equal(own, same)
        assert not np.allclose(own, different)
    assert not np.allclose(kernels[0], kernels[1])


def test_a_scale_of_another_length_is_refused():
    with pytest.raises(ValueError, match="scale has 2 numbers, an observation has 4"):
        dqn.build_q_network(scale=(1, 2))


def test_networks_side_by_side_are_single_ones():
    three = dqn.build_q_network(4, 3, agents=3, hidden=(8, 7), scale=(1, 2, 3, 4), seed=5)
    x = GENERATOR.normal(size=(3, 6, 4)).astype("float32")
    together = three(x)
    assert together.shape == (3, 6, 3)
    for agent in range(3):
        alone = dqn.build_q_network(4, 3, hidden=(8, 7), scale=(1, 2, 3, 4), seed=5 + agent)
        np.testing.assert_allclose(together[agent], alone(x[agent]), rtol=1e-5, atol=1e-6)


def test_stacked_layers_save_and_load_and_refuse_a_wrong_number_of_starts(tmp_path):
    model = dqn.build_q_network(4, 2, agents=2, hidden=(5,), initial_value=3.0)
    x = GENERATOR.normal(size=(2, 6, 4)).astype("float32")
    model.save(tmp_path / "networks.keras")
    loaded = keras.saving.load_model(tmp_path / "networks.keras")
    np.testing.assert_array_equal(loaded(x), model(x))
    layer = dqn.StackedDense(3, kernel_initializer=["zeros", "ones"])
    with pytest.raises(ValueError, match="2 kernel initializers for 3 layers"):
        layer.build((3, None, 4))
    np.testing.assert_array_equal(layer(np.ones((2, 1, 4)))[:, 0], [[0] * 3, [4] * 3])


# ---- the replay buffer ----


def side_by_side(agents: int, rows: int, features: int = 4, actions: int = 2) -> dqn.Transitions:
    return stacked([transitions(rows, features, actions) for _ in range(agents)])


def test_the_buffer_overwrites_the_oldest_of_each_agent():
    buffer = dqn.ReplayBuffer(5, 1, agents=2)

    def add(numbers: list[list[float]], real: list[list[int]]) -> None:
        values = np.array(numbers, "float32")
        new = dqn.Transitions(
            values[..., None], values.astype(int), values, values[..., None], values * 0
        )
        buffer.add(new, np.array(real, bool))

    add([[1, 2, 3], [11, 12, 13]], [[1, 1, 1], [0, 1, 0]])
    assert buffer.added.tolist() == [3, 1]
    add([[4, 5, 6, 7], [14, 15, 16, 17]], [[1, 1, 1, 1], [1, 0, 0, 1]])  # around the end
    np.testing.assert_array_equal(buffer.arrays.rewards, [[6, 7, 3, 4, 5], [12, 14, 17, 0, 0]])
    np.testing.assert_array_equal(buffer.arrays.observations[..., 0], buffer.arrays.rewards)
    np.testing.assert_array_equal(buffer.arrays.actions, buffer.arrays.rewards)
    assert buffer.added.tolist() == [7, 3]


def test_a_sample_is_drawn_evenly_from_what_each_agent_holds():
    buffer = dqn.ReplayBuffer(100, 4, agents=2)
    new, real = side_by_side(2, 12), np.ones((2, 12), bool)
    real[0, 10:] = False
    buffer.add(new, real)
    batch = buffer.sample(300, 10, np.random.default_rng(0))
    assert [array.shape for array in batch] == [
        (300, 2, 10, 4), (300, 2, 10), (300, 2, 10), (300, 2, 10, 4), (300, 2, 10)
    ]  # fmt: skip
    assert [array.dtype for array in batch] == ["float32", "int32", *["float32"] * 3]
    for agent, held in enumerate((10, 12)):
        counts = [(batch.rewards[:, agent] == r).sum() for r in new.rewards[agent, :held]]
        assert sum(counts) == 3_000
        assert min(counts) > 0.75 * 3_000 / held
    # rows stay together
    row = int(np.flatnonzero(new.rewards[1] == batch.rewards[7, 1, 3])[0])
    for drawn, stored in zip(batch, new, strict=True):
        np.testing.assert_array_equal(drawn[7, 1, 3], stored[1, row])


def test_the_buffer_refuses_what_does_not_fit():
    buffer = dqn.ReplayBuffer(6, 4)
    buffer.add(side_by_side(1, 3), np.ones((1, 3), bool))
    with pytest.raises(ValueError, match=r"3 transitions do not fill batch_size=4"):
        buffer.sample(1, 4, GENERATOR)
    with pytest.raises(ValueError, match=r"7 transitions do not fit"):
        buffer.add(side_by_side(1, 7), np.ones((1, 7), bool))
    assert buffer.added.tolist() == [3]


# ---- targets and updates ----


@pytest.mark.parametrize("double", [False, True])
def test_targets_are_bellmans_equation(double: bool):
    agent, batch = agent_of(double, discount=0.9), transitions(6)
    online, target = (
        np.asarray(net(batch.next_observations)) for net in (agent.online, agent.target_network)
    )
    expected = []
    for row in range(6):
        best = online[row].argmax() if double else target[row].argmax()
        future = 0.0 if batch.terminated[row] else 0.9 * target[row, best]
        expected.append(batch.rewards[row] + future)
    np.testing.assert_allclose(agent.targets(batch), expected, rtol=1e-5)
    # the two kinds differ where the networks disagree about the best action
    assert (online.argmax(axis=1) != target.argmax(axis=1)).any()


def test_agents_side_by_side_learn_as_if_alone():
    """Nothing passes from one to the other: each has the weights that it would have alone."""
    batches = [side_by_side(3, 16, actions=3) for _ in range(4)]
    together = dqn.DQN(dqn.build_q_network(4, 3, agents=3, hidden=(8, 7)), target_rate=0.3)
    together.compile(keras.optimizers.Adam(0.01), "mean_squared_error", jit_compile=True)
    together.learn(stacked(batches))
    for agent in range(3):
        alone = dqn.DQN(dqn.build_q_network(4, 3, hidden=(8, 7), seed=agent), target_rate=0.3)
        alone.compile(keras.optimizers.Adam(0.01), "mean_squared_error", jit_compile=True)
        own = [dqn.Transitions(*(array[agent] for array in batch)) for batch in batches]
        alone.learn(stacked(own))
        for stack, weight in zip(together.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(
                stack[agent].reshape(weight.shape), weight, rtol=1e-3, atol=1e-4
            )


@pytest.mark.parametrize("double", [False, True])
def test_learn_is_one_train_step_after_another(double: bool):
    batches = [transitions(16) for _ in range(5)]
    together, alone = (agent_of(double, target_rate=0.3, target_every=2) for _ in range(2))
    logs = together.learn(stacked(batches))
    losses = [float(alone.train_step(batch)["loss"]) for batch in batches]
    assert logs["loss"] == pytest.approx(np.mean(losses), rel=1e-4)
    for left, right in zip(together.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_the_loss_is_huber_of_the_actions_taken():
    agent, batch = agent_of(), transitions(16)
    values = np.asarray(agent.online(batch.observations))[np.arange(16), batch.actions]
    error = np.abs(values - np.asarray(agent.targets(batch)))
    huber = np.where(error <= 1, 0.5 * error**2, error - 0.5).mean()
    logs = agent.train_step(batch)
    assert float(logs["loss"]) == pytest.approx(huber, rel=1e-4)
    assert float(logs["value"]) == pytest.approx(values.mean(), rel=1e-4)


def test_an_update_changes_every_weight_of_the_online_network_and_of_the_target():
    agent = agent_of(target_rate=0.5)
    before = agent.get_weights()
    agent.learn(stacked([transitions(64, actions=3) for _ in range(4)]))
    assert len(before) == 2 * len(agent.online.weights)
    for old, weight in zip(before, agent.weights, strict=True):
        assert np.abs(old - weight.numpy()).max() > 0, weight.path
    # the target is followed, not trained
    assert len(agent.trainable_variables) == len(agent.online.weights)


def test_the_target_network_moves_a_part_of_the_way():
    agent = agent_of(target_rate=0.25)
    before = agent.target_network.get_weights()
    agent.train_step(transitions(8))
    for old, new, online in zip(
        before, agent.target_network.get_weights(), agent.online.get_weights(), strict=True
    ):
        np.testing.assert_allclose(new, old + 0.25 * (online - old), atol=1e-6)


def test_the_target_network_waits_for_its_turn_and_becomes_a_copy():
    agent = agent_of(target_rate=1.0, target_every=3)
    before = agent.target_network.get_weights()
    for step in range(1, 7):
        agent.train_step(transitions(8))
        now, online = agent.target_network.get_weights(), agent.online.get_weights()
        if step % 3 == 0:
            before = now
            assert all(np.array_equal(a, b) for a, b in zip(now, online, strict=True))
        else:
            assert all(np.array_equal(a, b) for a, b in zip(now, before, strict=True))
            assert not all(np.array_equal(a, b) for a, b in zip(now, online, strict=True))


def test_a_new_agents_target_is_a_copy():
    agent = dqn.DQN(dqn.build_q_network(hidden=(5,)))
    x = transitions(3).observations
    np.testing.assert_array_equal(agent.online(x), agent.target_network(x))
    np.testing.assert_array_equal(agent.online(x), agent(x))


def test_one_small_batch_is_learned_by_heart():
    agent = dqn.DQN(dqn.build_q_network(hidden=(32, 32)), target_rate=1.0)
    agent.compile(keras.optimizers.Adam(0.01), keras.losses.Huber(), jit_compile=True)
    batch = transitions(8)._replace(terminated=np.ones(8, "float32"))  # the targets stay put
    first = agent.learn(stacked([batch]))["loss"]
    for _ in range(5):
        agent.learn(stacked([batch] * 60))
    assert first > 0.1
    assert agent.learn(stacked([batch]))["loss"] < 1e-3


def test_fit_takes_a_data_set_of_transitions():
    agent = agent_of()
    dataset = tf.data.Dataset.from_tensor_slices(tuple(transitions(32))).batch(8)
    history = agent.fit(dataset.map(lambda *rows: dqn.Transitions(*rows)), shuffle=False, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_sample_weights_are_refused():
    agent = agent_of()
    with pytest.raises(ValueError, match="without sample weights"):
        agent.fit(transitions(8).observations, np.zeros(8), sample_weight=np.ones(8), verbose=0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_mixed_float16_learns_as_float32_does(jit_compile: bool):
    """The loss is scaled before the gradients are taken, because the optimizer scales them back."""
    losses = {}
    batch = transitions(64)._replace(terminated=np.ones(64, "float32"))  # the targets stay put
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        try:
            agent = dqn.DQN(dqn.build_q_network(hidden=(32, 32)))
            agent.compile(
                keras.optimizers.Adam(0.01), keras.losses.Huber(), jit_compile=jit_compile
            )
        finally:
            keras.config.set_dtype_policy("float32")
        first = agent.learn(stacked([batch]))["loss"]
        for _ in range(5):
            losses[policy] = agent.learn(stacked([batch] * 30))["loss"]
        assert losses[policy] < 0.5 * first
    assert losses["mixed_float16"] == pytest.approx(losses["float32"], rel=0.5, abs=0.01)


def test_a_loss_that_is_not_finite_stops_with_advice():
    agent = agent_of()
    batch = transitions(8)._replace(rewards=np.full(8, np.nan, "float32"))
    with pytest.raises(FloatingPointError, match="the loss became nan: lower the learning rate"):
        agent.learn(stacked([batch]))


def test_a_saved_agent_gives_the_same_values_and_goes_on_learning(tmp_path):
    agent = agent_of(discount=0.7, target_rate=0.2, target_every=4)
    agent.learn(stacked([transitions(8)]))
    agent.save(tmp_path / "agent.keras")
    loaded = keras.saving.load_model(tmp_path / "agent.keras")
    batch = transitions(5)
    np.testing.assert_array_equal(loaded(batch.observations), agent(batch.observations))
    np.testing.assert_array_equal(loaded.targets(batch), agent.targets(batch))
    assert (loaded.discount, loaded.target_rate, loaded.target_every) == (0.7, 0.2, 4)
    again = stacked([batch])
    assert loaded.learn(again)["loss"] == pytest.approx(agent.learn(again)["loss"], rel=1e-5)
    agent.online.save(tmp_path / "network.keras")
    network = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(network(batch.observations), agent(batch.observations))


# ---- acting ----


def test_actions_are_greedy_or_random():
    agent, x = agent_of(), transitions(2_000).observations
    greedy = agent.act(x)
    np.testing.assert_array_equal(greedy, np.asarray(agent(x)).argmax(axis=1))
    some = agent.act(x, 0.3, np.random.default_rng(0))
    # a random action is the greedy one in a third of the cases
    assert np.mean(some != greedy) == pytest.approx(0.3 * 2 / 3, abs=0.03)
    np.testing.assert_array_equal(some, agent.act(x, 0.3, np.random.default_rng(0)))
    everything = np.bincount(agent.act(x, 1.0, np.random.default_rng(0)), minlength=3)
    assert everything.min() > 580


def test_the_share_of_random_actions_falls_in_a_straight_line():
    config = dqn.Config(epsilon_start=1.0, epsilon_end=0.2, epsilon_steps=1_000)
    found = [config.epsilon(step) for step in (0, 500, 1_000, 5_000)]
    assert found == pytest.approx([1.0, 0.6, 0.2, 0.2])


# ---- borders of episodes ----


def play(steps: int, **settings):
    rollout = dqn.Rollout(chains(6, **settings), seed=0, agents=3)
    generator = np.random.default_rng(1)
    collected, ended = [], []
    for _ in range(steps):
        new, real, finished = rollout.step(generator.integers(2, size=(3, 2)))
        collected.append(dqn.Transitions(*(array[real] for array in new)))
        ended += finished[~np.isnan(finished)].tolist()
    return dqn.Transitions(*map(np.concatenate, zip(*collected, strict=True))), ended


def test_no_transition_joins_two_episodes():
    made, finished = play(300, limit=9)
    before, after = (x.argmax(axis=1) for x in (made.observations, made.next_observations))
    expected = np.clip(before + np.where(made.actions == 1, 1, -1), 0, 4)
    np.testing.assert_array_equal(after, expected)
    assert (before != 4).all()  # nothing is ever done in the last place
    np.testing.assert_array_equal(made.terminated, after == 4)
    np.testing.assert_array_equal(made.rewards, after == 4)
    assert set(finished) == {0.0, 1.0}  # some episodes ran into the limit
    # but for running ends, one step of each episode only resets
    assert 1_800 - len(finished) <= len(made.rewards) <= 1_806 - len(finished)


def test_environments_that_write_into_the_same_array_are_copied():
    envs = SyncVectorEnv([Chain] * 2, copy=False)
    rollout = dqn.Rollout(envs, seed=0, agents=2)
    made = [rollout.step(np.array([[1], [1]]))[0] for _ in range(3)]
    for step, new in enumerate(made):
        assert new.observations.argmax(axis=-1).tolist() == [[step], [step]]
        assert new.next_observations.argmax(axis=-1).tolist() == [[step + 1], [step + 1]]


def test_a_time_limit_is_not_the_end_of_the_task():
    """The limit strikes in the middle of the chain: the value of what lies ahead still counts."""
    rollout = dqn.Rollout(chains(1, limit=2), seed=0)
    rollout.step(np.array([[1]]))
    last, real, finished = rollout.step(np.array([[1]]))
    assert finished.tolist() == [[0.0]]
    assert real.all()
    assert last.terminated.tolist() == [[0]]
    assert last.next_observations.argmax() == 2  # not the first place of the next episode
    last = dqn.Transitions(*(array[0] for array in last))
    agent = agent_of(features=5, discount=0.9)
    best = int(np.argmax(agent.online(last.next_observations)))
    future = float(agent.target_network(last.next_observations)[0, best])
    np.testing.assert_allclose(agent.targets(last), [0.9 * future], rtol=1e-5)


def test_cart_pole_never_jumps():
    """Speed times 0.02 s leads from each position to the next, in every transition."""
    rollout, generator = dqn.Rollout(cartpole(8), seed=0, agents=2), np.random.default_rng(0)
    rows = 0
    for _ in range(200):
        new, real, _ = rollout.step(generator.integers(2, size=(2, 4)))
        new = dqn.Transitions(*(array[real] for array in new))
        moved = new.observations[:, [0, 2]] + 0.02 * new.observations[:, [1, 3]]
        np.testing.assert_allclose(new.next_observations[:, [0, 2]], moved, atol=1e-5)
        out = np.abs(new.next_observations[:, 2]) > 12 * np.pi / 180
        np.testing.assert_array_equal(new.terminated, out)
        rows += len(new.rewards)
    assert 1_400 < rows < 1_600


def test_environments_are_shared_out_evenly():
    with pytest.raises(ValueError, match="3 environments for 2 agents"):
        dqn.Rollout(chains(3), seed=0, agents=2)


# ---- evaluation ----


def test_every_environment_plays_its_share():
    """Environments of unlike length: the quick ones must not crowd the slow ones out."""
    envs = SyncVectorEnv([lambda: Chain(start=3), lambda: Chain(start=0, limit=3)])
    to_the_right = lambda observations: np.ones(observations.shape[:2], int)  # noqa: E731
    assert dqn.evaluate(to_the_right, envs, episodes=8).tolist() == [[1.0] * 4 + [0.0] * 4]
    assert dqn.evaluate(to_the_right, envs, episodes=2, agents=2).tolist() == [[1, 1], [0, 0]]
    with pytest.raises(ValueError, match="9 episodes for 2 environments of an agent"):
        dqn.evaluate(to_the_right, envs, episodes=9)


# ---- training ----

QUICK = dqn.Config(
    agents=2,
    copies=4,
    total_steps=3_000,
    hidden=(16,),
    learning_rate=5e-3,
    batch_size=32,
    memory=500,
    warm_up_steps=100,
    learn_every=40,
    updates=20,
    discount=0.9,
    target_rate=0.1,
    epsilon_steps=1_000,
)


def test_the_values_of_a_chain_are_learned():
    agent = dqn.train(chains, QUICK)
    places = np.broadcast_to(np.eye(5, dtype="float32")[:4], (2, 4, 5))
    values = np.asarray(agent(places))
    # at a distance of d steps from the end, going right is worth 0.9 to the power of d - 1
    wanted = np.broadcast_to(0.9 ** np.array([3, 2, 1, 0]), (2, 4))
    np.testing.assert_allclose(values[..., 1], wanted, atol=0.08)
    assert (values[..., 1] > values[..., 0]).all()
    assert (dqn.evaluate(agent.act, chains(4), episodes=4, agents=2) == 1).all()


def test_a_run_is_repeated_by_its_seed():
    config = dataclasses.replace(QUICK, total_steps=400)
    first, again = dqn.train(chains, config), dqn.train(chains, config)
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    different = dqn.train(chains, dataclasses.replace(config, seed=1))
    assert not np.allclose(first.get_weights()[0], different.get_weights()[0])


def test_whoever_watches_sees_every_step_and_every_return():
    seen = []
    config = dataclasses.replace(QUICK, total_steps=400)
    agent = dqn.train(chains, config, watch=lambda *now: seen.append(now))
    assert [step for step, _, _ in seen] == list(range(4, 401, 4))
    assert all(watched is agent for _, watched, _ in seen)
    returns = np.stack([returns for _, _, returns in seen])
    assert returns.shape == (100, 2, 4)
    assert set(returns[~np.isnan(returns)]) <= {0.0, 1.0}


def test_environments_in_a_list_with_three_actions():
    config = dataclasses.replace(QUICK, copies=2, total_steps=200)

    def acrobots(count: int):
        return gymnasium.make_vec("Acrobot-v1", num_envs=count, max_episode_steps=30)

    agent = dqn.train(acrobots, config)
    assert agent.online.output_shape == (2, None, 3)
    returns = dqn.evaluate(agent.act, acrobots(2), episodes=1, agents=2)
    assert returns.tolist() == [[-30.0], [-30.0]]


# ---- bad input ----


def test_other_spaces_are_refused_with_the_remedy():
    box = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    with pytest.raises(ValueError, match=r"action space Box.*needs Discrete.*cut a continuous"):
        dqn.train(lambda count: chains(count, actions=box), QUICK)
    pairs = gymnasium.spaces.MultiDiscrete([2, 2])
    with pytest.raises(ValueError, match="action space MultiDiscrete"):
        dqn.check_spaces(chains(actions=pairs))
    envs = chains()
    envs.single_observation_space = gymnasium.spaces.Discrete(5)
    with pytest.raises(ValueError, match="observation space"):
        dqn.check_spaces(envs)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_environments_must_begin_anew_in_the_next_step(mode: AutoresetMode):
    with pytest.raises(ValueError, match=r"make them with AutoresetMode\.NEXT_STEP"):
        dqn.Rollout(chains(mode=mode), seed=0)


def test_nan_from_the_environment_stops_training():
    with pytest.raises(FloatingPointError, match="look for NaN in observations and rewards"):
        dqn.train(lambda count: chains(count, reward=np.nan), QUICK)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"warm_up_steps": 40, "batch_size": 64}, "do not fill batch_size=64: warm up longer"),
        ({"copies": 8, "memory": 4}, "8 transitions do not fit"),
        ({"copies": 3}, "is no multiple of config.copies=3"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        dqn.train(chains, dataclasses.replace(QUICK, **settings))
