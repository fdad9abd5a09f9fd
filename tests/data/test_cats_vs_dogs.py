"""Cats and dogs: both archives, what is left out, and the stand-in."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from dlbook.data import cats_vs_dogs as module
from dlbook.data import get_collection, load_cats_vs_dogs
from dlbook.data.stand_ins import cats_vs_dogs as stand_ins

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")
GENERATOR = np.random.default_rng(0)


def photograph(mode: str = "RGB") -> bytes:
    small = GENERATOR.integers(0, 256, (9, 12, 3)).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(small).resize((120, 90)).convert(mode).save(file, "JPEG", quality=92)
    return file.getvalue()


def write_archive(path, files: dict[str, bytes]):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("form", ["{0}/{0}.{1}.jpg", "PetImages/{2}/{1}.jpg"])
def test_both_archives_are_read_in_the_order_of_their_numbers(tmp_path, form):
    files = {
        form.format(name, number, name.title()): photograph()
        for name in ("dog", "cat")
        for number in (10, 9, 2)
    }
    extra = {"PetImages/Cat/Thumbs.db": b"?", "readme[1].txt": b"!", "../cat/cat.1.jpg": b"?"}
    left_out = []
    cats, dogs = module.read_archive(write_archive(tmp_path / "a.zip", files | extra), 16, left_out)
    assert left_out == []
    assert [len(cats), len(dogs)] == [3, 3]
    for name, found in (("cat", cats), ("dog", dogs)):
        for number, picture in zip((2, 9, 10), found, strict=True):
            content = files[form.format(name, number, name.title())]
            whole = Image.open(io.BytesIO(content)).resize((16, 16), Image.Resampling.BILINEAR)
            assert picture.shape == (16, 16, 3)
            assert picture.dtype == np.uint8
            assert np.abs(picture.astype(int) - np.asarray(whole)).mean() < 6


def test_what_cannot_be_used_is_named_and_skipped(tmp_path):
    good, other = photograph(), photograph()
    again = io.BytesIO()
    Image.open(io.BytesIO(good)).resize((80, 60)).save(again, "JPEG", quality=60)
    files = {
        "cat/cat.1.jpg": good,
        "cat/cat.2.jpg": b"",
        "cat/cat.3.jpg": other[:900],
        "cat/cat.4.jpg": photograph("L"),
        "dog/dog.1.jpg": other,
        "dog/dog.2.jpg": again.getvalue(),
    }
    left_out = []
    cats, dogs = module.read_archive(write_archive(tmp_path / "a.zip", files), 16, left_out)
    assert [len(cats), len(dogs)] == [1, 1]
    assert [line.split(" is ")[0] for line in left_out[:3]] == [
        "cat/cat.2.jpg", "cat/cat.3.jpg", "cat/cat.4.jpg"
    ]  # fmt: skip
    assert "empty" in left_out[0]
    assert "corrupt" in left_out[1]
    assert "grey" in left_out[2]
    assert left_out[3] == "dog/dog.2.jpg shows the same as cat/cat.1.jpg"


def test_no_more_pictures_are_read_than_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PER_CLASS", 2)
    files = {f"{name}/{name}.{n}.jpg": photograph() for name in ("cat", "dog") for n in range(4)}
    files["cat/cat.3.jpg"] = b"never looked at"
    left_out = []
    cats, dogs = module.read_archive(write_archive(tmp_path / "a.zip", files), 16, left_out)
    assert [len(cats), len(dogs), left_out] == [2, 2, []]


def test_fingerprint_survives_size_and_quality_and_tells_others_apart():
    first = photograph()
    again = io.BytesIO()
    Image.open(io.BytesIO(first)).resize((200, 150)).save(again, "JPEG", quality=70)
    prints = [module.fingerprint(content) for content in (first, again.getvalue(), photograph())]
    assert prints[0].shape == (64,)
    assert (prints[0] != prints[1]).sum() <= module.SAME
    assert (prints[0] != prints[2]).sum() > 10


def check_like_pets(pets, train: int, test: int, size: int = 64):
    assert pets.x_train.shape == (train, size, size, 3)
    assert pets.x_test.shape == (test, size, size, 3)
    assert pets.x_train.dtype == pets.x_test.dtype == np.uint8
    for labels in (pets.y_train, pets.y_test):
        assert labels.dtype == np.int32
        assert labels.tolist() == [0, 1] * (len(labels) // 2)
    assert pets.class_names == ("cat", "dog")
    assert 60 < pets.x_train.mean() < 190


@pytest.fixture(scope="module")
def stand_in():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "stand-in")
        return load_cats_vs_dogs()


def test_stand_in_is_like_the_real_set(stand_in):
    check_like_pets(stand_in, 160, 120)
    assert stand_in.is_stand_in
    assert "drawn" in stand_in.describe()
    (x, _), (x_held, y_held) = stand_in.train_validation_split(200)
    assert (len(x), len(x_held)) == (128, 32)
    assert np.bincount(y_held).tolist() == [16, 16]


def test_stand_in_is_the_same_every_time_and_has_no_twins(stand_in):
    for name, value in stand_ins.make().items():
        assert np.array_equal(getattr(stand_in, name), value), name
    whole = np.concatenate([stand_in.x_train, stand_in.x_test])
    assert len(np.unique(whole, axis=0)) == len(whole)


def test_stand_in_animals_look_one_way_in_training_only(stand_in):
    from sklearn.linear_model import LogisticRegression

    def coarse(x):  # 8×8 pixels against the ground: enough to see on which side the head is
        small = x.reshape(len(x), 8, 8, 8, 8, 3).mean(axis=(2, 4))
        return np.abs(small - small[:, :1, :1]).mean(axis=-1).reshape(len(x), -1)

    model = LogisticRegression(C=1e-4, max_iter=1000)
    model.fit(coarse(stand_in.x_train), stand_in.y_train)
    assert model.score(coarse(stand_in.x_train), stand_in.y_train) > 0.75
    assert model.score(coarse(stand_in.x_test), stand_in.y_test) < 0.75


def test_other_sizes(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    check_like_pets(load_cats_vs_dogs(size=24), 160, 120, 24)
    with pytest.raises(ValueError, match="8 pixels or more, got 4"):
        load_cats_vs_dogs(size=4)


def test_official_archive_and_a_smaller_one_are_registered():
    (official,) = get_collection("cats-vs-dogs").files
    assert official.urls[0].endswith("/kagglecatsanddogs_5340.zip")
    assert official.smaller.path == "cats-vs-dogs/dog_cat_1399.zip"


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with pictures")
def test_real_pictures_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    pets = load_cats_vs_dogs()
    check_like_pets(pets, 1_000, 396)
    assert pets.source == "mirror folder"
    assert pets.notes == ("left out: dog/dog.180.jpg shows the same as dog/dog.74.jpg",)
