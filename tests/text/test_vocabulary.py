"""Texts as numbers, and back: characters, words, and what every vocabulary can do."""

import time

import numpy as np
import pytest

from dlbook.text import (
    PADDING,
    UNKNOWN,
    BytePairVocabulary,
    CharacterVocabulary,
    Vocabulary,
    WordVocabulary,
)


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


# Texts that break what is not ready for them, and the seconds that each may take.
HARD = {
    "empty": "",
    "emoji": "👍🏽 a family: 👩‍👩‍👧",
    "mixed": "Tang 春眠 поэт שיר ½ e\u0301",
    "surrogate": "half a character: \ud83d",
    "reserved": "[pad] \ufffd <unk> \x00",
    "blank": " \n\t\u3000 ",
}
LONG = {
    "letters": "a" * 1_000_000,
    "words": "the cat sat " * 83_334,
    "chinese": "春眠不覺曉" * 200_000,
    "emoji": "👍" * 1_000_000,
}


def vocabularies(text: str = "春眠 ab ab\n") -> dict[str, Vocabulary]:
    return {
        "characters": CharacterVocabulary(text, reserved=True),
        "words": WordVocabulary.from_texts([text]),
        "bytes": BytePairVocabulary.train([text], 262),
        "byte pairs of characters": BytePairVocabulary.train([text], 12, on_bytes=False),
    }


KINDS = list(vocabularies())


@pytest.mark.parametrize("kind", KINDS)
def test_one_interface(kind):
    vocabulary = vocabularies()[kind]
    assert isinstance(vocabulary, Vocabulary)
    numbers = vocabulary.encode("ab ab\n")
    assert numbers.dtype == np.int32
    assert numbers.ndim == 1
    assert 2 <= numbers.min() <= numbers.max() < len(vocabulary)
    assert vocabulary.decode(numbers).split() == ["ab", "ab"]
    padded = [*numbers, PADDING, PADDING]
    assert vocabulary.decode(padded) == vocabulary.decode(numbers)  # padding is no text
    for wrong in ([len(vocabulary)], [-1], [0.5], [[2, 2]]):
        with pytest.raises(ValueError, match="numbers must be"):
            vocabulary.decode(wrong)
    # the same numbers again, in another vocabulary of the same text
    assert vocabularies()[kind].encode("ab ab\n").tolist() == numbers.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_hard_texts(kind, text):
    vocabulary = vocabularies()[kind]
    numbers = vocabulary.encode(text)
    assert numbers.dtype == np.int32
    assert (numbers > PADDING).all()
    assert (numbers < len(vocabulary)).all()
    back = vocabulary.decode(numbers)
    if text == "":
        assert (len(numbers), back) == (0, "")
    if kind == "bytes":
        assert back == text.replace("\ud83d", "\ufffd")
        assert UNKNOWN not in numbers
    elif kind != "words":  # every character is itself, or one �
        assert len(back) == len(text)
        known = set("春眠 ab\n")
        assert back == "".join(c if c in known else "\ufffd" for c in text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_million_characters_take_seconds(kind, text):
    vocabulary = vocabularies(text[:50])[kind]
    began = time.process_time()
    back = vocabulary.decode(vocabulary.encode(text))
    assert time.process_time() - began < 20
    if kind != "words" and "👍" not in text:
        assert back == text


@pytest.mark.parametrize("text", ["a", "春"])
def test_a_vocabulary_of_one(text):
    for vocabulary in (
        CharacterVocabulary(text, reserved=True),
        WordVocabulary([text]),
        BytePairVocabulary([text], [], on_bytes=False),
    ):
        assert len(vocabulary) == 3
        assert vocabulary.encode(text).tolist() == [2]
        assert vocabulary.encode("b").tolist() == [UNKNOWN]
        assert vocabulary.decode([2, 1, 0]).replace(" ", "") == f"{text}\ufffd"
    assert CharacterVocabulary(text).encode(text * 3).tolist() == [0, 0, 0]


def test_reserved_numbers_of_characters():
    vocabulary = CharacterVocabulary("ba", reserved=True)
    assert vocabulary.encode("abc").tolist() == [2, 3, UNKNOWN]
    assert len(vocabulary) == 4
    assert "c" not in vocabulary


def test_words_are_numbered_by_frequency():
    vocabulary = WordVocabulary.from_texts(["The cat, the dog.", "Don't! The cat"])
    assert vocabulary.words == ("the", "cat", "dog", "don't")
    assert vocabulary.encode("the DOG eats").tolist() == [2, 4, UNKNOWN]
    assert vocabulary.decode([2, 4, 1, 0]) == "the dog \ufffd"
    assert "cat" in vocabulary
    small = WordVocabulary.from_texts(["b a a c", "b"], size=4)
    assert small.words == ("b", "a")  # both twice: the first one first
    assert len(small) == 4


def test_words_agree_with_keras():
    keras = pytest.importorskip("keras")
    texts = ["the cat sat", "the cat", "the"]
    ours = WordVocabulary.from_texts(texts)
    layer = keras.layers.TextVectorization()
    layer.adapt(texts)
    assert layer.get_vocabulary() == ["", "[UNK]", *ours.words]
    assert np.asarray(layer("sat a cat")).tolist() == ours.encode("sat a cat").tolist()


def test_word_vocabularies_refuse():
    with pytest.raises(ValueError, match="words is empty"):
        WordVocabulary([])
    with pytest.raises(ValueError, match="words is empty"):
        WordVocabulary.from_texts(["", "?!"])
    with pytest.raises(ValueError, match="'a' more than once"):
        WordVocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="several words"):
        WordVocabulary("ab")
    with pytest.raises(ValueError, match="several texts"):
        WordVocabulary.from_texts("ab")
    with pytest.raises(ValueError, match="size must be 3"):
        WordVocabulary.from_texts(["ab"], size=2)
