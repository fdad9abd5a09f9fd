"""Texts as numbers, and back: what a vocabulary can do, and those of characters and of words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from dlbook.data import split_words

PADDING, UNKNOWN = 0, 1  # in every vocabulary that knows padding and unknown pieces
UNKNOWN_SIGN = "\ufffd"  # �, Unicode's replacement character


@runtime_checkable
class Vocabulary(Protocol):
    """What characters, words and byte pairs have in common: pieces of text with numbers.

    A model needs no more than this of a vocabulary, so one kind can take the place of another.
    """

    def __len__(self) -> int:
        """How many numbers there are: all of them are from 0 to one less."""

    def encode(self, text: str) -> np.ndarray:
        """The numbers of a text's pieces: (pieces,), int32."""

    def decode(self, numbers: Iterable[int]) -> str:
        """The text that numbers stand for."""


class CharacterVocabulary:
    """Characters as numbers, in the order of their Unicode code points.

    Args:
        text: the text whose characters are to be known.
        reserved: whether 0 is padding and 1 stands for every character that is not known. Without
            them the characters are numbered from 0 on, and an unknown one or an empty text is an
            error: for a model that is to write only what it has read.

    Raises:
        ValueError: when ``text`` is empty.
    """

    def __init__(self, text: str, *, reserved: bool = False):
        if not text:
            raise ValueError("text is empty: a vocabulary needs at least one character")
        self.characters = tuple(sorted(set(text)))
        self.reserved = reserved
        self._pieces = ("", UNKNOWN_SIGN, *self.characters) if reserved else self.characters
        first = 2 if reserved else 0
        self._numbers = {character: n for n, character in enumerate(self.characters, first)}

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self._pieces)

    def __contains__(self, character: str) -> bool:
        """Whether a character is known."""
        return character in self._numbers

    def encode(self, text: str) -> np.ndarray:
        """A text as numbers.

        Args:
            text: a text. Without reserved numbers it must not be empty, and all of its characters
                must be known.

        Returns:
            (characters,), int32.

        Raises:
            ValueError: when there are no reserved numbers, and ``text`` is empty or has a
                character that is not known.
        """
        if self.reserved:
            return np.array([self._numbers.get(character, UNKNOWN) for character in text], np.int32)
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

        Returns:
            The characters; nothing for padding, and � for an unknown one.

        Raises:
            ValueError: when a number stands for no character.
        """
        return "".join(pieces_of(numbers, self._pieces))


class WordVocabulary:
    """Words as numbers: 0 is padding, 1 any word that is not known, 2 the first word, and so on.

    A text is cut by ``dlbook.data.split_words``: A to Z become small letters, punctuation but for
    the apostrophe is dropped, spaces part the words. So a text in Chinese, which has no spaces, is
    a single word. Decoding gives the words, not the text that they came from.

    Args:
        words: the words to be known, each once, in the order of their numbers.

    Raises:
        ValueError: when there is no word, or one occurs twice.
    """

    def __init__(self, words: Sequence[str]):
        if isinstance(words, str):
            raise ValueError("words must be several words: put a single one into a list")
        self.words = tuple(words)
        if not self.words:
            raise ValueError("words is empty: a vocabulary needs at least one word")
        self._numbers = {word: number for number, word in enumerate(self.words, start=2)}
        if len(self._numbers) < len(self.words):
            twice = next(word for word, count in Counter(self.words).items() if count > 1)
            raise ValueError(f"words has {twice!r} more than once")
        self._pieces = ("", UNKNOWN_SIGN, *self.words)

    @classmethod
    def from_texts(cls, texts: Iterable[str], size: int | None = None) -> "WordVocabulary":
        """The most frequent words of some texts.

        Args:
            texts: the texts to count in. Of two words that occur equally often the one that
                occurs first comes first.
            size: how many numbers there are to be, the two reserved ones included; there are
                fewer where the texts have fewer words. None: every word is known.

        Raises:
            ValueError: when ``texts`` is one text or has no word, or ``size`` leaves no word.
        """
        if isinstance(texts, str):
            raise ValueError("texts must be several texts: put a single one into a list")
        if size is not None and size < 3:
            raise ValueError(f"size must be 3 or more, two of them are reserved; got {size}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(split_words(text))
        return cls([word for word, _ in counts.most_common(None if size is None else size - 2)])

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self._pieces)

    def __contains__(self, word: str) -> bool:
        """Whether a word is known."""
        return word in self._numbers

    def encode(self, text: str) -> np.ndarray:
        """A text as numbers.

        Args:
            text: any text. One without words gives no numbers.

        Returns:
            (words,), int32.
        """
        return np.array([self._numbers.get(word, UNKNOWN) for word in split_words(text)], np.int32)

    def decode(self, numbers: Iterable[int]) -> str:
        """The words that numbers stand for, with spaces between them.

        Args:
            numbers: integers from 0 to ``len(self) - 1``, in one dimension.

        Returns:
            The words; nothing for padding, and � for an unknown one.

        Raises:
            ValueError: when a number stands for nothing.
        """
        return " ".join(piece for piece in pieces_of(numbers, self._pieces) if piece)


def pieces_of(numbers: Iterable[int], pieces: Sequence[str]) -> list[str]:
    """The piece of each number.

    Args:
        numbers: integers from 0 to ``len(pieces) - 1``, in one dimension.
        pieces: one for each number.

    Raises:
        ValueError: when a number stands for no piece.
    """
    numbers = np.asarray(list(numbers) if not hasattr(numbers, "__array__") else numbers)
    if numbers.size == 0:
        return []
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise ValueError(
            f"numbers must be integers in one dimension, got {numbers.dtype} of shape "
            f"{numbers.shape}"
        )
    if numbers.min() < 0 or numbers.max() >= len(pieces):
        raise ValueError(f"numbers must be from 0 to {len(pieces) - 1}")
    return [pieces[number] for number in numbers]
