"""The GCN's training step on Cora against PyTorch Geometric, or against plain PyTorch.

An epoch is one step on the whole graph: two graph convolutions of 64 hidden units, dropout of one
half before each, Adam, the labels of 140 papers. Keras runs with XLA and ten steps between two
returns to Python, once as in chapter 20, on sparse features, and once on dense ones. PyTorch runs
eagerly on dense features, as PyTorch Geometric's own example does; where torch_geometric is not
installed, with ``torch.sparse.mm`` on the normalised adjacency matrix, made once. Without the real
Cora a graph of its size is drawn at random: the time of a step does not depend on what the words
say.
"""

import warnings
from importlib.util import find_spec

import numpy as np
import timing

from dlbook import data, train
from dlbook.models import gnn
from dlbook.models.gnn import batches

import keras  # isort: skip
import torch  # isort: skip

WIDTH, CLASSES = 64, 7


def cora() -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """Name, features (row sums 1), edges and labels: Cora, or a random graph of its size."""
    found, name = data.load_cora(), "Cora"
    if not found.is_stand_in:
        features, edges, labels = found.features, found.edges, found.labels
    else:
        name = "a random graph of Cora's size"
        generator = np.random.default_rng(0)
        features = (generator.random((2_708, 1_433)) < 0.0127).astype("float32")
        edges = data.clean_edges(generator.integers(0, 2_708, size=(5_278, 2)), 2_708)
        labels = generator.integers(0, CLASSES, size=2_708)
    return name, features / np.maximum(features.sum(axis=1, keepdims=True), 1), edges, labels


def keras_side(
    features: np.ndarray, edges: np.ndarray, labels: np.ndarray, steps: int, sparse: bool
) -> timing.Side:
    """Rounds of ``train.fit``; milliseconds per step."""
    keras.utils.set_random_seed(0)
    model = gnn.build_gcn(features.shape[1], CLASSES, num_hidden=WIDTH, sparse=sparse)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, jit_compile=True, steps_per_execution=10)
    graph = batches.graph_tensors(features, edges, sparse=sparse)
    batch = batches.full_batch(graph, labels, np.arange(140), steps=steps)
    return lambda: timing.milliseconds(lambda: train.fit(model, batch, table=False), steps)


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
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_coo_tensor(
            places, torch.from_numpy(weights), (nodes, nodes), check_invariants=True
        ).to_sparse_csr()


def torch_side(
    features: np.ndarray, edges: np.ndarray, labels: np.ndarray, steps: int
) -> timing.Side:
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

    def epochs() -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            hidden = torch.dropout(x, 0.5, train=True)
            hidden = torch.relu(first(hidden, pairs))
            logits = second(torch.dropout(hidden, 0.5, train=True), pairs)
            criterion(logits[:140], targets).backward()
            optimizer.step()

    return lambda: timing.milliseconds(epochs, steps)


def table(quick: bool) -> str:
    """Measure Keras on sparse and on dense features, both against PyTorch on dense ones."""
    graph, *arrays = cora()
    steps = 10 if quick else 50
    theirs = torch_side(*arrays, steps)
    rival = "PyTorch Geometric" if find_spec("torch_geometric") else "PyTorch, torch.sparse"
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS
    rows = []
    for kind in ("sparse", "dense"):
        ours = keras_side(*arrays, steps, sparse=kind == "sparse")
        found = timing.compare(f"gcn, {kind} features", ours, theirs, rounds)
        settings = f"{kind} features, jit_compile=True, steps_per_execution=10"
        rows.append([f"GCN, 64 hidden, on {graph}" + found.note, *found.cells(), settings])
    head = ["training step", "Keras, ms", f"{rival}, ms", "PyTorch / Keras", "Keras's settings"]
    return timing.markdown(head, rows)
