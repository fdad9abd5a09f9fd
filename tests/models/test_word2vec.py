"""Word2vec against plain loops: pairs, losses, gradients, stretches; and input that is odd."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlbook import train
from dlbook.models import word2vec

KINDS = pytest.mark.parametrize("kind", ["skip-gram", "cbow"])


def texts(*lengths: int, num_words: int = 30, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(2, num_words, length).astype(np.int32) for length in lengths]


def stretches(*lengths: int, **settings) -> word2vec.Stretches:
    settings = {"threshold": None, "batch_size": 1, "length": 4, "window": 2} | settings
    return word2vec.Stretches(texts(*lengths), 30, **settings)


def random_model(kind: str, **settings) -> keras.Model:
    model = word2vec.build_word2vec(kind, 30, 6, window=2, **settings)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.5, (30, 6)).astype("float32") for _ in range(2)])
    return model


def one_batch(*lengths: int, **settings) -> tuple:
    made = stretches(*lengths, batch_size=2, num_noise=3, **settings)
    return tuple(part[0] for part in next(made.batches()))


def loss_by_loops(model: keras.Model, kind: str, batch: tuple) -> tuple[float, float]:
    """The loss of a batch and the predictions in it, one after another."""
    words, contexts = model.get_weights()[:2]
    window, share = model.window, model.num_negatives / batch[3].shape[1]

    def cost(score: float, label: int) -> float:
        return np.log1p(np.exp(-score if label else score))

    loss = count = 0.0
    for stretch, left, right, noise in zip(*batch, strict=True):
        for i in range(len(left)):
            centre = i + window
            around = range(centre - left[i], centre + right[i] + 1)
            neighbours = [stretch[j] for j in around if j != centre]
            if kind == "skip-gram":
                given = [(words[stretch[centre]], neighbour) for neighbour in neighbours]
            else:
                mean = [words[neighbours].mean(axis=0)] if neighbours else []
                given = [(vector, stretch[centre]) for vector in mean]
            for vector, target in given:
                count += 1
                loss += cost(vector @ contexts[target], 1)
                loss += share * sum(cost(vector @ contexts[other], 0) for other in noise)
    return loss, count


# ---- subsampling and noise ----


def test_subsampling_by_hand():
    kept = word2vec.keep_probability(np.array([0, 900, 90, 10]), 0.01)
    share = np.array([0.9, 0.09])
    np.testing.assert_allclose(kept[1:3], np.sqrt(0.01 / share) + 0.01 / share)
    assert kept[0] == kept[3] == 1
    assert (word2vec.keep_probability(np.array([5, 1]), None) == 1).all()


def test_noise_is_drawn_by_counts_to_a_power():
    table = word2vec.noise_table(np.array([0, 0, 16, 1]), size=9_000)
    found = np.bincount(table, minlength=4)
    assert found[:2].sum() == 0
    assert found[2] / found[3] == pytest.approx(8, rel=0.01)
    with pytest.raises(ValueError, match="no word"):
        word2vec.noise_table(np.zeros(3))


# ---- stretches ----


def pairs_of(made: word2vec.Stretches) -> list[tuple[int, int]]:
    pairs = []
    for part in made.batches():
        for stretch, left, right, _ in zip(
            *(a.reshape(-1, a.shape[-1]) for a in part), strict=True
        ):
            mask = keras.ops.convert_to_numpy(
                word2vec.pair_mask(left[None], right[None], made.window)
            )[0]
            for i, j in np.argwhere(mask):
                pairs.append((int(stretch[i + made.window]), int(stretch[j])))
    return pairs


@pytest.mark.parametrize("lengths", [(9,), (3, 1, 6, 2), (1, 1, 1), (40, 7)])
def test_pairs_are_those_of_loops_over_texts(lengths):
    made = stretches(*lengths, window=1, seed=3)  # each window can only be 1
    expected = [
        (int(text[i]), int(text[j]))
        for text in texts(*lengths)
        for i in range(len(text))
        for j in (i - 1, i + 1)
        if 0 <= j < len(text)
    ]
    assert sorted(pairs_of(made)) == sorted(expected)


@pytest.mark.parametrize("few", [5, 30])
def test_counted_pairs_are_those_of_loops(few):
    lengths = (40, 3, 1, 17)
    pairs = np.array(pairs_of(stretches(*lengths, seed=4)))  # the same seed: the same pass
    together, neighbours = stretches(*lengths, seed=4).count_pairs(few)
    expected = np.zeros((30, 30))
    np.add.at(expected, tuple(pairs.T), 1)
    np.testing.assert_array_equal(together, expected[:few, :few])
    np.testing.assert_array_equal(neighbours, expected[:few].sum(axis=1))


def test_pairs_of_no_word_are_refused():
    with pytest.raises(ValueError, match="few must be 1 or more"):
        stretches(9).count_pairs(0)


def test_windows_are_dynamic():
    made = stretches(4_000, window=4, seed=1)
    sides = np.concatenate([part[1].ravel() for part in made.batches()])
    share = np.bincount(sides, minlength=5)[1:] / 4_000
    np.testing.assert_allclose(share, 0.25, atol=0.04)


def test_a_pass_is_new_and_a_seed_repeats_it():
    def stretches_of(made):
        return np.concatenate([part[0] for part in made.batches()]).tolist()

    first, second = stretches(200, seed=5), stretches(200, seed=5)
    one = stretches_of(first)
    assert one == stretches_of(second)
    assert one != stretches_of(first)
    assert one != stretches_of(stretches(200, seed=6))


def test_subsampling_drops_frequent_words():
    text = np.array([2] * 900 + [3] * 100, np.int32)
    made = word2vec.Stretches([text], 4, threshold=1e-2, length=1, batch_size=1, window=1, seed=0)
    kept = np.bincount(np.concatenate([p[0][:, 0, 1] for p in made.batches()]), minlength=4)
    assert kept[2] == pytest.approx(900 * made.keep[2], abs=40)
    assert made.keep[2] < made.keep[3]
    assert made.steps() == pytest.approx(kept.sum(), rel=0.2)


def test_pieces_together_are_the_whole_corpus():
    whole, cut = stretches(*[20] * 30), stretches(*[20] * 30, piece=100)
    assert len(list(cut.batches())) == 6
    counted = [
        np.bincount(
            np.concatenate([p[0][:, 0, 2:-2].ravel() for p in made.batches()]), minlength=30
        )
        for made in (whole, cut)
    ]
    np.testing.assert_array_equal(*counted)


def test_unknown_words_and_padding_are_left_out():
    made = word2vec.Stretches([np.array([0, 1, 5, 1, 6])], 7, threshold=None, batch_size=1)
    assert made.numbers.tolist() == [5, 6]
    assert len(made) == 2


@pytest.mark.parametrize("corpus", [[], [np.zeros(0, np.int32)], [np.array([0, 1, 1])]])
def test_a_corpus_without_words_is_refused(corpus):
    with pytest.raises(ValueError, match="no word"):
        word2vec.Stretches(corpus, 10)


def test_a_number_too_large_is_refused():
    with pytest.raises(ValueError, match="number 9, num_words=9"):
        word2vec.Stretches([np.array([9])], 9)


def test_one_word_has_no_pair_and_trains_all_the_same():
    made = stretches(1)
    assert pairs_of(made) == []
    model = random_model("skip-gram")
    loss, count = model(tuple(part[0] for part in next(made.batches())))
    assert float(loss) == float(count) == 0


# ---- models ----


@KINDS
def test_loss_against_loops(kind):
    model, batch = random_model(kind, num_negatives=4), one_batch(5, 1, 3)
    loss, count = loss_by_loops(model, kind, batch)
    found, found_count = model(batch)
    assert float(found) == pytest.approx(loss, rel=1e-5)
    assert float(found_count) == count


@KINDS
def test_the_gradient_by_hand_is_that_of_the_loss(kind):
    """Central differences of the loss, on every entry of both tables."""
    model, batch = random_model(kind), one_batch(6, 2)
    with tf.GradientTape() as tape:
        loss, _ = model(batch)
    slopes = [
        tf.convert_to_tensor(g).numpy() for g in tape.gradient(loss, model.trainable_variables)
    ]
    weights = model.get_weights()[:2]
    rng = np.random.default_rng(0)
    for table in (0, 1):
        direction = rng.normal(size=weights[table].shape).astype("float32")
        losses = []
        for sign in (1, -1):
            moved = [w.copy() for w in weights]
            moved[table] += sign * 1e-2 * direction
            model.set_weights(moved)
            losses.append(loss_by_loops(model, kind, batch)[0])
        expected = (losses[0] - losses[1]) / 2e-2
        assert (slopes[table] * direction).sum() == pytest.approx(expected, rel=1e-2)


def test_logistic_loss_is_stable():
    found = word2vec.logistic_loss(
        tf.constant([100.0, -100.0]), tf.constant([1.0, 0.0]), tf.constant([1.0, 1.0])
    )
    assert float(found) == pytest.approx(0, abs=1e-5)


@KINDS
def test_rows_that_a_batch_lacks_stay_untouched(kind):
    model, batch = random_model(kind), one_batch(5)
    before = model.vectors
    model.compile(keras.optimizers.SGD(0.1))
    model.train_step(batch)
    moved = np.flatnonzero((model.vectors != before).any(axis=1))
    assert set(moved) <= set(batch[0].ravel().tolist())
    assert len(moved) > 0


@KINDS
def test_parameters_and_first_vectors(kind):
    model = word2vec.build_word2vec(kind, 50, 8)
    assert model.count_params() == 2 * 50 * 8
    words, contexts = model.get_weights()[:2]
    assert np.abs(words).max() <= 0.5 / 8
    assert (contexts == 0).all()
    again = word2vec.build_word2vec(kind, 50, 8)
    np.testing.assert_array_equal(again.vectors, words)


@KINDS
def test_training_compiles_once_and_learns(kind):
    rng = np.random.default_rng(0)
    # two groups of words that never meet
    corpus = [rng.integers(2, 8, 12) + 6 * (n % 2) for n in range(300)]
    made = word2vec.Stretches(corpus, 14, threshold=None, batch_size=4, length=16, window=2)
    model = word2vec.build_word2vec(kind, 14, 8, window=2)
    rate = {"skip-gram": 0.005, "cbow": 0.05}[kind]  # so few words meet in every step
    model.compile(keras.optimizers.SGD(rate), jit_compile=True)
    traces, call = [], model.call
    model.call = lambda batch: (traces.append(1), call(batch))[1]
    history = train.fit(model, made.dataset(), epochs=8, table=False).history["loss"]
    assert len(traces) <= 2
    assert history[-1] < history[0]
    unit = model.vectors[2:] / np.linalg.norm(model.vectors[2:], axis=1, keepdims=True)
    cosines = unit @ unit.T
    same = np.arange(12)[:, None] // 6 == np.arange(12) // 6
    assert cosines[same].mean() > cosines[~same].mean() + 0.5


@KINDS
def test_a_saved_model_gives_the_same_loss(kind, tmp_path):
    model, batch = random_model(kind, num_negatives=3), one_batch(5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded(batch)[0]) == pytest.approx(float(model(batch)[0]))
    np.testing.assert_array_equal(loaded.vectors, model.vectors)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="one of skip-gram, cbow, not 'glove'"):
        word2vec.build_word2vec("glove")


def test_nearest_words():
    vectors = np.array([[0, 0], [1, 0], [2, 0.1], [0, 3], [-1, 0]])
    assert word2vec.nearest(vectors, np.array([1, 0]), 3).tolist() == [1, 2, 3]
    assert word2vec.nearest(vectors, np.array([1, 0]), 2, leave_out=[1]).tolist() == [2, 3]
