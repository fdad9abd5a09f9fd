"""The network by hand: gradients, many starts at once, XOR; and the same network in Keras."""

import numpy as np
import pytest

from dlbook.models import mlp
from dlbook.models.mlp import XOR_X, XOR_Y

import keras  # isort: skip
import tensorflow as tf  # isort: skip

GENERATOR = np.random.default_rng(1)
X = GENERATOR.normal(size=(7, 3))
Y = GENERATOR.integers(0, 2, size=(7, 2)).astype(float)
ALL_KINDS = pytest.mark.parametrize(
    ("activation", "loss"),
    [(activation, loss) for activation in mlp.ACTIVATIONS for loss in mlp.LOSSES],
)


def parameters_of(num_starts: int | None = None, seed: int = 0) -> mlp.Parameters:
    # "normal", so that the biases are not zero
    return mlp.init_parameters(3, 5, 2, initializer="normal", num_starts=num_starts, seed=seed)


# ---- the gradient ----


@ALL_KINDS
def test_the_gradient_is_the_slope_of_the_loss(activation: str, loss: str):
    parameters, step = parameters_of(), 1e-6
    gradients, _ = mlp.backward(parameters, X, Y, activation=activation, loss=loss)

    def loss_at(name: str, index: tuple[int, ...], change: float) -> float:
        moved = {key: value.copy() for key, value in parameters.items()}
        moved[name][index] += change
        return mlp.loss_value(mlp.forward(moved, X, activation)[1], Y, loss)

    for name, value in parameters.items():
        slopes = np.empty_like(value)
        for index in np.ndindex(value.shape):
            slopes[index] = (loss_at(name, index, step) - loss_at(name, index, -step)) / (2 * step)
        error = np.linalg.norm(gradients[name] - slopes) / np.linalg.norm(slopes)
        assert error <= 1e-6, name


@ALL_KINDS
def test_the_gradient_equals_automatic_differentiation(activation: str, loss: str):
    parameters = parameters_of()
    gradients, value = mlp.backward(parameters, X, Y, activation=activation, loss=loss)
    variables = {name: tf.Variable(array) for name, array in parameters.items()}
    function = {"tanh": tf.tanh, "sigmoid": tf.sigmoid}[activation]
    with tf.GradientTape() as tape:
        hidden = function(X @ variables["w1"] + variables["b1"])
        output = tf.sigmoid(hidden @ variables["w2"] + variables["b2"])
        if loss == "squared_error":
            per_output = (output - Y) ** 2 / 2
        else:
            per_output = -Y * tf.math.log(output) - (1 - Y) * tf.math.log(1 - output)
        expected_value = tf.reduce_mean(tf.reduce_sum(per_output, axis=-1))
    expected = tape.gradient(expected_value, variables)
    assert value == pytest.approx(float(expected_value), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-10, err_msg=name)


# ---- shapes, starts ----


def test_shapes():
    parameters = mlp.init_parameters(3, 5, 2)
    shapes = {name: value.shape for name, value in parameters.items()}
    assert shapes == {"w1": (3, 5), "b1": (1, 5), "w2": (5, 2), "b2": (1, 2)}
    assert {value.dtype for value in parameters.values()} == {np.dtype("float64")}
    hidden, output = mlp.forward(parameters, X)
    assert (hidden.shape, output.shape) == ((7, 5), (7, 2))
    many = mlp.init_parameters(3, 5, 2, num_starts=4)
    hidden, output = mlp.forward(many, X)
    assert (hidden.shape, output.shape) == ((4, 7, 5), (4, 7, 2))
    gradients, values = mlp.backward(many, X, Y)
    assert {name: value.shape for name, value in gradients.items()} == {
        name: value.shape for name, value in many.items()
    }
    assert values.shape == mlp.solved(output, Y).shape == (4,)


@ALL_KINDS
def test_many_starts_at_once_equal_one_start_at_a_time(activation: str, loss: str):
    settings = {"epochs": 20, "learning_rate": 0.5, "activation": activation, "loss": loss}
    many = parameters_of(num_starts=3)
    trained, losses = mlp.train(many, X, Y, **settings)
    assert losses.shape == (20, 3)
    for start in range(3):
        one = {name: value[start] for name, value in many.items()}
        expected, expected_losses = mlp.train(one, X, Y, **settings)
        np.testing.assert_allclose(losses[:, start], expected_losses, rtol=1e-9)
        for name, value in expected.items():
            np.testing.assert_allclose(trained[name][start], value, rtol=1e-9, err_msg=name)


def test_every_start_may_have_a_rate_of_its_own():
    many, rates = parameters_of(num_starts=2), np.array([0.1, 2.0])
    trained, _ = mlp.train(many, X, Y, epochs=5, learning_rate=rates[:, None, None])
    for start, rate in enumerate(rates):
        one = {name: value[start] for name, value in many.items()}
        expected, _ = mlp.train(one, X, Y, epochs=5, learning_rate=rate)
        for name, value in expected.items():
            np.testing.assert_allclose(trained[name][start], value, rtol=1e-9, err_msg=name)


@ALL_KINDS
def test_two_dimensions_in_front_are_rates_and_starts(activation: str, loss: str):
    """Section 8 of chapter 01 trains all starts at all rates side by side."""
    many, rates = parameters_of(num_starts=2), np.array([0.1, 0.5, 2.0])
    grid = {name: np.broadcast_to(value, (3, *value.shape)) for name, value in many.items()}
    kind = {"epochs": 5, "activation": activation, "loss": loss}
    trained, losses = mlp.train(grid, X, Y, learning_rate=rates[:, None, None, None], **kind)
    _, output = mlp.forward(trained, X, activation)
    assert losses.shape == (5, 3, 2)
    assert output.shape == (3, 2, 7, 2)
    assert mlp.solved(output, Y, 0.5).shape == (3, 2)
    for place in np.ndindex(3, 2):
        one = {name: value[place[1]] for name, value in many.items()}
        expected, expected_losses = mlp.train(one, X, Y, learning_rate=rates[place[0]], **kind)
        np.testing.assert_allclose(losses[:, *place], expected_losses, rtol=1e-9)
        for name, value in expected.items():
            np.testing.assert_allclose(trained[name][place], value, rtol=1e-9, err_msg=name)


def test_the_starts_differ_and_the_seed_fixes_them():
    many = mlp.init_parameters(3, 5, 2, num_starts=2, seed=4)
    assert not np.array_equal(many["w1"][0], many["w1"][1])
    for name, value in mlp.init_parameters(3, 5, 2, num_starts=2, seed=4).items():
        np.testing.assert_array_equal(value, many[name])
    assert not np.array_equal(mlp.init_parameters(3, 5, 2, num_starts=2, seed=5)["w1"], many["w1"])


def test_glorot_stays_within_its_limit_and_starts_without_biases():
    parameters = mlp.init_parameters(3, 400, 2, initializer="glorot")
    for name, fan_in, fan_out in [("w1", 3, 400), ("w2", 400, 2)]:
        limit = np.sqrt(6 / (fan_in + fan_out))
        assert 0.98 * limit < np.abs(parameters[name]).max() <= limit
    assert not parameters["b1"].any()
    assert not parameters["b2"].any()


def test_normal_has_unit_variance_in_weights_and_biases():
    parameters = mlp.init_parameters(3, 2000, 2, initializer="normal")
    for name in ("w1", "b1", "w2"):
        assert parameters[name].std() == pytest.approx(1, abs=0.05)


# ---- training ----


def test_every_start_learns_xor_by_training_and_not_without():
    start = mlp.init_parameters(2, 8, 1, num_starts=20)
    assert not mlp.solved(mlp.forward(start, XOR_X)[1], XOR_Y).any()
    trained, losses = mlp.train(start, XOR_X, XOR_Y, epochs=300, learning_rate=2.0)
    assert mlp.solved(mlp.forward(trained, XOR_X)[1], XOR_Y).all()
    assert (losses[-1] < losses[0]).all()


def test_training_leaves_its_start_alone_and_reports_the_loss_before_each_step():
    start = parameters_of()
    before = {name: value.copy() for name, value in start.items()}
    _, losses = mlp.train(start, X, Y, epochs=2, learning_rate=0.1)
    for name, value in start.items():
        np.testing.assert_array_equal(value, before[name])
    gradients, value = mlp.backward(start, X, Y)
    assert losses[0] == value
    one_step, _ = mlp.train(start, X, Y, epochs=1, learning_rate=0.1)
    np.testing.assert_array_equal(one_step["w1"], start["w1"] - 0.1 * gradients["w1"])
    assert losses[1] == mlp.backward(one_step, X, Y)[1]


def test_a_rate_on_the_sum_over_the_examples_is_larger_on_the_mean():
    """Chapter 01 says that the article's rate of 0.1 is 0.4 here."""
    start = mlp.init_parameters(2, 4, 1, initializer="normal")
    hidden, output = mlp.forward(start, XOR_X, "sigmoid")
    articles_step = 0.1 * hidden.T @ ((XOR_Y - output) * output * (1 - output))
    kind = {"activation": "sigmoid", "loss": "squared_error"}
    trained, _ = mlp.train(start, XOR_X, XOR_Y, epochs=1, learning_rate=0.4, **kind)
    np.testing.assert_allclose(trained["w2"] - start["w2"], articles_step, rtol=1e-9)


def test_losses_by_hand():
    output, y = np.array([[0.8], [0.4]]), np.array([[1.0], [0.0]])
    assert mlp.loss_value(output, y) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    expected = (0.2**2 / 2 + 0.4**2 / 2) / 2
    assert mlp.loss_value(output, y, "squared_error") == pytest.approx(expected)


def test_a_sure_mistake_costs_much_but_not_infinitely_much():
    value = mlp.loss_value(np.array([[0.0]]), np.array([[1.0]]))
    assert 100 < value < 1000


def test_sigmoid_never_overflows():
    with np.errstate(all="raise"):
        values = mlp.sigmoid(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    np.testing.assert_allclose(values, [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1], rtol=1e-12)


def test_solved_needs_every_example_within_the_margin():
    y = np.array([[0.0], [1.0]])
    outputs = np.array([[[0.05], [0.95]], [[0.3], [0.95]], [[0.05], [0.45]]])
    assert mlp.solved(outputs, y).tolist() == [True, False, False]
    assert mlp.solved(outputs, y, margin=0.4).tolist() == [True, True, False]


# ---- Keras ----


@pytest.mark.parametrize("activation", list(mlp.ACTIVATIONS))
def test_the_keras_model_with_the_same_weights_gives_the_same_outputs(activation: str):
    parameters = parameters_of()
    model = mlp.build_mlp(3, 5, 2, activation=activation)
    model.set_weights([value.reshape(-1) if name[0] == "b" else value
                       for name, value in parameters.items()])  # fmt: skip
    output = model(X.astype("float32"))
    assert output.dtype == tf.float32
    _, expected = mlp.forward(parameters, X, activation)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


def test_the_keras_model_has_the_parameters_of_a_hand_count():
    assert mlp.build_mlp().count_params() == 2 * 4 + 4 + 4 * 1 + 1 == 17
    assert mlp.build_mlp(3, 5, 2).output_shape == (None, 2)


def test_a_gradient_reaches_every_weight_of_the_keras_model():
    keras.utils.set_random_seed(0)
    model = mlp.build_mlp(3, 5, 2)
    with tf.GradientTape() as tape:
        loss = keras.losses.binary_crossentropy(Y, model(X))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) == 4
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_the_keras_model_learns_xor():
    keras.utils.set_random_seed(0)
    model = mlp.build_mlp(2, 8, 1)
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", jit_compile=False)
    model.fit(np.tile(XOR_X, (100, 1)), np.tile(XOR_Y, (100, 1)), batch_size=4, verbose=0)
    assert mlp.solved(model(XOR_X).numpy(), XOR_Y, margin=0.4).all()


def test_the_keras_model_is_the_same_after_saving_and_loading(tmp_path):
    model = mlp.build_mlp(3, 5, 2)
    model.save(tmp_path / "mlp.keras")
    loaded = keras.saving.load_model(tmp_path / "mlp.keras")
    np.testing.assert_array_equal(loaded(X), model(X))


# ---- errors ----


def test_unknown_names_are_refused():
    parameters = parameters_of()
    with pytest.raises(ValueError, match=r"one of \('normal', 'glorot'\), not 'zeros'"):
        mlp.init_parameters(1, 1, 1, initializer="zeros")
    with pytest.raises(KeyError, match="relu"):
        mlp.forward(parameters, X, "relu")
    with pytest.raises(ValueError, match=r"one of \('squared_error', 'cross_entropy'\)"):
        mlp.backward(parameters, X, Y, loss="hinge")
