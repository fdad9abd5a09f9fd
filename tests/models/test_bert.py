"""BERT: against KerasHub, what may see what, gaps, heads, and folders that are no model."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlbook import train
from dlbook.models import bert
from dlbook.models.bert import pretrained

RNG = np.random.default_rng(0)
TOKENS = np.array([[2, 7, 9, 3, 8, 3], [2, 6, 3, 0, 0, 0]])
SEGMENTS = np.array([[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]])
MASK = 4


def small(seed: int = 0, **settings) -> bert.BertEncoder:
    keras.utils.set_random_seed(seed)
    sizes = {"max_length": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 12, **settings}
    encoder = bert.BertEncoder(11, **sizes)
    encoder.build()
    # weights of ordinary size: the initial ones are so small that mistakes would hide
    encoder.set_weights([w + RNG.normal(0, 0.4, w.shape) for w in encoder.get_weights()])
    return encoder


# --- the encoder


def test_shapes_and_parameters_by_hand() -> None:
    encoder = small()
    assert encoder(TOKENS).shape == (2, 6, 12)
    assert encoder(TOKENS[:, :3], SEGMENTS[:, :3]).shape == (2, 3, 12)
    width, block = 12, 12 * 12**2 + 13 * 12  # as in GPT: 12 d² weights and 13 d biases and scales
    assert encoder.count_params() == (11 + 8 + 2) * width + 2 * width + 2 * block


def test_bert_base_has_the_parameters_of_the_paper() -> None:
    vocabulary, context, width, blocks = 30_522, 512, 768, 12
    total = (vocabulary + context + 2) * width + 2 * width + blocks * (12 * width**2 + 13 * width)
    assert total + width * width + width == 109_482_240  # "110M", with the layer over [CLS]
    assert small(num_layers=1, hidden_dim=8).blocks[0].count_params() == 12 * 8**2 + 13 * 8


def test_every_token_sees_both_sides_but_no_padding() -> None:
    encoder = small()
    before = np.asarray(encoder(TOKENS))
    for place in (1, 4):
        changed = TOKENS.copy()
        changed[0, place] = 10
        moved = np.abs(np.asarray(encoder(changed)) - before).max(axis=-1)
        assert (moved[0] > 1e-4).all()
        assert moved[1].max() == 0
    longer = np.pad(TOKENS[1:, :3], ((0, 0), (0, 5)))
    short = encoder(TOKENS[1:, :3])
    np.testing.assert_allclose(encoder(longer)[:, :3], short, atol=1e-5)
    weights = encoder.get_weights()
    weights[0][0] += 9  # the vector of padding
    encoder.set_weights(weights)
    np.testing.assert_allclose(encoder(TOKENS)[1, :3], before[1, :3], atol=1e-5)


def test_segments_and_positions_are_seen() -> None:
    encoder = small()
    plain = np.asarray(encoder(TOKENS))
    assert np.abs(np.asarray(encoder(TOKENS, SEGMENTS))[0] - plain[0]).max() > 0.01
    swapped = TOKENS[:, [0, 2, 1, 3, 4, 5]]
    assert np.abs(np.asarray(encoder(swapped))[0, 0] - plain[0, 0]).max() > 0.01


def test_all_padding_gives_finite_vectors() -> None:
    assert np.isfinite(np.asarray(small()(np.zeros((1, 4), int)))).all()


def test_attention_maps() -> None:
    maps = small().attention_maps(TOKENS)
    assert maps.shape == (2, 2, 2, 6, 6)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-5)
    assert maps[:, 1, :, :, 3:].max() == 0


def test_equal_to_keras_hub() -> None:
    keras_hub = pytest.importorskip("keras_hub", reason="needs the extra `pretrained`")
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=11,
        num_layers=2,
        num_heads=3,
        hidden_dim=12,
        intermediate_dim=20,
        max_sequence_length=8,
    )
    backbone.set_weights([w + RNG.normal(0, 0.4, w.shape) for w in backbone.get_weights()])
    encoder, summary = pretrained.from_keras_hub(backbone)
    assert encoder.count_params() + summary.count_params() == backbone.count_params()
    real = (TOKENS != 0).astype(int)
    theirs = backbone({"token_ids": TOKENS, "segment_ids": SEGMENTS, "padding_mask": real})
    ours = np.asarray(encoder(TOKENS, SEGMENTS))
    assert np.std(ours) > 0.5
    wanted = np.asarray(theirs["sequence_output"])
    np.testing.assert_allclose(ours[real == 1], wanted[real == 1], atol=2e-4)
    np.testing.assert_allclose(summary(ours), theirs["pooled_output"], atol=2e-4)


def test_the_masked_word_head_is_equal_to_keras_hub() -> None:
    keras_hub = pytest.importorskip("keras_hub", reason="needs the extra `pretrained`")
    model = bert.MaskedLanguageModel(small())
    model.head.set_weights([w + RNG.normal(0, 0.4, w.shape) for w in model.head.get_weights()])
    embedding = keras.layers.ReversibleEmbedding(11, 12)
    embedding.build()
    embedding.set_weights(model.encoder.token_embedding.get_weights())
    theirs = keras_hub.layers.MaskedLMHead(
        token_embedding=embedding, intermediate_activation="gelu"
    )
    theirs.build((None, None, 12))
    theirs._intermediate_dense.set_weights(model.head.dense.get_weights())
    theirs._intermediate_layer_norm.set_weights(model.head.norm.get_weights())
    theirs._bias.assign(model.head.bias)
    places = np.array([[1, 4], [1, 0]])
    wanted = theirs(model.encoder(TOKENS), places)
    np.testing.assert_allclose(model((TOKENS, places)), wanted, atol=2e-4)


# --- gaps


def test_eighty_ten_ten() -> None:
    tokens = np.tile(np.r_[2, RNG.integers(5, 1000, 40), 3, np.zeros(6, int)], (4000, 1))
    masked = bert.mask_words(
        tokens, np.random.default_rng(1), mask=MASK, vocabulary_size=1000, share=0.15
    )
    assert masked.places.shape == masked.targets.shape == (4000, 7)
    asked = masked.targets > 0
    assert (asked.sum(axis=1) == 6).all()  # 15 % of 40 pieces
    rows = np.arange(4000)[:, None]
    np.testing.assert_array_equal(tokens[rows, masked.places][asked], masked.targets[asked])
    shown = masked.tokens[rows, masked.places][asked]
    shares = [(shown == MASK).mean(), (shown == masked.targets[asked]).mean()]
    np.testing.assert_allclose(shares, [0.8, 0.1], atol=0.01)
    assert shown.min() >= MASK
    assert (masked.places[asked] >= 1).all()
    assert (masked.places[asked] <= 40).all()
    for row in range(20):  # no place twice, everything else as it was
        places = masked.places[row][asked[row]]
        assert len(set(places.tolist())) == len(places)
        others = np.setdiff1d(np.arange(tokens.shape[1]), places)
        np.testing.assert_array_equal(masked.tokens[row, others], tokens[row, others])


def test_the_tokens_given_are_not_changed_and_the_draw_decides() -> None:
    tokens = np.tile(np.arange(5, 25), (3, 1))
    before = tokens.copy()
    one, same, other = (
        bert.mask_words(tokens, np.random.default_rng(seed), mask=MASK, vocabulary_size=30)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(tokens, before)
    np.testing.assert_array_equal(one.tokens, same.tokens)
    assert (one.places != other.places).any()


@pytest.mark.parametrize(
    ("tokens", "settings", "message"),
    [
        ([[2, 3, 0]], {}, r"tokens\[0\] has no piece"),
        ([[2, 7, 3]], {"share": 0}, "share must be between"),
        ([7, 8], {}, "rows, tokens"),
    ],
)
def test_texts_without_gaps_are_named(tokens: list, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bert.mask_words(
            np.array(tokens), np.random.default_rng(0), mask=4, vocabulary_size=9, **settings
        )


# --- learning


def test_a_gradient_reaches_every_weight() -> None:
    model = bert.MaskedLanguageModel(small())
    places = np.array([[1, 4], [1, 2]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model((TOKENS, places))))
    variables = model.trainable_variables
    for weight, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert gradient is not None, weight.path
        assert np.abs(np.asarray(tf.convert_to_tensor(gradient))).max() > 0, weight.path


def test_it_learns_a_batch_by_heart() -> None:
    keras.utils.set_random_seed(0)
    encoder = bert.BertEncoder(
        30, max_length=12, num_layers=1, num_heads=2, hidden_dim=16, dropout=0.0
    )
    model = bert.MaskedLanguageModel(encoder)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    tokens = np.random.default_rng(2).integers(5, 30, (8, 12))
    masked = bert.mask_words(tokens, np.random.default_rng(3), mask=MASK, vocabulary_size=30)
    x, y = (masked.tokens, masked.places), masked.targets
    history = train.fit(model, x, y, epochs=120, batch_size=8, table=False).history["loss"]
    assert history[0] == pytest.approx(np.log(30), abs=0.3)
    assert history[-1] < 0.2


def test_classifier_pairs_and_tagger() -> None:
    encoder = small(dropout=0.0)
    assert bert.build_classifier(encoder, 3)(TOKENS).shape == (2, 3)
    assert bert.build_tagger(encoder, 4)(TOKENS).shape == (2, 6, 4)
    pairs = bert.build_classifier(encoder, 2, pairs=True, pool=bert.Summary())
    found = np.asarray(pairs([TOKENS, SEGMENTS]))
    assert np.abs(found - np.asarray(pairs([TOKENS, 0 * SEGMENTS])))[0].max() > 1e-4


def test_the_mean_leaves_padding_out() -> None:
    x = RNG.normal(size=(2, 6, 4)).astype("float32")
    found = bert.MeanOfTokens()(x, TOKENS)
    np.testing.assert_allclose(found, [x[0].mean(axis=0), x[1, :3].mean(axis=0)], rtol=1e-5)
    assert not np.asarray(bert.MeanOfTokens()(x[:1], np.zeros((1, 6), int))).any()


def test_they_are_saved_and_loaded(tmp_path: Path) -> None:
    places = np.array([[1, 4], [1, 2]])
    model = bert.MaskedLanguageModel(small(dropout=0.1))
    model.save(tmp_path / "gaps.keras")
    loaded = keras.saving.load_model(tmp_path / "gaps.keras")
    np.testing.assert_array_equal(loaded((TOKENS, places)), model((TOKENS, places)))
    for pool in (None, bert.Summary()):
        model = bert.build_classifier(small(), 2, pool=pool)
        model.save(tmp_path / "answers.keras")
        loaded = keras.saving.load_model(tmp_path / "answers.keras")
        np.testing.assert_array_equal(loaded(TOKENS), model(TOKENS))


# --- published weights


WIDTH, PIECES = 8, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "good", "##ness"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A BERT of one block as Hugging Face keeps them."""
    pytest.importorskip("keras_hub", reason="needs the extra `pretrained`")
    from safetensors.numpy import save_file

    shapes = {
        "embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": (6, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "pooler.dense.weight": (WIDTH, WIDTH),
        "pooler.dense.bias": (WIDTH,),
    }
    for part, (out, into) in {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (12, WIDTH),
        "output.dense": (WIDTH, 12),
    }.items():
        shapes |= {f"encoder.layer.0.{part}.weight": (out, into)}
        shapes |= {f"encoder.layer.0.{part}.bias": (out,)}
    for norm in (
        "embeddings.LayerNorm",
        "encoder.layer.0.attention.output.LayerNorm",
        "encoder.layer.0.output.LayerNorm",
    ):
        shapes |= {f"{norm}.weight": (WIDTH,), f"{norm}.bias": (WIDTH,)}
    rng = np.random.default_rng(5)
    tensors = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    config = {
        "model_type": "bert",
        "vocab_size": len(PIECES),
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "hidden_size": WIDTH,
        "intermediate_size": 12,
        "max_position_embeddings": 6,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    settings = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    return tmp_path


def test_a_published_bert_is_read_from_a_folder(folder: Path) -> None:
    from safetensors.numpy import load_file

    published = pretrained.load_bert(folder)
    assert published.pieces == tuple(PIECES)
    assert published.lowercase
    tensors = load_file(folder / "model.safetensors")
    np.testing.assert_array_equal(
        published.encoder.token_embedding.get_weights()[0],
        tensors["embeddings.word_embeddings.weight"],
    )
    kernel = published.encoder.blocks[0].attention.query_key_value.get_weights()[0]
    wanted = tensors["encoder.layer.0.attention.self.key.weight"].T
    np.testing.assert_array_equal(kernel[:, WIDTH : 2 * WIDTH], wanted)
    assert np.asarray(published.encoder(np.array([[2, 5, 6, 7, 3]]))).shape == (1, 5, WIDTH)


def test_a_folder_that_is_no_model_is_named(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        pretrained.load_bert(empty)
    (folder / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks vocab\.txt"):
        pretrained.load_bert(folder)


def test_truncated_weights_are_named(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="whole files"):
        pretrained.load_bert(folder)


def test_another_vocabulary_is_named(folder: Path) -> None:
    with (folder / "vocab.txt").open("a") as file:
        file.write("more\n")
    with pytest.raises(ValueError, match="vocabulary of 9 pieces, but its weights are for 8"):
        pretrained.load_bert(folder)


def test_without_keras_hub_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match="pretrained"):
        pretrained.load_bert()


# --- bad input


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (np.zeros((0, 4), int), "at least one of each"),
        (np.zeros((2, 0), int), "at least one of each"),
        (np.zeros(4, int), "at least one of each"),
        (np.ones((1, 9), int), "9 are more than max_length=8"),
    ],
)
def test_tokens_that_do_not_fit_are_named(tokens: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small()(tokens)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[2, 11]], "from 0 to 10"),
        ([[-1, 2]], "from 0 to 10"),
        ([[2, 7], [0, 0]], r"tokens\[1\] is all padding"),
        ([[2.0, 7.0]], "integers"),
    ],
)
def test_tokens_that_mean_nothing_are_named(tokens: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bert.check_tokens(tokens, 11)
    with pytest.raises(ValueError, match=message):
        small().attention_maps(np.array(tokens))


def test_arguments_that_contradict_each_other_are_named() -> None:
    with pytest.raises(ValueError, match="num_heads=5 must divide hidden_dim=12"):
        bert.BertEncoder(11, num_heads=5, hidden_dim=12)
    with pytest.raises(ValueError, match="segments must have the shape of tokens"):
        small()(TOKENS, SEGMENTS[:, :4])
