"""The agent of deep Q-learning: a Q-network that learns from transitions.

A Q-network takes observations and returns one value for each action: the discounted sum of the
rewards that will follow when that action is taken now and the best one ever after. The agent takes
the action with the largest value.

One run proves little in reinforcement learning, so several agents can learn side by side, from
different weights and in worlds of their own. Every array then has a first axis for the agents, and
nothing passes from one agent to another.

Papers: Mnih and others, "Human-level control through deep reinforcement learning", Nature 518,
2015; van Hasselt, Guez & Silver, "Deep reinforcement learning with double Q-learning", AAAI 2016.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


class Transitions(NamedTuple):
    """Steps of an agent, one in each row. There may be more axes in front of the rows.

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


@keras.saving.register_keras_serializable(package="dlbook")
class StackedDense(layers.Layer):
    """Several dense layers side by side, each with weights and inputs of its own.

    Args:
        units: Outputs of each.
        activation: As in ``keras.layers.Dense``.
        kernel_initializer: An initializer of a kernel (inputs, units), or one for each layer.
        bias_initializer: Initializer of the biases.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        *,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        given = kernel_initializer
        several = given if isinstance(given, list | tuple) else [given]
        self.kernel_initializers = [keras.initializers.get(one) for one in several]
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        agents, _, inputs = input_shape
        starts = self.kernel_initializers
        starts = starts * agents if len(starts) == 1 else starts
        if len(starts) != agents:
            raise ValueError(f"{len(starts)} kernel initializers for {agents} layers side by side")

        def kernels(shape: tuple[int, ...], dtype: Any = None) -> Any:
            return ops.stack([start(shape[1:], dtype) for start in starts])

        self.kernel = self.add_weight(
            shape=(agents, inputs, self.units), initializer=kernels, name="kernel"
        )
        self.bias = self.add_weight(
            shape=(agents, 1, self.units), initializer=self.bias_initializer, name="bias"
        )

    def call(self, x: Any) -> Any:
        """(agents, batch, inputs) -> (agents, batch, units)."""
        return self.activation(ops.matmul(x, self.kernel) + self.bias)

    def get_config(self) -> dict[str, Any]:
        save = keras.initializers.serialize
        return super().get_config() | {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": [save(start) for start in self.kernel_initializers],
            "bias_initializer": save(self.bias_initializer),
        }


def build_q_network(
    num_features: int = 4,
    num_actions: int = 2,
    *,
    agents: int | None = None,
    hidden: Sequence[int] = (64, 64),
    scale: Sequence[float] | None = None,
    activation: str = "relu",
    initial_value: float = 0.0,
    seed: int = 0,
) -> keras.Model:
    """A multilayer perceptron from an observation to the value of each action.

    Args:
        num_features: Numbers in an observation.
        num_actions: Number of actions.
        agents: So many networks side by side. None is a single one, without an axis for agents.
        hidden: Units of each hidden layer.
        scale: A typical size of each number in an observation; the network divides by it.
        activation: Activation of the hidden layers.
        initial_value: Bias of the values, near which they start.
        seed: Seed of the weights. Networks side by side have the weights of single ones whose
            seeds are ``seed``, ``seed + 1`` and so on.

    Returns:
        A model from (batch, features) to values (batch, actions), float32; with ``agents``, from
        (agents, batch, features) to (agents, batch, actions).

    Raises:
        ValueError: ``scale`` has another length than an observation.
    """
    if scale is not None and len(scale) != num_features:
        raise ValueError(f"scale has {len(scale)} numbers, an observation has {num_features}")
    shape = (None, num_features) if agents is None else (agents, None, num_features)
    inputs = x = keras.Input(batch_shape=shape, name="observations")
    if scale is not None:
        x = layers.Rescaling([1 / size for size in scale], name="rescale")(x)

    def dense(number: int, units: int, start: Any, **settings: Any) -> layers.Layer:
        seeds = [1000 * (seed + agent) + number for agent in range(agents or 1)]
        starts = [start(seed=own) for own in seeds]
        if agents is None:
            return layers.Dense(units, kernel_initializer=starts[0], **settings)
        return StackedDense(units, kernel_initializer=starts, **settings)

    for number, units in enumerate(hidden):
        name = f"hidden{number + 1}"
        start = keras.initializers.HeUniform
        x = dense(number, units, start, activation=activation, name=name)(x)
    # values are sums of many rewards: no activation, and float32 under mixed precision too
    bias = keras.initializers.Constant(initial_value)
    last = {"bias_initializer": bias, "dtype": "float32", "name": "values"}
    x = dense(len(hidden), num_actions, keras.initializers.GlorotUniform, **last)(x)
    return keras.Model(inputs, x, name="q_network")


@keras.saving.register_keras_serializable(package="dlbook")
class DQN(keras.Model):
    """A Q-network that learns from transitions, with a target network.

    Compile it with an optimizer and a loss, then call ``learn``, or ``fit`` with a data set of
    ``Transitions``. With networks side by side, clip no gradients: Keras would take the length over
    all agents together.

    Args:
        online: The Q-network that learns and acts, or several side by side.
        discount: What a reward one step later counts.
        target_rate: How far the target network moves to the online network, 0 to 1.
        target_every: Updates between two moves.
        double: Double DQN.
    """

    def __init__(
        self,
        online: keras.Model,
        *,
        discount: float = 0.99,
        target_rate: float = 0.03,
        target_every: int = 1,
        double: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.online = online
        self.target_network = keras.models.clone_model(online)
        self.target_network.set_weights(online.get_weights())
        self.target_network.trainable = False
        self.discount, self.double = discount, double
        self.target_rate, self.target_every = target_rate, target_every
        self._best = self._learn = self._learns_with = None  # compiled when first used
        self.built = True

    def call(self, observations: Any) -> Any:
        """Values of all actions: (…, actions)."""
        return self.online(observations)

    def act(
        self,
        observations: np.ndarray,
        epsilon: float = 0.0,
        generator: np.random.Generator | None = None,
    ) -> np.ndarray:
        """The action of the largest value, or a random one with the probability ``epsilon``.

        Args:
            observations: (n, features), or (agents, n, features).
            epsilon: Share of random actions.
            generator: Source of the random numbers; needed when ``epsilon`` is not 0.

        Returns:
            (n,) or (agents, n), whole numbers.
        """
        if self._best is None:  # one compilation for any number of observations
            shape = tf.TensorSpec(self.online.input_shape, "float32")
            self._best = tf.function(lambda x: ops.argmax(self.online(x), -1), [shape])
        actions = self._best(observations).numpy()
        if epsilon:
            explore = generator.random(actions.shape) < epsilon
            actions[explore] = generator.integers(self.online.output_shape[-1], size=explore.sum())
        return actions

    def targets(self, batch: Transitions) -> Any:
        """What the values of the actions taken should have been: Bellman's equation.

        Returns:
            (batch,) or (agents, batch): the reward, and where the task went on the discounted
            value of the next observation.
        """
        next_values = self.target_network(batch.next_observations)
        judge = self.online(batch.next_observations) if self.double else next_values
        best = value_of(next_values, ops.argmax(judge, axis=-1))
        return batch.rewards + self.discount * (1.0 - batch.terminated) * best

    def train_step(self, data: Transitions) -> dict[str, Any]:
        """One update of the online network, then one move of the target network."""
        if len(data) != len(Transitions._fields):
            raise ValueError("data must be batches of Transitions, without sample weights")
        batch = Transitions(*data)
        targets = self.targets(batch)  # outside the tape: targets are given, not learned
        with tf.GradientTape() as tape:
            values = value_of(self.online(batch.observations), batch.actions)
            loss = self.compute_loss(y=targets[..., None], y_pred=values[..., None])
            # the mean is over the agents too, but none shall learn slower for the others' sake
            sides = values.shape[0] if len(values.shape) > 1 else 1
            # mixed_float16: the optimizer divides the gradients by this factor again
            scaled = self.optimizer.scale_loss(sides * loss)
        weights = self.online.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        self._move_target()
        return {"loss": loss, "value": ops.mean(values)}

    def learn(self, batches: Transitions) -> dict[str, float]:
        """One update for each of several batches, all in one compiled call.

        Args:
            batches: Arrays (updates, agents, batch, …), as ``ReplayBuffer.sample`` returns them;
                for a single network (updates, batch, …).

        Returns:
            "loss" and "value", the mean Q-value of the actions taken, averaged over the updates.

        Raises:
            FloatingPointError: The loss is no finite number.
        """
        if self._learn is None or self._learns_with is not self.optimizer:
            self._learns_with = self.optimizer
            self.optimizer.build(self.online.trainable_variables)
            self._learn = tf.function(self._learn_in_turn, jit_compile=self.jit_compile)
        logs = {name: float(value) for name, value in self._learn(batches).items()}
        if not math.isfinite(logs["loss"]):
            raise FloatingPointError(
                f"the loss became {logs['loss']}: lower the learning rate, clip the gradients "
                "(clipnorm=1.0), or look for NaN in observations and rewards"
            )
        return logs

    def _learn_in_turn(self, batches: Transitions) -> dict[str, Any]:
        updates = batches.rewards.shape[0]
        sums = {"loss": tf.zeros(()), "value": tf.zeros(())}
        for number in tf.range(updates):
            logs = self.train_step(Transitions(*(array[number] for array in batches)))
            sums = {name: sums[name] + logs[name] for name in sums}
        return {name: total / updates for name, total in sums.items()}

    def _move_target(self) -> None:
        moves = ops.cast(self.optimizer.iterations % self.target_every == 0, "float32")
        rate = self.target_rate * moves
        networks = self.target_network, self.online
        for target, online in zip(*(network.weights for network in networks), strict=True):
            target.assign(rate * online + (1.0 - rate) * target)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "online": keras.saving.serialize_keras_object(self.online),
            "discount": self.discount,
            "target_rate": self.target_rate,
            "target_every": self.target_every,
            "double": self.double,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DQN":
        online = keras.saving.deserialize_keras_object(config.pop("online"))
        return cls(online, **config)


def value_of(values: Any, actions: Any) -> Any:
    """Each row's value of its own action: (…, actions), (…) -> (…)."""
    return ops.take_along_axis(values, ops.cast(actions, "int32")[..., None], axis=-1)[..., 0]
