"""What tests must know of chapter 15, and wrong answers to its assignment."""

# the section at full size, in small
TINY = "LARGE.update(max_length=8, num_layers=1, num_heads=2, hidden_dim=8)"

MISTAKES = {
    "norm": [
        (
            "layer normalisation",
            "(x**2).mean(axis=-1, keepdims=True)",
            "x.var(axis=-1, keepdims=True)",
        ),
        ("the mean over all vectors", "(x**2).mean(axis=-1, keepdims=True)", "(x**2).mean()"),
        (
            "over the tokens",
            "(x**2).mean(axis=-1, keepdims=True)",
            "(x**2).mean(axis=0, keepdims=True)",
        ),
        ("the sum for the mean", "(x**2).mean(", "(x**2).sum("),
        ("without the root", "np.sqrt(mean_square + 1e-5)", "(mean_square + 1e-5)"),
        ("1e-5 beside the root", "np.sqrt(mean_square + 1e-5)", "(np.sqrt(mean_square) + 1e-5)"),
        ("zero divided by zero", "mean_square + 1e-5", "mean_square"),
        ("without the scale", "scale * x", "x"),
        ("divided by the scale", "scale * x", "x / scale"),
        ("changes its argument", "    return scale * x", "    x *= scale\n    return x"),
    ],
    "turn": [
        (
            "neighbours are pairs",
            "first, second = x[:, : d // 2], x[:, d // 2 :]",
            "first, second = x[:, 0::2], x[:, 1::2]",
        ),
        ("turns the other way", "np.asarray(places)", "-np.asarray(places)"),
        ("places counted from 0", "np.asarray(places)[:, None]", "np.arange(len(x))[:, None]"),
        ("half the exponent", "np.arange(0, d, 2) / d", "np.arange(d // 2) / d"),
        ("speeds that grow", "(-np.arange(0, d, 2) / d)", "(np.arange(0, d, 2) / d)"),
        ("another base", "base **", "10_000.0 **"),
        ("a mirror, not a turn", "b = second * np.cos(angles) +", "b = -second * np.cos(angles) +"),
        (
            "the halves exchanged",
            "np.concatenate([a, b], axis=1)",
            "np.concatenate([b, a], axis=1)",
        ),
        ("one angle for all pairs", "np.arange(0, d, 2) / d)", "np.zeros(d // 2))"),
        ("never refuses", "if d % 2:", "if False:"),
    ],
    "grouped": [
        (
            "groups dealt out in turn",
            "np.repeat(K, h // g, axis=0), np.repeat(V, h // g, axis=0)",
            "np.tile(K, (h // g, 1, 1)), np.tile(V, (h // g, 1, 1))",
        ),
        ("values dealt out in turn", "np.repeat(V, h // g, axis=0)", "np.tile(V, (h // g, 1, 1))"),
        (
            "the first head for all",
            "np.repeat(K, h // g, axis=0), np.repeat(V, h // g, axis=0)",
            "K[:1], V[:1]",
        ),
        ("no mask", "np.where(np.tri(tokens, dtype=bool), scores, -np.inf)", "scores * 1.0"),
        ("the other triangle", "np.tri(tokens, dtype=bool)", "np.tri(tokens, dtype=bool).T"),
        ("not divided", " / np.sqrt(d)", ""),
        ("divided by the root of the heads", "np.sqrt(d)", "np.sqrt(h)"),
        ("overflows", "np.exp(scores - scores.max(axis=-1, keepdims=True))", "np.exp(scores)"),
        (
            "over the queries",
            "weights.sum(axis=-1, keepdims=True)",
            "weights.sum(axis=-2, keepdims=True)",
        ),
        (
            "never refuses",
            'raise ValueError(f"{g} heads of keys do not divide {h} heads of queries")',
            "return Q",
        ),
    ],
    "adapter": [
        (
            "the colleague's mistakes",
            """def with_adapter(x, W, A, B, alpha):
    scale = alpha / A.shape[0]
    output = x @ W + scale * x @ A @ B
    W += A @ B
    return output, W""",
        ),
        ("divided by the inputs", "A.shape[1]", "A.shape[0]"),
        ("merged without the scale", "W + scale * (A @ B)", "W + A @ B"),
        (
            "changes the kernel",
            "    return output, W + scale * (A @ B)",
            "    W += scale * (A @ B)\n    return output, W",
        ),
        ("not scaled at all", "alpha / A.shape[1]", "1.0"),
        ("alpha alone", "alpha / A.shape[1]", "alpha"),
        ("the adapter alone", "x @ W + scale * (x @ A @ B)", "scale * (x @ A @ B)"),
        ("nothing merged", "W + scale * (A @ B)", "W.copy()"),
        ("scaled twice", "W + scale * (A @ B)", "W + scale**2 * (A @ B)"),
    ],
    "compare": [
        ("per token", "/ letters.sum()", "/ real.sum()"),
        (
            "the mean of the tokens' ratios",
            "losses[real].sum() / letters.sum()",
            "(losses[real] / letters[real]).mean()",
        ),
        (
            "the mean of the windows",
            "losses[real].sum() / letters.sum()",
            "np.nanmean((losses * real).sum(axis=1) / np.maximum(letters.sum(axis=1), 1))",
        ),
        ("padding costs", "losses[real].sum()", "losses.sum()"),
        ("all places are characters", "/ letters.sum()", "/ letters.size"),
        (
            "bits",
            "losses[real].sum() / letters.sum()",
            "losses[real].sum() / letters.sum() / np.log(2)",
        ),
        (
            "characters per nat",
            "losses[real].sum() / letters.sum()",
            "letters.sum() / losses[real].sum()",
        ),
        ("never refuses", "if not real.any():", "if False:"),
        (
            "changes its argument",
            "    return losses[real]",
            "    losses *= real\n    return losses[real]",
        ),
    ],
}
