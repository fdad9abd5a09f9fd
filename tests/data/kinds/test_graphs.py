"""Clean edges, and graphs that fit together."""

import numpy as np
import pytest

from dlbook.data import clean_edges
from dlbook.data.kinds.graphs import GraphData


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
