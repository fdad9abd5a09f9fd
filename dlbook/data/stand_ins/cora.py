"""A stand-in for Cora: seven hundred invented papers, made by a known process."""

from typing import Any

import numpy as np

from dlbook.data.kinds.graphs import clean_edges

_CLASSES = tuple(f"topic {letter}" for letter in "ABCDEFG")
_SIZE = 100  # nodes of each class
_VOCABULARY = 350
_OWN_WORDS = 50  # words that a class uses more often than others
_DRAWS = 16  # words drawn for a paper; some are drawn twice
_OWN_SHARE = 0.28  # how many of them are of the class's own words
_INSIDE, _OUTSIDE = 0.026, 0.002  # chance of an edge inside a class, and between two
_SEED = 20240701

LICENCE = "made by dlbook (the licence of this package)"
CITATION = (
    "P. W. Holland, K. B. Laskey, S. Leinhardt: Stochastic blockmodels: first steps. "
    "Social Networks 5(2), 1983"
)
NOTE = (
    f"Seven classes of {_SIZE} invented papers. Two of one class are joined with "
    f"probability {_INSIDE}, two of different classes with {_OUTSIDE}. Of {_DRAWS} words "
    f"of a paper {_OWN_SHARE:.0%} come from its class's own {_OWN_WORDS}, the others from "
    "all. Results on them say nothing about results on Cora."
)


def make() -> dict[str, Any]:
    """Makes the papers: a stochastic block model with words that depend on the class.

    Returns:
        Fields of a ``GraphData``, the same in every process. The first 140 nodes are 20 of
        each class; the others come in random order.
    """
    import networkx

    classes = len(_CLASSES)
    rng = np.random.default_rng(_SEED)
    chances = np.full((classes, classes), _OUTSIDE)
    np.fill_diagonal(chances, _INSIDE)
    blocks = networkx.stochastic_block_model([_SIZE] * classes, chances, seed=_SEED)
    labels = np.repeat(np.arange(classes), _SIZE)

    features = np.zeros((len(labels), _VOCABULARY), np.float32)
    for node, label in enumerate(labels):
        own = rng.random(_DRAWS) < _OWN_SHARE
        words = rng.integers(_VOCABULARY, size=_DRAWS)
        words[own] = label * _OWN_WORDS + rng.integers(_OWN_WORDS, size=own.sum())
        features[node, words] = 1

    order = rng.permutation(len(labels))
    rank = np.empty(len(order), np.int64)  # how many of its class come before it
    for label in range(classes):
        members = np.flatnonzero(labels[order] == label)
        rank[members] = np.arange(len(members))
    order = np.concatenate([order[rank < 20], order[rank >= 20]])  # new place -> old number
    place = np.argsort(order)
    return {
        "features": features[order],
        "labels": labels[order].astype(np.int32),
        "edges": clean_edges(place[np.array(blocks.edges)], len(order)),
        "train": np.arange(140),
        "validation": np.arange(140, 340),
        "test": np.arange(340, 700),
        "class_names": _CLASSES,
    }
