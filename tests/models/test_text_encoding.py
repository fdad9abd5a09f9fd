"""Bags of pieces: the sum, the mask, the ratios, and a bag that learns."""

import keras
import numpy as np
import pytest

from dlbook.models.text_encoding import BagOfPieces, build_bag_classifier, log_count_ratio

BATCH = np.array([[3, 1, 0, 0], [2, 4, 5, 1], [0, 0, 0, 0]], np.int32)


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    model = build_bag_classifier(6, ratio=rng.normal(size=6))
    model.get_layer("bag").weight.assign(rng.normal(size=6))
    model.get_layer("bag").bias.assign(0.25)
    return model


def test_it_is_the_linear_model_of_the_whole_table(model):
    table = np.zeros((3, 6))  # a column for each piece, padding left out
    for row, numbers in enumerate(BATCH):
        table[row, numbers[numbers > 0]] = 1
    bag = model.get_layer("bag")
    by_table = table @ (np.asarray(bag.weight) * np.asarray(bag.ratio)) + 0.25
    assert np.asarray(model(BATCH))[:, 0] == pytest.approx(by_table, abs=1e-6)
    assert np.asarray(model(BATCH))[2, 0] == 0.25  # nothing but padding


def test_it_is_a_sum_of_embeddings(model):
    bag = model.get_layer("bag")
    embedding = keras.layers.Embedding(6, 1)
    embedding.build()
    embedding.set_weights([(np.asarray(bag.weight) * np.asarray(bag.ratio))[:, None]])
    row = BATCH[1:2]
    by_embedding = np.asarray(embedding(row)).sum(axis=1) + 0.25
    assert np.asarray(model(row)) == pytest.approx(by_embedding, abs=1e-6)


def test_padding_and_order_change_nothing(model):
    wider = np.pad(BATCH, ((0, 0), (0, 7)))
    assert np.asarray(model(wider)) == pytest.approx(np.asarray(model(BATCH)), abs=1e-6)
    assert np.asarray(model(BATCH[:, ::-1])) == pytest.approx(np.asarray(model(BATCH)), abs=1e-6)
    assert np.asarray(model(BATCH)).shape == (3, 1)


def test_parameters(model):
    assert model.count_params() == 6 + 6 + 1
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 7
    assert np.asarray(BagOfPieces(3, start=0.5)(np.array([[1, 2, 0]])))[0, 0] == 1.0


def test_save_and_load(model, tmp_path):
    model.save(tmp_path / "bag.keras")
    loaded = keras.saving.load_model(tmp_path / "bag.keras")
    assert np.array_equal(np.asarray(loaded(BATCH)), np.asarray(model(BATCH)))
    assert loaded.get_layer("bag").get_config()["num_pieces"] == 6


def test_half_precision_counts_beyond_256():
    layer = BagOfPieces(2, start=1.0, dtype="mixed_bfloat16")
    total = layer(np.ones((1, 1000), np.int32))
    assert float(np.asarray(keras.ops.cast(total, "float32"))[0, 0]) == 1000


def test_it_learns_and_the_gradient_reaches_every_weight_but_paddings():
    rng = np.random.default_rng(1)
    pieces = np.where(rng.random((200, 8)) < 0.8, rng.integers(1, 20, (200, 8)), 0)
    labels = ((pieces == 3).any(axis=1) | (pieces == 7).any(axis=1)).astype("float32")
    model = build_bag_classifier(20, start=0.1)
    before = np.asarray(model.get_layer("bag").weight).copy()
    model.compile(keras.optimizers.Adam(0.1), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit(pieces.astype("int32"), labels, epochs=15, batch_size=20, verbose=0)
    found = np.asarray(model(pieces.astype("int32")))[:, 0] > 0
    assert (found == labels).mean() > 0.97
    moved = np.asarray(model.get_layer("bag").weight) != before
    assert moved[1:].all()
    assert not moved[0]


def test_ratio_by_hand():
    bags = [np.array([1, 2]), np.array([2, 3]), np.array([2])]
    ratio = log_count_ratio(bags, np.array([1, 0, 1]), 5)
    # class 1 has 2 + 1, 1 + 2, 0 + 1, 0 + 1 texts with pieces 1 to 4; class 0 has 1, 2, 2, 1
    by_hand = np.log([2 / 7, 3 / 7, 1 / 7, 1 / 7]) - np.log([1 / 6, 2 / 6, 2 / 6, 1 / 6])
    assert ratio == pytest.approx([0, *by_hand], abs=1e-6)
    assert ratio.dtype == np.float32
    flatter = log_count_ratio(bags, np.array([1, 0, 1]), 5, smoothing=100)
    assert np.abs(flatter).max() < 0.05


def test_it_refuses():
    with pytest.raises(ValueError, match=r"ratio must be \(6,\)"):
        build_bag_classifier(6, ratio=np.ones(5))
    with pytest.raises(ValueError, match="labels has 1 entries for 2 texts"):
        log_count_ratio([np.array([1])] * 2, np.array([1]), 3)
    with pytest.raises(ValueError, match="no text is of class 0"):
        log_count_ratio([np.array([1])] * 2, np.array([1, 1]), 3)
