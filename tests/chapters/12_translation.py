"""What tests must know of chapter 12, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
LARGE.update(num_layers=1, num_heads=2, hidden_dim=16)
LARGE_EPOCHS, LARGE_SIZE, LARGE_BATCH, LARGE_WIDTHS = 1, 300, 32, (24, 24)
"""
UNTRAINED = ""  # all training is train.fit

MISTAKES = {
    "cross": [
        ("without the root", "np.sqrt(query.shape[1])", "query.shape[1]"),
        ("not divided at all", " / np.sqrt(query.shape[1])", ""),
        ("no mask", "np.where(real, scores, -np.inf)", "scores"),
        ("padding has the score 0", "-np.inf)", "0.0)"),
        ("padding has a small score", "-np.inf)", "-5.0)"),
        (
            "over the queries",
            "shares / shares.sum(axis=1, keepdims=True)",
            "shares / shares.sum(axis=0, keepdims=True)",
        ),
        ("overflows", "np.exp(scores - scores.max(axis=1, keepdims=True))", "np.exp(scores)"),
        ("the root of the visible width", "np.sqrt(query.shape[1])", "np.sqrt(2)"),
        (
            "the mask after the softmax",
            """def cross_attention(query, key, value, real):
    scores = query @ key.T / np.sqrt(query.shape[1])
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = real * shares / shares.sum(axis=1, keepdims=True)
    return weights @ value, weights""",
        ),
    ],
    "shift": [
        ("the end in the last place", "(target != 0).sum(axis=1)", "-1"),
        ("no end", "] = end", "] = 0"),
        ("no start", "np.full((rows, 1), start)", "np.zeros((rows, 1), int)"),
        ("start and end exchanged", "np.full((rows, 1), start)", "np.full((rows, 1), end)"),
        ("not moved", "[target, np.zeros((rows, 1), int)]", "[np.zeros((rows, 1), int), target]"),
        ("the end over the last token", "(target != 0).sum(axis=1)] =", "target.shape[1] - 1] ="),
        ("numbers with a point", "np.zeros((rows, 1), int)", "np.zeros((rows, 1))"),
    ],
    "smoothing": [
        ("padding counts", "losses[targets != 0].mean()", "losses.mean()"),
        (
            "divided by all places",
            "losses[targets != 0].mean()",
            "losses[targets != 0].sum() / losses.size",
        ),
        ("the sum over the vocabulary", "logs.mean(axis=-1)", "logs.sum(axis=-1)"),
        ("the whole weight on the target", "(1 - smoothing) * right", "right"),
        ("no smoothing", "- smoothing * logs.mean(axis=-1)", "- 0.0 * logs.mean(axis=-1)"),
        ("always a tenth", "smoothing * logs.mean(axis=-1)", "0.1 * logs.mean(axis=-1)"),
        ("overflows", "logits - logits.max(axis=-1, keepdims=True)", "logits"),
    ],
    "beam": [
        ("ended ones go on", "np.where(ended[:, None], only_padding, logs)", "logs"),
        ("ended ones are dropped", "only_padding[0] = 0.0", "pass"),
        ("padding costs", "only_padding[0] = 0.0", "only_padding[0] = -1.0"),
        ("the sums are forgotten", "sums[:, None] + logs", "logs"),
        ("the worst", "np.argsort(-candidates.ravel())", "np.argsort(candidates.ravel())"),
        (
            "one for each beginning",
            """def beam_step(sums, logs, ended, width):
    best = logs.argmax(axis=1)
    new = sums + logs.max(axis=1)
    order = np.argsort(-new)[:width]
    return order, best[order], new[order]""",
        ),
        (
            "parents and tokens exchanged",
            "return best // logs.shape[1], best % logs.shape[1]",
            "return best % logs.shape[1], best // logs.shape[1]",
        ),
        ("two at most", "[:width]", "[:2]"),
    ],
    "causal": [
        ("the other triangle", "np.tril(", "np.triu("),
        (
            "the mask after the softmax",
            """def causal_weights(scores):
    top = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - top) / np.exp(scores - top).sum(axis=-1, keepdims=True)
    return weights * np.tril(np.ones(scores.shape[-2:]))""",
        ),
        (
            "divided again over the columns",
            "shares / shares.sum(axis=-1, keepdims=True)",
            "shares / shares.sum(axis=-2, keepdims=True)",
        ),
        (
            "a token does not see itself",
            "np.tril(np.ones(scores.shape[-2:], dtype=bool))",
            "np.tril(np.ones(scores.shape[-2:], dtype=bool), k=-1) | (np.arange("
            "scores.shape[-1]) == 0)",
        ),
        ("hidden scores are 0", "-np.inf", "0.0"),
        ("overflows", "np.exp(hidden - hidden.max(axis=-1, keepdims=True))", "np.exp(hidden)"),
        ("the visible numbers", "return shares /", "return np.tril(np.ones_like(shares)) /"),
    ],
    "alignment": [
        ("padding counts", "[places >= 0].mean()", ".mean()"),
        ("the first head", "weights.mean(axis=1)", "weights[:, 0]"),
        ("the largest of the heads", "weights.mean(axis=1)", "weights.max(axis=1)"),
        ("the least weight", "argmax(axis=-1)", "argmin(axis=-1)"),
        ("over the target", "argmax(axis=-1)", "argmax(axis=-2)"),
        ("the count", "[places >= 0].mean()", "[places >= 0].sum()"),
        ("counts the first place out", "places >= 0", "places > 0"),
    ],
}
