"""The dense nets: shapes, hand counts, equality with references, gradients, saving."""

import numpy as np
import pytest

from dlbook.models import dnn

import keras  # isort: skip
import tensorflow as tf  # isort: skip

GENERATOR = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype("float32")


BUILDERS = {
    "plain": lambda: dnn.build_dnn(6, 3, hidden=(5, 4)),
    "normalised": lambda: dnn.build_dnn(6, 3, hidden=(5, 4), batch_norm=True, dropout=0.2),
    "linear": lambda: dnn.build_dnn(6, 3, hidden=()),
    "article": lambda: dnn.build_article_dnn(6, 3),
}
EVERY_BUILDER = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


@EVERY_BUILDER
def test_logits_have_one_column_per_class(build):
    logits = build()(numbers(7, 6))
    assert (logits.shape, logits.dtype) == ((7, 3), tf.float32)
    assert not np.allclose(logits.numpy().sum(axis=1), 1)  # logits, not probabilities


@pytest.mark.parametrize("hidden", [(), (5,), (7, 4, 3)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_parameters_by_hand(hidden, batch_norm):
    expected, inputs = 0, 6
    for units in hidden:
        # the normalisation has four numbers for each unit, and takes the place of the bias
        expected += inputs * units + (4 if batch_norm else 1) * units
        inputs = units
    expected += (inputs + 1) * 3
    assert dnn.build_dnn(6, 3, hidden=hidden, batch_norm=batch_norm).count_params() == expected


def test_parameters_of_the_article_net_by_hand():
    assert dnn.build_article_dnn().count_params() == (4 + 1) * 64 + (64 + 1) * 32 + 33 * 3 == 2_499


def test_the_network_is_matrix_products_and_relu():
    net = dnn.build_dnn(6, 3, hidden=(5, 4))
    (k1, b1), (k2, b2), (k3, b3) = (
        (layer.kernel.numpy(), numbers(layer.units)) for layer in net.layers if layer.weights
    )
    net.set_weights([k1, b1, k2, b2, k3, b3])
    x = numbers(7, 6)
    expected = np.maximum(np.maximum(x @ k1 + b1, 0) @ k2 + b2, 0) @ k3 + b3
    np.testing.assert_allclose(net(x), expected, rtol=1e-4, atol=1e-5)


def test_normalisation_stands_before_the_activation():
    net = dnn.build_dnn(6, 3, hidden=(50,), batch_norm=True)
    hidden = keras.Model(net.input, net.get_layer("norm1").output)
    sums = hidden(100 * numbers(400, 6) + 7, training=True).numpy()
    np.testing.assert_allclose(sums.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(sums.std(axis=0), 1, atol=1e-2)


def test_dropout_is_for_training_only():
    net = dnn.build_dnn(6, 3, hidden=(50,), dropout=0.5)
    x = numbers(4, 6)
    np.testing.assert_array_equal(net(x), net(x, training=False))
    assert not np.array_equal(net(x, training=True), net(x, training=True))


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [("he_normal", (2 / 400) ** 0.5), (keras.initializers.RandomNormal(stddev=0.05), 0.05)],
)
def test_the_start_is_as_wanted_and_differs_from_layer_to_layer(initializer, deviation):
    net = dnn.build_dnn(400, 2, hidden=(400, 400), initializer=initializer)
    first, second = (net.get_layer(f"dense{n}").kernel.numpy() for n in (1, 2))
    np.testing.assert_allclose([first.std(), second.std()], deviation, rtol=0.02)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.02


@EVERY_BUILDER
def test_a_gradient_reaches_every_weight(build):
    keras.utils.set_random_seed(0)
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(np.arange(60) % 3, model(numbers(60, 6), training=True))
    gradients = tape.gradient(value, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.abs(gradient).max() > 0, variable.path


@EVERY_BUILDER
def test_a_saved_model_gives_the_same_output(build, tmp_path):
    model = build()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = numbers(2, 6)
    np.testing.assert_array_equal(loaded(x, training=False), model(x, training=False))


def test_one_small_batch_is_learned_by_heart():
    keras.utils.set_random_seed(0)
    model = dnn.build_dnn(6, 3, hidden=(30, 30))
    x, y = numbers(16, 6), np.arange(16) % 3
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    assert loss(y, model(x)) > 0.8
    model.fit(np.tile(x, (150, 1)), np.tile(y, 150), batch_size=16, shuffle=False, verbose=0)
    assert loss(y, model(x)) < 0.1


# ---- many networks in one ----


def small_stack(nets: int = 4) -> keras.Model:
    keras.utils.set_random_seed(0)
    return dnn.build_stacked_dnn(nets, 6, 3, hidden=(8, 5))


def alone(stack: keras.Model, number: int) -> keras.Model:
    """One network of a stack, as a model of its own."""
    net = dnn.build_dnn(6, 3, hidden=(8, 5))
    net.set_weights([weight[number] for weight in stack.get_weights()])
    return net


def test_each_network_of_a_stack_is_an_ordinary_network():
    stack = small_stack()
    x = numbers(7, 4, 6)
    assert stack(x).shape == (7, 4, 3)
    for number in range(4):
        expected = alone(stack, number)(x[:, number])
        np.testing.assert_allclose(stack(x)[:, number], expected, rtol=1e-4, atol=1e-5)


def test_networks_of_a_stack_train_as_if_alone():
    """One of them sees a part of the examples only: a weight of 0 hides the others."""
    stack = small_stack()
    single = alone(stack, 2)
    x, y = numbers(12, 4, 6), np.arange(12) % 3
    seen = np.ones((12, 4), "float32")
    seen[9:, 2] = 0
    for net in (stack, single):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # without epsilon, Adam's steps do not depend on how many networks share the mean loss
        net.compile(keras.optimizers.Adam(0.01, epsilon=1e-20), loss, jit_compile=False)
    for _ in range(5):
        stack.train_on_batch(x, np.repeat(y[:, None], 4, axis=1), sample_weight=seen)
        single.train_on_batch(x[:9, 2], y[:9])
    for together, one in zip(stack.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_allclose(together[2], one, atol=2e-3)


def test_each_network_of_a_stack_starts_as_if_alone():
    keras.utils.set_random_seed(0)
    stack = dnn.build_stacked_dnn(3, 200, 2, hidden=(100,))
    kernel = stack.get_layer("dense1").kernel.numpy()
    np.testing.assert_allclose(kernel.std(axis=(1, 2)), (2 / 200) ** 0.5, rtol=0.03)
    correlations = np.corrcoef(kernel.reshape(3, -1))
    np.testing.assert_allclose(correlations, np.eye(3), atol=0.03)


def test_a_saved_stack_gives_the_same_output(tmp_path):
    stack = small_stack()
    stack.save(tmp_path / "stack.keras")
    x = numbers(2, 4, 6)
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "stack.keras")(x), stack(x))


# ---- what depth can do, and what it cannot do alone ----


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_the_sawtooth_has_twice_the_teeth_with_each_fold(folds):
    net = dnn.build_sawtooth(folds)
    corners = np.arange(2**folds + 1)[:, None] / 2**folds
    np.testing.assert_allclose(net(corners)[:, 0], np.arange(len(corners)) % 2, atol=1e-6)
    between = (corners[:-1] + corners[1:]) / 2
    np.testing.assert_allclose(net(between)[:, 0], 0.5, atol=1e-6)
    assert net.count_params() == 6 * folds + 1


def test_layers_without_activation_are_one_layer():
    net = dnn.build_dnn(6, 3, hidden=(5, 9, 4), activation="linear")
    net.set_weights([numbers(*weight.shape) for weight in net.get_weights()])
    kernels, biases = net.get_weights()[::2], net.get_weights()[1::2]
    kernel, bias = dnn.collapse(kernels, biases)
    assert (kernel.shape, bias.shape) == ((6, 3), (3,))
    x = numbers(7, 6)
    np.testing.assert_allclose(x @ kernel + bias, net(x), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("kernels", "biases"), [([], []), ([np.eye(2)], [])])
def test_layers_that_are_not_all_there_are_refused(kernels, biases):
    with pytest.raises(ValueError, match="one of each or more"):
        dnn.collapse(kernels, biases)
