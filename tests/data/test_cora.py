"""Cora and its stand-in."""

import os

import numpy as np
import pytest

from dlbook.data import load_cora
from dlbook.data.kinds.graphs import GraphData
from dlbook.data.stand_ins import cora as stand_ins

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")


def check_like_cora(data: GraphData):
    assert data.features.dtype == np.float32
    assert data.edges.dtype == data.labels.dtype == np.int32
    assert set(np.unique(data.features)) == {0.0, 1.0}
    assert data.features.sum(axis=1).min() >= 1  # a paper has a word
    assert data.features.mean() < 0.06
    assert len(data.class_names) == 7
    assert np.bincount(data.labels[data.train]).tolist() == [20] * 7
    assert 0.65 < data.homophily < 0.85
    assert 3 < data.degrees.mean() < 5


def test_the_stand_in_is_like_cora(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_cora()
    check_like_cora(data)
    assert data.source == "stand-in"
    assert [len(part) for part in (data.train, data.validation, data.test)] == [140, 200, 360]
    # its ground truth, and no borrowed name
    assert "joined with probability" in data.describe()
    assert "neural" not in " ".join(data.class_names)
    assert np.bincount(data.labels).tolist() == [100] * 7
    assert (data.degrees == 0).any()  # isolated nodes belong to the task


def test_the_stand_in_is_the_same_every_time():
    first, second = stand_ins.make(), stand_ins.make()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


def test_in_the_stand_in_the_graph_tells_more_than_the_words(monkeypatch):
    from sklearn.linear_model import LogisticRegression

    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_cora()

    def accuracy(features):
        model = LogisticRegression(C=100, max_iter=500)
        model.fit(features[data.train], data.labels[data.train])
        return model.score(features[data.test], data.labels[data.test])

    mixed = data.features
    for _ in range(2):  # each node adds what its neighbours have
        mixed = mixed.copy()
        np.add.at(mixed, data.edges[:, 1], mixed[data.edges[:, 0]])
        mixed /= data.degrees[:, None] + 1
    assert 0.4 < accuracy(data.features) < 0.65
    assert 0.75 < accuracy(mixed) < 0.95


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real Cora")
def test_real_cora_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_cora()
    check_like_cora(data)
    assert data.source == "mirror folder"
    assert data.features.shape == (2_708, 1_433)
    assert data.features.sum() == 49_216
    assert len(data.edges) == 2 * 5_278
    assert data.degrees.min() == 1
    assert data.train.tolist() == list(range(140))
    assert data.validation.tolist() == list(range(140, 640))
    assert data.test.tolist() == list(range(1_708, 2_708))
    papers = dict(zip(data.class_names, np.bincount(data.labels).tolist(), strict=True))
    assert papers["neural networks"] == 818
    assert sorted(papers.values()) == [180, 217, 298, 351, 418, 426, 818]
