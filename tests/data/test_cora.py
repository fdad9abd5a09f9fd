"""Clean edges, and graphs that fit together."""

from __future__ import annotations

import os

import numpy as np
import pytest

from dlbook.data import GraphData, clean_edges, load_cora, load_karate_club
from dlbook.data.cora import make_papers

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")


def as_set(edges: np.ndarray) -> set[tuple[int, int]]:
    return {(int(source), int(target)) for source, target in edges}


def test_edges_come_in_both_directions_once_without_loops():
    edges = clean_edges(np.array([[0, 1], [1, 0], [2, 1], [2, 1], [3, 3]]), 5)
    assert edges.dtype == np.int32
    assert edges.tolist() == [[1, 0], [0, 1], [2, 1], [1, 2]]  # sorted by the target
    assert np.array_equal(clean_edges(edges, 5), edges)


def test_edges_are_those_of_networkx():
    import networkx

    graph = networkx.gnm_random_graph(40, 120, seed=0)
    edges = clean_edges(np.array(graph.edges), 40)
    assert as_set(edges) == as_set(np.array(graph.to_directed().edges))
    assert len(edges) == 240


def test_no_edges_are_allowed():
    for nothing in ([], np.empty((0, 2), np.int64), np.array([[2, 2]])):
        assert clean_edges(nothing, 3).shape == (0, 2)


def test_large_numbers_of_nodes_do_not_overflow():
    edges = clean_edges(np.array([[0, 99_999], [50_000, 99_999]], np.int32), 100_000)
    assert as_set(edges) == {(0, 99_999), (99_999, 0), (50_000, 99_999), (99_999, 50_000)}


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([[0, 1, 2], [1, 2, 0]], r"shape \(edges, 2\), not \(2, 3\); transpose it"),
        ([[0, 1, 2]], r"not \(1, 3\)$"),
        ([0, 1], r"not \(2,\)$"),
        ([[0, 3], [1, 2]], r"row 0 joins \[0, 3\], but num_nodes=3 .* 0 to 2 only \(1 such"),
        ([[0, 1], [-1, 2], [5, 5]], r"row 1 joins \[-1, 2\].* \(2 such rows\)"),
        ([[0.5, 1]], "whole numbers"),
        ([[np.nan, 1]], "whole numbers"),
        ([["a", "b"]], "whole numbers"),
        ([[True, False]], "whole numbers"),
    ],
)
def test_impossible_edges_are_refused(edges, words):
    with pytest.raises(ValueError, match=words):
        clean_edges(np.array(edges), 3)


def test_whole_numbers_stored_as_floats_are_read():
    assert clean_edges(np.array([[0.0, 2.0]]), 3).tolist() == [[2, 0], [0, 2]]


# ---- a graph as a whole ----


def small(**changes) -> GraphData:
    parts = {
        "name": "small",
        "title": "Small",
        "source": "here",
        "licence": "none",
        "citation": "nobody",
        "features": np.eye(5, dtype=np.float32),
        "edges": clean_edges(np.array([[0, 1], [1, 2]]), 5),
        "labels": np.array([0, 0, 1, 1, 0]),
        "class_names": ("a", "b"),
        "train": np.array([0, 2]),
        "validation": np.array([1]),
        "test": np.array([4]),
    }
    return GraphData(**parts | changes)


def test_a_graph_counts_neighbours_and_equal_ends():
    graph = small()
    assert graph.num_nodes == 5
    assert graph.degrees.tolist() == [1, 2, 1, 0, 0]
    assert graph.homophily == 0.5
    assert "5 nodes with 5 features, 2 edges, 2 classes" in graph.describe()
    with pytest.raises(ValueError, match="read-only"):
        graph.features[0, 0] = 7


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": np.full((5, 2), np.nan)}, "features must be finite"),
        ({"features": np.zeros(5)}, "features must be finite numbers of the shape"),
        ({"labels": np.zeros(4)}, r"labels has the shape \(4,\) for 5 nodes"),
        ({"edges": np.array([[0, 1]])}, "clean_edges"),
        ({"edges": np.array([[0, 9], [9, 0]])}, "num_nodes=5"),
        ({"test": np.array([0])}, "different nodes"),
        ({"test": np.array([5])}, "nodes of the graph"),
        ({"train": np.array([], int), "validation": np.array([-1])}, "nodes of the graph"),
    ],
)
def test_a_graph_whose_parts_do_not_fit_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        small(**changes)


# ---- the data sets ----


@pytest.mark.parametrize("wanted", ["auto", "real", "stand-in"])
def test_the_karate_club_is_real_in_every_mode(monkeypatch, wanted):
    monkeypatch.setenv("DLBOOK_DATA", wanted)
    club = load_karate_club()
    assert club.source == "networkx"
    assert not club.is_stand_in
    assert (club.num_nodes, len(club.edges)) == (34, 2 * 78)
    assert club.labels.dtype == np.int32
    assert np.bincount(club.labels).tolist() == [17, 17]
    assert club.labels[club.train].tolist() == [0, 1]  # the two leaders
    assert club.degrees[[0, 33]].tolist() == [16, 17]
    assert len(club.test) == 32
    assert "Zachary" in club.describe()


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
    first, second = make_papers(), make_papers.__wrapped__()
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
