"""What tools must know of chapter 20: its full size in small, wrong answers to its tasks."""

TINY = "FULL_SIZE.update(num_hidden=4, num_layers=3)"
UNTRAINED = ""  # train.fit, and optimizers that leave the weights alone, are enough

MISTAKES = {
    "undirected": [
        ("keeps edges from a node to itself", "edges[edges[:, 0] != edges[:, 1]]", "edges[:, :]"),
        ("one direction only", "[edges, edges[:, ::-1]]", "[edges]"),
        (
            "duplicates stay",
            "np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)",
            "(lambda rows: rows[np.lexsort(rows.T[::-1])])(np.concatenate([edges, "
            "edges[:, ::-1]]))",
        ),
        (
            "sorted by target",
            "np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)",
            "np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)[:, ::-1]",
        ),
        ("unique numbers, not rows", "[:, ::-1]]), axis=0)", "[:, ::-1]]))"),
        ("turns the list, not the pairs", "edges[:, ::-1]", "edges[::-1]"),
        ("smaller number first", "[edges, edges[:, ::-1]]", "[np.sort(edges, axis=1)]"),
        (
            "changes its argument",
            "    edges = edges[edges",
            "    edges.sort(axis=0)\n    edges = edges[edges",
        ),
    ],
    "graph-convolution": [
        ("a mean", "1 / np.sqrt(degrees[source] * degrees[target])", "1 / degrees[target]"),
        (
            "divides at the source",
            "1 / np.sqrt(degrees[source] * degrees[target])",
            "1 / degrees[source]",
        ),
        ("no self-loops", "nodes = np.arange(len(x))", "nodes = np.arange(0)"),
        (
            "degrees without the node itself",
            "np.bincount(target)",
            "np.maximum(np.bincount(target) - 1, 1)",
        ),
        (
            "without the root",
            "np.sqrt(degrees[source] * degrees[target])",
            "(degrees[source] * degrees[target])",
        ),
        (
            "a plain sum",
            "weights = 1 / np.sqrt(degrees[source] * degrees[target])",
            "weights = np.ones(len(source)) / 3",
        ),
        (
            "assigns for adds",
            "np.add.at(sums, target, (x @ W)[source] * weights[:, None])",
            "sums[target] += (x @ W)[source] * weights[:, None]",
        ),
        ("the message goes nowhere", "(x @ W)[source]", "(x @ W)[target]"),
        ("W transposed", "(x @ W)", "(x @ W.T)"),
        ("a mean on top of it", "    return sums", "    return sums / degrees[:, None]"),
    ],
    "neighbour-mean": [
        ("zero divided by zero", "np.maximum(counts, 1)", "counts"),
        ("the node itself counts", "np.maximum(counts, 1)", "(counts + 1)"),
        ("a sum", " / np.maximum(counts, 1)[:, None]", ""),
        ("assigns for adds", "np.add.at(sums, target, x[source])", "sums[target] = x[source]"),
        ("adds once", "np.add.at(sums, target, x[source])", "sums[target] += x[source]"),
        ("counts what goes out", "np.bincount(target,", "np.bincount(source,"),
        ("the other direction", "source, target = edges.T", "target, source = edges.T"),
        ("the mean number of neighbours", "np.maximum(counts, 1)[:, None]", "counts.mean()"),
        (
            "its own row where there are no neighbours",
            "return sums / np.maximum(counts, 1)[:, None]",
            "return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], x)",
        ),
        ("two neighbours at most", "np.maximum(counts, 1)", "np.clip(counts, 1, 2)"),
    ],
    "edge-softmax": [
        ("overflows", "scores - largest[targets]", "scores"),
        ("one softmax over all edges", "shares / totals[targets]", "shares / shares.sum()"),
        ("the largest of all scores", "largest[targets]", "scores.max()"),
        ("counts for sums", "shares / totals[targets]", "shares / np.bincount(targets)[targets]"),
        ("assigns for adds", "np.add.at(totals, targets, shares)", "totals[targets] = shares"),
        ("adds once", "np.add.at(totals, targets, shares)", "totals[targets] += shares"),
        (
            "the last score of a target",
            "np.maximum.at(largest, targets, scores)",
            "largest[targets] = scores",
        ),
        ("powers of 2", "np.exp(", "np.exp2("),
        ("leaves out the powers", "np.exp(scores - largest[targets])", "scores"),
        (
            "a small number below the fraction line",
            "totals[targets]\n",
            "(totals[targets] + 1e-6)\n",
        ),
        ("edges in order", "shares / totals[targets]", "shares / totals[np.sort(targets)]"),
    ],
    "accuracy": [
        ("the listing as it is", "right[nodes].sum() / len(nodes)", "right.sum() / labels.sum()"),
        ("divides by all nodes", "len(nodes)", "len(labels)"),
        ("one mistake left: all nodes", "right[nodes].sum() / len(nodes)", "right.mean()"),
        ("one mistake left: the sum of the labels", "len(nodes)", "labels[nodes].sum()"),
        ("the first nodes", "right[nodes]", "right[: len(nodes)]"),
        ("the best node of a class", "argmax(axis=1)", "argmax(axis=0)[labels]"),
        (
            "the labels of other nodes",
            "right[nodes].sum()",
            "(logits[nodes].argmax(axis=1) == labels[: len(nodes)]).sum()",
        ),
        ("the lowest score", "argmax", "argmin"),
        ("a count for a share", " / len(nodes)", " / 4"),
        ("wrong answers", "== labels", "!= labels"),
    ],
    "smoothing": [
        (
            "without the size of the numbers",
            "distances / (states**2).sum(axis=2).mean(axis=1)",
            "distances",
        ),
        (
            "the size before the first round",
            "(states**2).sum(axis=2).mean(axis=1)",
            "(states[0] ** 2).sum(axis=1).mean()",
        ),
        ("under the share", "<= share", "< share"),
        ("against the largest", "share * roughness[0]", "share"),
        ("the number of the state in the rest", "int(smooth[0]) + 1", "int(smooth[0])"),
        ("the last time", "int(smooth[0]) + 1", "int(smooth[-1]) + 1"),
        (
            "distances without squares",
            "(states[:, source] - states[:, target]) ** 2",
            "np.abs(states[:, source] - states[:, target])",
        ),
        (
            "over all pairs of nodes",
            "source, target = edges.T",
            "source, target = np.indices((states.shape[1],) * 2).reshape(2, -1)",
        ),
        (
            "the mean over the features",
            ".sum(axis=2).mean(axis=1)\n    roughness",
            ".sum(axis=2).max(axis=1)\n    roughness",
        ),
        ("-1 for never", "else None", "else -1"),
        ("the number of rounds for never", "else None", "else len(states) - 1"),
        ("NumPy's int", "int(smooth[0]) + 1", "smooth[0] + 1"),
        (
            "adds up the edges",
            "(states[:, source] - states[:, target]) ** 2).sum(axis=2).mean(axis=1)",
            "(states[:, source] - states[:, target]).sum(axis=2)) ** 2\n"
            "    distances = distances.mean(axis=1)",
        ),
        (
            "compares with the round before",
            "roughness[1:] <= share * roughness[0]",
            "roughness[1:] <= share * roughness[:-1]",
        ),
    ],
}
