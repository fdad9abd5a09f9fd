"""Plain recurrent nets against NumPy, masks by changing what is masked, and XLA's compilations."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlbook.models import rnn

GENERATOR = np.random.default_rng(0)


def texts(*lengths: int, width: int = 9, num_words: int = 20) -> np.ndarray:
    """Random numbers of words, padded with zeros."""
    padded = np.zeros((len(lengths), width), np.int32)
    for row, length in enumerate(lengths):
        padded[row, :length] = GENERATOR.integers(1, num_words, length)
    return padded


def build_small(**arguments) -> keras.Model:
    settings = {"num_words": 20, "embedding_dim": 5, "num_units": (4, 3), "dropout": 0.0}
    return rnn.build_sentiment_rnn(**(settings | arguments))


def states_of(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray):
    """The textbook's recurrence, one example and one step at a time: (examples, steps, units)."""
    states = np.zeros((*x.shape[:2], len(bias)))
    for example in range(len(x)):
        h = np.zeros(len(bias))
        for step in range(x.shape[1]):
            h = np.tanh(x[example, step] @ kernel + h @ recurrent + bias)
            states[example, step] = h
    return states


# ---- recall of one bit ----


def test_the_bit_stands_in_the_first_step_alone():
    x, bits = rnn.recall_batch(np.random.default_rng(0), 5, 4)
    assert x.shape == (4, 5, 8)
    np.testing.assert_array_equal(x[0, :, :1], 2 * bits - 1)
    assert not x[1:, :, 0].any()
    assert x[1:, :, 1:].all()


def test_gradients_of_recall_agree_with_the_tape_for_each_net():
    shapes = ((2, 8, 5), (2, 5, 5), (2, 1, 5), (2, 5, 1))
    weights = tuple(GENERATOR.normal(size=shape).astype("float32") for shape in shapes)
    x, bits = rnn.recall_batch(GENERATOR, 6, 4)
    right, gradients = rnn.recall_gradients(weights, x, bits)
    for net in range(2):
        W, U, b, v = (tf.Variable(part[net]) for part in weights)
        with tf.GradientTape() as tape:
            h = tf.zeros((6, 5))
            for step in x:
                h = tf.tanh(step @ W + h @ U + b)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(bits.astype("float32"), h @ v)
            loss = tf.reduce_mean(losses)
        for ours, its in zip(gradients, tape.gradient(loss, [W, U, b, v]), strict=True):
            np.testing.assert_allclose(ours[net], its, atol=1e-5)
        assert right[net] == np.mean((np.asarray(h @ v) > 0) == bits)


def test_recall_is_learnt_over_few_steps_and_not_at_rate_zero():
    right = rnn.learn_recall(3, (0.0, 0.01), size=0.05, starts=2)
    assert right.shape == (2, 2)
    assert right[:, 1].min() > 0.95
    assert right[:, 0].max() < 0.95


@pytest.mark.parametrize("wrong", [{"length": 0}, {"starts": 0}, {"updates": 0}])
def test_recall_needs_something_to_do(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        rnn.learn_recall(**({"length": 3, "rates": (0.01,)} | wrong))


# ---- the sentiment model ----


def test_the_reader_agrees_with_the_equations():
    model, x = build_small(), texts(9, 9)
    table, *weights, last, shift = model.get_weights()
    lower = states_of(table[x], *weights[:3])
    upper = states_of(lower, *weights[3:])
    np.testing.assert_allclose(model(x), upper[:, -1] @ last + shift, atol=1e-5)


def test_the_primers_net_agrees_with_the_equations():
    model, x = rnn.build_primer_rnn((6, 2), 3, num_units=4), GENERATOR.normal(size=(5, 6, 2))
    model.set_weights([GENERATOR.normal(size=w.shape) for w in model.get_weights()])
    *layer, last, shift = model.get_weights()
    states = states_of(x, *layer)
    np.testing.assert_allclose(model(x), states[:, -1] @ last + shift, atol=1e-5)


def test_parameters_of_the_reader_by_hand():
    model = build_small()
    assert model.count_params() == 20 * 5 + 4 * (5 + 4 + 1) + 3 * (4 + 3 + 1) + (3 + 1)
    assert build_small(num_units=(6,)).count_params() == 20 * 5 + 6 * (5 + 6 + 1) + 7
    assert model.output_shape == (None, 1)
    assert model(texts(3, 4)).dtype == "float32"


def test_padding_changes_nothing_wherever_it_stands():
    model, x = build_small(), texts(4, 9, 1)
    wider = np.pad(x, ((0, 0), (0, 6)))
    np.testing.assert_allclose(model(x), model(wider), atol=1e-6)
    np.testing.assert_allclose(model(x[:1, :4]), model(x)[:1], atol=1e-6)
    np.testing.assert_allclose(model(np.pad(x, ((0, 0), (6, 0)))), model(x), atol=1e-6)


def test_what_is_masked_may_be_anything():
    model, x = build_small(), texts(4, 9, 1)
    hidden = np.where(np.arange(20)[:, None] == 0, 50.0, 0.0)  # padding's own row of the table
    before = np.asarray(model(x))
    layer = model.get_layer("embedding")
    layer.set_weights([layer.get_weights()[0] + hidden])
    np.testing.assert_array_equal(model(x), before)
    other = np.where(x == x[0, 0], x[0, 0] % 19 + 1, x)  # but a word that is read does count
    assert np.abs(model(other)[0] - before[0]).max() > 1e-7


def test_the_articles_nets_do_read_the_padding():
    for build in (rnn.build_language_rnn, rnn.build_five_rnn):
        model, x = build(20), texts(4, 6)
        assert np.abs(model(np.pad(x, ((0, 0), (0, 3)))) - model(x)).max() > 1e-6


def test_the_order_of_words_matters():
    model, x = build_small(), texts(6, 6)
    x[:, :2] = (1, 2)
    assert np.abs(model(x) - model(x[:, [1, 0, 2, 3, 4, 5, 6, 7, 8]])).max() > 1e-7


def test_dropout_is_for_training_only():
    model, x = build_small(dropout=0.5), texts(5, 7)
    np.testing.assert_array_equal(model(x), model(x, training=False))
    assert not np.allclose(model(x, training=True), model(x))


def test_a_reader_needs_a_layer():
    with pytest.raises(ValueError, match="num_units is empty: give the units of at least one"):
        build_small(num_units=())


# ---- the character model and its state ----


def test_the_character_net_reads_one_hot_vectors_and_no_future():
    model = rnn.build_character_rnn(5, num_units=4)
    x = np.array([[0, 3, 4, 1]], np.int32)
    kernel, recurrent, bias, last, shift = model.get_weights()
    states = states_of(np.eye(5)[x], kernel, recurrent, bias)
    np.testing.assert_allclose(model(x), states @ last + shift, atol=1e-5)
    other = np.array([[0, 3, 2, 1]], np.int32)
    np.testing.assert_array_equal(model(x)[:, :2], model(other)[:, :2])
    assert np.abs(model(x)[:, 2] - model(other)[:, 2]).max() > 0
    np.testing.assert_allclose(model(x[:, :1]), model(x)[:, :1], atol=1e-6)
    assert model.count_params() == 4 * (5 + 4 + 1) + 5 * (4 + 1)


def test_a_carried_state_goes_on_row_by_row_until_it_is_reset():
    at_once = rnn.build_character_rnn(6, num_units=4)
    carried = rnn.build_character_rnn(6, num_units=4, batch_size=3)
    for ours, its in zip(carried.trainable_variables, at_once.trainable_variables, strict=True):
        ours.assign(its)
    x = GENERATOR.integers(0, 6, (3, 10)).astype("int32")
    for _ in range(2):
        parts = [np.asarray(carried(part)) for part in (x[:, :4], x[:, 4:7], x[:, 7:])]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), at_once(x), atol=1e-5)
        carried.get_layer("rnn").reset_state()
    np.testing.assert_allclose(carried(x[:, 4:]), at_once(x[:, 4:]), atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_state_is_carried_in_training_too(jit_compile):
    model = rnn.build_character_rnn(6, num_units=4, batch_size=2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss, jit_compile=jit_compile)
    x = GENERATOR.integers(0, 6, (2, 8)).astype("int32")
    batches = tf.data.Dataset.from_tensor_slices((x.reshape(2, 2, 4).swapaxes(0, 1),) * 2)
    model.fit(batches, epochs=1, shuffle=False, verbose=0)
    at_once = rnn.build_character_rnn(6, num_units=4)
    at_once.set_weights([variable.numpy() for variable in model.trainable_variables])
    states = at_once.get_layer("rnn")(keras.ops.one_hot(x, 6))
    np.testing.assert_allclose(model.get_layer("rnn").states[0], states[:, -1], atol=1e-5)


# ---- all builders ----

MODELS = {
    "sentiment": (lambda: build_small(), texts(5, 9, 2, 7)),
    "language": (lambda: rnn.build_language_rnn(20), texts(5, 9, 2, 7)),
    "five": (lambda: rnn.build_five_rnn(20), texts(5, 9, 2, 7)),
    "primer": (
        lambda: rnn.build_primer_rnn((6, 2), 3, num_units=4),
        GENERATOR.normal(size=(4, 6, 2)).astype("float32"),
    ),
    "characters": (
        lambda: rnn.build_character_rnn(5, num_units=4),
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
    model, x, y = build_small(num_units=(8, 8)), texts(*range(2, 10)), np.arange(8) % 2
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    assert loss(y[:, None], model(x)) > 0.5
    model.fit(np.tile(x, (80, 1)), np.tile(y, 80), batch_size=8, shuffle=False, verbose=0)
    assert loss(y[:, None], model(x)) < 0.05


def test_the_articles_nets_by_hand():
    language = rnn.build_language_rnn()
    assert language.count_params() == 10_000 * 32 + 2 * 32 * (32 + 32 + 1) + 33
    five = rnn.build_five_rnn()
    assert five.count_params() == 10_000 * 100 + 256 * (100 + 256 + 1) + 257
    primer = rnn.build_primer_rnn((None, 3), 2, num_units=5)
    assert primer.count_params() == 5 * (3 + 5 + 1) + 2 * (5 + 1)


# Every width of batches must be compiled once, however many batches there are. XLA writes down
# each program that it compiles; those of a training step have the optimizer's work in them.
COUNT = """
import sys
from pathlib import Path
import dlbook
from dlbook import train
import keras, numpy as np, tensorflow as tf
from dlbook.models import rnn
from dlbook.text import batches_by_length, group_by_length

rng = np.random.default_rng(0)
name, epochs = sys.argv[1], int(sys.argv[2])
if name == "characters":
    model = rnn.build_character_rnn(20, num_units=4, batch_size=8)
    x = rng.integers(0, 20, (6, 8, 12)).astype("int32")
    batches = tf.data.Dataset.from_tensor_slices((x, x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
else:
    build = {"sentiment": rnn.build_sentiment_rnn, "language": rnn.build_language_rnn,
             "five": rnn.build_five_rnn}[name]
    model = build(20)
    sequences = [rng.integers(1, 20, n) for n in rng.integers(3, 17, 96)]
    groups = group_by_length(sequences, [8, 16])
    batches = batches_by_length(groups, np.arange(96.0)[:, None] % 2, batch_size=8)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(), loss, jit_compile=True)
train.fit(model, batches, epochs=epochs, table=False)
print("batches", epochs * len(batches))
"""


def compilations(name: str, epochs: int, folder: Path) -> tuple[int, int]:
    """Programs with a whole training step in them that XLA compiled, and the batches trained on."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, name, str(epochs)],
        env={**os.environ, "XLA_FLAGS": f"--xla_dump_to={folder} --xla_dump_hlo_as_text"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    programs = [path for path in folder.glob("*before_optimizations.txt") if "step" in path.name]
    return len(programs), int(done.stdout.split("batches")[1])


@pytest.mark.parametrize(("name", "shapes"), [("sentiment", 2), ("characters", 1)])
def test_xla_compiles_once_for_each_shape_and_not_for_each_batch(name, shapes, tmp_path):
    programs, batches = compilations(name, 2, tmp_path)
    assert batches >= 12
    assert programs == shapes
