"""What the tools know of chapter 14: the full size made tiny, wrong answers to the assignment."""

TINY = "LARGE.update(num_layers=1, num_heads=2, hidden_dim=12)"
UNTRAINED = ""  # all training is train.fit

MISTAKES = {
    "weights": [
        ("the width of x for that of a key", "np.sqrt(to_key.shape[1])", "np.sqrt(x.shape[1])"),
        ("no mask", "np.where(np.tri(len(x), dtype=bool), scores, -np.inf)", "scores * 1.0"),
        ("the other triangle", "np.tri(len(x), dtype=bool)", "np.tri(len(x), dtype=bool).T"),
        (
            "a token does not see itself",
            "np.tri(len(x), dtype=bool)",
            "np.tri(len(x), k=-1, dtype=bool)",
        ),
        ("hidden scores are 0", "-np.inf)", "0.0)"),
        ("hidden scores are only small", "-np.inf)", "-1000.0)"),
        (
            "over the queries",
            "shares / shares.sum(axis=1, keepdims=True)",
            "shares / shares.sum(axis=0, keepdims=True)",
        ),
        ("without the root", "np.sqrt(to_key.shape[1])", "to_key.shape[1]"),
        ("not divided at all", " / np.sqrt(to_key.shape[1])", ""),
        (
            "the mask after the softmax",
            "    return shares / shares.sum(axis=1, keepdims=True)",
            "    shares = np.exp(query @ key.T / np.sqrt(to_key.shape[1]))\n"
            "    return np.tri(len(x)) * shares / shares.sum(axis=1, keepdims=True)",
        ),
        ("keys ask the queries", "query @ key.T", "key @ query.T"),
        ("overflows", "np.exp(scores - scores.max(axis=1, keepdims=True))", "np.exp(scores)"),
        ("the largest of all", "scores.max(axis=1, keepdims=True)", "scores.max()"),
        ("the visible width", "np.sqrt(to_key.shape[1])", "np.sqrt(2)"),
    ],
    "dense-part": [
        ("the mean over all tokens", "x.mean(axis=-1, keepdims=True)", "x.mean()"),
        ("the variance over all tokens", "x.var(axis=-1, keepdims=True)", "x.var()"),
        ("over the tokens", "x.mean(axis=-1, keepdims=True)", "x.mean(axis=-2, keepdims=True)"),
        (
            "divides by one less",
            "x.var(axis=-1, keepdims=True)",
            "x.var(axis=-1, keepdims=True, ddof=1)",
        ),
        ("1e-5 beside the root", "np.sqrt(variance + 1e-5)", "(np.sqrt(variance) + 1e-5)"),
        ("zero divided by zero", "variance + 1e-5", "variance"),
        ("the normalised token is added", "return x + gelu", "return normed + gelu"),
        ("nothing is added", "return x + gelu", "return gelu"),
        ("ReLU", "gelu(normed @ kernel_1 + bias_1)", "np.maximum(normed @ kernel_1 + bias_1, 0)"),
        (
            "gelu at the end",
            "gelu(normed @ kernel_1 + bias_1) @ kernel_2 + bias_2",
            "gelu((normed @ kernel_1 + bias_1) @ kernel_2 + bias_2)",
        ),
        ("without the first bias", " + bias_1", ""),
        (
            "the shift is scaled",
            "scale * (x - mean) / np.sqrt(variance + 1e-5) + shift",
            "scale * ((x - mean) / np.sqrt(variance + 1e-5) + shift)",
        ),
        ("not normalised", "normed @ kernel_1", "x @ kernel_1"),
        (
            "changes its argument",
            "return x + gelu(",
            "x += gelu(normed @ kernel_1 + bias_1) @ kernel_2 + bias_2\n    return x + 0 * gelu(",
        ),
        ("an exact transpose", "@ kernel_2", "@ kernel_2.T"),
    ],
    "sampling": [
        ("sorted, and never put back", "share >= last, share", "ordered >= last, ordered"),
        ("multiplies by the temperature", "logits / temperature", "logits * temperature"),
        (
            "the temperature after the cut",
            "return kept / kept.sum(axis=-1, keepdims=True)",
            "kept = np.where(share >= last, share, 0) ** 1.0\n"
            "    flat = np.exp(logits - logits.max(axis=-1, keepdims=True))\n"
            "    flat = flat / flat.sum(axis=-1, keepdims=True)\n"
            "    order = -np.sort(-flat, axis=-1)\n"
            "    early = np.cumsum(order, axis=-1) - order\n"
            "    edge = np.where(early < p, order, np.inf).min(axis=-1, keepdims=True)\n"
            "    kept = np.where(flat >= edge, share, 0)\n"
            "    return kept / kept.sum(axis=-1, keepdims=True)",
        ),
        ("overflows", "warm - warm.max(axis=-1, keepdims=True)", "warm"),
        ("the largest of all rows", "warm.max(axis=-1, keepdims=True)", "warm.max()"),
        ("one token less", "np.cumsum(ordered, axis=-1) - ordered", "np.cumsum(ordered, axis=-1)"),
        ("does not add up to 1 again", "kept / kept.sum(axis=-1, keepdims=True)", "kept"),
        ("a threshold on each probability", "share >= last", "share >= 1 - p"),
        ("one row decides for all", ".min(axis=-1, keepdims=True)", ".min()"),
        (
            "sums over the texts",
            "warm / warm.sum(axis=-1, keepdims=True)",
            "warm / warm.sum(axis=0, keepdims=True)",
        ),
        ("the least likely ones", "share >= last", "share <= last"),
    ],
    "cache": [
        (
            "no mask among the new tokens",
            "scores[np.arange(len(keys)) > places[:, None]] = -np.inf",
            "pass",
        ),
        ("the new token does not see itself", "> places[:, None]", ">= places[:, None]"),
        ("the mask forgets the earlier tokens", "earlier + np.arange(len(x))", "np.arange(len(x))"),
        ("new keys in front", "[keys, x @ to_key]", "[x @ to_key, keys]"),
        ("new values in front", "[values, x @ to_value]", "[x @ to_value, values]"),
        (
            "the earlier tokens are not asked",
            "query @ keys.T / np",
            "query @ np.where(np.arange(len(keys)) < earlier, 0, keys.T) / np",
        ),
        ("the width of x", "np.sqrt(keys.shape[1])", "np.sqrt(x.shape[1])"),
        ("the width of a value", "np.sqrt(keys.shape[1])", "np.sqrt(values.shape[1])"),
        ("not divided", " / np.sqrt(keys.shape[1])", ""),
        (
            "over the queries",
            "shares.sum(axis=1, keepdims=True)",
            "shares.sum(axis=0, keepdims=True)",
        ),
        (
            "the cache is not returned",
            "@ values, keys, values",
            "@ values, keys[:earlier], values[:earlier]",
        ),
        ("keys for values", "@ values, keys, values", "@ keys, keys, values"),
        (
            "one new token only",
            "query, earlier = x @ to_query, len(keys)",
            "x, earlier = x[-1:], len(keys)\n    query = x @ to_query",
        ),
        ("the last four tokens", "[keys, x @ to_key]", "[keys[-4:], x @ to_key]"),
    ],
    "read-off": [
        (
            "the plain mean of the batches",
            "(nats * tokens).sum(axis=1)",
            "nats.mean(axis=1) * tokens.sum()",
        ),
        ("the last checkpoint", "int(totals.argmin())", "len(totals) - 1"),
        ("the largest loss", "argmin", "argmax"),
        (
            "the best batch",
            "(nats * tokens).sum(axis=1)",
            "(nats * tokens).sum(axis=0)[: len(nats)]",
        ),
        ("bits per token", "/ characters", "/ tokens.sum()"),
        ("nats for bits", " / np.log(2)", ""),
        ("times the logarithm of 2", "/ np.log(2)", "* np.log(2)"),
        ("perplexity per character", "totals[best] / tokens.sum()", "totals[best] / characters"),
        (
            "the mean of perplexities",
            "np.exp(totals[best] / tokens.sum())",
            "np.exp(nats[best]).mean()",
        ),
        ("powers of 2", "np.exp(totals", "np.exp2(totals"),
        ("the number counted from 1", "return best,", "return best + 1,"),
        ("the best batch of any", "int(totals.argmin())", "int(nats.min(axis=1).argmin())"),
        (
            "the visible numbers",
            "return best, perplexity, totals[best] / np.log(2) / characters",
            "return 1, 4.0, 2.0",
        ),
    ],
    "repair": [
        (
            "the token before, not the next one",
            "log_p[:, :-1], tokens[:, 1:, None]",
            "log_p[:, 1:], tokens[:, :-1, None]",
        ),
        ("the student's mistake", "log_p[:, :-1], tokens[:, 1:, None]", "log_p, tokens[..., None]"),
        (
            "moved round the end",
            "log_p[:, :-1], tokens[:, 1:, None]",
            "log_p, np.roll(tokens, -1, axis=1)[..., None]",
        ),
        (
            "moved by two",
            "log_p[:, :-1], tokens[:, 1:, None]",
            "log_p[:, :-2], tokens[:, 2:, None]",
        ),
        (
            "windows for places",
            "log_p[:, :-1], tokens[:, 1:, None]",
            "log_p[:-1], tokens[1:, :, None]",
        ),
        ("overflows", "logits.max(axis=-1, keepdims=True)", "0.0"),
        ("the sign", "return -right", "return right"),
        ("the sum", "right.mean()", "right.sum()"),
        (
            "the last place only",
            "log_p[:, :-1], tokens[:, 1:, None]",
            "log_p[:, -2:-1], tokens[:, -1:, None]",
        ),
        ("one for each window", "right.mean()", "right.mean(axis=(1, 2))"),
        ("bits for nats", "-right.mean()", "-right.mean() / np.log(2)"),
        ("the sum over places", "right.mean()", "right.sum(axis=1).mean()"),
        ("the first window", "-right.mean()", "-right[0].mean()"),
    ],
}
