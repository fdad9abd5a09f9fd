"""Byte-pair encoding: its merges against the tokenizers library's, and texts that come back."""

import itertools
from collections import Counter

import numpy as np
import pytest

from dlbook.data.stand_ins import imdb, tang_poems
from dlbook.text import UNKNOWN, BytePairVocabulary, count_words, learn_merges, merge

ENGLISH = imdb.make()["x_train"][:300]
CHINESE = [poem.text for poem in tang_poems.make()["poems"][:300]]
SENNRICH = {"low": 5, "lower": 2, "newest": 6, "widest": 3}  # the paper's example


def test_merge_joins_from_left_to_right():
    assert merge(list("banana"), ("a", "n")) == ["b", "an", "an", "a"]
    assert merge(list("aaaaa"), ("a", "a")) == ["aa", "aa", "a"]
    assert merge(["a"], ("a", "a")) == ["a"]
    assert merge([], ("a", "a")) == []


def test_the_papers_example():
    merges = learn_merges(SENNRICH, 4)
    assert merges == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]
    everything = learn_merges(SENNRICH, 1000)
    assert {"".join(pair) for pair in everything} >= set(SENNRICH)  # each word is one piece
    assert learn_merges({"a": 3}, 5) == learn_merges({}, 5) == []


def by_recounting(word_counts, num_merges):
    """The same, in the slow way: everything is counted anew after every merge."""
    words = {word: list(word) for word in word_counts}
    age = {piece: n for n, piece in enumerate(sorted(set("".join(word_counts))))}
    merges = []
    for _ in range(num_merges):
        pairs = Counter()
        for word, pieces in words.items():
            for pair in itertools.pairwise(pieces):
                pairs[pair] += word_counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], age[p[0]], age[p[1]]))
        merges.append(best)
        age.setdefault("".join(best), len(age))
        words = {word: merge(pieces, best) for word, pieces in words.items()}
    return merges


def test_counting_only_what_changed_gives_the_same_merges():
    rng = np.random.default_rng(0)
    for _ in range(20):
        words = {
            "".join(rng.choice(list("abc"), rng.integers(1, 9))): int(n)
            for n in rng.integers(1, 4, 12)
        }
        assert learn_merges(words, 30) == by_recounting(words, 30)


@pytest.mark.parametrize(("texts", "count"), [(ENGLISH, 400), (CHINESE, 300)], ids=["en", "zh"])
def test_merges_equal_those_of_the_library(texts, count):
    words = count_words(texts)
    symbols = len(set("".join(words)))
    by_library = BytePairVocabulary.train(texts, 2 + symbols + count, on_bytes=False)
    assert len(by_library.merges) == count
    assert learn_merges(words, count) == list(by_library.merges)


@pytest.mark.parametrize("on_bytes", [True, False])
@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_texts_come_back(texts, on_bytes):
    vocabulary = BytePairVocabulary.train(texts, 600, on_bytes=on_bytes)
    for text in texts[:50]:
        numbers = vocabulary.encode(text)
        assert vocabulary.decode(numbers) == text
        assert "".join(vocabulary.pieces(text)) == text or on_bytes
        assert len(numbers) < len(text.encode() if on_bytes else text)
    together = vocabulary.encode_all(texts[:50])
    for one, text in zip(together, texts[:50], strict=True):
        assert one.tolist() == vocabulary.encode(text).tolist()


def test_encoding_applies_the_merges_in_order():
    merges = learn_merges(SENNRICH, 10)
    vocabulary = BytePairVocabulary("lowernstid", merges, on_bytes=False)
    for word in ("lowest", "newer", "wide", "slow"):
        pieces = list(word)
        for pair in merges:
            pieces = merge(pieces, pair)
        assert vocabulary.pieces(word) == pieces


def test_a_frequent_word_is_one_piece_and_a_new_one_is_several():
    vocabulary = BytePairVocabulary.train(ENGLISH, 1_000)
    assert vocabulary.pieces(" music") == [" music"]
    assert len(vocabulary.pieces(" mnusic")) > 1
    assert UNKNOWN not in vocabulary.encode("Ωμέγα 👍")


def test_a_word_has_an_end_that_no_piece_crosses():
    assert count_words(["no no  no!?\n"]) == {"no": 1, " no": 2, " ": 1, "!?": 1, "\n": 1}
    assert count_words(["x" * 100]) == {"x" * 40: 2, "x" * 20: 1}
    vocabulary = BytePairVocabulary.train(["ab ab ab ab"], 1000)
    assert {vocabulary.decode([n]) for n in vocabulary.encode("ab ab ab")} == {"ab", " ab"}


def test_byte_pairs_refuse():
    for call in (BytePairVocabulary.train, lambda texts, _: count_words(texts)):
        with pytest.raises(ValueError, match="several texts"):
            call("ab", 300)
    with pytest.raises(ValueError, match="several texts"):
        BytePairVocabulary(["a"], [], on_bytes=False).encode_all("ab")
    with pytest.raises(ValueError, match="no character"):
        BytePairVocabulary.train(["", "\ufffd"], 300)
    with pytest.raises(ValueError, match="size must be 258 or more"):
        BytePairVocabulary.train(["ab"], 257)
    with pytest.raises(ValueError, match="size must be 4 or more"):
        BytePairVocabulary.train(["ab"], 3, on_bytes=False)
    with pytest.raises(ValueError, match="alphabet is empty"):
        BytePairVocabulary([], [])
    with pytest.raises(ValueError, match=r"merges has \('a', 'c'\)"):
        BytePairVocabulary(["a", "b"], [("a", "b"), ("a", "c")], on_bytes=False)
