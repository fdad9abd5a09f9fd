"""Graph networks held against dense formulas; bad graphs; gradients, saving, learning."""

import contextlib

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dlbook import train
from dlbook.models import gnn
from dlbook.models.gnn import layers
from dlbook.models.gnn.batches import full_batch, graph_tensors, link_batches

import keras  # isort: skip
import tensorflow as tf  # isort: skip

GENERATOR = np.random.default_rng(0)
NODES, FEATURES, CLASSES = 12, 7, 3
# two rings and a bridge; node 11 is isolated
PAIRS = [(i, (i + 1) % 5) for i in range(5)] + [(5 + i, 5 + (i + 1) % 6) for i in range(6)]
ONE_WAY = np.array([*PAIRS, (0, 5)])
EDGES = np.concatenate([ONE_WAY, ONE_WAY[:, ::-1]]).astype("int32")
X = GENERATOR.normal(size=(NODES, FEATURES)).astype("float32")
LABELS = np.array([0] * 5 + [1] * 6 + [2])
ADJACENCY = np.zeros((NODES, NODES))
ADJACENCY[EDGES[:, 1], EDGES[:, 0]] = 1

BUILDERS = {
    "gcn": gnn.build_gcn,
    "deep": lambda *sizes, **s: gnn.build_gcn(*sizes, num_layers=4, **s),
    "graphsage": gnn.build_graphsage,
    "gat": gnn.build_gat,
    "dagnn": gnn.build_dagnn,
}
EVERY_BUILDER = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


def graph(features=X, edges=EDGES, sparse=False):
    return graph_tensors(features, edges, sparse=sparse)


def normalized(adjacency: np.ndarray) -> np.ndarray:
    """D^(-1/2) (A + I) D^(-1/2)."""
    loops = adjacency + np.eye(len(adjacency))
    scale = 1 / np.sqrt(loops.sum(axis=1))
    return scale[:, None] * loops * scale


# ---- messages ----


def test_propagation_is_a_product_with_the_adjacency_matrix():
    values = tf.constant(X)
    found = layers.propagate(values, EDGES)
    np.testing.assert_allclose(found, ADJACENCY @ X, atol=1e-5)
    assert np.array_equal(found[11], np.zeros(FEATURES))  # nobody speaks to the isolated node
    weights = GENERATOR.random((len(EDGES), 1)).astype("float32")
    weighted = np.zeros((NODES, NODES))
    weighted[EDGES[:, 1], EDGES[:, 0]] = weights[:, 0]
    np.testing.assert_allclose(layers.propagate(values, EDGES, weights), weighted @ X, atol=1e-5)


def test_messages_go_from_source_to_target():
    values = tf.constant([[1.0], [10.0], [100.0]])
    assert layers.propagate(values, np.array([[0, 2], [1, 2]])).numpy().ravel().tolist() == [
        0,
        0,
        11,
    ]


def test_the_softmax_runs_over_the_edges_of_each_target():
    scores = np.array([[1.0], [2.0], [1000.0], [1000.0], [-5.0]], "float32")
    targets = np.array([0, 0, 1, 1, 2])
    found = layers.segment_softmax(scores, targets, 4)[:, 0]
    low = 1 / (1 + np.e)
    np.testing.assert_allclose(found, [low, 1 - low, 0.5, 0.5, 1], atol=1e-6)


# ---- layers against dense formulas ----


@pytest.mark.parametrize("sparse", [False, True])
def test_a_graph_convolution_is_the_dense_formula(sparse):
    features, edges = graph(sparse=sparse)
    layer = layers.GraphConvolution(4, activation="relu")
    found = layer(features, *layers.NormalizedEdges()(edges, features))
    layer.bias.assign([0.1, -0.2, 0.3, 0.0])
    found = layer(features, *layers.NormalizedEdges()(edges, features))
    dense = normalized(ADJACENCY) @ X @ layer.kernel.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(found, np.maximum(dense, 0), atol=1e-5)


def test_an_isolated_node_keeps_its_own_features():
    features, edges = graph()
    _, weights = layers.NormalizedEdges()(edges, features)
    assert float(weights[-1, 0]) == 1.0
    layer = layers.GraphConvolution(4)
    found = layer(features, *layers.NormalizedEdges()(edges, features))
    np.testing.assert_allclose(found[11], X[11] @ layer.kernel.numpy(), atol=1e-5)


@pytest.mark.parametrize("sparse", [False, True])
def test_graphsage_is_the_dense_formula(sparse):
    features, edges = graph(sparse=sparse)
    layer = layers.SageConvolution(4)
    found = layer(features, edges)
    mean = ADJACENCY @ X / np.maximum(ADJACENCY.sum(axis=1, keepdims=True), 1)
    dense = X @ layer.kernel.numpy() + mean @ layer.neighbour_kernel.numpy()
    np.testing.assert_allclose(found, dense, atol=1e-5)
    np.testing.assert_allclose(found[11], X[11] @ layer.kernel.numpy(), atol=1e-5)


@pytest.mark.parametrize("average", [False, True])
def test_attention_is_the_dense_formula(average):
    features, edges = graph()
    loops, _ = layers.NormalizedEdges()(edges, features)
    layer = layers.GraphAttention(4, num_heads=2, average=average)
    found = layer(features, loops)
    values = (X @ layer.kernel.numpy()).reshape(NODES, 2, 4)
    heads = []
    for head in range(2):
        as_source = values[:, head] @ layer.source_attention.numpy()[head]
        as_target = values[:, head] @ layer.target_attention.numpy()[head]
        scores = as_target[:, None] + as_source[None, :]  # (target, source)
        scores = np.where(scores > 0, scores, 0.2 * scores)
        scores = np.where(ADJACENCY + np.eye(NODES) > 0, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        heads.append(shares / shares.sum(axis=1, keepdims=True) @ values[:, head])
    dense = np.mean(heads, axis=0) if average else np.concatenate(heads, axis=1)
    np.testing.assert_allclose(found, dense, atol=1e-5)
    _, attention = layer.attend(features, loops)
    totals = np.zeros((NODES, 2))
    np.add.at(totals, loops.numpy()[:, 1], attention.numpy())
    np.testing.assert_allclose(totals, 1, atol=1e-5)


def test_adaptive_propagation_is_the_dense_formula():
    features, edges = graph()
    layer = layers.AdaptivePropagation(steps=3)
    found = layer(features, *layers.NormalizedEdges()(edges, features))
    dense, values = 0, X
    for _ in range(4):
        gates = 1 / (1 + np.exp(-values @ layer.kernel.numpy() - layer.bias.numpy()))
        dense, values = dense + gates * values, normalized(ADJACENCY) @ values
    np.testing.assert_allclose(found, dense, atol=1e-5)


def test_a_graph_without_edges_leaves_a_perceptron():
    model = gnn.build_gcn(FEATURES, CLASSES, num_hidden=5)
    first, second = model.get_layer("convolution_1"), model.get_layer("logits")
    hidden = np.maximum(X @ first.kernel.numpy() + first.bias.numpy(), 0)
    expected = hidden @ second.kernel.numpy() + second.bias.numpy()
    np.testing.assert_allclose(model(graph(edges=np.empty((0, 2), "int32"))), expected, atol=1e-5)


# ---- many neighbours in narrow numbers ----

LEAVES = 1_000
HUB = np.array([(0, leaf) for leaf in range(1, LEAVES + 1)])
STAR = np.concatenate([HUB, HUB[:, ::-1]]).astype("int32")  # node 0 hears all the others
# half of the leaves say 1, the others 3
LEAF_VALUES = np.array([[0.0], *[[1.0]] * (LEAVES // 2), *[[3.0]] * (LEAVES // 2)], "float32")
NARROW = pytest.mark.parametrize("dtype", ["bfloat16", "float16", "mixed_bfloat16"])


@NARROW
def test_a_node_with_a_thousand_neighbours_has_the_right_degree(dtype):
    _, edges = graph(LEAF_VALUES, STAR)
    loops, weights = layers.NormalizedEdges(dtype=dtype)(edges, LEAF_VALUES)
    at_hub = np.asarray(weights)[np.all(np.asarray(loops) == 0, axis=1), 0]
    np.testing.assert_allclose(at_hub.astype("float32"), 1 / (LEAVES + 1), rtol=0.01)


@NARROW
@pytest.mark.parametrize("sparse", [False, True])
def test_a_node_with_a_thousand_neighbours_gets_their_mean(dtype, sparse):
    features, edges = graph(LEAF_VALUES, STAR, sparse=sparse)
    sage = layers.SageConvolution(1, dtype=dtype)
    sage(features, edges)
    set_weights(sage, [[1]], [0], [[1]])  # own kernel, bias, the neighbours' kernel
    assert float(sage(features, edges)[0, 0]) == pytest.approx(2, rel=0.01)
    loops, _ = layers.NormalizedEdges()(edges, features)
    attention = layers.GraphAttention(1, num_heads=1, dtype=dtype)
    attention(features, loops)
    set_weights(attention, [[1]], [[0]], [[0]], [0])  # all neighbours count the same
    assert float(attention(features, loops)[0, 0]) == pytest.approx(2, rel=0.01)


@NARROW
def test_a_word_of_a_thousand_counts_in_a_sparse_row(dtype):
    layer = layers.Projection(1, dtype=dtype)
    words = tf.sparse.from_dense(np.ones((1, LEAVES), "float32"))
    layer(words)
    set_weights(layer, np.ones((LEAVES, 1)), [0])
    assert float(layer(words)[0, 0]) == pytest.approx(LEAVES, rel=0.01)


@pytest.mark.parametrize("name", ["gcn", "graphsage", "gat", "dagnn"])
def test_gradients_at_a_large_degree_are_those_of_float32(name):
    """What a node says is heard a thousand times, so its gradient is a sum over as many edges."""
    keras.utils.set_random_seed(0)
    features = np.random.default_rng(0).uniform(0.5, 1.5, size=(LEAVES + 1, FEATURES))
    inputs = graph(features, STAR, sparse=True)
    found, weights = [], None
    for dtype in ("float32", "mixed_bfloat16"):
        with dtype_policy(dtype):
            model = BUILDERS[name](FEATURES, CLASSES, sparse=True)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        with tf.GradientTape() as tape:
            answers = tf.reduce_sum(model(inputs)[1:])
        gradients = map(tf.convert_to_tensor, tape.gradient(answers, model.trainable_variables))
        found.append(np.concatenate([np.ravel(gradient) for gradient in gradients]))
    wide, narrow = found
    assert np.linalg.norm(narrow - wide) <= 0.1 * np.linalg.norm(wide)


def set_weights(layer, *weights):
    layer.set_weights([np.array(values, "float32") for values in weights])


@contextlib.contextmanager
def dtype_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    yield
    keras.config.set_dtype_policy(before)


# ---- whole models ----


@EVERY_BUILDER
def test_logits_of_dense_and_sparse_features_agree(build):
    sparse, dense = (build(FEATURES, CLASSES, sparse=sparse) for sparse in (True, False))
    dense.set_weights(sparse.get_weights())
    logits = dense(graph())
    assert (logits.shape, logits.dtype) == ((NODES, CLASSES), tf.float32)
    np.testing.assert_allclose(sparse(graph(sparse=True)), logits, atol=1e-5)


@EVERY_BUILDER
def test_renumbered_nodes_give_renumbered_answers(build):
    model = build(FEATURES, CLASSES)
    order = GENERATOR.permutation(NODES)
    place = np.argsort(order)
    found = model(graph(X[order], place[EDGES]))
    np.testing.assert_allclose(found, model(graph()).numpy()[order], atol=1e-5)


@EVERY_BUILDER
def test_dropout_is_for_training_only(build):
    model = build(FEATURES, CLASSES, dropout=0.5, sparse=True)
    inputs = graph(sparse=True)
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    noisy = model(inputs, training=True)
    assert not np.array_equal(noisy, model(inputs, training=True))


def test_dropout_keeps_the_mean_and_the_zeros_of_a_sparse_input():
    keras.utils.set_random_seed(0)
    layer = layers.SparseDropout(0.25)
    dense = layer(tf.ones((200, 50)), training=True).numpy()
    np.testing.assert_allclose(np.unique(dense), [0, 4 / 3], rtol=1e-6)
    assert dense.mean() == pytest.approx(1, abs=0.03)
    found = layer(tf.sparse.eye(1000), training=True)
    assert found.values.shape == (1000,)
    assert 0.18 < np.mean(found.values.numpy() == 0) < 0.32


def test_parameters_by_hand():
    f, c = 1_433, 7
    counts = {
        gnn.build_gcn: (f + 1) * 64 + (64 + 1) * c,
        gnn.build_graphsage: (2 * f + 1) * 64 + (2 * 64 + 1) * c,
        # kernel, two attention vectors and a shift for each of 8 heads of 8, then for one of 7
        gnn.build_gat: (f + 3) * 64 + (64 + 3) * c,
        # a gate of one weight per logit and a bias
        gnn.build_dagnn: (f + 1) * 32 + (32 + 1) * c + c + 1,
    }
    for build, expected in counts.items():
        assert build(f, c).count_params() == expected, build.__name__
    deep = gnn.build_gcn(f, c, num_hidden=16, num_layers=5)
    assert deep.count_params() == (f + 1) * 16 + 3 * 17 * 16 + 17 * c
    links = gnn.build_link_predictor(f, num_hidden=64, latent_dim=32)
    assert links.count_params() == (f + 1) * 64 + (64 + 1) * 32


@EVERY_BUILDER
def test_a_gradient_reaches_every_weight(build):
    keras.utils.set_random_seed(0)
    model = build(FEATURES, CLASSES, sparse=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(LABELS, model(graph(sparse=True)))
    gradients = tape.gradient(value, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.path


@EVERY_BUILDER
@pytest.mark.parametrize("sparse", [False, True])
def test_a_saved_model_gives_the_same_output(build, sparse, tmp_path):
    model = build(FEATURES, CLASSES, sparse=sparse)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(graph(sparse=sparse)), model(graph(sparse=sparse)))


def compiled(model: keras.Model, rate: float = 0.05) -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(rate), loss, weighted_metrics=["accuracy"], jit_compile=False
    )
    return model


@EVERY_BUILDER
def test_a_small_graph_is_learned_by_heart(build):
    keras.utils.set_random_seed(0)
    model = compiled(build(FEATURES, CLASSES, dropout=0, weight_decay=0.0))
    nodes = [0, 3, 7, 9, 11]
    data = full_batch(graph(), LABELS, nodes, steps=60)
    before = train.evaluate(model, full_batch(graph(), LABELS, nodes))
    train.fit(model, data, table=False)
    after = train.evaluate(model, full_batch(graph(), LABELS, nodes))
    assert after["loss"] < 0.5 * before["loss"]
    assert after["accuracy"] == 1


def test_xla_trains_on_sparse_features_and_gives_the_same_loss():
    losses = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        model = compiled(gnn.build_gcn(FEATURES, CLASSES, dropout=0, sparse=True))
        model.jit_compile = jit_compile
        data = full_batch(graph(sparse=True), LABELS, [0, 7], steps=4)
        losses.append(train.fit(model, data, epochs=3, table=False).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_only_the_named_nodes_count():
    """Keras's usual loss is the mean over them, and the others' labels say nothing."""
    model = compiled(gnn.build_gcn(FEATURES, CLASSES, weight_decay=0.0))
    nodes = np.array([2, 8])
    found = train.evaluate(model, full_batch(graph(), LABELS, nodes))
    shares = keras.ops.log_softmax(model(graph())).numpy()
    assert found["loss"] == pytest.approx(-shares[nodes, LABELS[nodes]].mean(), rel=1e-5)
    right = shares[nodes].argmax(axis=1) == LABELS[nodes]
    assert found["accuracy"] == pytest.approx(right.mean())
    other = np.where(np.isin(np.arange(NODES), nodes), LABELS, 0)
    assert train.evaluate(model, full_batch(graph(), other, nodes)) == found


# ---- links ----


def test_pairs_are_scored_by_inner_products():
    model = gnn.build_link_predictor(FEATURES, num_hidden=6, latent_dim=4)
    pairs = np.array([[0, 1], [1, 0], [3, 3]], "int32")
    features, edges = graph()
    found = model((features, edges, tf.constant(pairs))).numpy()
    encoder = keras.Model(model.inputs[:2], model.get_layer("latent").output)
    latent = encoder((features, edges)).numpy()
    np.testing.assert_allclose(found, (latent[pairs[:, 0]] * latent[pairs[:, 1]]).sum(1), atol=1e-5)
    assert found[0] == found[1]  # an edge has no direction


def test_batches_of_links_hold_every_edge_and_as_many_drawn_pairs():
    batches = list(link_batches(graph(sparse=True), ONE_WAY, 3, seed=5))
    assert len(batches) == 3
    drawn = []
    for (features, edges, pairs), answers in batches:
        assert features.shape == (NODES, FEATURES)
        assert np.array_equal(edges, EDGES)
        assert np.array_equal(pairs[: len(ONE_WAY)], ONE_WAY)
        assert answers.numpy().tolist() == [1.0] * len(ONE_WAY) + [0.0] * len(ONE_WAY)
        drawn.append(pairs.numpy()[len(ONE_WAY) :])
    assert not np.array_equal(drawn[0], drawn[1])
    assert 0 <= np.min(drawn) <= np.max(drawn) < NODES
    again = list(link_batches(graph(sparse=True), ONE_WAY, 3, seed=5))
    assert np.array_equal(again[2][0][2], batches[2][0][2])


def test_links_of_a_small_graph_are_learned():
    keras.utils.set_random_seed(0)
    model = gnn.build_link_predictor(NODES, dropout=0.0)
    model.compile(
        keras.optimizers.Adam(0.02),
        keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    one_hot = graph(np.eye(NODES))
    train.fit(model, link_batches(one_hot, ONE_WAY, 20), epochs=5, table=False)
    pairs = np.array([(i, j) for i in range(NODES) for j in range(i)], "int32")
    scores = model((*one_hot, tf.constant(pairs))).numpy()
    assert roc_auc_score(ADJACENCY[pairs[:, 0], pairs[:, 1]], scores) > 0.9


# ---- bad input ----


@pytest.mark.parametrize(
    ("features", "edges", "words"),
    [
        (np.full((3, 2), np.nan), [[0, 1]], "features of node 0 are NaN or infinite"),
        (np.array([[0.0], [np.inf]]), [[0, 1]], "features of node 1"),
        (np.zeros(3), [[0, 1]], r"features must have the shape \(nodes, features\), not \(3,\)"),
        (np.zeros((0, 3)), [[0, 1]], "features must have the shape"),
        (np.zeros((3, 2)), [[0, 1, 2], [1, 2, 0]], r"shape \(edges, 2\), not \(2, 3\)"),
        (np.zeros((3, 2)), [[0.0, 1.0]], "whole numbers, not float64"),
        (np.zeros((3, 2)), [[0, 3]], "name nodes from 0 to 3, but features has 3 rows"),
        (np.zeros((3, 2)), [[-1, 2]], "from -1 to 2"),
        (np.zeros((3, 2)), [[0, 1], [0, 1]], "1 duplicates and 0 self-loops.*clean_edges"),
        (np.zeros((3, 2)), [[0, 1], [2, 2]], "0 duplicates and 1 self-loops"),
    ],
)
def test_a_graph_that_makes_no_sense_is_refused(features, edges, words):
    with pytest.raises(ValueError, match=words):
        graph_tensors(features, np.array(edges))


@pytest.mark.parametrize("nodes", [[], [12], [-1]])
def test_nodes_that_are_not_there_are_refused(nodes):
    with pytest.raises(ValueError, match="nodes must name some of the 12 nodes"):
        full_batch(graph(), LABELS, nodes)


@pytest.mark.parametrize("nodes", [[0, 0, 1, 0], [3, 4, 3], LABELS == 1])
def test_a_mask_and_repeated_nodes_are_refused(nodes):
    with pytest.raises(ValueError, match=r"each once; of a mask pass np.flatnonzero\(mask\)"):
        full_batch(graph(), LABELS, np.array(nodes))
