"""Encoder–decoder models: against Keras, masks by moving tokens, searches against brute force."""

import itertools

import keras
import numpy as np
import pytest

from dlbook.layers.attention import causal_mask
from dlbook.models import translation
from dlbook.models.translation import search

GENERATOR = np.random.default_rng(0)
START, END = 7, 8
SOURCE = np.array([[2, 3, 4, 0], [5, 6, 2, 3], [3, 0, 0, 0]])
TARGET = np.array([[7, 2, 5, 3, 4], [7, 6, 6, 2, 5], [7, 4, 3, 2, 2]])


def build_transformer(**arguments) -> keras.Model:
    settings = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "max_length": 10} | arguments
    return stirred(translation.Translator(9, **settings))


def build_recurrent(**arguments) -> keras.Model:
    return stirred(
        translation.RecurrentTranslator(9, **({"num_units": 6, "hidden_dim": 8} | arguments))
    )


def stirred(model: keras.Model) -> keras.Model:
    """Larger random weights, so that the likeliest tokens differ."""
    generator = np.random.default_rng(1)
    for weight in model.trainable_variables:
        weight.assign(weight + 0.8 * generator.normal(size=weight.shape))
    return model


both = pytest.mark.parametrize("build", [build_transformer, build_recurrent])


def scores(model, source, target) -> np.ndarray:
    return np.asarray(model((np.asarray(source), np.asarray(target))))


def places_that_move(model, source, target) -> list[bool]:
    difference = np.abs(scores(model, source, target) - scores(model, SOURCE, TARGET))
    return (difference.max(axis=(0, 2)) > 1e-4).tolist()


def log_probability(model, source, tokens) -> float:
    """The sum over a translation, from one call of the whole model."""
    reads = np.array([[START, *tokens]])
    logits = scores(model, source[None], reads)[0].astype("float64")
    logits[:, [0, START]] = -np.inf
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return sum(logs[place, token] for place, token in enumerate(tokens))


def test_cross_attention_is_keras():
    ours = translation.CrossAttention(num_heads=2)
    ours.build((None, None, 8))
    ours.set_weights([GENERATOR.normal(size=w.shape) for w in ours.get_weights()])
    query, query_bias, key_value, key_value_bias, project, project_bias = ours.get_weights()
    theirs = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    theirs.build((None, 5, 8), (None, 3, 8))
    weights = []
    for matrix, bias in (
        (query, query_bias),
        (key_value[:, :8], key_value_bias[:8]),
        (key_value[:, 8:], key_value_bias[8:]),
    ):
        weights += [matrix.reshape(8, 2, 4), bias.reshape(2, 4)]
    theirs.set_weights([*weights, project.reshape(2, 4, 8), project_bias])
    x, memory = (GENERATOR.normal(size=(2, n, 8)).astype("float32") for n in (5, 3))
    mask = np.array([[True, True, False], [True, True, True]])[:, None]
    wanted = theirs(x, memory, attention_mask=mask)
    found = ours(x, ours.keys_and_values(memory), mask[:, None])
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_decoder_block_is_its_equation():
    block = translation.DecoderBlock(num_heads=2)
    block.build((None, None, 8))
    x, memory = (GENERATOR.normal(size=(1, 4, 8)).astype("float32") for _ in range(2))
    keys_and_values, mask = block.cross.keys_and_values(memory), causal_mask(4, 4)
    back = x + block.attention(block.norm_1(x), mask)
    across = back + block.cross(block.norm_cross(back), keys_and_values)
    wanted = across + block.contract(block.expand(block.norm_2(across)))
    np.testing.assert_allclose(block(x, keys_and_values, mask), wanted, atol=1e-6)


def test_parameters_by_hand():
    d, layers = 8, 2
    attention, think, norm = 4 * d * (d + 1), 8 * d * d + 5 * d, 2 * d
    encoder = layers * (attention + think + 2 * norm) + norm
    decoder = layers * (2 * attention + think + 3 * norm) + norm
    assert build_transformer().count_params() == 9 * d + encoder + decoder


@both
def test_shapes_and_dtype(build):
    logits = build()((SOURCE, TARGET))
    assert logits.shape == (3, 5, 9)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"


@both
def test_a_later_token_moves_no_earlier_place(build):
    changed = TARGET.copy()
    changed[:, 3] = 6
    moves = places_that_move(build(), SOURCE, changed)
    assert moves[:3] == [False] * 3
    assert moves[3]


@both
def test_every_place_sees_the_source_but_not_its_padding(build):
    model, changed = build(), SOURCE.copy()
    changed[:, 0] = 6
    assert all(places_that_move(model, changed, TARGET))
    wider = np.pad(SOURCE, ((0, 0), (0, 3)))
    assert not any(places_that_move(model, wider, TARGET))


def test_order_of_the_source_counts():
    assert all(places_that_move(build_transformer(), SOURCE[:, [1, 0, 2, 3]], TARGET))


def test_cross_attention_weights():
    maps = build_transformer().cross_attention(SOURCE, TARGET)
    assert maps.shape == (2, 3, 2, 5, 4)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)
    assert np.abs(maps[:, 2, :, :, 1:]).max() < 1e-6  # padding


def test_sinusoids():
    waves = translation.sinusoids(6, 4)
    assert waves.shape == (6, 4)
    np.testing.assert_allclose(waves[3], [np.sin(3), np.sin(0.03), np.cos(3), np.cos(0.03)], 1e-5)
    with pytest.raises(ValueError, match="must be even"):
        translation.sinusoids(6, 3)


def test_smoothed_loss_is_keras_and_leaves_padding_out():
    logits = GENERATOR.normal(size=(2, 3, 5)).astype("float32")
    targets = np.array([[1, 2, 0], [3, 0, 0]])
    keras_loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.2, reduction="none"
    )
    wanted = np.asarray(keras_loss(np.eye(5)[targets], logits))[targets > 0].mean()
    found = translation.smoothed_cross_entropy(targets, logits, smoothing=0.2)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert float(translation.smoothed_cross_entropy(np.zeros((2, 3), int), logits)) == 0


@both
@pytest.mark.parametrize("num_beams", [1, 3])
def test_cached_is_uncached(build, num_beams):
    keras.utils.set_random_seed(3)  # a start whose translations have more than one token
    model = build()
    settings = {"start": START, "end": END, "max_length": 6, "num_beams": num_beams}
    found = [
        search.translate(model, SOURCE, **settings, use_cache=cache, jit_compile=False)
        for cache in (True, False)
    ]
    np.testing.assert_array_equal(*found)
    assert len(set(found[0].ravel().tolist())) > 1


@both
def test_enough_beams_find_the_best_translation(build):
    model, alpha = build(), 0.8
    found = search.translate(
        model,
        SOURCE,
        start=START,
        end=END,
        max_length=2,
        num_beams=9,
        alpha=alpha,
        jit_compile=False,
    )
    tokens = [token for token in range(9) if token not in (0, START, END)]
    options = [(END,), *((t, END) for t in tokens), *itertools.product(tokens, tokens)]
    for source, row in zip(SOURCE, found, strict=True):
        best = max(
            options,
            key=lambda o: log_probability(model, source, o) / ((5 + len(o)) / 6) ** alpha,
        )
        assert row[row > 0].tolist() == [token for token in best if token != END]


def test_xla_and_batches_change_nothing():
    model, settings = build_transformer(), {"start": START, "end": END, "max_length": 5}
    plain = search.translate(model, SOURCE, **settings, num_beams=2, jit_compile=False)
    compiled = search.translate(model, SOURCE, **settings, num_beams=2, batch_size=2)
    np.testing.assert_array_equal(plain, compiled)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": np.zeros((0, 4), int)}, "at least one sentence"),
        ({"source": SOURCE[0]}, r"\(sentences, width\)"),
        ({"source": np.array([[1, 2], [0, 0]])}, "sentence 1 is all padding; leave it out"),
        ({"source": np.array([[9]])}, "tokens must be from 0 to 8; was the vocabulary"),
        ({"num_beams": 0}, "num_beams must be from 1"),
        ({"max_length": 11}, "max_length must be from 1 to the model's 10"),
        ({"start": END}, "must be two tokens"),
    ],
)
def test_bad_input_is_named(change, message):
    settings = {"source": SOURCE, "start": START, "end": END, "max_length": 4} | change
    with pytest.raises(ValueError, match=message):
        search.translate(build_transformer(), **settings)


def test_contradicting_settings_are_refused():
    with pytest.raises(ValueError, match="num_heads=3 must divide"):
        translation.Translator(9, num_heads=3, hidden_dim=8)
    with pytest.raises(ValueError, match="num_units=5 must be even"):
        translation.RecurrentTranslator(9, num_units=5)
    with pytest.raises(ValueError, match="11 tokens are more than max_length=10"):
        build_transformer()((np.ones((1, 11), int), TARGET[:1]))


@both
def test_a_gradient_reaches_every_weight(build, check_gradients):
    check_gradients(build(), (SOURCE, TARGET))


@both
def test_saved_and_loaded(build, check_saving):
    check_saving(build(), (SOURCE, TARGET))


@both
def test_a_batch_is_learnt_by_heart(build):
    keras.utils.set_random_seed(0)
    model = build(hidden_dim=32)
    answers = np.array([[2, 5, 3, 4, 8], [6, 6, 2, 5, 8], [4, 3, 2, 2, 8]])
    model.compile(keras.optimizers.Adam(0.01), translation.smoothed_cross_entropy)
    often = [np.tile(array, (300, 1)) for array in (SOURCE, TARGET, answers)]
    model.fit((often[0], often[1]), often[2], batch_size=3, shuffle=False, verbose=0)
    written = search.translate(model, SOURCE, start=START, end=END, max_length=5, jit_compile=False)
    np.testing.assert_array_equal(written, np.where(answers == END, 0, answers))
