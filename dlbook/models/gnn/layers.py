"""Layers that pass messages along a list of edges: GCN, GraphSAGE, GAT, DAGNN.

Nodes are numbered from 0. ``values`` (nodes, channels) is what the nodes hold; a row of ``edges``
(edges, 2) is (source, target), and the target hears the source. All sums run over the edges with
``keras.ops.segment_sum``: nothing of size nodes × nodes is ever made.
"""

import keras
from keras import ops

register = keras.saving.register_keras_serializable(package="dlbook")


def at_least_float32(values):
    """Values to gather and add up, in float32 (float64 stays).

    A node may have thousands of neighbours, and in bfloat16 a sum of ones stops at 256. This
    holds for the gradient of ``take`` too, which adds up over the edges that leave a node.
    """
    return ops.cast(values, keras.backend.result_type(values.dtype, "float32"))


def propagate(values, edges, weights=None):
    """Every node gets the sum of its neighbours' values. One round of message passing.

    Args:
        values: (nodes, ...), what each node sends.
        edges: (edges, 2), rows (source, target).
        weights: Factor of each message, a shape that multiplies (edges, ...). None: 1.

    Returns:
        (nodes, ...), float32 at least. A node that no edge points to gets zeros.
    """
    source, target = ops.unstack(edges, axis=1)
    messages = ops.take(at_least_float32(values), source, axis=0)  # (edges, ...)
    if weights is not None:
        messages = messages * ops.cast(weights, messages.dtype)
    return ops.segment_sum(messages, target, num_segments=ops.shape(values)[0])


def degrees(edges, num_nodes):
    """How many neighbours each node hears.

    Args:
        edges: (edges, 2), rows (source, target).
        num_nodes: Number of nodes.

    Returns:
        (nodes,), float32.
    """
    ones = ops.ones_like(edges[:, 1], dtype="float32")
    return ops.segment_sum(ones, edges[:, 1], num_segments=num_nodes)


def segment_softmax(scores, targets, num_nodes):
    """Softmax over the edges that share a target.

    Args:
        scores: (edges, heads).
        targets: (edges,), the node that each edge points to.
        num_nodes: Number of nodes.

    Returns:
        (edges, heads), float32 at least: over the edges into a node they add up to 1.
    """
    scores = at_least_float32(scores)
    # the largest score of each target, so that exp cannot overflow
    largest = ops.segment_max(scores, targets, num_segments=num_nodes)
    shares = ops.exp(scores - ops.take(largest, targets, axis=0))
    totals = ops.segment_sum(shares, targets, num_segments=num_nodes)
    return shares / ops.take(totals, targets, axis=0)


def add_self_loops(edges, num_nodes):
    """The edges, then one from every node to itself.

    Args:
        edges: (edges, 2), without self-loops.
        num_nodes: Number of nodes.

    Returns:
        (edges + nodes, 2).
    """
    nodes = ops.arange(num_nodes, dtype=edges.dtype)
    return ops.concatenate([edges, ops.stack([nodes, nodes], axis=1)], axis=0)


@register
class SparseDropout(keras.layers.Dropout):
    """Keras's dropout, also for sparse inputs, and quick under XLA on a CPU.

    Of a sparse input only the stored values are dropped: dropping a zero changes nothing. Keras
    leaves the choice of the random generator to TensorFlow, and XLA's choice on a CPU takes about
    a hundred times as long as Philox (TensorFlow 2.21). Arguments as for Keras's ``Dropout``.
    """

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training)
        import tensorflow as tf

        def drop(values):
            seed = ops.cast(self.seed_generator.next(), "int32")
            return tf.nn.experimental.stateless_dropout(
                values, self.rate, seed=seed, rng_alg="philox"
            )

        if isinstance(inputs, tf.SparseTensor):
            return inputs.with_values(drop(inputs.values))
        return drop(inputs)


@register
class Projection(keras.layers.Layer):
    """A dense layer that also takes sparse inputs.

    A sparse row is the sum of the kernel's rows of the words that occur in it: message passing
    from words to nodes.

    Args:
        units: Width of the output.
        activation: Activation function or its name; None: the identity.
        kernel_regularizer: Penalty on the kernel, or None.
    """

    def __init__(self, units, activation=None, kernel_regularizer=None, **settings):
        super().__init__(**settings)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, values_shape):
        self.kernel = self.add_kernel("kernel", values_shape)
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def add_kernel(self, name, values_shape, width=None):
        """A matrix of weights from the channels of the input to ``width``, or to the units."""
        shape = (values_shape[-1], width or self.units)
        return self.add_weight(shape=shape, regularizer=self.kernel_regularizer, name=name)

    def project(self, inputs, kernel):
        """The inputs times the kernel: (nodes, width), without a bias."""
        if not hasattr(inputs, "indices"):
            return ops.matmul(inputs, kernel)
        nodes, numbers = ops.unstack(inputs.indices, axis=1)
        words = ops.take(at_least_float32(kernel), numbers, axis=0)  # (stored values, width)
        words = words * ops.cast(inputs.values, words.dtype)[:, None]
        num_nodes = ops.shape(inputs)[0]
        return ops.segment_sum(words, nodes, num_segments=num_nodes)

    def activate(self, sums):
        """Add the bias to sums (nodes, units), apply the activation, in the compute dtype."""
        return self.activation(ops.cast(sums, self.compute_dtype) + self.bias)

    def call(self, values):
        return self.activate(self.project(values, self.kernel))

    def get_config(self):
        own = {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
        return {**super().get_config(), **own}


@register
class NormalizedEdges(keras.layers.Layer):
    """Adds self-loops and gives every edge GCN's weight, 1 / sqrt(degree · degree).

    Degrees count the self-loop. An isolated node hears itself alone, with weight 1.
    """

    def call(self, edges, values):
        """From edges (edges, 2) and anything (nodes, ...) to (edges + nodes, 2) and weights."""
        num_nodes = ops.shape(values)[0]
        edges = add_self_loops(edges, num_nodes)
        scale = ops.rsqrt(degrees(edges, num_nodes))  # (nodes,)
        source, target = ops.unstack(edges, axis=1)
        weights = ops.take(scale, source, axis=0) * ops.take(scale, target, axis=0)
        return edges, ops.expand_dims(weights, axis=1)


@register
class GraphConvolution(Projection):
    """GCN's layer: project each node, then take the weighted sum over it and its neighbours.

    The same as D^(-1/2) (A + I) D^(-1/2) X W + b with the graph's adjacency matrix A and the
    degrees D of A + I. Arguments as for ``Projection``.
    """

    def call(self, values, edges, weights):
        """From values (nodes, channels), and edges and weights of NormalizedEdges."""
        return self.activate(propagate(self.project(values, self.kernel), edges, weights))


@register
class SageConvolution(Projection):
    """GraphSAGE's layer: own values and the mean of the neighbours', each with its own weights.

    The mean is over all neighbours; the paper samples some of them, to cut large graphs into
    batches. A node without neighbours has zeros for their mean. Arguments as for ``Projection``.
    """

    def build(self, values_shape):
        super().build(values_shape)
        self.neighbour_kernel = self.add_kernel("neighbour_kernel", values_shape)

    def call(self, values, edges):
        """From values (nodes, channels) and edges (edges, 2), without self-loops."""
        own, sent = self.project(values, self.kernel), self.project(values, self.neighbour_kernel)
        count = degrees(edges, ops.shape(own)[0])[:, None]
        mean = propagate(sent, edges) / ops.maximum(count, 1)
        return self.activate(ops.add(own, mean))


@register
class GraphAttention(Projection):
    """GAT's layer: each node weighs its neighbours and itself by attention.

    The score of an edge is leaky ReLU (slope 0.2 below zero) of a · [W target, W source].

    Args:
        units: Width of each head.
        num_heads: Heads; each has weights of its own.
        average: Average the heads instead of putting them side by side, for the last layer.
        dropout: Share of the attention weights set to zero in training.

    The other arguments are as for ``Projection``.
    """

    def __init__(self, units, num_heads=8, average=False, dropout=0.0, **settings):
        super().__init__(units, **settings)
        self.num_heads, self.average, self.dropout = num_heads, average, dropout
        self.drop = SparseDropout(dropout)

    def build(self, values_shape):
        width = self.num_heads * self.units
        self.kernel = self.add_kernel("kernel", values_shape, width)
        shape = (self.num_heads, self.units)
        self.source_attention = self.add_weight(shape=shape, name="source_attention")
        self.target_attention = self.add_weight(shape=shape, name="target_attention")
        shape = (self.units if self.average else width,)
        self.bias = self.add_weight(shape=shape, initializer="zeros", name="bias")

    def attend(self, values, edges):
        """Projected values (nodes, heads, width) and attention (edges, heads), float32 at least."""
        values = at_least_float32(self.project(values, self.kernel))
        num_nodes = ops.shape(values)[0]
        values = ops.reshape(values, (num_nodes, self.num_heads, self.units))
        as_source = ops.sum(values * self.source_attention, axis=-1)  # (nodes, heads)
        as_target = ops.sum(values * self.target_attention, axis=-1)
        source, target = ops.unstack(edges, axis=1)
        scores = ops.take(as_source, source, axis=0) + ops.take(as_target, target, axis=0)
        return values, segment_softmax(ops.leaky_relu(scores, 0.2), target, num_nodes)

    def call(self, values, edges, training=False):
        """From values (nodes, channels) and edges with self-loops, as of NormalizedEdges."""
        values, attention = self.attend(values, edges)
        attention = self.drop(attention, training=training)
        values = propagate(values, edges, attention[:, :, None])  # (nodes, heads, width)
        if self.average:
            values = ops.mean(values, axis=1)
        else:
            values = ops.reshape(values, (-1, self.num_heads * self.units))
        return self.activate(values)

    def get_config(self):
        own = {"num_heads": self.num_heads, "average": self.average, "dropout": self.dropout}
        return {**super().get_config(), **own}


@register
class AdaptivePropagation(keras.layers.Layer):
    """DAGNN's rounds of message passing, without weights, and a gate that weighs the rounds.

    With values H after k rounds, k = 0 to steps, the answer is the sum of sigmoid(H a + b) H: each
    node decides how much it takes from how far away. All rounds share a and b.

    Args:
        steps: Rounds.
    """

    def __init__(self, steps=10, **settings):
        super().__init__(**settings)
        self.steps = steps

    def build(self, values_shape):
        self.kernel = self.add_weight(shape=(values_shape[-1], 1), name="kernel")
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")

    def call(self, values, edges, weights):
        """From values (nodes, channels), and edges and weights of NormalizedEdges."""
        rounds = [values]
        for _ in range(self.steps):
            rounds.append(propagate(rounds[-1], edges, weights))
        rounds = ops.stack([ops.cast(values, self.compute_dtype) for values in rounds], axis=1)
        gates = ops.sigmoid(ops.matmul(rounds, self.kernel) + self.bias)  # (nodes, rounds, 1)
        return ops.sum(rounds * gates, axis=1)

    def get_config(self):
        return {**super().get_config(), "steps": self.steps}


@register
class PairScores(keras.layers.Layer):
    """The inner product of two nodes' values: large where an edge is likely."""

    def call(self, values, pairs):
        """From values (nodes, channels) and pairs (pairs, 2) of node numbers to (pairs,)."""
        values = at_least_float32(values)
        first, second = ops.unstack(ops.take(values, pairs, axis=0), axis=1)  # (pairs, channels)
        return ops.sum(first * second, axis=1)
