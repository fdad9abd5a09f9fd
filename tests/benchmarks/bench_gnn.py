"""The GCN's training step on Cora against PyTorch Geometric, or against plain PyTorch.

    python tests/benchmarks/bench_gnn.py [--quick] [--output FILE.md]

An epoch is one step on the whole graph: two graph convolutions of 64 hidden units, dropout of one
half before each, Adam, the labels of 140 papers. Keras runs as in chapter 20: sparse features,
XLA, ten steps between two returns to Python. PyTorch runs eagerly on dense features, as the
library's own example does; with torch_geometric where it is installed, else with
``torch.sparse.mm`` on the normalised adjacency matrix, made once. Without the real Cora a graph of
its size is drawn at random: the time of a step does not depend on what the words say.

Rounds, ratios and the machine's line are those of ``bench.py``.
"""

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

import bench
import numpy as np

from dlbook import data, train
from dlbook.models import gnn
from dlbook.runtime import setup

import keras  # isort: skip
import torch  # isort: skip

WIDTH, CLASSES, STEPS = 64, 7, 50


def cora() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (row sums 1), edges and labels: Cora, or a random graph of its size."""
    found = data.load_cora()
    if not found.is_stand_in:
        features, edges, labels = found.features, found.edges, found.labels
    else:
        generator = np.random.default_rng(0)
        features = (generator.random((2_708, 1_433)) < 0.0127).astype("float32")
        edges = data.clean_edges(generator.integers(0, 2_708, size=(5_278, 2)), 2_708)
        labels = generator.integers(0, CLASSES, size=2_708)
    return features / np.maximum(features.sum(axis=1, keepdims=True), 1), edges, labels


def keras_side(features: np.ndarray, edges: np.ndarray, labels: np.ndarray) -> bench.Side:
    """Rounds of ``train.fit``; milliseconds per step."""
    keras.utils.set_random_seed(0)
    model = gnn.build_gcn(features.shape[1], CLASSES, num_hidden=WIDTH, sparse=True)
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=True, steps_per_execution=10)
    graph = gnn.graph_tensors(features, edges, sparse=True)
    batch = gnn.full_batch(graph, labels, np.arange(140), steps=STEPS)

    def run() -> float:
        began = time.perf_counter()
        train.fit(model, batch, table=False)
        return 1000 * (time.perf_counter() - began) / STEPS

    return run


class SparseConvolution(torch.nn.Module):
    """A graph convolution by a sparse matrix product."""

    def __init__(self, channels: int, units: int, matrix: torch.Tensor):
        super().__init__()
        self.linear = torch.nn.Linear(channels, units, bias=False)
        self.bias = torch.nn.Parameter(torch.zeros(units))
        self.matrix = matrix

    def forward(self, x: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        return torch.sparse.mm(self.matrix, self.linear(x)) + self.bias


def matrix_of(edges: np.ndarray, nodes: int) -> torch.Tensor:
    """D^(-1/2) (A + I) D^(-1/2) in CSR form."""
    loops = np.arange(nodes)
    source = np.concatenate([edges[:, 0], loops])
    target = np.concatenate([edges[:, 1], loops])
    degrees = np.bincount(target)
    weights = (1 / np.sqrt(degrees[source] * degrees[target])).astype("float32")
    places = torch.from_numpy(np.stack([target, source]).astype("int64"))
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(weights), (nodes, nodes)
    ).to_sparse_csr()


def torch_side(features: np.ndarray, edges: np.ndarray, labels: np.ndarray) -> bench.Side:
    """Rounds of the plain loop; milliseconds per step."""
    torch.manual_seed(0)
    if find_spec("torch_geometric"):
        from torch_geometric.nn import GCNConv

        first = GCNConv(features.shape[1], WIDTH, cached=True)
        second = GCNConv(WIDTH, CLASSES, cached=True)
    else:
        matrix = matrix_of(edges, len(features))
        first = SparseConvolution(features.shape[1], WIDTH, matrix)
        second = SparseConvolution(WIDTH, CLASSES, matrix)
    optimizer = torch.optim.Adam(
        [
            {"params": first.parameters(), "weight_decay": 5e-4},
            {"params": second.parameters(), "weight_decay": 0},
        ],
        lr=0.01,
    )
    x, targets = torch.from_numpy(features), torch.from_numpy(labels[:140].astype("int64"))
    pairs = torch.from_numpy(edges.T.astype("int64").copy())
    criterion = torch.nn.CrossEntropyLoss()

    def run() -> float:
        began = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad()
            hidden = torch.dropout(x, 0.5, train=True)
            hidden = torch.relu(first(hidden, pairs))
            logits = second(torch.dropout(hidden, 0.5, train=True), pairs)
            criterion(logits[:140], targets).backward()
            optimizer.step()
        return 1000 * (time.perf_counter() - began) / STEPS

    return run


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two rounds: does it run at all")
    parser.add_argument("--output", type=Path, help="write the table there too")
    options = parser.parse_args(arguments)
    found = setup(seed=0, mixed_precision=False)
    torch.set_num_threads(found.cores)
    arrays = cora()
    rounds = 2 if options.quick else 15
    ours, theirs, ratio, note = bench.compare(keras_side(*arrays), torch_side(*arrays), rounds)
    rival = "PyTorch Geometric" if find_spec("torch_geometric") else "PyTorch, sparse"
    head = ["an epoch on Cora", "Keras, ms", f"{rival}, ms", f"{rival} / Keras", "settings"]
    row = ["GCN, 64 hidden" + note, f"{ours:.3g}", f"{theirs:.3g}", f"**{ratio:.2f}**"]
    row.append("sparse features, jit_compile=True, steps_per_execution=10")
    text = "\n\n".join(
        [bench.markdown(head, [row]), f"{bench.machine()}; medians of {rounds} rounds."]
    )
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
