"""Cora: 2,708 papers on machine learning and who cites whom; and the stand-in for them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlbook.data.files.locate import STAND_IN, Located
from dlbook.data.files.types import get_collection
from dlbook.data.kinds.graphs import GraphData, clean_edges
from dlbook.data.loading import load

# Planetoid numbers the classes and does not name them. No two classes have the same number of
# papers (351, 217, 418, 818, 426, 298, 180), and LINQS's cora.content gives these numbers by name.
_CLASSES = (
    "theory",
    "reinforcement learning",
    "genetic algorithms",
    "neural networks",
    "probabilistic methods",
    "case-based",
    "rule learning",
)
_NODES, _WORDS = 2_708, 1_433

# the stand-in
_SIZE = 100  # nodes of each class
_VOCABULARY = 350
_OWN_WORDS = 50  # words that a class uses more often than others
_DRAWS = 16  # words drawn for a paper; some are drawn twice
_OWN_SHARE = 0.28  # how many of them are of the class's own words
_INSIDE, _OUTSIDE = 0.026, 0.002  # chance of an edge inside a class, and between two
_SEED = 20240701


def load_cora() -> GraphData:
    """Loads Cora with the split that most papers use, "Planetoid public".

    Every node is a paper, every feature a word: 1 if the paper has it, else 0. An edge joins two
    papers one of which cites the other.

    Returns:
        2,708 nodes, 1,433 words, 5,278 edges, 7 classes. Train on 140 papers, 20 of each class;
        choose on 500; test on 1,000; the others have no part. The stand-in has 700 nodes, made by
        a known process, with 140, 200 and 360 of them.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("cora", _read, _stand_in)


def _read(located: Located) -> GraphData:
    paths = located.paths
    words = json.loads(paths["cora-text/cora_features.json"].read_text(encoding="utf-8"))
    features = np.zeros((_NODES, _WORDS), np.float32)
    for node, present in words.items():
        features[int(node), present] = 1
    targets = _table(paths["cora-text/cora_target.csv"])
    labels = np.empty(_NODES, np.int32)
    labels[targets[:, 0]] = targets[:, 1]
    collection = get_collection("cora")
    return GraphData(
        name=collection.name,
        title=collection.title,
        source=located.source,
        licence=collection.licence,
        citation=collection.citation,
        notes=located.notes,
        features=features,
        edges=clean_edges(_table(paths["cora-text/cora_edges.csv"]), _NODES),
        labels=labels,
        class_names=_CLASSES,
        train=np.arange(140),
        validation=np.arange(140, 640),
        test=np.sort(np.loadtxt(paths["planetoid/data/ind.cora.test.index"], dtype=np.int64)),
    )


def _table(path: Path) -> np.ndarray:
    """Whole numbers of a CSV file with one line of headings."""
    return np.loadtxt(path, dtype=np.int64, delimiter=",", skiprows=1)


def _stand_in(notes: tuple[str, ...]) -> GraphData:
    return GraphData(
        name="cora",
        title="Cora",
        source=STAND_IN,
        licence="made by dlbook (the licence of this package)",
        citation=(
            "P. W. Holland, K. B. Laskey, S. Leinhardt: Stochastic blockmodels: first steps. "
            "Social Networks 5(2), 1983"
        ),
        notes=(
            *notes,
            f"Seven classes of {_SIZE} invented papers. Two of one class are joined with "
            f"probability {_INSIDE}, two of different classes with {_OUTSIDE}. Of {_DRAWS} words "
            f"of a paper {_OWN_SHARE:.0%} come from its class's own {_OWN_WORDS}, the others from "
            "all. Results on them say nothing about results on Cora.",
        ),
        class_names=tuple(f"topic {letter}" for letter in "ABCDEFG"),
        **make_papers(),
    )


@lru_cache(maxsize=1)
def make_papers() -> dict[str, np.ndarray]:
    """Makes the stand-in: a stochastic block model with words that depend on the class.

    Returns:
        The arrays of a ``GraphData``, the same in every process. The first 140 nodes are 20 of
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
    }
