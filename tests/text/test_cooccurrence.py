"""Word vectors from counts of neighbours."""

import numpy as np
import pytest

from dlbook.text import cooccurrence_vectors


def toy_corpus() -> list[np.ndarray]:
    """Words 3 to 6 stand between 7 and 8, words 9 to 12 between 13 and 14."""
    rng = np.random.default_rng(0)
    first = [[1, 7, rng.integers(3, 7), 8] for _ in range(200)]
    second = [[1, 13, rng.integers(9, 13), 14] for _ in range(200)]
    return [np.array(text, np.int32) for text in first + second]


def test_words_in_like_company_get_like_vectors():
    vectors = cooccurrence_vectors(toy_corpus(), num_words=16, dim=4)
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
    apart = cooccurrence_vectors([np.array([3, 4]), np.array([5, 6])], num_words=7, dim=4)
    assert abs(apart[3] @ apart[5]) < 1e-4
    np.testing.assert_array_equal(
        apart, cooccurrence_vectors([np.array([3, 4]), np.array([5, 6])], num_words=7, dim=4)
    )


def test_vectors_refuse():
    with pytest.raises(ValueError, match="dim must be from 1 to 4"):
        cooccurrence_vectors([np.array([3, 4])], num_words=5, dim=5)
    with pytest.raises(ValueError, match="has the number 9, num_words is 9"):
        cooccurrence_vectors([np.array([3, 9])], num_words=9, dim=2)
    for texts in ([], [np.array([3])], [np.array([1, 3, 2, 2])]):
        with pytest.raises(ValueError, match="no two words beside each other"):
            cooccurrence_vectors(texts, num_words=9, dim=2, window=1)


def test_power_weighs_the_directions():
    settings = {"num_words": 16, "dim": 3, "iterations": 4}
    flat = cooccurrence_vectors(toy_corpus(), power=0.0, **settings)
    lengths = np.linalg.norm(flat, axis=0)
    np.testing.assert_allclose(lengths, lengths.mean(), rtol=1e-3)
    weighted = np.linalg.norm(cooccurrence_vectors(toy_corpus(), power=1.0, **settings), axis=0)
    assert weighted[0] > 1.05 * weighted[2]


def test_a_shift_cuts_weak_pairs_off():
    settings = {"num_words": 16, "dim": 4, "smoothing": 1.0}
    default = cooccurrence_vectors(toy_corpus(), **settings)
    same = cooccurrence_vectors(toy_corpus(), shift=1.0, power=0.5, **settings)
    np.testing.assert_array_equal(default, same)
    nothing = cooccurrence_vectors(toy_corpus(), shift=1e6, **settings)
    assert np.abs(nothing).max() == 0
