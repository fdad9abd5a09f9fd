"""CIFAR-10: its binary archive, the part of it that mirror folders have, and its stand-in."""

import io
import lzma
import os
import tarfile

import numpy as np
import pytest

from dlbook.data import cifar10, load_cifar10
from dlbook.data.files.types import Collection, DataUnavailableError, RemoteFile
from dlbook.data.stand_ins import cifar10 as stand_ins

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")
GENERATOR = np.random.default_rng(0)


def photographs(count: int) -> tuple[np.ndarray, np.ndarray]:
    x = GENERATOR.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return x, (np.arange(count) % 10).astype(np.uint8)


def records(x: np.ndarray, y: np.ndarray) -> bytes:
    """The class, then all red, all green and all blue bytes, row by row."""
    return b"".join(
        bytes([label]) + b"".join(image[:, :, c].tobytes() for c in range(3))
        for image, label in zip(x, y, strict=True)
    )


def write_archive(path, files: dict[str, bytes]):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in sorted(files.items(), reverse=True):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def batches():
    parts = {f"data_batch_{k}": photographs(2) for k in (1, 2, 3)}
    return parts | {"test_batch": photographs(3)}


@pytest.fixture
def archive(tmp_path, batches):
    files = {f"cifar-10-batches-bin/{name}.bin": records(*part) for name, part in batches.items()}
    files |= {"cifar-10-batches-bin/batches.meta.txt": b"airplane\n", "../data_batch_1.bin": b"!"}
    return write_archive(tmp_path / "cifar-10-binary.tar.gz", files)


@pytest.fixture(scope="module")
def stand_in():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "stand-in")
        return load_cifar10()


def test_the_archive_is_read_in_the_official_order(archive, batches):
    fields = cifar10.read_archive(archive)
    train = [batches[f"data_batch_{k}"] for k in (1, 2, 3)]
    assert np.array_equal(fields["x_train"], np.concatenate([x for x, _ in train]))
    assert np.array_equal(fields["y_train"], np.concatenate([y for _, y in train]))
    assert np.array_equal(fields["x_test"], batches["test_batch"][0])
    assert fields["x_train"].dtype == np.uint8
    assert fields["y_test"].dtype == np.int32


def test_an_archive_that_is_none_of_ours_is_refused(tmp_path):
    name = "cifar-10-batches-bin/data_batch_1.bin"
    short = write_archive(tmp_path / "short.tar.gz", {name: b"123"})
    with pytest.raises(ValueError, match="no whole number of photographs"):
        cifar10.read_archive(short)
    other = write_archive(tmp_path / "other.tar.gz", {"cifar-10-batches-py/data_batch_1": b"1"})
    with pytest.raises(ValueError, match="no train part"):
        cifar10.read_archive(other)


def serve(monkeypatch, collection: Collection, folder, files: dict[str, bytes]) -> Collection:
    """The collection with the sizes and sums of these files, which are put into a mirror folder."""
    import hashlib

    (folder / "cifar10").mkdir(exist_ok=True)
    served = []
    for file in collection.files:
        content = files[file.name]
        (folder / file.path).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        served.append(RemoteFile(file.path, len(content), digest))
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(folder))
    return Collection(
        collection.name, collection.title, tuple(served), *("licence", "paper", "https://x")
    )


def test_both_forms_give_the_same_photographs(monkeypatch, tmp_path, archive, batches):
    from dlbook.data import COLLECTIONS

    monkeypatch.setattr(cifar10, "TRAIN", 4)
    monkeypatch.setattr(cifar10, "TEST", 2)
    official = COLLECTIONS["cifar10"]
    content = {official.files[0].name: archive.read_bytes()}
    folder = tmp_path / "official"
    folder.mkdir()
    monkeypatch.setitem(
        COLLECTIONS, "cifar10", serve(monkeypatch, official, folder, content)
    )  # the part is not there
    whole = load_cifar10()
    assert (len(whole.x_train), len(whole.x_test)) == (4, 2)
    assert whole.title == "CIFAR-10"
    everything = load_cifar10(everything=True)
    assert (len(everything.x_train), len(everything.x_test)) == (6, 3)

    def npy(array: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    packed = {
        "x_train_10000.npy.xz": lzma.compress(npy(whole.x_train)),
        "y_train_10000.npy": npy(whole.y_train.astype(np.uint8)),
        "x_test_2000.npy.xz": lzma.compress(npy(whole.x_test)),
        "y_test_2000.npy": npy(whole.y_test.astype(np.uint8)),
    }
    other = tmp_path / "part"
    other.mkdir()
    monkeypatch.setattr(cifar10, "_PART", serve(monkeypatch, cifar10._PART, other, packed))
    part = load_cifar10()
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)), name
        assert getattr(part, name).dtype == getattr(whole, name).dtype
    assert part.class_names == whole.class_names == cifar10.CLASS_NAMES
    assert "its first photographs" in part.describe()
    with pytest.raises(DataUnavailableError):  # the part is not everything
        load_cifar10(everything=True)


def test_the_part_is_not_used_when_a_file_of_it_is_damaged(monkeypatch, tmp_path):
    content = {file.name: b"content" for file in cifar10._PART.files}
    part = serve(monkeypatch, cifar10._PART, tmp_path, content)
    (tmp_path / part.files[0].path).write_bytes(b"changed")
    monkeypatch.setattr(cifar10, "_PART", part)
    monkeypatch.setattr(cifar10, "load", lambda *_, **__: "the archive is asked for")
    assert load_cifar10() == "the archive is asked for"


def test_stand_in_is_like_cifar10(stand_in):
    assert stand_in.x_train.shape == (1_500, 32, 32, 3)
    assert stand_in.x_test.shape == (500, 32, 32, 3)
    assert stand_in.x_train.dtype == np.uint8
    assert stand_in.y_train.dtype == np.int32
    assert np.bincount(stand_in.y_train).tolist() == [150] * 10
    assert np.bincount(stand_in.y_test).tolist() == [50] * 10
    assert len(stand_in.class_names) == 10
    assert "disc" in stand_in.class_names
    assert stand_in.is_stand_in
    assert "STAND-IN" in stand_in.describe()
    assert len(np.unique(stand_in.x_train.reshape(1_500, -1), axis=0)) == 1_500


def test_stand_in_is_the_same_every_time(stand_in):
    for name, value in stand_ins.make().items():
        assert np.array_equal(getattr(stand_in, name), value), name


def test_stand_in_is_no_task_for_a_linear_model(stand_in):
    from sklearn.linear_model import RidgeClassifier

    def halved(x):
        return x.reshape(len(x), 16, 2, 16, 2, 3).mean((2, 4)).reshape(len(x), -1) / 255

    model = RidgeClassifier(alpha=30).fit(halved(stand_in.x_train), stand_in.y_train)
    assert model.score(halved(stand_in.x_test), stand_in.y_test) < 0.3


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with CIFAR-10")
def test_real_cifar10_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_cifar10()
    assert data.x_train.shape == (10_000, 32, 32, 3)
    assert data.x_test.shape == (2_000, 32, 32, 3)
    assert data.source == "mirror folder"
    assert data.y_train[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]  # frog, truck, truck, …
    assert data.y_test[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    # the published means and deviations of all 50,000, nearly
    assert np.allclose(data.x_train.mean((0, 1, 2)) / 255, (0.4914, 0.4822, 0.4465), atol=0.005)
    assert np.allclose(data.x_train.std((0, 1, 2)) / 255, (0.2470, 0.2435, 0.2616), atol=0.005)
