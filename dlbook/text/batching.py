"""Sequences of like length in batches, so that little time is spent on padding."""

import bisect
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dlbook.runtime import quiet_start_up

with quiet_start_up():
    import tensorflow as tf


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
            padded = np.zeros((len(rows), width), np.int32)
            for line, row in zip(padded, rows, strict=True):
                kept = sequences[row][-width:]
                line[: len(kept)] = kept
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


def padded_batches(groups: Sequence[Group], *, batch_size: int = 256) -> tf.data.Dataset:
    """Every sequence once, group by group, for ``train.predict``.

    Args:
        groups: what ``group_by_length`` made.
        batch_size: sequences in a batch; the last one of a group may have fewer.

    Returns:
        A data set of padded numbers (batch, width) that knows its length. All widths have one
        signature, since Keras would trace a model anew for each otherwise. ``restore_order``
        brings the outputs back into the order of the sequences.
    """
    parts = [
        group.padded[start : start + batch_size]
        for group in groups
        for start in range(0, len(group.padded), batch_size)
    ]
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(parts), output_signature=tf.TensorSpec((None, None), tf.int32)
    )
    return dataset.apply(tf.data.experimental.assert_cardinality(len(parts)))


def restore_order(groups: Sequence[Group], outputs: np.ndarray) -> np.ndarray:
    """Outputs for groups, in the order that the sequences had before they were grouped.

    Args:
        groups: what ``group_by_length`` made.
        outputs: (sequences, ...), group by group, as a model gives them for ``padded_batches``.
    """
    return outputs[np.argsort(np.concatenate([group.rows for group in groups]))]
