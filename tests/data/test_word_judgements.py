"""The judgements about words and their stand-in."""

import numpy as np
import pytest

from dlbook.data import load_imdb, load_word_judgements, split_words
from dlbook.data.word_judgements import Analogy, read_analogies, read_pairs


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")


def test_pairs_are_read():
    pairs, scores = read_pairs("Word 1,Word 2,Human (Mean)\nArafat,peace,2.125\n\ntiger,cat,7.35\n")
    assert pairs == (("arafat", "peace"), ("tiger", "cat"))
    np.testing.assert_allclose(scores, [2.125, 7.35])


def test_analogies_are_read():
    text = ": family\nboy girl King queen\n\n: gram1\nbad worse big bigger\n"
    assert read_analogies(text) == (
        Analogy("family", "boy", "girl", "king", "queen"),
        Analogy("gram1", "bad", "worse", "big", "bigger"),
    )


def test_stand_in_is_about_the_words_of_imdbs(stand_in):
    data = load_word_judgements()
    assert data.is_stand_in
    known = {word for text in load_imdb().x_train for word in split_words(text)}
    assert {word for pair in data.pairs for word in pair} <= known
    assert {word for question in data.analogies for word in question[1:]} <= known
    assert len(data.pairs) == len(set(data.pairs)) == len(data.scores) == 240
    assert 0 <= data.scores.min() < 2 < 8 < data.scores.max() <= 10
    assert all(len({*question[1:]}) == 4 for question in data.analogies)
    again = load_word_judgements()
    assert again.pairs == data.pairs
    np.testing.assert_array_equal(again.scores, data.scores)
    assert "240 pairs of words, 56 analogies" in repr(data)
