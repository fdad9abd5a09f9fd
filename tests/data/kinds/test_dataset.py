"""The data set classes: read-only arrays, short words, honest splits."""

import dataclasses

import numpy as np
import pytest

from dlbook.data.kinds.images import ImageData
from dlbook.data.kinds.tables import TableData


def image_data(count: int = 1200, **changes) -> ImageData:
    rng = np.random.default_rng(0)
    fields = {
        "name": "toy",
        "title": "Toy pictures",
        "source": "cache",
        "licence": "none",
        "citation": "nobody",
        "x_train": rng.integers(0, 255, (count, 4, 5), dtype=np.uint8),
        "y_train": rng.permutation(np.arange(count) % 10).astype(np.int32),
        "x_test": np.zeros((30, 4, 5), np.uint8),
        "y_test": np.arange(30, dtype=np.int32) % 10,
        "class_names": tuple("abcdefghij"),
    }
    return ImageData(**(fields | changes))


def table_data() -> TableData:
    y = np.repeat(np.arange(3, dtype=np.int32), 50)
    x = np.arange(600, dtype=np.float32).reshape(150, 4)
    return TableData(
        name="toy",
        title="Toy table",
        source="cache",
        licence="none",
        citation="nobody",
        x=x,
        y=y,
        feature_names=("a", "b", "c", "d"),
        class_names=("k", "l", "m"),
    )


def test_arrays_cannot_be_changed():
    data = image_data()
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        data.x_train /= 255
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x_train = data.x_test
    (x, y), (x_held, y_held) = data.train_validation_split(100)
    for array in (x, y, x_held, y_held, table_data().x):
        assert not array.flags.writeable


def test_repr_is_one_short_line():
    assert repr(image_data()) == (
        "ImageData('toy', 1,200 training and 30 test pictures of 4×5 pixels, 10 classes, "
        "source='cache')"
    )
    assert repr(table_data()) == (
        "TableData('toy', 150 rows, 4 features, 3 classes, source='cache')"
    )


def test_description_says_where_the_data_come_from():
    text = image_data(notes=("one thing", "another")).describe()
    for words in ("Toy pictures", "1,200", "cache", "none", "nobody", "one thing", "another"):
        assert words in text
    assert "STAND-IN" not in text
    assert not image_data().is_stand_in


def test_description_of_a_stand_in_says_so_and_how_to_get_the_real_data():
    data = image_data(source="stand-in")
    assert data.is_stand_in
    assert data.describe().startswith("A STAND-IN for Toy pictures, not the real data")
    assert "dlbook data fetch toy" in data.describe()
    assert "DLBOOK_DATA_DIR" in data.describe()


def test_validation_split_is_stratified_disjoint_and_complete():
    data = image_data()
    (x, y), (x_held, y_held) = data.train_validation_split(100)
    assert len(x_held) == 100
    assert np.bincount(y_held).tolist() == [10] * 10
    assert (x.dtype, y.dtype) == (np.uint8, np.int32)
    pictures = {row.tobytes() for row in x} | {row.tobytes() for row in x_held}
    assert len(x) + len(x_held) == len(data.x_train)
    assert pictures == {row.tobytes() for row in data.x_train}
    # labels still belong to their pictures
    label = {row.tobytes(): k for row, k in zip(data.x_train, data.y_train, strict=True)}
    assert [label[row.tobytes()] for row in x_held] == y_held.tolist()


def test_validation_split_depends_on_the_seed_only():
    data = image_data()
    first, again, other = (data.train_validation_split(100, seed=s)[1][0] for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stand_in_holds_out_the_same_share_and_keeps_originals_together():
    originals = np.repeat(np.arange(240), 5)
    data = image_data(
        source="stand-in",
        originals=originals,
        y_train=(originals % 10).astype(np.int32),
        x_train=np.broadcast_to(originals[:, None, None].astype(np.uint8), (1200, 4, 5)),
        real_train_size=12_000,
    )
    (x, _), (x_held, y_held) = data.train_validation_split(1_000)
    assert len(x_held) == 100
    assert np.bincount(y_held).tolist() == [10] * 10
    assert not set(x[:, 0, 0]) & set(x_held[:, 0, 0])


@pytest.mark.parametrize("validation", [0, 9, 1195, 5000])
def test_validation_split_refuses_impossible_sizes(validation):
    with pytest.raises(ValueError, match="validation must be from 10 to 1,190"):
        image_data().train_validation_split(validation)


def test_table_split_is_stratified_disjoint_and_complete():
    data = table_data()
    (x, _), (x_test, y_test) = data.split(0.2, seed=3)
    assert np.bincount(y_test).tolist() == [10, 10, 10]
    assert np.array_equal(np.sort(np.concatenate([x, x_test]), axis=0), data.x)
    assert np.array_equal(x_test[:, 0] // 200, y_test)  # row i starts with 4 i, class i // 50
    assert np.array_equal(x_test, data.split(0.2, seed=3)[1][0])
    assert not np.array_equal(x_test, data.split(0.2, seed=4)[1][0])


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 30])
def test_table_split_refuses_impossible_fractions(fraction):
    with pytest.raises(ValueError, match="between 0 and 1"):
        table_data().split(fraction)
