"""Graphs: lists of edges made clean, and the data set of a graph with labelled nodes."""

from dataclasses import dataclass

import numpy as np

from dlbook.data.kinds.dataset import DataSet


def clean_edges(edges: np.ndarray, num_nodes: int) -> np.ndarray:
    """Makes the list of edges that graph models expect, of an undirected graph.

    Every edge is listed in both directions, once. Duplicates are merged. Self-loops are left out:
    the layers of ``dlbook.models.gnn`` add one to every node where they need it. A node without
    edges is allowed.

    Args:
        edges: (edges, 2), pairs of node numbers, in one direction or in both.
        num_nodes: how many nodes there are; they are numbered from 0.

    Returns:
        (directed edges, 2), int32, sorted by the second column.

    Raises:
        ValueError: when a number is no whole number or names no node, or the shape is another.
    """
    edges = np.asarray(edges)
    if edges.size == 0:
        return np.empty((0, 2), np.int32)
    if edges.ndim != 2 or edges.shape[1] != 2:
        hint = "; transpose it" if edges.ndim == 2 and edges.shape[0] == 2 else ""
        raise ValueError(f"edges must have the shape (edges, 2), not {edges.shape}{hint}")
    if edges.dtype.kind not in "iu":
        if edges.dtype.kind != "f" or not np.array_equal(edges, np.round(edges)):
            raise ValueError(f"edges must be whole numbers, the nodes' numbers, not {edges.dtype}")
        edges = edges.astype(np.int64)
    wrong = np.flatnonzero((edges < 0).any(axis=1) | (edges >= num_nodes).any(axis=1))
    if len(wrong):
        raise ValueError(
            f"edges: row {wrong[0]} joins {edges[wrong[0]].tolist()}, but num_nodes={num_nodes} "
            f"allows 0 to {num_nodes - 1} only ({len(wrong)} such rows): remove them, or renumber "
            "the nodes from 0"
        )
    edges = edges[edges[:, 0] != edges[:, 1]].astype(np.int64)
    both = np.concatenate([edges, edges[:, ::-1]])
    # one number for each edge, target first: sorting them sorts by target
    numbers = np.unique(both[:, 1] * num_nodes + both[:, 0])
    return np.stack([numbers % num_nodes, numbers // num_nodes], axis=1).astype(np.int32)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GraphData(DataSet):
    """One undirected graph whose nodes have features and a class.

    Args:
        features: (nodes, features), float32.
        edges: (directed edges, 2), int32, as ``clean_edges`` makes them: both directions of each
            edge, once, without self-loops.
        labels: (nodes,), int32: the class of each node.
        class_names: one for each class.
        train: numbers of the nodes whose labels may be learnt from.
        validation: numbers of the nodes that choices are made on.
        test: numbers of the nodes for the final figures.

    Raises:
        ValueError: when the parts do not fit together, or a feature is not finite.
    """

    features: np.ndarray
    edges: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        nodes = len(self.features)
        if self.features.ndim != 2 or not np.isfinite(self.features).all():
            raise ValueError("features must be finite numbers of the shape (nodes, features)")
        if self.labels.shape != (nodes,):
            raise ValueError(f"labels has the shape {self.labels.shape} for {nodes} nodes")
        if not np.array_equal(self.edges, clean_edges(self.edges, nodes)):
            raise ValueError("edges must be as clean_edges makes them: pass its result")
        parts = np.concatenate([self.train, self.validation, self.test])
        if len(np.unique(parts)) < len(parts) or parts.min() < 0 or parts.max() >= nodes:
            raise ValueError("train, validation and test must name different nodes of the graph")

    @property
    def num_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.features)

    @property
    def degrees(self) -> np.ndarray:
        """(nodes,): how many neighbours each node has."""
        return np.bincount(self.edges[:, 1], minlength=self.num_nodes)

    @property
    def homophily(self) -> float:
        """The share of edges that join two nodes of one class."""
        return float(np.mean(self.labels[self.edges[:, 0]] == self.labels[self.edges[:, 1]]))

    def sizes(self) -> str:
        return (
            f"{self.num_nodes:,} nodes with {self.features.shape[1]:,} features, "
            f"{len(self.edges) // 2:,} edges, {len(self.class_names)} classes; nodes to train, "
            f"validate, test: {len(self.train):,}, {len(self.validation):,}, {len(self.test):,}"
        )
