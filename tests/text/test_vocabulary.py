"""Characters as numbers, and back."""

import numpy as np
import pytest

from dlbook.text import CharacterVocabulary


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
