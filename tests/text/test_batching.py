"""Batches of sequences of like length."""

import numpy as np
import pytest

from dlbook.text import batches_by_length, group_by_length, padded_batches, restore_order


def sequences(*lengths: int) -> list[np.ndarray]:
    """Sequence k counts up from 100 k + 1."""
    return [np.arange(n, dtype=np.int32) + 100 * k + 1 for k, n in enumerate(lengths)]


def test_each_sequence_goes_to_the_smallest_width_that_holds_it():
    narrow, wide = group_by_length(sequences(2, 5, 3, 7, 1), [3, 5, 6])[::2]
    assert narrow.rows.tolist() == [0, 2, 4]
    assert narrow.padded.tolist() == [[1, 2, 0], [201, 202, 203], [401, 0, 0]]
    assert narrow.padded.dtype == np.int32
    # of the longest one the end is kept
    assert wide.rows.tolist() == [3]
    assert wide.padded.tolist() == [[302, 303, 304, 305, 306, 307]]


def test_width_that_nobody_needs_makes_no_group():
    (group,) = group_by_length(sequences(4, 4), [2, 4, 8])
    assert group.padded.shape == (2, 4)


@pytest.mark.parametrize(
    ("lengths", "widths", "words"),
    [
        ((), [3], "sequences is empty"),
        ((2, 0), [3], r"sequences\[1\] is empty"),
        ((2,), [], "widths must be"),
        ((2,), [3, 3], "widths must be"),
        ((2,), [4, 3], "widths must be"),
        ((2,), [0, 3], "widths must be"),
    ],
)
def test_grouping_refuses(lengths, widths, words):
    with pytest.raises(ValueError, match=words):
        group_by_length(sequences(*lengths), widths)


def rows_of(batch) -> list[int]:
    return [int(row[row > 0][0]) // 100 for row in batch]


def test_batches_are_whole_and_keep_labels_with_their_sequences():
    lengths = np.random.default_rng(0).integers(1, 12, 50)
    groups = group_by_length(sequences(*lengths), [3, 6, 9])
    data = batches_by_length(groups, np.arange(50.0), batch_size=8, seed=1)
    assert int(data.cardinality()) == 6
    passes = []
    for _ in range(2):
        batches = [(x.numpy(), y.numpy()) for x, y in data]
        assert len(batches) == 6
        for x, y in batches:
            assert x.shape[0] == 8
            assert x.shape[1] in (3, 6, 9)
            assert rows_of(x) == y.tolist()
            assert (np.minimum(lengths[rows_of(x)], 9) == (x > 0).sum(axis=1)).all()
        passes.append([row for x, _ in batches for row in rows_of(x)])
        assert len(set(passes[-1])) == 48  # two are left out
    assert passes[0] != passes[1]
    # most batches are of one group: few zeros
    assert len({x.shape[1] for x, _ in batches}) > 1


def test_the_seed_decides_the_order():
    groups = group_by_length(sequences(*[2, 5] * 10), [3, 6])

    def first(seed):
        (x, _), *_ = batches_by_length(groups, np.zeros(20), batch_size=4, seed=seed)
        return x.numpy().tolist()

    assert first(1) == first(1) != first(2)


def test_labels_may_have_any_shape():
    labels = np.arange(20.0).reshape(10, 2)
    data = batches_by_length(
        group_by_length(sequences(*range(1, 11)), [5, 9]), labels, batch_size=5
    )
    for x, y in data:
        assert rows_of(x.numpy()) == (y.numpy()[:, 0] / 2).tolist()


def test_batches_refuse():
    groups = group_by_length(sequences(1, 2), [3])
    with pytest.raises(ValueError, match="labels has 3 entries for 2 sequences"):
        batches_by_length(groups, np.zeros(3))
    for size in (0, 3):
        with pytest.raises(ValueError, match="batch_size must be from 1 to the 2"):
            batches_by_length(groups, np.zeros(2), batch_size=size)


def test_predictions_come_back_in_order():
    lengths = [4, 1, 9, 2, 7, 3]
    groups = group_by_length(sequences(*lengths), [3, 6, 10])
    data = padded_batches(groups, batch_size=2)
    assert [batch.shape[1] for batch in data] == [3, 3, 6, 10]
    assert int(data.cardinality()) == 4
    counts = np.concatenate([(batch.numpy() > 0).sum(axis=1) for batch in data])
    assert restore_order(groups, counts).tolist() == lengths
