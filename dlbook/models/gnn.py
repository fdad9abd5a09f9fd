"""Graph neural networks on lists of edges: GCN, GraphSAGE, GAT, and three relatives.

Every model takes a graph as two arrays, features (nodes, features) and edges (edges, 2), and
returns one row of logits for each node. A row of ``edges`` is (source, target): the target hears
the source. For an undirected graph both directions are listed, each edge once, without self-loops;
``dlbook.data.clean_edges`` makes such a list. Nothing of size nodes × nodes is ever made. The
graph is an input, so a trained model answers for other graphs with the same features too.

Features that are mostly zero, as bags of words, are passed as a ``tf.SparseTensor`` to a model
that was built with ``sparse=True``: the first layer then touches the words that occur, and no
others. This needs Keras on TensorFlow; all else runs on every backend.

Papers: Kipf & Welling, "Semi-supervised classification with graph convolutional networks", ICLR
2017 (GCN); Hamilton, Ying & Leskovec, "Inductive representation learning on large graphs",
NeurIPS 2017 (GraphSAGE); Veličković and others, "Graph attention networks", ICLR 2018 (GAT);
Liu, Gao & Ji, "Towards deeper graph neural networks", KDD 2020 (DAGNN); Chen and others, "Simple
and deep graph convolutional networks", ICML 2020 (the initial connection).
"""

import keras
import numpy as np
from keras import ops

from dlbook.models.graph_layers import (
    AdaptivePropagation,
    Dropout,
    GraphAttention,
    GraphConvolution,
    NormalizedEdges,
    PairScores,
    Projection,
    SageConvolution,
    propagate,
)

__all__ = [
    "FULL_SIZE",
    "AdaptivePropagation",
    "Dropout",
    "GraphAttention",
    "GraphConvolution",
    "NormalizedEdges",
    "PairScores",
    "Projection",
    "SageConvolution",
    "build_dagnn",
    "build_gat",
    "build_gcn",
    "build_graphsage",
    "build_link_predictor",
    "full_batch",
    "graph_tensors",
    "link_batches",
    "propagate",
]

# arguments of build_gcn for the run on a GPU
FULL_SIZE = {"num_hidden": 64, "num_layers": 64, "initial": 0.5}


def build_gcn(
    num_features: int,
    num_classes: int,
    *,
    num_hidden: int = 64,
    num_layers: int = 2,
    dropout: float = 0.5,
    weight_decay: float = 5e-4,
    initial: float = 0.0,
    sparse: bool = False,
) -> keras.Model:
    """GCN: graph convolutions with ReLU between them.

    Without edges it is a multilayer perceptron: every node hears itself alone.

    Args:
        num_features: Features of a node.
        num_classes: Number of logits.
        num_hidden: Width of the layers but the last.
        num_layers: Graph convolutions. After k of them a node has heard its neighbours up to k
            edges away.
        dropout: Share of the inputs of every layer set to zero in training.
        weight_decay: Penalty on the first layer's weights: half of it times their squares.
        initial: The initial connection: each hidden layer gives ``1 - initial`` of its own output
            and ``initial`` of the first layer's. It keeps deep nets from over-smoothing.
        sparse: The features come as a sparse tensor.

    Returns:
        A model from (features, edges) to logits (nodes, classes).

    Raises:
        ValueError: An argument is out of range.
    """
    features, edges = _inputs(num_features, sparse)
    _positive(num_classes=num_classes, num_hidden=num_hidden, num_layers=num_layers)
    if not 0 <= initial < 1:
        raise ValueError(f"initial must be from 0 to below 1, not {initial}")
    loops, weights = NormalizedEdges()(edges, features)
    x, first = features, None
    for number in range(1, num_layers):
        x = Dropout(dropout)(x)
        x = GraphConvolution(
            num_hidden,
            activation="relu",
            kernel_regularizer=_penalty(weight_decay) if number == 1 else None,
            name=f"convolution_{number}",
        )(x, loops, weights)
        if first is None:
            first = x
        elif initial:
            x = (1 - initial) * x + initial * first
    x = Dropout(dropout)(x)
    logits = GraphConvolution(num_classes, dtype="float32", name="logits")(x, loops, weights)
    return keras.Model((features, edges), logits, name="gcn")


def build_graphsage(
    num_features: int,
    num_classes: int,
    *,
    num_hidden: int = 64,
    dropout: float = 0.5,
    weight_decay: float = 5e-4,
    sparse: bool = False,
) -> keras.Model:
    """GraphSAGE with the mean of all neighbours: two layers. Arguments as for ``build_gcn``."""
    features, edges = _inputs(num_features, sparse)
    _positive(num_classes=num_classes, num_hidden=num_hidden)
    x = Dropout(dropout)(features)
    x = SageConvolution(
        num_hidden,
        activation="relu",
        kernel_regularizer=_penalty(weight_decay),
        name="convolution_1",
    )(x, edges)
    x = Dropout(dropout)(x)
    logits = SageConvolution(num_classes, dtype="float32", name="logits")(x, edges)
    return keras.Model((features, edges), logits, name="graphsage")


def build_gat(
    num_features: int,
    num_classes: int,
    *,
    num_hidden: int = 8,
    num_heads: int = 8,
    dropout: float = 0.6,
    weight_decay: float = 5e-4,
    sparse: bool = False,
) -> keras.Model:
    """GAT as its paper has it for Cora: a layer of several heads, then one of a single head.

    Args:
        num_hidden: Width of each head of the first layer.
        num_heads: Heads of the first layer.
        dropout: Also the share of the attention weights set to zero in training.

    The other arguments are as for ``build_gcn``; the penalty is on the weights of both layers.
    """
    features, edges = _inputs(num_features, sparse)
    _positive(num_classes=num_classes, num_hidden=num_hidden, num_heads=num_heads)
    loops, _ = NormalizedEdges()(edges, features)
    x = Dropout(dropout)(features)
    x = GraphAttention(
        num_hidden,
        num_heads,
        dropout=dropout,
        activation="elu",
        kernel_regularizer=_penalty(weight_decay),
        name="attention_1",
    )(x, loops)
    x = Dropout(dropout)(x)
    logits = GraphAttention(
        num_classes,
        num_heads=1,
        average=True,
        dropout=dropout,
        kernel_regularizer=_penalty(weight_decay),
        dtype="float32",
        name="logits",
    )(x, loops)
    return keras.Model((features, edges), logits, name="gat")


def build_dagnn(
    num_features: int,
    num_classes: int,
    *,
    num_hidden: int = 32,
    steps: int = 10,
    dropout: float = 0.8,
    weight_decay: float = 2e-3,
    sparse: bool = False,
) -> keras.Model:
    """DAGNN: a perceptron gives every node its logits, then the logits travel along the edges.

    Args:
        steps: Rounds of message passing. Messages are as narrow as the logits, so that ten rounds
            cost less than one round of a wide layer.

    The other arguments are as for ``build_gcn``; the penalty is on the weights of both layers.
    """
    features, edges = _inputs(num_features, sparse)
    _positive(num_classes=num_classes, num_hidden=num_hidden, steps=steps)
    penalty = _penalty(weight_decay)
    loops, weights = NormalizedEdges()(edges, features)
    x = Dropout(dropout)(features)
    x = Projection(num_hidden, "relu", penalty, name="hidden")(x)
    x = Dropout(dropout)(x)
    x = Projection(num_classes, None, penalty, dtype="float32", name="prediction")(x)
    x = AdaptivePropagation(steps, dtype="float32", name="logits")(x, loops, weights)
    return keras.Model((features, edges), x, name="dagnn")


def build_link_predictor(
    num_features: int,
    *,
    num_hidden: int = 64,
    num_latent: int = 32,
    dropout: float = 0.5,
    sparse: bool = False,
) -> keras.Model:
    """A GCN that places nodes in a latent space, and scores pairs by their inner product.

    The encoder and decoder of Kipf & Welling, "Variational graph auto-encoders", 2016, in the
    plain version.

    Args:
        num_latent: Width of the latent space.

    The other arguments are as for ``build_gcn``.

    Returns:
        A model from (features, edges, pairs) to logits (pairs,). The edges are those that
        messages take; pairs (pairs, 2) are the questions.
    """
    features, edges = _inputs(num_features, sparse)
    _positive(num_hidden=num_hidden, num_latent=num_latent)
    pairs = keras.Input((2,), dtype="int32", name="pairs")
    loops, weights = NormalizedEdges()(edges, features)
    x = Dropout(dropout)(features)
    x = GraphConvolution(num_hidden, activation="relu", name="convolution_1")(x, loops, weights)
    x = Dropout(dropout)(x)
    x = GraphConvolution(num_latent, dtype="float32", name="latent")(x, loops, weights)
    return keras.Model((features, edges, pairs), PairScores(dtype="float32")(x, pairs))


def _inputs(num_features, sparse):
    _positive(num_features=num_features)
    features = keras.Input((num_features,), sparse=sparse, name="features")
    return features, keras.Input((2,), dtype="int32", name="edges")


def _positive(**numbers):
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")


def _penalty(weight_decay):
    return keras.regularizers.L2(weight_decay / 2)


def graph_tensors(features, edges, *, sparse=False):
    """Check a graph and turn it into what the models take: ``model(graph_tensors(...))``.

    Args:
        features: (nodes, features), numbers.
        edges: (edges, 2), whole numbers from 0 to nodes - 1. A node without edges is allowed,
            and so is a graph without any.
        sparse: Make a sparse tensor of the features.

    Returns:
        The tensors (features, edges), float32 and int32.

    Raises:
        ValueError: Wrong shapes, features that are not finite, edges that are no whole numbers,
            lead nowhere, are there twice or lead back to their own node.
    """
    features, edges = np.asarray(features, "float32"), np.asarray(edges)
    if features.ndim != 2 or not features.size:
        raise ValueError(f"features must have the shape (nodes, features), not {features.shape}")
    if not np.isfinite(features).all():
        row = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise ValueError(f"features of node {row} are NaN or infinite: fill or remove them")
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise ValueError(f"edges must have the shape (edges, 2), not {edges.shape}")
    if len(edges):
        if edges.dtype.kind not in "iu":
            raise ValueError(f"edges must be whole numbers, not {edges.dtype}")
        if edges.min() < 0 or edges.max() >= len(features):
            raise ValueError(
                f"edges name nodes from {edges.min()} to {edges.max()}, but features has "
                f"{len(features)} rows: number the nodes from 0"
            )
        twice = len(edges) - len(np.unique(edges, axis=0))
        loops = int(np.sum(edges[:, 0] == edges[:, 1]))
        if twice or loops:
            raise ValueError(
                f"edges has {twice} duplicates and {loops} self-loops: pass it through "
                "dlbook.data.clean_edges"
            )
    edges = ops.convert_to_tensor(edges.astype("int32"))
    if sparse:
        import tensorflow as tf

        return tf.sparse.from_dense(features), edges
    return ops.convert_to_tensor(features), edges


def full_batch(graph, labels, nodes, steps=1):
    """The whole graph as one batch, in which some nodes count.

    Args:
        graph: The model's inputs, of ``graph_tensors``.
        labels: (nodes,), the class of every node.
        nodes: Numbers of the nodes that count for the loss and for weighted metrics.
        steps: How often the batch comes in an epoch.

    Returns:
        A ``tf.data.Dataset`` of (graph, labels, weights) for ``dlbook.train``. The mean over the
        nodes that count needs a loss with ``reduction="mean_with_sample_weight"``.

    Raises:
        ValueError: ``nodes`` is empty or names a node that is not there.
    """
    import tensorflow as tf

    labels, nodes = np.asarray(labels), np.asarray(nodes)
    if not nodes.size or nodes.min() < 0 or nodes.max() >= len(labels):
        raise ValueError(f"nodes must name some of the {len(labels)} nodes, from 0")
    counts = np.zeros(len(labels), "float32")
    counts[nodes] = 1
    return tf.data.Dataset.from_tensors((graph, labels, counts)).repeat(steps)


def link_batches(graph, pairs, steps, seed=0):
    """Batches for ``build_link_predictor``: all known edges, and as many pairs drawn at random.

    Args:
        graph: The inputs (features, edges), of ``graph_tensors``. Its edges carry the messages.
        pairs: (pairs, 2), edges to learn, one row for each.
        steps: Batches of an epoch; each draws other pairs. A few of them may be edges.
        seed: Seed of the drawn pairs.

    Returns:
        A ``tf.data.Dataset`` of ((features, edges, pairs), answers), 1 for edges and 0 for others.
    """
    import tensorflow as tf

    pairs = tf.constant(pairs, "int32")
    num_nodes = graph[0].shape[0]
    answers = tf.repeat([1.0, 0.0], len(pairs))

    def batch(step):
        drawn = tf.random.stateless_uniform(
            pairs.shape, [seed, step], minval=0, maxval=num_nodes, dtype="int32"
        )
        return (*graph, tf.concat([pairs, drawn], axis=0)), answers

    return tf.data.Dataset.range(steps).map(batch)
