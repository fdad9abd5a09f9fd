"""Numbers for n-grams without a vocabulary."""

import time

import numpy as np
import pytest

from dlbook.text import hashed_ngrams

MANY = 1 << 20
GOLDEN = [745, 40865, 88279, 111068, 143846, 147739, 251246]


def test_single_pieces_and_pairs():
    words = ["not", "good", "not", "bad"]
    single = hashed_ngrams(words, MANY, longest=1)
    assert single.dtype == np.int32
    assert len(single) == 3  # a set
    both = hashed_ngrams(words, MANY)
    assert len(both) == 6  # and "not good", "good not", "not bad"
    assert set(single) < set(both)
    assert (np.diff(both) > 0).all()
    assert 1 <= both.min() <= both.max() < MANY
    pairs = hashed_ngrams(words, MANY, shortest=2)
    assert set(pairs) == set(both) - set(single)


def test_order_matters_within_an_ngram_only():
    assert not set(hashed_ngrams(["a", "b"], MANY, shortest=2)) & set(
        hashed_ngrams(["b", "a"], MANY, shortest=2)
    )
    assert set(hashed_ngrams(list("ab"), MANY, longest=1)) == set(
        hashed_ngrams(list("ba"), MANY, longest=1)
    )


def test_characters_of_a_string():
    found = hashed_ngrams("abcabc", MANY, shortest=3, longest=3)
    assert len(found) == 3  # abc, bca, cab
    assert set(hashed_ngrams("xabcy", MANY, shortest=3, longest=3)) & set(found)


def test_buckets_are_filled_evenly():
    words = [f"word{n}" for n in range(20_000)]
    counts = np.bincount(
        [int(hashed_ngrams([word], 64, longest=1)[0]) for word in words], minlength=64
    )[2:]
    assert counts.min() > 0.75 * counts.mean()
    assert counts.max() < 1.25 * counts.mean()


def test_every_process_has_the_same_buckets():
    # Python's own hash of a string is another one in every process
    assert hashed_ngrams(["not", "a", "good", "film"], 1 << 18).tolist() == GOLDEN


@pytest.mark.parametrize("pieces", [[], "", ["one"], ["\ud800", "👍"], "\ud800"])
def test_hard_pieces(pieces):
    found = hashed_ngrams(pieces, 64, longest=3)
    assert len(found) <= 3
    assert (found > 0).all()


def test_a_million_characters_take_seconds():
    began = time.process_time()
    assert len(hashed_ngrams("the cat sat " * 83_334, MANY, shortest=3, longest=5)) < 40
    assert time.process_time() - began < 10


def test_refuses():
    for buckets in (0, 1, 3, 1000):
        with pytest.raises(ValueError, match="power of two"):
            hashed_ngrams(["a"], buckets)
    for lengths in ((0, 1), (3, 2)):
        with pytest.raises(ValueError, match="shortest"):
            hashed_ngrams(["a"], 64, shortest=lengths[0], longest=lengths[1])
