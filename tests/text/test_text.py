"""Characters as numbers, and batches of sequences of like length."""

import keras
import numpy as np
import pytest

from dlbook.text import (
    CharacterVocabulary,
    batches_by_length,
    group_by_length,
    neighbour_vectors,
    predict_by_length,
)

# ---- characters ----


def test_characters_go_there_and_back():
    vocabulary = CharacterVocabulary("白日 ba\n𨣧")
    assert vocabulary.characters == ("\n", " ", "a", "b", "日", "白", "𨣧")
    assert len(vocabulary) == 7
    assert "日" in vocabulary
    assert "x" not in vocabulary
    numbers = vocabulary.encode("ab白𨣧")
    assert numbers.tolist() == [2, 3, 5, 6]
    assert numbers.dtype == np.int32
    assert vocabulary.decode(numbers) == vocabulary.decode([2, 3, 5, 6]) == "ab白𨣧"
    assert vocabulary.decode([]) == ""


def test_empty_text_is_refused():
    with pytest.raises(ValueError, match="text is empty: a vocabulary needs"):
        CharacterVocabulary("")
    with pytest.raises(ValueError, match="text is empty: give at least one"):
        CharacterVocabulary("ab").encode("")


def test_unknown_character_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"text has 'é' \(U\+00E9\) at place 3, .* 2 characters"):
        CharacterVocabulary("ab").encode("abaéé")


@pytest.mark.parametrize("numbers", [[2], [-1], [0.5], [[0, 1]], np.array([[0]])])
def test_numbers_that_stand_for_nothing_are_refused(numbers):
    with pytest.raises(ValueError, match="numbers must be"):
        CharacterVocabulary("ab").decode(numbers)


# ---- lengths ----


def sequences(*lengths: int) -> list[np.ndarray]:
    """Sequence k counts up from 100 k + 1."""
    return [np.arange(n, dtype=np.int32) + 100 * k + 1 for k, n in enumerate(lengths)]


def test_each_sequence_goes_to_the_smallest_width_that_holds_it():
    narrow, wide = group_by_length(sequences(2, 5, 3, 7, 1), [3, 5, 6])[::2]
    assert narrow.rows.tolist() == [0, 2, 4]
    assert narrow.padded.tolist() == [[1, 2, 0], [201, 202, 203], [401, 0, 0]]
    assert narrow.padded.dtype == np.int32
    # of the longest one the end is kept
    assert wide.rows.tolist() == [3]
    assert wide.padded.tolist() == [[302, 303, 304, 305, 306, 307]]


def test_width_that_nobody_needs_makes_no_group():
    (group,) = group_by_length(sequences(4, 4), [2, 4, 8])
    assert group.padded.shape == (2, 4)


@pytest.mark.parametrize(
    ("lengths", "widths", "words"),
    [
        ((), [3], "sequences is empty"),
        ((2, 0), [3], r"sequences\[1\] is empty"),
        ((2,), [], "widths must be"),
        ((2,), [3, 3], "widths must be"),
        ((2,), [4, 3], "widths must be"),
        ((2,), [0, 3], "widths must be"),
    ],
)
def test_grouping_refuses(lengths, widths, words):
    with pytest.raises(ValueError, match=words):
        group_by_length(sequences(*lengths), widths)


def rows_of(batch) -> list[int]:
    return [int(row[row > 0][0]) // 100 for row in batch]


def test_batches_are_whole_and_keep_labels_with_their_sequences():
    lengths = np.random.default_rng(0).integers(1, 12, 50)
    groups = group_by_length(sequences(*lengths), [3, 6, 9])
    data = batches_by_length(groups, np.arange(50.0), batch_size=8, seed=1)
    assert int(data.cardinality()) == 6
    passes = []
    for _ in range(2):
        batches = [(x.numpy(), y.numpy()) for x, y in data]
        assert len(batches) == 6
        for x, y in batches:
            assert x.shape[0] == 8
            assert x.shape[1] in (3, 6, 9)
            assert rows_of(x) == y.tolist()
            assert (np.minimum(lengths[rows_of(x)], 9) == (x > 0).sum(axis=1)).all()
        passes.append([row for x, _ in batches for row in rows_of(x)])
        assert len(set(passes[-1])) == 48  # two are left out
    assert passes[0] != passes[1]
    # most batches are of one group: few zeros
    assert len({x.shape[1] for x, _ in batches}) > 1


def test_the_seed_decides_the_order():
    groups = group_by_length(sequences(*[2, 5] * 10), [3, 6])

    def first(seed):
        (x, _), *_ = batches_by_length(groups, np.zeros(20), batch_size=4, seed=seed)
        return x.numpy().tolist()

    assert first(1) == first(1) != first(2)


def test_labels_may_have_any_shape():
    labels = np.arange(20.0).reshape(10, 2)
    data = batches_by_length(
        group_by_length(sequences(*range(1, 11)), [5, 9]), labels, batch_size=5
    )
    for x, y in data:
        assert rows_of(x.numpy()) == (y.numpy()[:, 0] / 2).tolist()


def test_batches_refuse():
    groups = group_by_length(sequences(1, 2), [3])
    with pytest.raises(ValueError, match="labels has 3 entries for 2 sequences"):
        batches_by_length(groups, np.zeros(3))
    for size in (0, 3):
        with pytest.raises(ValueError, match="batch_size must be from 1 to the 2"):
            batches_by_length(groups, np.zeros(2), batch_size=size)


# ---- vectors from neighbours ----


def toy_corpus() -> list[np.ndarray]:
    """Words 3 to 6 stand between 7 and 8, words 9 to 12 between 13 and 14."""
    rng = np.random.default_rng(0)
    first = [[1, 7, rng.integers(3, 7), 8] for _ in range(200)]
    second = [[1, 13, rng.integers(9, 13), 14] for _ in range(200)]
    return [np.array(text, np.int32) for text in first + second]


def test_words_in_like_company_get_like_vectors():
    vectors = neighbour_vectors(toy_corpus(), num_words=16, dim=4)
    assert vectors.shape == (16, 4)
    assert vectors.dtype == np.float32
    assert vectors[3:].std() == pytest.approx(1, abs=1e-3)
    lengths = np.linalg.norm(vectors, axis=1)
    # padding, the start, unknown words, and a word that does not occur
    assert np.abs(lengths[[0, 1, 2, 15]]).max() < 1e-5
    unit = vectors[3:15] / lengths[3:15, None]
    similar = unit @ unit.T
    assert similar[:4, :4].min() > 0.95
    assert np.abs(similar[:4, 6:10]).max() < 0.3


def test_neighbours_do_not_reach_over_the_end_of_a_text():
    apart = neighbour_vectors([np.array([3, 4]), np.array([5, 6])], num_words=7, dim=4)
    assert abs(apart[3] @ apart[5]) < 1e-4
    np.testing.assert_array_equal(
        apart, neighbour_vectors([np.array([3, 4]), np.array([5, 6])], num_words=7, dim=4)
    )


def test_vectors_refuse():
    with pytest.raises(ValueError, match="dim must be from 1 to 4"):
        neighbour_vectors(sequences(3), num_words=5, dim=5)
    with pytest.raises(ValueError, match="has the number 9, num_words is 9"):
        neighbour_vectors([np.array([3, 9])], num_words=9, dim=2)
    for texts in ([], [np.array([3])], [np.array([1, 3, 2, 2])]):
        with pytest.raises(ValueError, match="no two words beside each other"):
            neighbour_vectors(texts, num_words=9, dim=2, window=1)


def test_predictions_come_back_in_order():
    model = keras.Sequential([keras.Input((None,)), CountWords()])
    lengths = [4, 1, 9, 2, 7, 3]
    groups = group_by_length(sequences(*lengths), [3, 6, 10])
    found = predict_by_length(model, groups, batch_size=2)
    assert found.tolist() == [[length] for length in lengths]


class CountWords(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.sum(keras.ops.cast(inputs > 0, "float32"), axis=1, keepdims=True)
