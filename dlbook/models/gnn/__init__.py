"""Graph neural networks on lists of edges: GCN, GraphSAGE, GAT, and two relatives.

Every model takes a graph as two arrays, features (nodes, features) and edges (edges, 2), and
returns one row of logits for each node. A row of ``edges`` is (source, target): the target hears
the source. For an undirected graph both directions are listed, each edge once, without self-loops;
``dlbook.data.clean_edges`` makes such a list. Nothing of size nodes × nodes is ever made. The
graph is an input, so a trained model answers for other graphs with the same features too.

Features that are mostly zero, as bags of words, are passed as a ``tf.SparseTensor`` to a model
that was built with ``sparse=True``: the first layer then touches the words that occur, and no
others. This needs Keras on TensorFlow; all else runs on every backend.

The layers are in ``gnn.layers``; ``gnn.batches`` makes what the models are fed.
"""

import keras

from dlbook.models.gnn.layers import (
    AdaptivePropagation,
    GraphAttention,
    GraphConvolution,
    NormalizedEdges,
    PairScores,
    Projection,
    SageConvolution,
    SparseDropout,
)


def build_gcn(
    num_features: int,
    num_classes: int,
    *,
    num_hidden: int = 64,
    num_layers: int = 2,
    dropout: float = 0.5,
    weight_decay: float = 5e-4,
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
        sparse: The features come as a sparse tensor.

    Returns:
        A model from (features, edges) to logits (nodes, classes).

    Paper: Kipf & Welling, "Semi-supervised classification with graph convolutional networks",
    ICLR 2017.
    """
    features, edges = _inputs(num_features, sparse)
    loops, weights = NormalizedEdges()(edges, features)
    x = features
    for number in range(1, num_layers):
        x = SparseDropout(dropout)(x)
        x = GraphConvolution(
            num_hidden,
            activation="relu",
            kernel_regularizer=_penalty(weight_decay) if number == 1 else None,
            name=f"convolution_{number}",
        )(x, loops, weights)
    x = SparseDropout(dropout)(x)
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
    """GraphSAGE with the mean of all neighbours: two layers.

    Args:
        num_features: Features of a node.
        num_classes: Number of logits.
        num_hidden: Width of the first layer.
        dropout: Share of the inputs of both layers set to zero in training.
        weight_decay: Penalty on the first layer's weights: half of it times their squares.
        sparse: The features come as a sparse tensor.

    Returns:
        A model from (features, edges) to logits (nodes, classes).

    Paper: Hamilton, Ying & Leskovec, "Inductive representation learning on large graphs",
    NeurIPS 2017.
    """
    features, edges = _inputs(num_features, sparse)
    x = SparseDropout(dropout)(features)
    x = SageConvolution(
        num_hidden,
        activation="relu",
        kernel_regularizer=_penalty(weight_decay),
        name="convolution_1",
    )(x, edges)
    x = SparseDropout(dropout)(x)
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
        num_features: Features of a node.
        num_classes: Number of logits.
        num_hidden: Width of each head of the first layer.
        num_heads: Heads of the first layer.
        dropout: Share of the inputs of both layers, and of the attention weights, set to zero in
            training.
        weight_decay: Penalty on the weights of both layers: half of it times their squares.
        sparse: The features come as a sparse tensor.

    Returns:
        A model from (features, edges) to logits (nodes, classes).

    Paper: Veličković and others, "Graph attention networks", ICLR 2018.
    """
    features, edges = _inputs(num_features, sparse)
    loops, _ = NormalizedEdges()(edges, features)
    x = SparseDropout(dropout)(features)
    x = GraphAttention(
        num_hidden,
        num_heads,
        dropout=dropout,
        activation="elu",
        kernel_regularizer=_penalty(weight_decay),
        name="attention_1",
    )(x, loops)
    x = SparseDropout(dropout)(x)
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
        num_features: Features of a node.
        num_classes: Number of logits.
        num_hidden: Width of the perceptron's hidden layer.
        steps: Rounds of message passing. Messages are as narrow as the logits, so that ten rounds
            cost less than one round of a wide layer.
        dropout: Share of the inputs of both layers set to zero in training.
        weight_decay: Penalty on the weights of both layers: half of it times their squares.
        sparse: The features come as a sparse tensor.

    Returns:
        A model from (features, edges) to logits (nodes, classes).

    Paper: Liu, Gao & Ji, "Towards deeper graph neural networks", KDD 2020.
    """
    features, edges = _inputs(num_features, sparse)
    penalty = _penalty(weight_decay)
    loops, weights = NormalizedEdges()(edges, features)
    x = SparseDropout(dropout)(features)
    x = Projection(num_hidden, "relu", penalty, name="hidden")(x)
    x = SparseDropout(dropout)(x)
    x = Projection(num_classes, None, penalty, dtype="float32", name="prediction")(x)
    x = AdaptivePropagation(steps, dtype="float32", name="logits")(x, loops, weights)
    return keras.Model((features, edges), x, name="dagnn")


def build_link_predictor(
    num_features: int,
    *,
    num_hidden: int = 64,
    latent_dim: int = 32,
    dropout: float = 0.5,
    sparse: bool = False,
) -> keras.Model:
    """A GCN that places nodes in a latent space, and scores pairs by their inner product.

    Args:
        num_features: Features of a node.
        num_hidden: Width of the first layer.
        latent_dim: Width of the latent space.
        dropout: Share of the inputs of both layers set to zero in training.
        sparse: The features come as a sparse tensor.

    Returns:
        A model from (features, edges, pairs) to logits (pairs,). The edges are those that
        messages take; pairs (pairs, 2) are the questions.

    Paper: Kipf & Welling, "Variational graph auto-encoders", 2016, in the plain version.
    """
    features, edges = _inputs(num_features, sparse)
    pairs = keras.Input((2,), dtype="int32", name="pairs")
    loops, weights = NormalizedEdges()(edges, features)
    x = SparseDropout(dropout)(features)
    x = GraphConvolution(num_hidden, activation="relu", name="convolution_1")(x, loops, weights)
    x = SparseDropout(dropout)(x)
    x = GraphConvolution(latent_dim, dtype="float32", name="latent")(x, loops, weights)
    return keras.Model((features, edges, pairs), PairScores(dtype="float32")(x, pairs))


def _inputs(num_features, sparse):
    features = keras.Input((num_features,), sparse=sparse, name="features")
    return features, keras.Input((2,), dtype="int32", name="edges")


def _penalty(weight_decay):
    return keras.regularizers.L2(weight_decay / 2)
