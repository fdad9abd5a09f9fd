"""WordPiece: marks, pieces, frames, and vocabularies that are none."""

import numpy as np
import pytest

from dlbook.data.stand_ins import imdb
from dlbook.text import Vocabulary, WordPieceVocabulary

TEXTS = imdb.make()["x_train"][:200]
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture(scope="module")
def vocabulary() -> WordPieceVocabulary:
    return WordPieceVocabulary.train(TEXTS, 400)


def test_it_is_a_vocabulary_with_the_marks_first(vocabulary):
    assert isinstance(vocabulary, Vocabulary)
    assert len(vocabulary) == 400
    assert list(vocabulary.pieces[:5]) == MARKS
    assert (vocabulary.unknown, vocabulary.start, vocabulary.separator, vocabulary.mask) == (
        1,
        2,
        3,
        4,
    )


def test_longest_pieces_first_from_left_to_right():
    vocabulary = WordPieceVocabulary([*MARKS, "un", "##able", "##a", "##ff", "##affable", "a"])
    numbers = vocabulary.encode("unaffable A")
    assert [vocabulary.pieces[number] for number in numbers] == ["un", "##affable", "a"]
    assert vocabulary.encode("unx").tolist() == [vocabulary.unknown]  # a word with a gap is unknown


def test_texts_come_back_in_small_letters(vocabulary):
    text = "the acting was superb, wonderful."
    assert vocabulary.decode(vocabulary.encode(text.title())) == text
    assert vocabulary.encode("").shape == (0,)
    assert vocabulary.decode([]) == vocabulary.decode([0, 0]) == ""
    assert vocabulary.encode("x").dtype == np.int32
    assert vocabulary.encode("中 \ud800").tolist() == [1]  # half a character is left out


def test_a_mark_in_a_text_is_the_mark(vocabulary):
    assert vocabulary.mask in vocabulary.encode("the [MASK] was good")
    assert "[MASK]" in vocabulary.decode(vocabulary.encode("the [MASK] was good"))


def test_several_texts_are_encoded_like_each(vocabulary):
    for one, text in zip(vocabulary.encode_all(TEXTS[:5]), TEXTS[:5], strict=True):
        np.testing.assert_array_equal(one, vocabulary.encode(text))


def test_frames(vocabulary):
    tokens, segments = vocabulary.frame([np.array([7, 8, 9, 10]), np.array([7])], 5)
    np.testing.assert_array_equal(tokens, [[2, 8, 9, 10, 3], [2, 7, 3, 0, 0]])  # the end is kept
    assert not segments.any()
    assert tokens.dtype == segments.dtype == np.int32
    tokens, segments = vocabulary.frame([np.array([7, 8, 9])], 8, [np.array([20])])
    np.testing.assert_array_equal(tokens, [[2, 8, 9, 3, 20, 3, 0, 0]])
    np.testing.assert_array_equal(segments, [[0, 0, 0, 0, 1, 1, 0, 0]])
    empty, _ = vocabulary.frame([np.zeros(0, int)], 4)
    np.testing.assert_array_equal(empty, [[2, 3, 0, 0]])


def test_a_published_vocabulary_is_a_file(tmp_path, vocabulary):
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary.pieces) + "\n", encoding="utf-8")
    read = WordPieceVocabulary.from_file(tmp_path / "vocab.txt")
    np.testing.assert_array_equal(read.encode(TEXTS[0]), vocabulary.encode(TEXTS[0]))


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        (["a", "b"], r"lacks \[PAD\], \[UNK\]"),
        (["a", *MARKS], "padding is 0"),
        ([*MARKS, "a", "a"], "more than once"),
    ],
)
def test_pieces_that_are_no_vocabulary_are_named(pieces, message):
    with pytest.raises(ValueError, match=message):
        WordPieceVocabulary(pieces)


def test_bad_input_is_named(vocabulary):
    with pytest.raises(ValueError, match="several texts"):
        vocabulary.encode_all("one")
    with pytest.raises(ValueError, match="several texts"):
        WordPieceVocabulary.train("one", 50)
    with pytest.raises(ValueError, match="no word"):
        WordPieceVocabulary.train([" ", ""], 50)
    with pytest.raises(ValueError, match="size must be"):
        WordPieceVocabulary.train(TEXTS, 10)
    with pytest.raises(ValueError, match="numbers must be from 0"):
        vocabulary.decode([400])
    with pytest.raises(ValueError, match="no room"):
        vocabulary.frame([np.array([7])], 2)
    with pytest.raises(ValueError, match="at least one text"):
        vocabulary.frame([], 8)
    with pytest.raises(ValueError, match="as many"):
        vocabulary.frame([np.array([7])], 8, [])
