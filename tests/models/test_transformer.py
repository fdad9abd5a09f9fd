"""The encoder against NumPy and Keras, what may see what, bad input, and XLA's compilations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlbook.models import transformer
from dlbook.models.transformer import Encoder, EncoderBlock, sinusoidal_positions

GENERATOR = np.random.default_rng(0)
SMALL = {"max_length": 9, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "feed_forward_dim": 12}


def texts(*lengths: int, width: int = 9, num_words: int = 20) -> np.ndarray:
    """Random numbers of words, padded with zeros."""
    padded = np.zeros((len(lengths), width), np.int32)
    for row, length in enumerate(lengths):
        padded[row, :length] = GENERATOR.integers(1, num_words, length)
    return padded


def labeller(**arguments) -> keras.Model:
    return transformer.build_token_labeller(20, num_labels=5, **(SMALL | arguments))


def classifier(**arguments) -> keras.Model:
    return transformer.build_text_classifier(
        20, **({"dropout": 0.0, "pooled_dropout": 0.0} | SMALL | arguments)
    )


def randomised(model: keras.Model) -> keras.Model:
    """With weights of ordinary size, scales and shifts included: else mistakes would hide."""
    model.set_weights([GENERATOR.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    return model


# ---- positions ----


def test_positions_by_the_formula():
    table = sinusoidal_positions(7, 6)
    for place in range(7):
        for pair in range(3):
            angle = place / 10_000 ** (2 * pair / 6)
            wanted = [np.sin(angle), np.cos(angle)]
            np.testing.assert_allclose(table[place, 2 * pair : 2 * pair + 2], wanted, atol=1e-6)
    assert table.dtype == np.float32


def test_positions_are_those_of_kerashub():
    keras_hub = pytest.importorskip("keras_hub")
    layer = keras_hub.layers.SinePositionEncoding()
    np.testing.assert_allclose(
        layer(np.zeros((1, 11, 8)))[0], sinusoidal_positions(11, 8), atol=1e-5
    )


@pytest.mark.parametrize(("length", "width"), [(0, 4), (4, 0), (4, 5)])
def test_positions_need_an_even_width(length: int, width: int):
    with pytest.raises(ValueError, match="length must be 1 or more and width an even number"):
        sinusoidal_positions(length, width)


# ---- the block ----


def keras_block(block: EncoderBlock, x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same computation from Keras's own layers, with copied weights."""
    width, heads = x.shape[-1], block.num_heads
    kernel, bias, out_kernel, out_bias = block.attention.get_weights()
    attention = keras.layers.MultiHeadAttention(heads, width // heads)
    attention.build(x.shape, x.shape)
    weights = []
    for k, b in zip(np.split(kernel, 3, axis=1), np.split(bias, 3), strict=True):
        weights += [k.reshape(width, heads, -1), b.reshape(heads, -1)]
    attention.set_weights([*weights, out_kernel.reshape(heads, -1, width), out_bias])
    normed = block.norm_1(x)
    x = x + attention(normed, normed, attention_mask=mask[:, None])
    return np.asarray(x + block.contract(block.expand(block.norm_2(x))))


def test_the_block_agrees_with_kerass_layers():
    block = EncoderBlock(num_heads=2, feed_forward_dim=12)
    block.build((None, None, 8))
    block.set_weights([GENERATOR.normal(size=w.shape) for w in block.get_weights()])
    x = GENERATOR.normal(size=(3, 6, 8)).astype("float32")
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2, [True] + [False] * 5])
    wanted = keras_block(block, x, mask)
    np.testing.assert_allclose(block(x, mask)[mask], wanted[mask], atol=1e-4)
    np.testing.assert_allclose(block(x), keras_block(block, x, np.ones((3, 6), bool)), atol=1e-4)


def test_dropout_works_in_training_alone():
    block = EncoderBlock(num_heads=2, feed_forward_dim=12, dropout=0.5)
    x = GENERATOR.normal(size=(2, 6, 8)).astype("float32")
    np.testing.assert_array_equal(block(x), block(x))
    assert np.abs(block(x, training=True) - block(x)).max() > 0


@pytest.mark.parametrize("shape", [(6,), (3, 5), (2, 6), (3, 1, 6), (3, 6, 6)])
def test_a_mask_of_the_wrong_shape_is_refused(shape: tuple[int, ...]):
    block, x = EncoderBlock(2, 12), np.zeros((3, 6, 8), "float32")
    with pytest.raises(ValueError, match=r"padding_mask must be \(batch, tokens\) = \(3, 6\)"):
        block(x, np.ones(shape, bool))


# ---- the models ----


def test_parameters_by_hand():
    block = 4 * 8**2 + 4 * 8 + 2 * 8 * 12 + 12 + 8 + 4 * 8
    assert labeller().count_params() == 20 * 8 + 2 * block + 2 * 8 + 8 * 5 + 5
    assert classifier().count_params() == 20 * 8 + 2 * block + 2 * 8 + 1
    default = Encoder(20, max_length=9, hidden_dim=8)
    assert default.feed_forward_dim == 32
    assert labeller().output_shape == (None, None, 5)
    assert classifier().output_shape == (None, 1)


@pytest.mark.parametrize("build", [labeller, classifier])
def test_padding_changes_nothing(build):
    model, x = randomised(build(max_length=15)), texts(4, 9, 1)
    before, real = np.asarray(model(x)), x > 0
    wider = np.asarray(model(np.pad(x, ((0, 0), (0, 6)))))
    layer = model.get_layer("encoder").embedding
    layer.set_weights([layer.get_weights()[0] + 50.0 * (np.arange(20) == 0)[:, None]])
    other_padding = np.asarray(model(x))
    if build is labeller:
        before, wider, other_padding = before[real], wider[:, :9][real], other_padding[real]
    np.testing.assert_allclose(wider, before, atol=1e-4)
    np.testing.assert_allclose(other_padding, before, atol=1e-4)


def test_every_token_sees_every_other():
    model, x = randomised(labeller()), texts(9)
    before = np.asarray(model(x))
    for place in (0, 4, 8):
        other = x.copy()
        other[0, place] = x[0, place] % 19 + 1
        moved = np.abs(np.asarray(model(other)) - before).max(axis=-1)[0]
        assert (moved > 1e-6).all()


def test_sequences_of_a_batch_do_not_see_each_other():
    model, x = randomised(labeller()), texts(9, 5)
    alone = np.asarray(model(x[:1]))
    np.testing.assert_allclose(model(x)[:1], alone, atol=1e-5)


def test_order_matters_by_the_positions_alone():
    model, x = randomised(labeller()), texts(9)
    order = GENERATOR.permutation(9)
    assert np.abs(np.asarray(model(x[:, order])) - np.asarray(model(x))[:, order]).max() > 1e-3
    model.get_layer("encoder").positions *= 0
    np.testing.assert_allclose(model(x[:, order]), np.asarray(model(x))[:, order], atol=1e-4)


@pytest.mark.parametrize("build", [labeller, classifier])
def test_gradients_and_saving(build, check_gradients, check_saving):
    model, x = randomised(build()), texts(9, 9, 4)
    check_gradients(model, x)
    check_saving(model, x)


def test_a_batch_is_learnt_by_heart():
    keras.utils.set_random_seed(0)
    model, x = labeller(), texts(9, 9, 9)
    y = x % 5
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(x, y, epochs=60, verbose=0)
    assert (np.asarray(model(x)).argmax(axis=-1) == y).mean() > 0.99


def test_attention_maps_are_the_weights_that_the_model_uses():
    model, x = randomised(labeller()), texts(4, 9)
    maps = model.get_layer("encoder").attention_maps(x)
    assert maps.shape == (2, 2, 2, 9, 9)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-5)
    assert (maps[:, 0, :, :, 4:] == 0).all()
    encoder = model.get_layer("encoder")
    block, vectors = encoder.blocks[0], encoder.embed(x)
    value = block.attention._split(block.norm_1(vectors))[2]
    mixed = np.einsum("bhqk,bhkd->bqhd", maps[0], value).reshape(2, 9, 8)
    wanted = block.attention(block.norm_1(vectors), (x > 0)[:, None, None])
    np.testing.assert_allclose(block.attention.project(mixed), wanted, atol=1e-4)


def test_one_compilation_serves_all_batches_of_a_shape():
    model = classifier()
    traces = []

    @tf.function(jit_compile=True)
    def step(x):
        traces.append(x.shape)
        return model(x)

    for _ in range(3):
        x = texts(9, 4, 6)
        np.testing.assert_allclose(step(x), model(x), atol=1e-5)
    step(texts(5, 5, 5, width=5))
    assert traces == [(3, 9), (3, 5)]


# ---- bad input ----


def test_more_tokens_than_the_context_are_refused():
    with pytest.raises(ValueError, match=r"tokens: 10 are more than max_length=9; cut the"):
        labeller()(texts(10, width=10))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="num_heads=3 must divide hidden_dim=8"):
        labeller(num_heads=3)
    with pytest.raises(ValueError, match="nhead=3 must divide d_model=16"):
        transformer.build_primer_transformer(16, 5, nhead=3)
    with pytest.raises(ValueError, match="width an even number"):
        labeller(hidden_dim=9, num_heads=3)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (np.zeros((0, 4), int), "tokens must be .* at least one of each"),
        (np.zeros((2, 0), int), "tokens must be .* at least one of each"),
        (np.ones(4, int), "tokens must be .* at least one of each"),
        ([[1, 2], [0, 0]], r"tokens\[1\] is all padding: leave it out"),
        ([[1, 20]], "tokens must be from 0 to 19.*encode the text with the vocabulary"),
        ([[-1, 2]], "tokens must be from 0 to 19"),
        (np.ones((1, 10), int), "10 are more than max_length=9"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(tokens, message: str):
    with pytest.raises(ValueError, match=message):
        labeller().get_layer("encoder").attention_maps(tokens)


def test_an_empty_batch_is_refused_and_all_padding_gives_no_nan():
    for model in (labeller(), classifier()):
        assert np.isfinite(model(np.zeros((2, 4), np.int32))).all()
        with pytest.raises(ValueError, match=r"tokens is empty.*give at least one sequence"):
            model(np.zeros((0, 4), np.int32))


# ---- Primer's net ----


def test_primers_net():
    model = transformer.build_primer_transformer(16, 5, nhead=2, num_layers=2)
    block = 4 * 16**2 + 4 * 16 + 2 * 16 * 2048 + 2048 + 16 + 4 * 16
    assert model.count_params() == 2 * block + 16 * 5 + 5
    x = GENERATOR.normal(size=(2, 6, 16)).astype("float32")
    order = GENERATOR.permutation(6)
    out = np.asarray(model(x))
    assert out.shape == (2, 6, 5)
    np.testing.assert_allclose(model(x[:, order]), out[:, order], atol=1e-4)


def test_primers_net_is_saved(check_saving):
    model = transformer.build_primer_transformer(16, 5, nhead=2, num_layers=1)
    check_saving(model, GENERATOR.normal(size=(2, 6, 16)).astype("float32"))
