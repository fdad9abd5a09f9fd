"""LLM: each part against a reference, what may see what, the cache, adapters and their merging."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from dlbook import train
from dlbook.models.gpt import GPT, generation
from dlbook.models.llm import (
    LLM,
    FeedForward,
    GroupedQueryAttention,
    RMSNorm,
    add_lora,
    merge_lora,
    rotary_angles,
    rotate,
)

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 11, (2, 8))
OLD = {"norm": "layer", "positions": "learned", "feed_forward": "gelu", "use_bias": True}


def small(seed: int = 0, **settings) -> LLM:
    keras.utils.set_random_seed(seed)
    sizes = {"max_length": 8, "num_layers": 2, "num_heads": 4, "num_key_value_heads": 2}
    model = LLM(11, **{**sizes, "hidden_dim": 16, **settings})
    # weights of ordinary size: the initial ones are so small that mistakes would hide
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
    return model


# --- the parts


def test_rms_norm_is_keras_own() -> None:
    x = RNG.normal(2, 3, (2, 5, 6)).astype("float32")
    ours, theirs = RMSNorm(), keras.layers.RMSNormalization(epsilon=1e-5)
    scale = RNG.normal(size=6)
    for layer in (ours, theirs):
        layer.build(x.shape)
        layer.set_weights([scale])
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)


def test_rms_norm_of_large_numbers_in_float16() -> None:
    norm = RMSNorm(dtype="float16")
    np.testing.assert_allclose(norm(np.full((1, 4), 1000.0, "float16")), 1, rtol=1e-2)


def test_turned_vectors_keep_their_length_and_know_only_their_distance() -> None:
    query, key = RNG.normal(size=(2, 1, 8)).astype("float32")

    def score(query_place, key_place):
        turned = [
            rotate(vector, rotary_angles(np.array([place]), 8))
            for vector, place in ((query, query_place), (key, key_place))
        ]
        assert np.linalg.norm(turned[0]) == pytest.approx(np.linalg.norm(query), rel=1e-5)
        return float(ops.sum(turned[0] * turned[1]))

    assert score(9, 4) == pytest.approx(score(25, 20), abs=1e-4)
    assert abs(score(9, 4) - score(9, 5)) > 1e-3


def test_place_zero_is_not_turned_and_the_first_pair_by_one_radian() -> None:
    x = np.array([[1.0, 0.0, 0.0, 0.0]] * 2, "float32")
    found = np.asarray(rotate(x, rotary_angles(np.arange(2), 4)))
    np.testing.assert_allclose(found[0], x[0], atol=1e-6)
    np.testing.assert_allclose(found[1], [np.cos(1), 0, np.sin(1), 0], atol=1e-6)


@pytest.mark.parametrize("shared", [1, 2, 4])
def test_grouped_queries_are_keras_own(shared: int) -> None:
    x = RNG.normal(size=(2, 5, 8)).astype("float32")
    ours = GroupedQueryAttention(4, shared)
    theirs = keras.layers.GroupQueryAttention(2, 4, shared, use_bias=False)
    ours.build(x.shape)
    theirs(x, x)
    kernel, project = (RNG.normal(size=w.shape) for w in ours.get_weights())
    ours.set_weights([kernel, project])
    query, key, value = np.split(kernel, [8, 8 + 2 * shared], axis=1)
    theirs.set_weights(
        [
            query.reshape(8, 4, 2),
            key.reshape(8, shared, 2),
            value.reshape(8, shared, 2),
            project.reshape(4, 2, 8),
        ]
    )
    mask = np.tri(5, dtype=bool)
    expected = theirs(x, x, use_causal_mask=True)
    np.testing.assert_allclose(ours(x, None, mask), expected, atol=1e-4)


def test_swiglu_by_hand() -> None:
    layer, x = FeedForward(3), RNG.normal(size=(2, 4)).astype("float32")
    layer.build((None, 4))
    expand, gate, contract = (RNG.normal(size=w.shape) for w in layer.get_weights())
    layer.set_weights([expand, gate, contract])
    gates = x @ gate
    expected = (gates / (1 + np.exp(-gates)) * (x @ expand)) @ contract
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


# --- the model


def test_with_the_old_parts_it_is_gpt() -> None:
    model = small(**OLD, num_key_value_heads=4)
    gpt = GPT(11, max_length=8, num_layers=2, num_heads=4, hidden_dim=16)
    gpt.token_embedding.set_weights(model.token_embedding.get_weights())
    gpt.position_embedding.set_weights(model.position_embedding.get_weights())
    gpt.norm.set_weights(model.last_norm.get_weights())
    for theirs, ours in zip(gpt.blocks, model.blocks, strict=True):
        theirs.norm_1.set_weights(ours.norm_1.get_weights())
        theirs.norm_2.set_weights(ours.norm_2.get_weights())
        theirs.attention.set_weights(ours.attention.get_weights())
        theirs.expand.set_weights(ours.feed_forward.expand.get_weights())
        theirs.contract.set_weights(ours.feed_forward.contract.get_weights())
    np.testing.assert_allclose(model(TOKENS), gpt(TOKENS), atol=1e-4)
    assert model.count_params() == gpt.count_params()


def test_equal_to_keras_hub() -> None:
    keras_hub = pytest.importorskip("keras_hub", reason="needs the extra `pretrained`")
    backbone = keras_hub.models.LlamaBackbone(
        vocabulary_size=11,
        num_layers=2,
        num_query_heads=4,
        num_key_value_heads=2,
        hidden_dim=16,
        intermediate_dim=20,
        layer_norm_epsilon=1e-5,
    )
    model = small(feed_forward_dim=20)
    backbone.token_embedding.embeddings.assign(model.token_embedding.embeddings)
    backbone.layer_norm.set_weights(model.last_norm.get_weights())
    for theirs, ours in zip(backbone.transformer_layers, model.blocks, strict=True):
        kernel, project = ours.attention.get_weights()
        query, key, value = np.split(kernel, [16, 24], axis=1)
        attention = theirs._self_attention_layer
        attention._query_dense.set_weights([query.reshape(16, 4, 4)])
        attention._key_dense.set_weights([key.reshape(16, 2, 4)])
        attention._value_dense.set_weights([value.reshape(16, 2, 4)])
        attention._output_dense.set_weights([project.reshape(4, 4, 16)])
        theirs._self_attention_layernorm.set_weights(ours.norm_1.get_weights())
        theirs._feedforward_layernorm.set_weights(ours.norm_2.get_weights())
        expand, gate, contract = ours.feed_forward.get_weights()
        theirs._feedforward_intermediate_dense.set_weights([expand])
        theirs._feedforward_gate_dense.set_weights([gate])
        theirs._feedforward_output_dense.set_weights([contract])
    inputs = {"token_ids": TOKENS, "padding_mask": np.ones_like(TOKENS)}
    vectors = np.asarray(backbone(inputs))  # after the last normalisation
    table = np.asarray(model.token_embedding.embeddings)
    np.testing.assert_allclose(model(TOKENS), vectors @ table.T, atol=1e-3)


def test_shapes_and_parameters_by_hand() -> None:
    model = small()
    assert model(TOKENS).shape == (2, 8, 11)
    assert model(TOKENS[:, :3]).shape == (2, 3, 11)
    attention = 16 * (16 + 2 * 8) + 16 * 16  # two of four heads of keys and values
    assert model.feed_forward_dim == 43  # two thirds of 64, rounded up
    block = attention + 3 * 16 * 43 + 2 * 16
    assert model.count_params() == 11 * 16 + 2 * block + 16


@pytest.mark.parametrize("settings", [{}, {**OLD, "num_key_value_heads": 4}])
def test_no_token_sees_a_later_one(settings: dict) -> None:
    model = small(**settings)
    before, changed = np.asarray(model(TOKENS)), TOKENS.copy()
    changed[:, 5] = (changed[:, 5] + 1) % 11
    after = np.asarray(model(changed))
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(axis=-1) > 1e-4).all()


def test_rotary_positions_tell_order() -> None:
    model = small()
    swapped = TOKENS[:, [1, 0, *range(2, 8)]]
    assert np.abs(np.asarray(model(TOKENS) - model(swapped)))[:, -1].max() > 1e-4


@pytest.mark.parametrize("settings", [{}, {**OLD, "num_key_value_heads": 4}])
def test_a_step_with_the_cache_gives_the_logits_of_the_whole_text(settings: dict) -> None:
    model = small(**settings)
    _, cache = model.step(TOKENS[:, :4], model.empty_cache(2), 0)
    logits, cache = model.step(TOKENS[:, 4:5], cache, 4)
    again, _ = model.step(TOKENS[:, 5:], cache, 5)
    found = np.concatenate([logits, again], axis=1)
    np.testing.assert_allclose(found, model(TOKENS)[:, 4:], atol=1e-4)


def test_attention_maps() -> None:
    maps = small().attention_maps(TOKENS)
    assert maps.shape == (2, 2, 4, 8, 8)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-5)
    assert (maps[..., *np.triu_indices(8, 1)] == 0).all()


def test_the_cache_shrinks_with_the_heads_that_are_shared() -> None:
    assert small().empty_cache(3).shape == (2, 2, 3, 2, 8, 4)


def test_it_writes_the_same_with_and_without_a_cache() -> None:
    model, settings = small(), {"temperature": 0, "jit_compile": False}
    cached = generation.generate(model, TOKENS[:, :3], 12, **settings)
    np.testing.assert_array_equal(
        cached, generation.generate(model, TOKENS[:, :3], 12, use_cache=False, **settings)
    )


@pytest.mark.parametrize("settings", [{}, OLD])
def test_a_gradient_reaches_every_weight(settings: dict) -> None:
    model = small(**settings)
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.square(model(TOKENS)))
    for weight, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert np.abs(np.asarray(tf.convert_to_tensor(gradient))).max() > 0, weight.path


@pytest.mark.parametrize("settings", [{}, OLD])
def test_saved_and_loaded(settings: dict, check_saving) -> None:
    check_saving(small(**settings), TOKENS)


def compiled(model: LLM) -> LLM:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    return model


def test_it_learns_a_sentence_by_heart() -> None:
    keras.utils.set_random_seed(0)
    model = compiled(LLM(11, max_length=16, num_layers=1, num_heads=2, hidden_dim=16))
    text = np.array([1, 5, 1, 7, 2, 2, 9, 0, 1, 5, 8, 3, 3, 3, 10, 4])
    x, y = (np.tile(part, (256, 1)) for part in (text[:-1], text[1:]))
    history = train.fit(model, x, y, epochs=12, batch_size=16, table=False).history
    assert history["loss"][-1] < 0.1
    written = generation.generate(model, text[None, :1], 15, temperature=0, jit_compile=False)
    np.testing.assert_array_equal(written[0], text)


# --- adapters


def test_an_adapter_begins_as_nothing_and_is_all_that_learns() -> None:
    model = small()
    before, kept = np.asarray(model(TOKENS)), [w.copy() for w in model.get_weights()]
    count = add_lora(model, 2)
    in_and_out = (16 + 32) + (16 + 16) + 3 * (16 + 43)  # attention, and SwiGLU's three layers
    assert count == 2 * 2 * in_and_out  # two blocks, rank 2
    np.testing.assert_allclose(model(TOKENS), before, atol=1e-6)
    train.fit(compiled(model), TOKENS, TOKENS, epochs=3, batch_size=2, table=False)
    assert np.abs(np.asarray(model(TOKENS)) - before).max() > 1e-3
    unchanged = merge_lora(model).token_embedding.get_weights()[0]
    np.testing.assert_array_equal(unchanged, kept[0])


@pytest.mark.parametrize("settings", [{}, OLD])
def test_merged_it_gives_the_same_outputs(settings: dict) -> None:
    model = small(**settings)
    parameters = model.count_params()
    add_lora(model, 2)
    for variable in model.trainable_variables:
        variable.assign(RNG.normal(0, 0.3, variable.shape))
    merged = merge_lora(model)
    np.testing.assert_allclose(merged(TOKENS), model(TOKENS), atol=1e-5)
    assert merged.count_params() == parameters
    assert all(variable.trainable for variable in merged.variables)


# --- bad input


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"num_key_value_heads": 3}, "num_key_value_heads=3"),
        ({"num_key_value_heads": 0}, "num_key_value_heads=0"),
        ({"num_heads": 3}, "num_heads=3"),
        ({"hidden_dim": 12, "num_heads": 4}, "even"),
        ({"norm": "batch"}, "norm must be 'rms' or 'layer'"),
        ({"positions": "sinusoidal"}, "positions must be"),
        ({"feed_forward": "relu"}, "feed_forward must be"),
    ],
)
def test_settings_that_do_not_fit(settings: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LLM(11, **{"hidden_dim": 16, "num_heads": 4, **settings})


@pytest.mark.parametrize("settings", [{}, OLD])
def test_a_text_longer_than_the_context(settings: dict) -> None:
    with pytest.raises(ValueError, match="9 are more than max_length=8; cut the text"):
        small(**settings)(np.zeros((1, 9), int))


@pytest.mark.parametrize("shape", [(0, 4), (2, 0), (4,)])
def test_an_empty_batch_or_no_batch(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="tokens must be"):
        small()(np.zeros(shape, int))


def test_adapters_twice_or_none_at_all() -> None:
    model = small()
    with pytest.raises(ValueError, match="call add_lora first"):
        merge_lora(model)
    with pytest.raises(ValueError, match="rank must be 1 or more"):
        add_lora(model, 0)
    add_lora(model, 1)
    with pytest.raises(ValueError, match="has adapters already"):
        add_lora(model, 1)
