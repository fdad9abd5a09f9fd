"""What tests must know of chapter 11, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL.update(words=300, epochs=1, widths=(20, 40))
FULL_SIZES.update(num_layers=1, num_heads=2, hidden_dim=4)
"""

MISTAKES = {
    "attention": [
        ("not scaled", " / np.sqrt(Q.shape[1])", ""),
        ("scaled by d", "np.sqrt(Q.shape[1])", "Q.shape[1]"),
        ("scaled by the number of keys", "np.sqrt(Q.shape[1])", "np.sqrt(len(K))"),
        (
            "looks everywhere",
            "np.where(mask, np.exp(np.minimum(scores, 0)), 0.0)",
            "np.exp(scores)",
        ),
        ("the mask the wrong way round", "np.where(mask, np", "np.where(~mask, np"),
        ("not normalised", " / np.where(total > 0, total, 1.0)", ""),
        (
            "normalised over all queries together",
            "total = weights.sum(axis=1, keepdims=True)",
            "total = weights.sum(axis=1, keepdims=True).sum() + 0 * weights[:, :1]",
        ),
        (
            "large scores overflow",
            "scores = scores - scores.max(axis=1, keepdims=True, where=mask, initial=-1e30)\n"
            "    weights = np.where(mask, np.exp(np.minimum(scores, 0)), 0.0)",
            "weights = np.where(mask, np.exp(scores), 0.0)",
        ),
        (
            "a masked score sets the scale",
            "scores.max(axis=1, keepdims=True, where=mask, initial=-1e30)",
            "scores.max(axis=1, keepdims=True)",
        ),
        (
            "a mean where nobody is in sight",
            "np.where(mask, np.exp",
            "np.where(mask | ~mask.any(axis=1, keepdims=True), np.exp",
        ),
    ],
    "positions": [
        (
            "sines first, cosines behind",
            "table[:, 0::2], table[:, 1::2]",
            "table[:, : width // 2], table[:, width // 2 :]",
        ),
        ("cosines first", "np.sin(angles), np.cos(angles)", "np.cos(angles), np.sin(angles)"),
        ("another longest", "longest **", "10_000.0 **"),
        ("half the speeds", "np.arange(0, width, 2) / width", "np.arange(width // 2) / width"),
        ("places counted from 0", "np.asarray(places)[:, None]", "np.arange(len(places))[:, None]"),
        ("places sorted", "np.asarray(places)", "np.sort(places)"),
        ("counted from 1", "np.asarray(places)[:, None]", "(np.asarray(places)[:, None] + 1)"),
        ("never refuses", "if width % 2:", "if False:"),
        (
            "turns the other way",
            "(-np.arange(0, width, 2) / width)",
            "(np.arange(0, width, 2) / width)",
        ),
    ],
    "heads": [
        ("one head", "d = w // num_heads", "num_heads, d = 1, w"),
        ("scaled by the width", "np.sqrt(d)", "np.sqrt(w)"),
        ("not scaled", " / np.sqrt(d)", ""),
        ("keys and queries exchanged", "Q, K, V = ", "K, Q, V = "),
        ("values first", "Q, K, V = ", "V, Q, K = "),
        (
            "heads mixed up with features",
            "reshape(batch, tokens, 3, num_heads, d)",
            "reshape(batch, tokens, 3, d, num_heads).swapaxes(-1, -2)",
        ),
        ("heads not put back", ".transpose(0, 2, 1, 3)", ""),
        ("without the projection", "return mixed @ project", "return mixed"),
        ("the transposed projection", "mixed @ project", "mixed @ project.T"),
        (
            "a softmax over the queries",
            "weights.sum(axis=-1, keepdims=True)",
            "weights.sum(axis=-2, keepdims=True)",
        ),
        (
            "never refuses",
            'raise ValueError(f"num_heads={num_heads} must divide the width {w}")',
            "return X",
        ),
    ],
    "block": [
        (
            "the colleague's mistakes",
            """def block(X, attend, feed_forward):
    def norm(X):
        return (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-5)

    A = X + attend(norm(X))
    return A + feed_forward(norm(X))""",
        ),
        ("one mistake left: reads what came in", "feed_forward(norm(A))", "feed_forward(norm(X))"),
        (
            "one mistake left: normalises over the tokens",
            "X.mean(axis=1, keepdims=True), X.var(axis=1, keepdims=True)",
            "X.mean(axis=0), X.var(axis=0)",
        ),
        (
            "normalises everything together",
            "X.mean(axis=1, keepdims=True), X.var(axis=1, keepdims=True)",
            "X.mean(), X.var()",
        ),
        ("post-norm", "return A + feed_forward(norm(A))", "return norm(A + feed_forward(norm(A)))"),
        ("no normalisation before the second part", "feed_forward(norm(A))", "feed_forward(A)"),
        ("no residual at the end", "return A + feed_forward", "return feed_forward"),
        ("no root", "np.sqrt(variance + 1e-5)", "(variance + 1e-5)"),
        ("adds the normalised", "A = X + attend", "A = norm(X) + attend"),
    ],
    "map": [
        (
            "counts padding",
            "n - 1 - np.arange(n)] for row, n in enumerate(lengths)",
            "n - 1 - np.arange(n)] for row, n in enumerate([maps.shape[1]] * len(maps))",
        ),
        ("the diagonal", "n - 1 - np.arange(n)]", "np.arange(n)]"),
        (
            "a mean of means",
            "np.concatenate(found).mean()",
            "np.mean([one.mean() for one in found])",
        ),
        ("the sum", "np.concatenate(found).mean()", "np.concatenate(found).sum() / max(lengths)"),
        ("one place off", "n - 1 - np.arange(n)]", "(n - np.arange(n)) % n]"),
        (
            "opposite in the frame",
            """def opposite_weight(maps, lengths):
    size = maps.shape[1]
    found = [maps[row, np.arange(n), size - 1 - np.arange(n)] for row, n in enumerate(lengths)]
    return np.concatenate(found).mean()""",
        ),
        ("the first sequence alone", "np.concatenate(found).mean()", "found[0].mean()"),
        (
            "the largest weight",
            "maps[row, np.arange(n), n - 1 - np.arange(n)]",
            "maps[row, :n].max(axis=-1)",
        ),
    ],
    "count": [
        ("no biases in the attention", "4 * (width * width + width)", "4 * width * width"),
        ("three matrices", "4 * (width * width + width)", "3 * (width * width + width)"),
        ("one bias in the feed-forward part", " + hidden + width", " + hidden"),
        ("a single normalisation", "2 * 2 * width", "2 * width"),
        ("scales without shifts", "2 * 2 * width", "2 * width + 0 * hidden"),
        ("one block", "blocks * (attention", "min(blocks, 1) * (attention"),
        (
            "a table for each block",
            "vocabulary * width + blocks * (",
            "blocks * (vocabulary * width + ",
        ),
        ("a single dense layer", "2 * width * hidden", "width * hidden"),
        (
            "hidden is four times the width",
            "2 * width * hidden + hidden + width",
            "8 * width * width + 5 * width",
        ),
    ],
}
