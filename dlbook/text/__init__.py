"""What chapters about text share: characters as numbers, batches of like length, word vectors."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


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


class Group(NamedTuple):
    """Sequences of like length, padded to one width.

    Attributes:
        rows: (sequences,): which ones they are.
        padded: (sequences, width), int32: their numbers, then zeros.
    """

    rows: np.ndarray
    padded: np.ndarray


def group_by_length(sequences: Sequence[np.ndarray], widths: Sequence[int]) -> list[Group]:
    """Pads each sequence to the smallest width that holds it.

    Padding all texts to the longest would make a recurrent net step through zeros most of the
    time. A few fixed widths waste little, and a function compiled for fixed shapes is compiled
    once for each width.

    Args:
        sequences: arrays of positive numbers, each of its own length.
        widths: the widths, increasing. Of a sequence longer than the last one the end is kept: a
            review's verdict often stands there.

    Returns:
        One group for each width that any sequence needs, the narrow ones first. Within a group
        the sequences are in the order given.

    Raises:
        ValueError: when there are no sequences, one is empty, or the widths do not increase.
    """
    import keras

    if not len(sequences):
        raise ValueError("sequences is empty: give at least one")
    if not len(widths) or min(widths) < 1 or list(widths) != sorted(set(widths)):
        raise ValueError(f"widths must be positive and increasing, got {list(widths)}")
    lengths = np.array([len(sequence) for sequence in sequences])
    if lengths.min() == 0:
        raise ValueError(f"sequences[{lengths.argmin()}] is empty: give it at least one number")
    place = [min(bisect.bisect_left(widths, length), len(widths) - 1) for length in lengths]
    groups = []
    for number, width in enumerate(widths):
        rows = np.flatnonzero(np.array(place) == number)
        if len(rows):
            chosen = [sequences[row] for row in rows]
            padded = keras.utils.pad_sequences(chosen, width, padding="post", truncating="pre")
            groups.append(Group(rows, padded))
    return groups


def batches_by_length(
    groups: Sequence[Group], labels: np.ndarray, *, batch_size: int = 64, seed: int = 0
) -> tf.data.Dataset:
    """Shuffled training batches, each from one group.

    Every pass over the data set has another order. What a group has over after its whole batches
    joins the next wider one, and what is over in the end is left out of that pass.

    Args:
        groups: what ``group_by_length`` made.
        labels: (sequences, ...): one for each row.
        batch_size: sequences in a batch, always that many.
        seed: seed of the orders.

    Returns:
        A data set of (padded numbers (batch_size, width), labels (batch_size, ...)) that
        knows its length, for ``train.fit``.

    Raises:
        ValueError: when the labels do not fit, or there is not a single whole batch.
    """
    import tensorflow as tf

    count = sum(len(group.rows) for group in groups)
    labels = np.asarray(labels)
    if len(labels) != count:
        raise ValueError(f"labels has {len(labels)} entries for {count} sequences")
    if not 1 <= batch_size <= count:
        raise ValueError(f"batch_size must be from 1 to the {count} sequences, got {batch_size}")
    passes = itertools.count()

    def one_pass():
        rng = np.random.default_rng([seed, next(passes)])
        batches = []
        carried = np.zeros((0, 0), np.int32), labels[:0]
        for group in groups:
            width = group.padded.shape[1]
            wider = np.pad(carried[0], ((0, 0), (0, width - carried[0].shape[1])))
            x = np.concatenate([wider, group.padded])
            y = np.concatenate([carried[1], labels[group.rows]])
            order = rng.permutation(len(x))
            whole = len(x) // batch_size * batch_size
            batches += [(x[rows], y[rows]) for rows in order[:whole].reshape(-1, batch_size)]
            carried = x[order[whole:]], y[order[whole:]]
        for number in rng.permutation(len(batches)):
            yield batches[number]

    signature = (
        tf.TensorSpec((batch_size, None), tf.int32),
        tf.TensorSpec((batch_size, *labels.shape[1:]), labels.dtype),
    )
    dataset = tf.data.Dataset.from_generator(one_pass, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(count // batch_size))


def predict_by_length(
    model: keras.Model, groups: Sequence[Group], *, batch_size: int = 256
) -> np.ndarray:
    """The model's outputs for all sequences.

    Args:
        model: a built model of one input, for sequences of any width.
        groups: what ``group_by_length`` made.
        batch_size: sequences computed at once.

    Returns:
        (sequences, ...): the outputs, in the order of the sequences before they were grouped.
    """
    import tensorflow as tf

    from dlbook import train

    parts = [
        group.padded[start : start + batch_size]
        for group in groups
        for start in range(0, len(group.padded), batch_size)
    ]
    # one signature for all widths: otherwise Keras would trace the model anew for each
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(parts), output_signature=tf.TensorSpec((None, None), tf.int32)
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(parts)))
    outputs = train.predict(model, dataset)
    return outputs[np.argsort(np.concatenate([group.rows for group in groups]))]


def neighbour_vectors(
    sequences: Iterable[np.ndarray],
    num_words: int,
    dim: int = 64,
    *,
    window: int = 5,
    first_word: int = 3,
    seed: int = 0,
) -> np.ndarray:
    """Vectors for words from counting which words stand near each other; no labels are used.

    The counts become positive pointwise mutual information: how much more often two words are
    neighbours than chance would have it, as a logarithm, or 0. A singular value decomposition
    makes it short. Words in like company get like vectors. (Levy & Goldberg, "Neural word
    embedding as implicit matrix factorization", NIPS 2014; weights of neighbours by distance and
    counts to the power of 0.75 as there and in word2vec.)

    Args:
        sequences: encoded texts.
        num_words: all numbers are below this.
        dim: numbers of a vector.
        window: how many words to each side are neighbours.
        first_word: smaller numbers (padding, start, unknown words) are no words.
        seed: seed of the approximate decomposition.

    Returns:
        (num_words, dim), float32, with a standard deviation of 1 over the words. Words that have
        no neighbours, and what is no word, have zeros.

    Raises:
        ValueError: when there are no neighbours, a number is too large, or ``dim`` does not fit.
    """
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    if not 1 <= dim < num_words:
        raise ValueError(f"dim must be from 1 to {num_words - 1}, got {dim}")
    # zeros between two texts: the end of one is no neighbour of the beginning of the next
    gap = np.zeros(window, np.int32)
    joined = np.concatenate([gap, *(part for text in sequences for part in (text, gap))])
    if joined.max() >= num_words:
        raise ValueError(f"sequences has the number {joined.max()}, num_words is {num_words}")
    counts = sparse.csr_matrix((num_words, num_words), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = joined[:-distance], joined[distance:]
        words = (left >= first_word) & (right >= first_word)
        weight = np.full(np.count_nonzero(words), 1 - (distance - 1) / window, np.float32)
        counts += sparse.csr_matrix((weight, (left[words], right[words])), shape=counts.shape)
    counts = (counts + counts.T).tocoo()
    if not counts.nnz:
        raise ValueError("sequences has no two words beside each other")
    total = np.asarray(counts.sum(axis=1)).ravel()  # (num_words,)
    by_chance = np.maximum(total, 1e-9) ** 0.75
    by_chance /= by_chance.sum()
    information = np.log(counts.data / (total[counts.row] * by_chance[counts.col]))
    table = sparse.csr_matrix(
        (np.maximum(information, 0).astype(np.float32), (counts.row, counts.col)), counts.shape
    )
    left, strength, _ = randomized_svd(table, dim, n_iter=2, random_state=seed)
    vectors = left * np.sqrt(strength)
    return (vectors / (vectors[first_word:].std() or 1)).astype(np.float32)
