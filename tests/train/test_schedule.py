"""warmup_cosine: the rate at the start, at the peak, half-way down and at the end."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlbook import train


def rates(schedule: keras.optimizers.schedules.LearningRateSchedule, *steps: int) -> list[float]:
    return [float(schedule(step)) for step in steps]


def test_it_rises_to_the_peak_and_falls_to_the_end() -> None:
    schedule = train.warmup_cosine(0.2, 100, warmup_steps=20, start=0.1, end=0.05)
    # half-way down it stands half-way between peak and end
    wanted = [0.02, 0.11, 0.2, 0.105, 0.01, 0.01]
    np.testing.assert_allclose(rates(schedule, 0, 10, 20, 60, 100, 200), wanted, rtol=1e-5)


def test_a_tenth_of_the_steps_is_warm_up_unless_told_otherwise() -> None:
    schedule = train.warmup_cosine(1.0, 50)
    found = rates(schedule, *range(51))
    assert int(np.argmax(found)) == 5
    np.testing.assert_allclose([found[0], found[5], found[50]], [0.1, 1.0, 0.0], atol=1e-6)
    assert (np.diff(found[5:]) < 0).all()


def test_without_warm_up_it_only_falls() -> None:
    found = rates(train.warmup_cosine(0.3, 8, warmup_steps=0), *range(9))
    np.testing.assert_allclose([found[0], found[4], found[8]], [0.3, 0.15, 0.0], atol=1e-6)


def test_it_is_keras_s_own_schedule_bit_for_bit() -> None:
    schedule = train.warmup_cosine(0.3, 97, warmup_steps=13, end=0.02)
    keras_s = keras.optimizers.schedules.CosineDecay.from_config(schedule.get_config())
    assert rates(schedule, *range(120)) == rates(keras_s, *range(120))


def test_it_puts_no_condition_into_a_graph() -> None:
    rate = tf.function(train.warmup_cosine(0.3, 97)).get_concrete_function(tf.constant(5))
    assert not [op.type for op in rate.graph.get_operations() if op.type in ("If", "StatelessIf")]


def test_an_optimizer_follows_it_and_it_is_saved_with_it() -> None:
    schedule = train.warmup_cosine(0.1, 10, warmup_steps=2, start=0.5)
    weight = keras.Variable([0.0])
    optimizer = keras.optimizers.SGD(schedule)
    for _ in range(3):
        optimizer.apply([np.float32([1.0])], [weight])
    np.testing.assert_allclose(weight.numpy(), [-(0.05 + 0.075 + 0.1)], rtol=1e-5)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    saved = again.get_config()["learning_rate"]["config"]
    assert saved == schedule.get_config()


@pytest.mark.parametrize(("steps", "warmup_steps"), [(10, 10), (10, -1), (0, None)])
def test_a_warm_up_that_leaves_nothing_is_named(steps: int, warmup_steps: int | None) -> None:
    with pytest.raises(ValueError, match="warmup_steps"):
        train.warmup_cosine(0.1, steps, warmup_steps=warmup_steps)
