"""Attention: against NumPy and Keras, what may see what, and the cache."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from dlbook.layers.attention import SelfAttention, attend, causal_mask

RNG = np.random.default_rng(0)


def built(num_heads: int, width: int, **settings) -> SelfAttention:
    layer = SelfAttention(num_heads, **settings)
    layer.build((None, None, width))
    # weights of ordinary size: the initial ones are so small that mistakes would hide
    layer.set_weights([RNG.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def tokens(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def keras_attention(layer: SelfAttention, width: int) -> keras.layers.MultiHeadAttention:
    """Keras's own layer with the same weights."""
    heads, key_dim = layer.num_heads, width // layer.num_heads
    theirs = keras.layers.MultiHeadAttention(heads, key_dim)
    theirs.build((None, None, width), (None, None, width))
    kernel, bias, out_kernel, out_bias = layer.get_weights()
    weights = []
    for k, b in zip(np.split(kernel, 3, axis=1), np.split(bias, 3), strict=True):
        weights += [k.reshape(width, heads, key_dim), b.reshape(heads, key_dim)]
    theirs.set_weights([*weights, out_kernel.reshape(heads, key_dim, width), out_bias])
    return theirs


def test_attend_by_hand() -> None:
    query, key, value = tokens(2, 3), tokens(4, 3), tokens(4, 5)
    mask = np.array([[1, 1, 0, 1], [0, 1, 0, 0]], bool)
    scores = np.where(mask, query @ key.T / np.sqrt(3), -np.inf)
    wanted = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    found, weights = attend(query, key, value, mask)
    np.testing.assert_allclose(weights, wanted, atol=1e-6)
    np.testing.assert_allclose(found, wanted @ value, atol=1e-6)


def test_dropout_changes_the_means_and_not_the_weights() -> None:
    query, key, value = tokens(2, 3), tokens(4, 3), tokens(4, 5)
    found, weights = attend(query, key, value, dropout=lambda weights: 0 * weights)
    assert (np.asarray(found) == 0).all()
    np.testing.assert_array_equal(weights, attend(query, key, value)[1])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_query_that_may_look_nowhere_gives_no_nan(dtype: str) -> None:
    query, key, value = (ops.cast(100 * tokens(2, 3), dtype) for _ in range(3))
    found, weights = attend(query, key, value, np.array([[True, False], [False, False]]))
    assert np.isfinite(ops.convert_to_numpy(ops.cast(found, "float32"))).all()
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.cast(weights[0], "float32")), [1, 0])


def test_causal_mask() -> None:
    np.testing.assert_array_equal(causal_mask(4, 4), np.tri(4, dtype=bool))
    # the third and the fourth token of five
    np.testing.assert_array_equal(causal_mask(2, 5, 2), np.tri(5, dtype=bool)[2:4])


@pytest.mark.parametrize("num_heads", [1, 3])
def test_equal_to_keras_multi_head_attention(num_heads: int) -> None:
    layer, x = built(num_heads, 12), tokens(2, 5, 12)
    theirs = keras_attention(layer, 12)
    padding = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)[:, None]  # (batch, query, key)
    np.testing.assert_allclose(layer(x), theirs(x, x), atol=2e-4)
    np.testing.assert_allclose(
        layer(x, causal_mask(5, 5)), theirs(x, x, use_causal_mask=True), atol=2e-4
    )
    found = layer(x, padding[:, None] & causal_mask(5, 5))
    wanted, weights = theirs(
        x, x, use_causal_mask=True, attention_mask=padding, return_attention_scores=True
    )
    np.testing.assert_allclose(found, wanted, atol=2e-4)
    found = layer.attention_weights(x, padding[:, None] & causal_mask(5, 5))
    np.testing.assert_allclose(found, weights, atol=1e-5)


def test_a_hidden_token_moves_nothing_and_a_visible_one_does() -> None:
    layer, x = built(2, 8), 0.1 * tokens(1, 6, 8)  # small scores, so that no weight is near 0
    changed = x.copy()
    changed[:, 3] += 0.1

    def moved(mask: np.ndarray | None) -> np.ndarray:
        difference = np.asarray(layer(x, mask)) - np.asarray(layer(changed, mask))
        return np.abs(difference[0]).max(axis=-1) > 1e-5

    assert moved(None).all()
    np.testing.assert_array_equal(moved(causal_mask(6, 6)), [0, 0, 0, 1, 1, 1])
    only_itself = np.ones((6, 6), bool)
    only_itself[:, 3] = np.arange(6) == 3
    np.testing.assert_array_equal(moved(only_itself), np.arange(6) == 3)


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1, 1), (4, 2)])
def test_the_cache_gives_the_same_as_the_whole_text(cuts: tuple[int, ...]) -> None:
    layer, x = built(2, 8), tokens(3, 6, 8)
    cache, pieces, start = ops.zeros((2, 3, 2, 9, 4)), [], 0  # three places more than tokens
    for piece in np.split(x, np.cumsum(cuts)[:-1], axis=1):
        mask = causal_mask(piece.shape[1], 9, start)
        output, cache = layer(piece, mask, cache=cache, start=start)
        pieces.append(np.asarray(output))
        start += piece.shape[1]
    whole = layer(x, causal_mask(6, 6))
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)
    assert (np.asarray(cache)[..., 6:, :] == 0).all()


def test_a_gradient_reaches_every_weight() -> None:
    layer = built(2, 8)
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.square(layer(tokens(2, 5, 8), causal_mask(5, 5))))
    gradients = tape.gradient(loss, layer.trainable_variables)
    for weight, gradient in zip(layer.trainable_variables, gradients, strict=True):
        assert np.abs(np.asarray(gradient)).max() > 1e-6, weight.path


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    inputs = keras.Input((5, 12))
    model = keras.Model(inputs, SelfAttention(3, dropout=0.1, initial_std=0.5)(inputs))
    model.save(tmp_path / "attention.keras")
    loaded, x = keras.saving.load_model(tmp_path / "attention.keras"), tokens(2, 5, 12)
    assert loaded.layers[1].get_config() == model.layers[1].get_config()
    np.testing.assert_array_equal(loaded(x), model(x))


def test_the_first_weights_have_their_size_and_differ() -> None:
    layer = SelfAttention(4, initial_std=0.3)
    layer.build((None, None, 64))
    kernel, bias, out_kernel, _ = layer.get_weights()
    assert kernel.std() == pytest.approx(0.3, rel=0.05)
    assert out_kernel.std() == pytest.approx(0.3, rel=0.05)
    assert (bias == 0).all()
    assert np.isin(out_kernel, kernel).mean() < 0.1  # two draws, not one


def test_dropout_works_in_training_only() -> None:
    layer, x = built(2, 8, dropout=0.5), tokens(2, 5, 8)
    np.testing.assert_array_equal(layer(x), layer(x, training=False))
    assert np.abs(np.asarray(layer(x, training=True) - layer(x))).max() > 0.1


def test_heads_that_do_not_divide_the_width_are_named() -> None:
    with pytest.raises(ValueError, match="num_heads=5 must divide the width, 12"):
        SelfAttention(5).build((None, None, 12))
