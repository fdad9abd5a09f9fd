"""Cora: 2,708 papers on machine learning and who cites whom."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from dlbook.data.files.types import RemoteFile, register
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
_HOST = (
    "https://raw.githubusercontent.com/benedekrozemberczki/APPNP/"
    "338d98980ee8748e652630dd422341ef8b2a354a/input/"
)

register(
    name="cora",
    title="Cora",
    files=(
        RemoteFile.on_hosts(
            "cora-text/cora_edges.csv",
            96_882,
            "a04e55f3bc812b9d2e57ce89da06446991a77183c423861817076ccbdc59ea88",
            _HOST,
        ),
        RemoteFile.on_hosts(
            "cora-text/cora_features.json",
            287_700,
            "01ed032fa148d302183ff2225a6f687b6d51998fc7a39b49669ed181f0c8d8a5",
            _HOST,
        ),
        RemoteFile.on_hosts(
            "cora-text/cora_target.csv",
            17_856,
            "5462297aefd41881e576a1f60a457dd116c57a80159d6e119d0cfd53633e7904",
            _HOST,
        ),
        RemoteFile.on_hosts(
            "planetoid/data/ind.cora.test.index",
            5_000,
            "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
            "https://raw.githubusercontent.com/kimiyoung/planetoid/"
            "af6abf468a772cc055bec88c52e4d6f51b7c37e3/data/",
        ),
    ),
    licence="none stated for the data (LINQS); the Planetoid repository is under MIT",
    citation=(
        "P. Sen, G. Namata, M. Bilgic, L. Getoor, B. Gallagher, T. Eliassi-Rad: Collective "
        "classification in network data. AI Magazine 29(3), 2008; split: Z. Yang, W. Cohen, "
        "R. Salakhutdinov, ICML 2016"
    ),
    homepage="https://linqs.org/datasets/",
)


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
    return load("cora", GraphData, _read)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    words = json.loads(paths["cora-text/cora_features.json"].read_text(encoding="utf-8"))
    features = np.zeros((_NODES, _WORDS), np.float32)
    for node, present in words.items():
        features[int(node), present] = 1
    targets = _table(paths["cora-text/cora_target.csv"])
    labels = np.empty(_NODES, np.int32)
    labels[targets[:, 0]] = targets[:, 1]
    return {
        "features": features,
        "edges": clean_edges(_table(paths["cora-text/cora_edges.csv"]), _NODES),
        "labels": labels,
        "class_names": _CLASSES,
        "train": np.arange(140),
        "validation": np.arange(140, 640),
        "test": np.sort(np.loadtxt(paths["planetoid/data/ind.cora.test.index"], dtype=np.int64)),
    }


def _table(path: Path) -> np.ndarray:
    """Whole numbers of a CSV file with one line of headings."""
    return np.loadtxt(path, dtype=np.int64, delimiter=",", skiprows=1)
