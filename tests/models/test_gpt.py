"""GPT: against KerasHub, what may see what, and writing with and without a cache."""

import gc
import json
import sys
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from dlbook import train
from dlbook.models.gpt import GPT, generation, pretrained

RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 11, (2, 8))


def small(seed: int = 0, **settings) -> GPT:
    keras.utils.set_random_seed(seed)
    sizes = {"max_length": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 12, **settings}
    model = GPT(11, **sizes)
    # weights of ordinary size: the initial ones are so small that mistakes would hide
    model.set_weights([w + RNG.normal(0, 0.4, w.shape) for w in model.get_weights()])
    return model


# --- the model


def test_shapes_and_parameters_by_hand() -> None:
    model = small()
    assert model(TOKENS).shape == (2, 8, 11)
    assert model(TOKENS[:, :3]).shape == (2, 3, 11)
    width, block = 12, 12 * 12**2 + 13 * 12  # GPT-2: 12 d² weights and 13 d biases and scales
    assert model.count_params() == 11 * width + 8 * width + 2 * block + 2 * width


def test_gpt2_has_the_parameters_of_the_paper() -> None:
    vocabulary, context, width, blocks = 50_257, 1_024, 768, 12
    tiny = small(num_layers=1, hidden_dim=8).blocks[0].count_params()
    assert tiny == 12 * 8**2 + 13 * 8
    total = (vocabulary + context) * width + blocks * (12 * width**2 + 13 * width) + 2 * width
    assert total == 124_439_808  # "124M"


def test_no_token_sees_a_later_one() -> None:
    model = small()
    before = np.asarray(model(TOKENS))
    changed = TOKENS.copy()
    changed[:, 5] = (changed[:, 5] + 1) % 11
    after = np.asarray(model(changed))
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert (np.abs(before[:, 5:] - after[:, 5:]).max(axis=-1) > 1e-4).all()


def test_another_mask_of_a_subclass_is_used_everywhere() -> None:
    class Peeping(GPT):
        def attention_mask(self, num_queries, num_keys, start=0):
            return None

    model, changed = Peeping(11, max_length=8, num_layers=1, hidden_dim=12), TOKENS.copy()
    model.set_weights(small(num_layers=1, num_heads=4).get_weights())
    changed[:, 5] = (changed[:, 5] + 1) % 11
    moved = np.abs(np.asarray(model(TOKENS)) - np.asarray(model(changed))).max(axis=-1)
    assert (moved > 1e-5).all()
    assert (model.attention_maps(TOKENS) > 0).all()


def test_a_step_with_the_cache_gives_the_logits_of_the_whole_text() -> None:
    model = small()
    _, cache = model.step(TOKENS[:, :4], model.empty_cache(2), 0)
    logits, cache = model.step(TOKENS[:, 4:5], cache, 4)
    again, _ = model.step(TOKENS[:, 5:], cache, 5)
    found = np.concatenate([logits, again], axis=1)
    np.testing.assert_allclose(found, model(TOKENS)[:, 4:], atol=1e-4)


def test_attention_maps() -> None:
    maps = small().attention_maps(TOKENS)
    assert maps.shape == (2, 2, 2, 8, 8)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-5)
    assert (maps[..., *np.triu_indices(8, 1)] == 0).all()


def test_a_gradient_reaches_every_weight() -> None:
    model = small()
    with tf.GradientTape() as tape:
        loss = ops.mean(ops.square(model(TOKENS)))
    for weight, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert np.abs(np.asarray(tf.convert_to_tensor(gradient))).max() > 0, weight.path


def test_it_learns_a_sentence_by_heart() -> None:
    keras.utils.set_random_seed(0)
    model = GPT(11, max_length=16, num_layers=1, num_heads=2, hidden_dim=16)
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    text = np.array([1, 5, 1, 7, 2, 2, 9, 0, 1, 5, 8, 3, 3, 3, 10, 4])
    x, y = (np.tile(part, (256, 1)) for part in (text[:-1], text[1:]))
    history = train.fit(model, x, y, epochs=12, batch_size=16, table=False).history
    # before anything is learnt, all tokens are equally likely
    first = float(model.loss(y[:1], GPT(11, max_length=16)(x[:1])))
    assert first == pytest.approx(np.log(11), abs=0.3)
    assert history["loss"][-1] < 0.1
    written = generation.generate(model, text[None, :1], 15, temperature=0)
    np.testing.assert_array_equal(written[0], text)


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    model = small(dropout=0.1)
    model.save(tmp_path / "gpt.keras")
    loaded = keras.saving.load_model(tmp_path / "gpt.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded(TOKENS), model(TOKENS))


def test_dropout_works_in_training_only() -> None:
    model = small(dropout=0.5)
    np.testing.assert_array_equal(model(TOKENS), model(TOKENS, training=False))
    assert np.abs(np.asarray(model(TOKENS, training=True) - model(TOKENS))).max() > 0.1


def test_equal_to_keras_hub() -> None:
    keras_hub = pytest.importorskip("keras_hub", reason="needs the extra `pretrained`")
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=11,
        num_layers=2,
        num_heads=3,
        hidden_dim=12,
        intermediate_dim=48,
        max_sequence_length=8,
    )
    backbone.set_weights([w + RNG.normal(0, 0.4, w.shape) for w in backbone.get_weights()])
    model = pretrained.from_keras_hub(backbone)
    assert model.count_params() == backbone.count_params()
    hidden = backbone({"token_ids": TOKENS, "padding_mask": np.ones_like(TOKENS)})
    logits = backbone.token_embedding(hidden, reverse=True)
    assert np.std(logits) > 1
    np.testing.assert_allclose(model(TOKENS), logits, atol=2e-4)


def test_gpt2_is_read_from_a_local_folder(tmp_path: Path) -> None:
    pytest.importorskip("keras_hub", reason="needs the extra `pretrained`")
    from safetensors.numpy import save_file

    width, context, vocabulary = 8, 6, 260
    shapes = {"wte.weight": (vocabulary, width), "wpe.weight": (context, width)}
    for name in ("ln_f", "h.0.ln_1", "h.0.ln_2"):
        shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    for name, inputs, outputs in (
        ("attn.c_attn", width, 3 * width),
        ("attn.c_proj", width, width),
        ("mlp.c_fc", width, 4 * width),
        ("mlp.c_proj", 4 * width, width),
    ):
        shapes |= {f"h.0.{name}.weight": (inputs, outputs), f"h.0.{name}.bias": (outputs,)}
    tensors = {name: RNG.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    config = {
        "model_type": "gpt2",
        "vocab_size": vocabulary,
        "n_layer": 1,
        "n_head": 2,
        "n_embd": width,
        "n_positions": context,
        "resid_pdrop": 0.1,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    letters = [chr(code) for code in range(33, 127)]
    pieces = {piece: number for number, piece in enumerate([*letters, "Ġ", "th", "<|endoftext|>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(pieces))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nt h\n")
    model, tokenizer = pretrained.load_gpt2(str(tmp_path))
    tokens = np.asarray(tokenizer("the"))
    np.testing.assert_array_equal(tokens, [pieces["th"], pieces["e"]])
    assert tokenizer.detokenize(tokens) == "the"
    np.testing.assert_array_equal(model.token_embedding.get_weights()[0], tensors["wte.weight"])
    kernel = model.blocks[0].attention.query_key_value.get_weights()[0]
    np.testing.assert_array_equal(kernel, tensors["h.0.attn.c_attn.weight"])
    assert generation.generate(model, tokens[None], 3).shape == (1, 5)


def test_without_keras_hub_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match="pretrained"):
        pretrained.load_gpt2()


# --- samplers


def test_top_k_keeps_the_k_likeliest() -> None:
    logits = np.float32([[0, 3, 1, 2], [5, 4, 3, 2]])
    kept = np.isfinite(generation.keep_top_k(logits, 2))
    np.testing.assert_array_equal(kept, [[0, 1, 0, 1], [1, 1, 0, 0]])
    np.testing.assert_array_equal(generation.keep_top_k(logits, 99), logits)


def test_top_p_keeps_the_fewest_that_reach_p() -> None:
    logits = np.log(np.float32([[0.1, 0.5, 0.15, 0.25], [0.96, 0.02, 0.01, 0.01]]))
    kept = np.isfinite(generation.keep_top_p(logits, 0.7))
    np.testing.assert_array_equal(kept, [[0, 1, 0, 1], [1, 0, 0, 0]])
    assert np.isfinite(generation.keep_top_p(logits, 1.0)).all()
    far_apart = keras.ops.array([[0.0, -40.0]])  # the first has the share 1, rounded
    assert np.isfinite(generation.keep_top_p(far_apart, 1.0)).all()


def test_draws_have_the_probabilities_of_the_softmax() -> None:
    probabilities = np.array([0.6, 0.3, 0.1])
    logits = np.tile(np.log(probabilities), (40_000, 1)).astype("float32")
    noise = np.random.default_rng(1).gumbel(size=logits.shape).astype("float32")
    for temperature in (1.0, 0.5):
        drawn = np.asarray(generation.next_token(logits, noise, np.float32(temperature)))
        wanted = probabilities ** (1 / temperature)
        counts = np.bincount(drawn, minlength=3) / len(drawn)
        np.testing.assert_allclose(counts, wanted / wanted.sum(), atol=0.01)
    greedy = generation.next_token(logits[:50], noise[:50], np.float32(0))
    assert (np.asarray(greedy) == 0).all()


# --- writing


@pytest.fixture(scope="module")
def writer() -> GPT:
    """One model for the tests that compile the loop: each compilation takes a second."""
    return small()


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.0}, {"top_k": 3}, {"top_p": 0.8}])
def test_the_cache_does_not_change_the_text(writer: GPT, settings: dict) -> None:
    model = writer
    cached = generation.generate(model, TOKENS[:, :3], 20, **settings)  # over three windows
    plain = generation.generate(model, TOKENS[:, :3], 20, use_cache=False, **settings)
    assert cached.shape == (2, 23)
    np.testing.assert_array_equal(cached, plain)
    np.testing.assert_array_equal(cached[:, :3], TOKENS[:, :3])


def test_greedy_writing_by_hand(writer: GPT) -> None:
    model, tokens = writer, TOKENS[:, :2]
    for _ in range(6):
        likeliest = np.asarray(model(tokens))[:, -1].argmax(axis=-1)
        tokens = np.concatenate([tokens, likeliest[:, None]], axis=1)
    np.testing.assert_array_equal(
        generation.generate(model, TOKENS[:, :2], 6, temperature=0), tokens
    )


def test_seeds_change_the_text_and_weights_do_too() -> None:
    model = small()
    first = generation.generate(model, TOKENS[:, :1], 30, seed=1)
    np.testing.assert_array_equal(first, generation.generate(model, TOKENS[:, :1], 30, seed=1))
    assert (first != generation.generate(model, TOKENS[:, :1], 30, seed=2)).any()
    model.set_weights([-w for w in model.get_weights()])  # the compiled loop must not keep them
    assert (first != generation.generate(model, TOKENS[:, :1], 30, seed=1)).any()


def test_a_prompt_longer_than_the_context_is_read_from_its_end(writer: GPT) -> None:
    model = writer
    long = np.concatenate([TOKENS, TOKENS], axis=1)
    a, b = (generation.generate(model, p, 3, temperature=0) for p in (long, long[:, -4:]))
    np.testing.assert_array_equal(a[:, 16:], b[:, 4:])


def test_without_xla_the_same_text_is_written(writer: GPT) -> None:
    texts = [
        generation.generate(writer, TOKENS[:, :3], 12, jit_compile=jit_compile)
        for jit_compile in (True, False)
    ]
    np.testing.assert_array_equal(*texts)


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_model_that_has_written_can_be_let_go(use_cache: bool) -> None:
    model = small(num_layers=1)
    generation.generate(model, [[1]], 2, use_cache=use_cache)
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


def test_nothing_to_write(writer: GPT) -> None:
    np.testing.assert_array_equal(generation.generate(writer, TOKENS, 0), TOKENS)


# --- bad input


def test_heads_that_do_not_divide_the_width_are_named() -> None:
    with pytest.raises(ValueError, match="num_heads=5 must divide the width, 12"):
        small(num_heads=5)


def test_too_long_a_text_is_named() -> None:
    with pytest.raises(ValueError, match=r"tokens: 9 are more than max_length=8"):
        small()(np.zeros((1, 9), int))


@pytest.mark.parametrize(
    ("prompt", "settings", "message"),
    [
        (np.zeros((1, 0), int), {}, "at least one token"),
        (np.zeros(3, int), {}, "batch, tokens"),
        (np.zeros((1, 2)), {}, "integers"),
        (np.full((1, 2), 11), {}, "from 0 to 10"),
        (np.full((1, 2), -1), {}, "from 0 to 10"),
        (TOKENS, {"temperature": -1}, "temperature"),
        (TOKENS, {"top_k": 0}, "top_k"),
        (TOKENS, {"top_p": 0.0}, "top_p"),
    ],
)
def test_bad_prompts_and_settings_are_named(
    writer: GPT, prompt: np.ndarray, settings: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        generation.generate(writer, prompt, 3, **settings)


def test_a_context_of_one_token_has_no_next_one() -> None:
    with pytest.raises(ValueError, match="max_length=1"):
        generation.generate(small(max_length=1), [[1]], 2)
