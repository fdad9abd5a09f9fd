"""Data sets of texts: one long text, labelled texts, poems."""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from dlbook.data.kinds.dataset import DataSet, read_only, share_of

START, OUT_OF_VOCABULARY, INDEX_FROM = 1, 2, 3  # as in keras.datasets.imdb; 0 is padding

Texts = tuple[str, ...]

# Only A to Z become small letters, and only a space ends a word: so the word index of
# keras.datasets.imdb was made.
_WORDS = str.maketrans(
    dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " ")
    | dict(zip(string.ascii_uppercase, string.ascii_lowercase, strict=True))
)


def split_words(text: str) -> list[str]:
    """The words of a text: small letters, without punctuation but for the apostrophe.

    Args:
        text: any text. One without words gives an empty list.
    """
    return [word for word in text.translate(_WORDS).split(" ") if word]


def labels_in_turn(texts: Texts, classes: int = 2) -> np.ndarray:
    """(texts,), int32: labels of texts whose classes take turns: 0, 1, 0, 1, …"""
    return np.arange(len(texts), dtype=np.int32) % classes


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TextClassificationData(DataSet):
    """Texts in classes, in a training and a test part.

    In both parts the classes take turns: text 0 is of class 0, text 1 of class 1, and so on.

    Args:
        x_train: the training texts.
        y_train: (texts,), int32: the class of each.
        x_test: the test texts.
        y_test: as ``y_train``.
        class_names: one for each class.
        word_index: word -> rank in the training texts, 1 for the most frequent.
        real_train_size: the training texts of the real set, where this is a stand-in.
    """

    x_train: Texts
    y_train: np.ndarray
    x_test: Texts
    y_test: np.ndarray
    class_names: tuple[str, ...]
    word_index: Mapping[str, int]
    real_train_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "word_index", MappingProxyType(self.word_index))

    def sizes(self) -> str:
        return (
            f"{len(self.x_train):,} training and {len(self.x_test):,} test texts, "
            f"{len(self.class_names)} classes"
        )

    def train_validation_split(
        self, validation: int = 5000, seed: int = 0
    ) -> tuple[tuple[Texts, np.ndarray], tuple[Texts, np.ndarray]]:
        """Holds out one run of neighbouring training texts, every class equally often.

        Neighbours belong together: up to thirty reviews of IMDB's in a row are of one film, and
        held-out texts scattered among them would make the model look better than it is.

        Args:
            validation: how many texts of the real set to hold out. A stand-in holds out the same
                share.
            seed: decides where the run begins; it may go on at the beginning of the texts.

        Returns:
            ((x_train, y_train), (x_validation, y_validation)), in the order of ``x_train``.

        Raises:
            ValueError: when one of the two parts would lack texts.
        """
        count, classes = len(self.x_train), len(self.class_names)
        share = share_of(validation, self.real_train_size or count, classes)
        rounds = round(share * count / classes)  # a round: one text of each class
        rounds = min(max(rounds, 1), count // classes - 1)
        first = classes * int(np.random.default_rng(seed).integers(count // classes))
        held = np.zeros(count, bool)
        held[(first + np.arange(rounds * classes)) % count] = True
        return self._part(~held), self._part(held)

    def encode(self, texts: Iterable[str], num_words: int = 10_000) -> list[np.ndarray]:
        """Texts as numbers, in the way of ``keras.datasets.imdb``.

        Each text begins with 1. A word of rank r becomes r + 3, or 2 where that is not below
        ``num_words``: unknown and rare words are one and the same. 0 is left for padding.

        The word index is the one of ``keras.datasets.imdb``, and counting the words of the
        training texts as ``split_words`` finds them gives its 88,584 words and their order. Keras's
        own arrays hold the same reviews in another order and could not be compared here.

        Args:
            texts: the texts. An empty one becomes the number 1 alone.
            num_words: all numbers are below this.

        Returns:
            One array (words + 1,), int32, for each text.

        Raises:
            ValueError: when ``texts`` is one text, or ``num_words`` leaves no word.
        """
        if isinstance(texts, str):
            raise ValueError("texts must be several texts: put a single one into a list")
        if num_words <= INDEX_FROM + 1:
            raise ValueError(f"num_words must be over {INDEX_FROM + 1}, got {num_words}")
        numbers = {
            word: rank + INDEX_FROM
            for word, rank in self.word_index.items()
            if rank + INDEX_FROM < num_words
        }
        return [
            np.array(
                [START, *(numbers.get(word, OUT_OF_VOCABULARY) for word in split_words(text))],
                np.int32,
            )
            for text in texts
        ]

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The words that numbers stand for, one for each number.

        Args:
            numbers: an encoded text, padded or not.

        Returns:
            The words; "" for padding, "[start]", and "[?]" for a word that was not known.

        Raises:
            ValueError: when a number stands for nothing.
        """
        known = {rank + INDEX_FROM: word for word, rank in self.word_index.items()}
        known |= {0: "", START: "[start]", OUT_OF_VOCABULARY: "[?]"}
        try:
            return [known[int(number)] for number in numbers]
        except KeyError as error:
            raise ValueError(f"numbers contains {error}, which stands for no word") from None

    def _part(self, rows: np.ndarray) -> tuple[Texts, np.ndarray]:
        texts = tuple(self.x_train[row] for row in np.flatnonzero(rows))
        return texts, read_only(self.y_train[rows])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TextData(DataSet):
    """One long text.

    Args:
        text: all of it.
    """

    text: str

    def sizes(self) -> str:
        return f"{len(self.text):,} characters, {len(set(self.text)):,} different ones"

    def train_validation_split(self, share: float = 0.1) -> tuple[str, str]:
        """The beginning of the text to train on, and its end to hold out.

        Args:
            share: the part held out, between 0 and 1.

        Raises:
            ValueError: when the share is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise ValueError(f"share must be between 0 and 1, got {share}")
        cut = len(self.text) - round(share * len(self.text))
        return self.text[:cut], self.text[cut:]


class Poem(NamedTuple):
    """One poem.

    Attributes:
        author: who wrote it.
        title: its title.
        lines: its lines with their punctuation; in Tang poems mostly two verses each.
    """

    author: str
    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines, each ended by a line break."""
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PoemData(DataSet):
    """Poems.

    Args:
        poems: all of them; no two have the same lines.
    """

    poems: tuple[Poem, ...]

    def sizes(self) -> str:
        authors = len({poem.author for poem in self.poems})
        characters = sum(len(line) for poem in self.poems for line in poem.lines)
        return f"{len(self.poems):,} poems by {authors:,} authors, {characters:,} characters"

    def train_validation_split(
        self, share: float = 0.05, seed: int = 0
    ) -> tuple[tuple[Poem, ...], tuple[Poem, ...]]:
        """Holds out whole poems, chosen at random.

        Args:
            share: the part held out, between 0 and 1.
            seed: another seed, another choice.

        Returns:
            The poems to train on and those held out, both in the order of ``poems``.

        Raises:
            ValueError: when one of the two parts would be empty.
        """
        count = round(share * len(self.poems))
        if not 0 < count < len(self.poems):
            raise ValueError(f"share must leave both parts some poems, got {share}")
        held = set(np.random.default_rng(seed).permutation(len(self.poems))[:count].tolist())
        return (
            tuple(poem for row, poem in enumerate(self.poems) if row not in held),
            tuple(poem for row, poem in enumerate(self.poems) if row in held),
        )
