"""IMDB: its archive, the encoding, and the stand-in."""

import io
import os
import tarfile
from collections import Counter

import numpy as np
import pytest

from dlbook.data import get_collection, load_imdb, split_words
from dlbook.data.imdb import read_archive
from dlbook.data.stand_ins import imdb as stand_ins

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")
FOUR = (("bad", "good", "dull …", "fine"), ("no", "yes", "", "ja"))


def members(texts=FOUR) -> dict[str, bytes]:
    files = {}
    for part, rows in zip(("train", "test"), texts, strict=True):
        for row, text in enumerate(rows):
            number, kind = divmod(row, 2)
            name = f"aclImdb/{part}/{('neg', 'pos')[kind]}/{number}_{2 + 6 * kind}.txt"
            files[name] = text.encode()
    return files


def write_archive(path, files: dict[str, bytes], mode: str = "w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in sorted(files.items(), reverse=True):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(scope="module")
def stand_in():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "stand-in")
        return load_imdb()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archive_is_read_in_order_whatever_its_compression(tmp_path, mode):
    extra = {"aclImdb/README": b"hello", "aclImdb/train/unsup/0_0.txt": b"?", "../evil": b"!"}
    path = write_archive(tmp_path / "reviews.tar", members() | extra, mode)
    assert read_archive(path) == FOUR
    assert sorted(file.name for file in tmp_path.parent.rglob("evil")) == []


# ---- the encoding ----


def test_words_are_those_of_the_word_index():
    text = "It's  NOT (really) good...<br />Ärger, déjà-vu\tÉ\x85n"
    # only A to Z become small, as in the word index of keras.datasets.imdb
    words = ["it's", "not", "really", "good", "br", "Ärger", "déjà", "vu", "É\x85n"]
    assert split_words(text) == words
    assert split_words(" .\n") == []


def test_encoding_by_hand(stand_in):
    rank = stand_in.word_index
    (numbers,) = stand_in.encode(["The acting, zzz"], num_words=rank["acting"] + 4)
    assert numbers.tolist() == [1, rank["the"] + 3, rank["acting"] + 3, 2]
    assert numbers.dtype == np.int32
    assert stand_in.decode([*numbers, 0]) == ["[start]", "the", "acting", "[?]", ""]
    # the bound is exclusive
    (fewer,) = stand_in.encode(["The acting, zzz"], num_words=rank["acting"] + 3)
    assert fewer.tolist()[2] == 2
    assert [len(row) for row in stand_in.encode(["", "..."])] == [1, 1]


def test_encoding_refuses(stand_in):
    with pytest.raises(ValueError, match="texts must be several texts"):
        stand_in.encode("one text")
    with pytest.raises(ValueError, match="num_words must be over 4, got 4"):
        stand_in.encode(["one text"], num_words=4)
    with pytest.raises(ValueError, match="numbers contains 99999"):
        stand_in.decode([99999])
    with pytest.raises(TypeError):
        stand_in.word_index["new"] = 1


# ---- splits ----


def test_split_holds_out_neighbours_of_both_classes(stand_in):
    (x, y), (x_held, y_held) = stand_in.train_validation_split(5_000, seed=3)
    assert (len(x), len(x_held)) == (1_600, 400)
    assert y.mean() == y_held.mean() == 0.5
    row = {text: number for number, text in enumerate(stand_in.x_train)}
    held = np.array([row[text] for text in x_held])
    assert not set(x) & set(x_held)
    breaks = np.flatnonzero(np.diff(held) != 1)
    assert len(breaks) <= 1  # one run, which may go on at the beginning
    assert not y.flags.writeable
    other = stand_in.train_validation_split(5_000, seed=4)[1][0]
    assert other != x_held
    assert stand_in.train_validation_split(5_000, seed=3)[1][0] == x_held


def test_split_refuses_what_leaves_nothing(stand_in):
    for validation in (0, 1, 24_999, 25_000):
        with pytest.raises(ValueError, match="validation must be from 2 to 24,998"):
            stand_in.train_validation_split(validation)
    for validation in (2, 24_998):
        parts = stand_in.train_validation_split(validation)
        assert min(len(y) for _, y in parts) == 2


# ---- the stand-in ----


def test_stand_in_is_like_imdb(stand_in):
    assert (len(stand_in.x_train), len(stand_in.x_test)) == (2_000, 600)
    assert stand_in.y_train.dtype == np.int32
    assert stand_in.y_train[:4].tolist() == [0, 1, 0, 1]
    assert stand_in.class_names == ("negative", "positive")
    assert len(set(stand_in.x_train) | set(stand_in.x_test)) == 2_600
    lengths = np.array([len(split_words(text)) for text in stand_in.x_train])
    assert lengths.min() >= 10
    assert lengths.max() > 5 * np.median(lengths)
    assert "STAND-IN" in stand_in.describe()
    counts = Counter(word for text in stand_in.x_train for word in split_words(text))
    by_rank = [counts[word] for word in sorted(stand_in.word_index, key=stand_in.word_index.get)]
    assert by_rank == sorted(by_rank, reverse=True)
    assert sorted(stand_in.word_index.values()) == list(range(1, len(counts) + 1))


def test_stand_in_is_the_same_every_time(stand_in):
    again = stand_ins.make()
    assert again["x_train"] == stand_in.x_train
    assert again["x_test"] == stand_in.x_test


def test_in_the_stand_in_the_order_of_words_matters(stand_in):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    accuracy = {}
    for longest in (1, 2):
        count = CountVectorizer(ngram_range=(1, longest), max_features=3_000)
        model = LogisticRegression(C=0.3, max_iter=1000)
        model.fit(count.fit_transform(stand_in.x_train), stand_in.y_train)
        accuracy[longest] = model.score(count.transform(stand_in.x_test), stand_in.y_test)
    assert 0.65 < accuracy[1] < 0.85
    assert accuracy[2] > accuracy[1] + 0.03


# ---- the real ones ----


def test_an_archive_of_the_labelled_reviews_serves_too():
    official = get_collection("imdb").files[0]
    assert [form.name for form in official.forms] == [
        "aclImdb_labelled.tar.xz",
        "aclImdb_v1.tar.gz",
    ]
    assert official.smaller.urls == ()


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real IMDB")
def test_real_imdb_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_imdb()
    assert (len(data.x_train), len(data.x_test)) == (25_000, 25_000)
    assert data.y_train.sum() == data.y_test.sum() == 12_500
    assert data.source == "mirror folder"
    assert data.notes == ()
    assert data.x_train[0].startswith("Story of a man who has unnatural feelings for a pig.")
    assert data.x_train[1].startswith("Bromwell High is a cartoon comedy.")
    # counting our words in the training reviews gives Keras's word index
    counts = Counter(word for text in data.x_train for word in split_words(text))
    assert set(counts) == set(data.word_index)
    by_rank = [counts[word] for word in sorted(data.word_index, key=data.word_index.get)]
    assert by_rank == sorted(by_rank, reverse=True)
