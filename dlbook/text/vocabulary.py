"""Characters as numbers, and back."""

from collections.abc import Iterable

import numpy as np


class CharacterVocabulary:
    """Characters as numbers from 0 on, in the order of their Unicode code points.

    Args:
        text: the text whose characters are to be known.

    Raises:
        ValueError: when ``text`` is empty.
    """

    def __init__(self, text: str):
        if not text:
            raise ValueError("text is empty: a vocabulary needs at least one character")
        self.characters = tuple(sorted(set(text)))
        self._numbers = {character: number for number, character in enumerate(self.characters)}

    def __len__(self) -> int:
        """How many characters are known."""
        return len(self.characters)

    def __contains__(self, character: str) -> bool:
        """Whether a character is known."""
        return character in self._numbers

    def encode(self, text: str) -> np.ndarray:
        """A text as numbers.

        Args:
            text: a text of known characters.

        Returns:
            (characters,), int32.

        Raises:
            ValueError: when ``text`` is empty or has a character that is not known.
        """
        if not text:
            raise ValueError("text is empty: give at least one character")
        try:
            return np.array([self._numbers[character] for character in text], np.int32)
        except KeyError as error:
            character = error.args[0]
            raise ValueError(
                f"text has {character!r} (U+{ord(character):04X}) at place "
                f"{text.index(character)}, which is not among the {len(self)} characters of this "
                "vocabulary: leave it out, or build the vocabulary from a text that has it"
            ) from None

    def decode(self, numbers: Iterable[int]) -> str:
        """The text that numbers stand for.

        Args:
            numbers: integers from 0 to ``len(self) - 1``, in one dimension.

        Raises:
            ValueError: when a number stands for no character.
        """
        numbers = np.asarray(list(numbers) if not hasattr(numbers, "__array__") else numbers)
        if numbers.size == 0:
            return ""
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise ValueError(
                f"numbers must be integers in one dimension, got {numbers.dtype} of shape "
                f"{numbers.shape}"
            )
        if numbers.min() < 0 or numbers.max() >= len(self):
            raise ValueError(f"numbers must be from 0 to {len(self) - 1}")
        return "".join(self.characters[number] for number in numbers)
