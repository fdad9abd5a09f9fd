"""LSTMs against plain NumPy, masks and padding, counts by hand."""

import keras
import numpy as np
import pytest

from dlbook.models import lstm

GENERATOR = np.random.default_rng(0)


def texts(*lengths: int, width: int = 9, num_words: int = 20) -> np.ndarray:
    """Random numbers of words, padded with zeros."""
    padded = np.zeros((len(lengths), width), np.int32)
    for row, length in enumerate(lengths):
        padded[row, :length] = GENERATOR.integers(1, num_words, length)
    return padded


def build_small(**arguments) -> keras.Model:
    settings = {"num_words": 20, "embedding_dim": 5, "num_units": 4, "dropout": 0.0} | arguments
    return lstm.build_sentiment_lstm(**settings)


def random_layer(units: int = 3, features: int = 2, **arguments) -> keras.layers.LSTM:
    layer = keras.layers.LSTM(units, return_sequences=True, **arguments)
    layer.build((None, None, features))
    layer.set_weights([GENERATOR.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def by_hand(layer: keras.layers.LSTM, x: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    """The textbook's equations in NumPy, one example and one step at a time."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    kernel, recurrent, *rest = layer.get_weights()
    n = layer.units
    bias = rest[0] if rest else np.zeros(4 * n)
    parts = {name: np.zeros((*x.shape[:2], n)) for name in lstm.LSTMTrace._fields}
    for example in range(len(x)):
        hidden, cell = np.zeros(n), np.zeros(n)
        steps = range(x.shape[1])
        for t in reversed(steps) if layer.go_backwards else steps:
            z = x[example, t] @ kernel + hidden @ recurrent + bias
            i, f, o = sigmoid(z[:n]), sigmoid(z[n : 2 * n]), sigmoid(z[3 * n :])
            g = np.tanh(z[2 * n : 3 * n])
            if mask[example, t]:
                cell = f * cell + i * g
                hidden = o * np.tanh(cell)
            for name, value in zip(parts, (i, f, g, o, cell, hidden), strict=True):
                parts[name][example, t] = value
    return parts


# ---- the layer and its trace ----


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_trace_and_keras_agree_with_the_equations(backwards, use_bias, masked):
    layer = random_layer(go_backwards=backwards, use_bias=use_bias)
    x = GENERATOR.normal(size=(4, 7, 2)).astype("float32")
    mask = np.ones((4, 7), bool)
    if masked:
        mask[1, 5:] = mask[2, :3] = mask[3, 2:4] = False
    expected = by_hand(layer, x, mask)
    trace = lstm.trace_lstm(layer, x, mask if masked else None)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(trace, name), value, atol=1e-5, err_msg=name)
    by_keras = np.asarray(layer(x, mask=mask if masked else None))
    if backwards:  # Keras gives the outputs in the order of reading
        by_keras = by_keras[:, ::-1]
    np.testing.assert_allclose(by_keras[mask], expected["hidden"][mask], atol=1e-5)


def test_trace_of_both_directions():
    both = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True))
    x = GENERATOR.normal(size=(2, 6, 4)).astype("float32")
    outputs = np.asarray(both(x))
    there = lstm.trace_lstm(both.forward_layer, x).hidden
    back = lstm.trace_lstm(both.backward_layer, x).hidden
    np.testing.assert_allclose(np.concatenate([there, back], axis=-1), outputs, atol=1e-5)


def test_trace_refuses_what_it_would_compute_wrongly():
    with pytest.raises(ValueError, match=r"mask must be \(1, 2\), not \(2, 2\)"):
        lstm.trace_lstm(random_layer(2, 3), np.zeros((1, 2, 3)), np.ones((2, 2), bool))
    other = random_layer(2, 3, activation="relu")
    with pytest.raises(ValueError, match=r"activations tanh and sigmoid, not \['relu'"):
        lstm.trace_lstm(other, np.zeros((1, 2, 3)))


def test_parameters_of_a_layer_by_hand():
    layer = random_layer(units=7, features=5)
    assert layer.count_params() == 4 * (7 * (7 + 5) + 7)


def test_the_forget_gate_starts_at_one():
    layer = keras.layers.LSTM(3)
    layer.build((None, None, 2))
    assert np.asarray(layer.cell.bias).tolist() == [0] * 3 + [1] * 3 + [0] * 6


# ---- the sentiment model ----


@pytest.mark.parametrize("bidirectional", [True, False])
def test_parameters_of_the_sentiment_model_by_hand(bidirectional):
    model = build_small(bidirectional=bidirectional)
    directions = 2 if bidirectional else 1
    one = 4 * (4 * (4 + 5) + 4)
    # mean and largest value of each unit meet the last layer
    assert model.count_params() == 20 * 5 + directions * one + (2 * directions * 4 + 1)
    assert model.output_shape == (None, 1)
    assert model(texts(3, 4)).dtype == "float32"


@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_changes_nothing(bidirectional):
    model = build_small(bidirectional=bidirectional)
    x = texts(4, 9, 1)
    wider = np.pad(x, ((0, 0), (0, 6)))
    np.testing.assert_allclose(model(x), model(wider), atol=1e-6)
    np.testing.assert_allclose(model(x[:1, :4]), model(x)[:1], atol=1e-6)
    before = np.pad(x, ((0, 0), (6, 0)))
    np.testing.assert_allclose(model(x), model(before), atol=1e-6)


def test_the_order_of_words_matters():
    model = build_small(bidirectional=False)
    x = texts(6, 6)
    assert np.abs(model(x) - model(x[:, [1, 0, 2, 3, 4, 5, 6, 7, 8]])).max() > 1e-6


def test_dropout_is_for_training_only():
    model, x = build_small(dropout=0.5), texts(5, 7)
    np.testing.assert_array_equal(model(x), model(x, training=False))
    assert not np.allclose(model(x, training=True), model(x))


MODELS = {
    "sentiment": (lambda: build_small(), texts(5, 9, 2, 7)),
    "both ways": (lambda: build_small(bidirectional=True), texts(5, 9, 2, 7)),
    "ten": (
        lambda: lstm.build_ten_lstm((6, 2), 3),
        GENERATOR.normal(size=(4, 6, 2)).astype("float32"),
    ),
    "primer": (
        lambda: lstm.build_primer_lstm((6, 2), 3, num_units=4),
        GENERATOR.normal(size=(4, 6, 2)).astype("float32"),
    ),
    "notes": (
        lambda: lstm.build_notes_lstm(5, num_units=4),
        GENERATOR.integers(0, 5, (4, 6)).astype("int32"),
    ),
}
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


@EVERY_MODEL
def test_a_gradient_reaches_every_weight(name, check_gradients):
    keras.utils.set_random_seed(0)
    build, x = MODELS[name]
    check_gradients(build(), x)


@EVERY_MODEL
def test_a_saved_model_gives_the_same_output(name, check_saving):
    build, x = MODELS[name]
    check_saving(build(), x)


def test_one_small_batch_is_learned_by_heart():
    keras.utils.set_random_seed(0)
    model, x, y = build_small(), texts(*range(2, 10)), np.arange(8) % 2
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss, jit_compile=False)
    assert loss(y[:, None], model(x)) > 0.5
    model.fit(np.tile(x, (60, 1)), np.tile(y, 60), batch_size=8, shuffle=False, verbose=0)
    assert loss(y[:, None], model(x)) < 0.05


# ---- the articles' nets ----


def test_the_articles_nets_by_hand():
    assert lstm.build_ten_lstm().count_params() == 4 * (128 * (128 + 28) + 128) + 1_290 == 81_674
    primer = lstm.build_primer_lstm((None, 3), 2, num_units=5)
    assert primer.count_params() == 4 * (5 * (5 + 3) + 5) + 5 * 2 + 2
    notes = lstm.build_notes_lstm(7, num_units=5)
    assert notes.count_params() == 4 * (5 * (5 + 7) + 5) + 5 * 7 + 7
    assert notes.output_shape == (None, None, 7)


def test_the_notes_net_reads_one_hot_vectors_and_no_future():
    model = lstm.build_notes_lstm(5, num_units=4)
    x = np.array([[0, 3, 4, 1]], np.int32)
    other = np.array([[0, 3, 2, 1]], np.int32)
    layer = model.get_layer("lstm")
    np.testing.assert_allclose(
        model(x), model.get_layer("logits")(layer(np.eye(5, dtype="float32")[x])), atol=1e-6
    )
    np.testing.assert_array_equal(model(x)[:, :2], model(other)[:, :2])
    np.testing.assert_allclose(
        model(x[:, :1]), model(x)[:, :1], atol=1e-6
    )  # texts of one character
    assert np.abs(model(x)[:, 2] - model(other)[:, 2]).max() > 0
