"""What graph networks are fed: a graph as tensors, and the data sets of their two tasks."""

import numpy as np
from keras import ops


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

    The weights of those nodes are such that their mean over *all* nodes is 1. So Keras's usual
    loss, the weighted sum over the size of the batch, is the mean over the nodes that count.

    Args:
        graph: The model's inputs, of ``graph_tensors``.
        labels: (nodes,), the class of every node.
        nodes: Numbers of the nodes that count for the loss and for ``weighted_metrics``, each
            once.
        steps: How often the batch comes in an epoch.

    Returns:
        A ``tf.data.Dataset`` of (graph, labels, weights) for ``dlbook.train``.

    Raises:
        ValueError: ``nodes`` is empty, names a node twice or one that is not there, or is a mask.
    """
    import tensorflow as tf

    labels, nodes = np.asarray(labels), np.asarray(nodes)
    if not nodes.size or nodes.min() < 0 or nodes.max() >= len(labels):
        raise ValueError(f"nodes must name some of the {len(labels)} nodes, from 0")
    if nodes.dtype.kind not in "iu" or len(np.unique(nodes)) < nodes.size:
        raise ValueError(
            "nodes must be node numbers, each once; of a mask pass np.flatnonzero(mask)"
        )
    weights = np.zeros(len(labels), "float32")
    weights[nodes] = len(labels) / nodes.size
    batch = tf.data.Dataset.from_tensors((graph, labels, weights))
    return batch.map(_with_any_edges).repeat(steps)


def _with_any_edges(graph, *others):
    """A shape that leaves the number of edges open, so that a model is traced once for all."""
    import tensorflow as tf

    edges = tf.compat.v1.placeholder_with_default(graph[1], (None, 2))
    return (graph[0], edges), *others


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
        ((features, edges),) = _with_any_edges(graph)
        drawn = tf.random.stateless_uniform(
            pairs.shape, [seed, step], minval=0, maxval=num_nodes, dtype="int32"
        )
        return (features, edges, tf.concat([pairs, drawn], axis=0)), answers

    return tf.data.Dataset.range(steps).map(batch)
