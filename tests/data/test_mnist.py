"""MNIST, its file format and its stand-in."""

import gzip
import os
import struct

import numpy as np
import pytest

from dlbook.data import load_mnist
from dlbook.data.mnist import read_idx
from dlbook.data.stand_ins import mnist as stand_ins

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")
PICTURES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def idx(array: np.ndarray) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes((0, 0, 8, array.ndim)) + shape + array.tobytes()


def write(path, content: bytes):
    path.write_bytes(gzip.compress(content))
    return path


def test_idx_file_is_read(tmp_path):
    read = read_idx(write(tmp_path / "pictures.gz", idx(PICTURES)))
    assert read.dtype == np.uint8
    assert np.array_equal(read, PICTURES)


def check_like_mnist(data, train: int, test: int):
    assert data.x_train.shape == (train, 28, 28)
    assert data.x_test.shape == (test, 28, 28)
    assert data.x_train.dtype == data.x_test.dtype == np.uint8
    assert data.y_train.dtype == data.y_test.dtype == np.int32
    assert data.y_train.shape == (train,)
    assert data.y_test.shape == (test,)
    assert data.class_names == tuple("0123456789")
    for labels in (data.y_train, data.y_test):
        share = np.bincount(labels, minlength=10) / len(labels)
        assert share.min() > 0.08
        assert share.max() < 0.12
    # ink in the middle, paper at the edge, full contrast
    assert data.x_train.max() == 255
    assert 25 < data.x_train.mean() < 45
    assert 70 < data.x_train.std() < 95
    assert data.x_train[:, :2].mean() < 1
    rows = data.x_train.mean((0, 2))
    middle = np.average(np.arange(28), weights=rows)
    assert abs(middle - 13.5) < 0.7


@pytest.fixture(scope="module")
def stand_in():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "stand-in")
        return load_mnist()


def test_stand_in_is_like_mnist(stand_in):
    check_like_mnist(stand_in, 2_400, 500)
    assert stand_in.source == "stand-in"
    assert "scikit-learn" in stand_in.describe()
    assert "CC BY-SA" not in stand_in.licence  # its own terms, not those of MNIST


def test_stand_in_is_in_random_order(stand_in):
    assert len(set(stand_in.y_train[:100])) == 10
    assert np.mean(np.diff(stand_in.y_train) == 0) < 0.2


def test_stand_in_is_the_same_every_time(stand_in):
    for name, value in stand_ins.make().items():
        assert np.array_equal(getattr(stand_in, name), value), name


def test_stand_in_divides_originals_before_it_varies_them(stand_in, monkeypatch):
    seen = []
    monkeypatch.setattr(stand_ins, "_enlarge", lambda small, rng: seen.append(small))
    stand_ins.make()
    train, test = ({picture.tobytes() for picture in part} for part in seen)
    assert (len(train), len(test)) == (1_200, 500)
    assert not train & test
    assert len(np.unique(stand_in.originals)) == 1_200
    assert len(np.unique(stand_in.x_train, axis=0)) == 2_400


def test_stand_in_split_keeps_originals_together(stand_in):
    (x, _), (x_held, y_held) = stand_in.train_validation_split(5_000)
    assert (len(x), len(x_held)) == (2_200, 200)
    assert np.bincount(y_held).tolist() == [20] * 10
    number = {
        picture.tobytes(): original
        for picture, original in zip(stand_in.x_train, stand_in.originals, strict=True)
    }
    kept = {number[picture.tobytes()] for picture in x}
    assert not kept & {number[picture.tobytes()] for picture in x_held}


def test_stand_in_can_be_learned(stand_in):
    from sklearn.linear_model import RidgeClassifier

    def halved(x):  # 14×14 pixels are enough, and quick
        return x.reshape(len(x), 14, 2, 14, 2).mean((2, 4)).reshape(len(x), -1) / 255

    model = RidgeClassifier().fit(halved(stand_in.x_train), stand_in.y_train)
    accuracy = model.score(halved(stand_in.x_test), stand_in.y_test)
    assert 0.85 < accuracy < 0.985  # a task that a linear model does not finish


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real MNIST")
def test_real_mnist_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_mnist()
    check_like_mnist(data, 60_000, 10_000)
    assert data.source == "mirror folder"
    assert data.notes == ()
    assert not data.is_stand_in
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.isclose(data.x_train.mean() / 255, 0.1307, atol=1e-4)  # the published mean
    assert np.isclose(data.x_train.std() / 255, 0.3081, atol=1e-4)
    (x, _), (x_held, y_held) = data.train_validation_split()
    assert (len(x), len(x_held)) == (55_000, 5_000)
    expected = np.bincount(data.y_train) / 12
    assert np.abs(np.bincount(y_held) - expected).max() <= 1
