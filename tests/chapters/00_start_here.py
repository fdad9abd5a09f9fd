"""Wrong answers to assignment 00. See tests/test_assignments.py for the form."""

MISTAKES = {
    "dense": [
        ("the weights transposed", "x @ weights", "x @ weights.T"),
        ("the bias is forgotten", " + bias", ""),
        ("one bias for all units", "+ bias", "+ bias.mean()"),
        ("element by element", "x @ weights", "(x[:, :1] * weights[:1])"),
        ("for two features only", "x @ weights", "x[:, :1] * weights[0] + x[:, 1:2] * weights[1]"),
        (
            "the visible numbers",
            "def dense(x, weights, bias):\n"
            "    return np.array([[1.5, 2.0, 3.5, 0.0], [0.5, -1.0, -1.5, 2.0], [3.5, "
            "1.0, 6.5, 3.0]])",
        ),
    ],
    "softmax": [
        ("overflows", "logits - logits.max(axis=1, keepdims=True)", "logits"),
        ("the mean for the maximum", "logits.max(axis=1", "logits.mean(axis=1"),
        ("the maximum of all rows", "logits.max(axis=1, keepdims=True)", "logits.max()"),
        ("sums over the batch", "powers.sum(axis=1", "powers.sum(axis=0"),
        ("clips instead of shifting", "shifted)", "np.clip(logits, -700, 700))"),
        (
            "changes its argument",
            "shifted = logits - logits.max(axis=1, keepdims=True)",
            "logits -= logits.max(axis=1, keepdims=True)\n    shifted = logits",
        ),
        (
            "a small number below the fraction line",
            "keepdims=True)\n    ###",
            "keepdims=True) + 1e-9\n    ###",
        ),
    ],
    "cross-entropy": [
        ("overflows", "logits - logits.max(axis=1, keepdims=True)", "logits"),
        ("the sum over the batch", ".mean()", ".sum()"),
        ("the sign", "return -log", "return log"),
        ("bits for nats", "].mean()", "].mean() / np.log(2)"),
        ("the mean over all classes", "[np.arange(len(labels)), labels]", ""),
        (
            "the logarithm of a clipped softmax",
            "return -log_probabilities",
            "log_probabilities = np.log(np.maximum(np.exp(log_probabilities), 1e-12))\n"
            "    return -log_probabilities",
        ),
        ("the first two examples", "np.arange(len(labels)), labels", "np.arange(2), labels[:2]"),
        ("the most probable class for the right one", ", labels]", ", logits.argmax(axis=1)]"),
        (
            "the maximum of all rows",
            "logits.max(axis=1, keepdims=True)",
            "logits.max()",
        ),
        (
            "changes its argument",
            "shifted = logits - logits.max(axis=1, keepdims=True)",
            "logits -= logits.max(axis=1, keepdims=True)\n    shifted = logits",
        ),
    ],
    "slopes": [
        (
            "a forward difference",
            "(f(w + move) - f(w - move)) / (2 * step)",
            "(f(w + move) - f(w)) / step",
        ),
        ("divides by one step", "/ (2 * step)", "/ step"),
        ("the step is fixed", "/ (2 * step)", "/ 2e-5"),
        ("moves all elements at once", "move[place] = step", "move[...] = step"),
        ("one dimension only", "np.ndindex(w.shape)", "range(len(w))"),
        ("the sign", "f(w + move) - f(w - move)", "f(w - move) - f(w + move)"),
        (
            "changes its argument",
            """def slopes(f, w, step=1e-5):
    result = np.zeros_like(w)
    for place in np.ndindex(w.shape):
        w[place] += step
        more = f(w)
        w[place] -= 2 * step
        result[place] = (more - f(w)) / (2 * step)
    return result""",
        ),
    ],
    "descend": [
        (
            "the colleague's mistake",
            """def descend(gradient, start, rate, steps):
    w, path = start, [start]
    for _ in range(steps):
        w -= rate * gradient(w)
        path.append(w)
    return np.array(path)""",
        ),
        (
            "copies the rows, and still moves the start",
            """def descend(gradient, start, rate, steps):
    w, path = start, [start.copy()]
    for _ in range(steps):
        w -= rate * gradient(w)
        path.append(w.copy())
    return np.array(path)""",
        ),
        ("without the start", "return np.array(path)", "return np.array(path[1:])"),
        ("one step less", "range(steps)", "range(steps - 1)"),
        ("uphill", "path[-1] - rate", "path[-1] + rate"),
        ("always the slope at the start", "gradient(path[-1])", "gradient(start)"),
        ("the visible rate", "rate * gradient", "0.1 * gradient"),
        (
            "the visible numbers",
            "def descend(gradient, start, rate, steps):\n"
            "    return (3 - 2 * 0.8 ** np.arange(steps + 1.0))[:, None]",
        ),
    ],
    "rates": [
        (
            "the lowest loss on the way",
            "np.where(fine, last,",
            "np.where(fine, losses.min(axis=1),",
        ),
        ("believes runs that have diverged", "np.where(fine, last, np.inf)", "last"),
        ("NaN is left out, infinity is not", "np.isfinite(losses)", "~np.isnan(losses)"),
        ("looks at the last loss only", "np.isfinite(losses).all(axis=1)", "np.isfinite(last)"),
        ("an equal loss has diverged", "last <= first", "last < first"),
        ("the number of the run", "float(rates[best])", "float(best)"),
        ("counts the good ones", "(~fine)", "fine"),
        (
            "the smallest learning rate that is fine",
            "float(rates[best])",
            "float(rates[fine].min())",
        ),
        ("over 10 has diverged", "(last <= first)", "(last <= 10)"),
        ("the visible numbers", "float(rates[best]), int((~fine).sum())", "0.1, 1"),
    ],
}
