"""What tests must know of chapter 10, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(patch=24, num_units=2)
FULL_EPOCHS = 1
"""

MISTAKES = {
    "kept": [
        ("the share that is replaced", "np.logaddexp(0, -np", "np.logaddexp(0, np"),
        ("adds the gates up", "np.exp(logarithms.sum(axis=0))", "np.exp(logarithms).sum(axis=0)"),
        ("the mean gate", "logarithms.sum(axis=0)", "logarithms.mean(axis=0)"),
        ("over the units", "logarithms.sum(axis=0)", "logarithms.sum(axis=1)"),
        ("all units together", "logarithms.sum(axis=0)", "logarithms.sum()"),
        ("the logarithm of the share", "np.exp(logarithms.sum(axis=0))", "logarithms.sum(axis=0)"),
        (
            "the sums for gates",
            """def share_left(sums):
    return np.prod(sums, axis=0)""",
        ),
        (
            "the last gate only",
            """def share_left(sums):
    return 1 / (1 + np.exp(-sums[-1])) ** len(sums)""",
        ),
        (
            "one gate for the product of the sums",
            """def share_left(sums):
    return 1 / (1 + np.exp(-sums.mean(axis=0))) ** len(sums)""",
        ),
        (
            "overflows where a sum is low",
            """def share_left(sums):
    return np.prod(1 / (1 + np.exp(-np.asarray(sums))), axis=0)""",
        ),
    ],
    "states": [
        ("the reset gate after the matrix", "(r * hidden) @ U_g", "r * (hidden @ U_g)"),
        ("no reset gate", "(r * hidden) @ U_g", "hidden @ U_g"),
        ("the update gate writes", "z * hidden + (1 - z) * g", "(1 - z) * hidden + z * g"),
        ("the parts in another order", "U_z, U_r, U_g = np", "U_r, U_z, U_g = np"),
        ("the sums in another order", "a_z, a_r, a_g = np", "a_r, a_z, a_g = np"),
        ("no bias", "kernel + bias, 3", "kernel, 3"),
        (
            "the mask does nothing",
            "hidden = np.where(mask[:, t, None], new, hidden)",
            "hidden = new",
        ),
        (
            "the mask clears the state",
            "mask[:, t, None], new, hidden",
            "mask[:, t, None], new, 0.0",
        ),
        (
            "the mask is turned round",
            "mask[:, t, None], new, hidden",
            "mask[:, t, None], hidden, new",
        ),
        (
            "a masked sequence is filled with zeros afterwards",
            "states[:, t] = hidden",
            "states[:, t] = hidden * mask[:, t, None]",
        ),
        (
            "candidates without tanh",
            "g = np.tanh(a_g + (r * hidden) @ U_g)",
            "g = a_g + (r * hidden) @ U_g",
        ),
        (
            "the mask of the first sequence for all",
            "mask[:, t, None], new, hidden",
            "mask[0, t], new, hidden",
        ),
    ],
    "within": [
        ("one bias for a GRU", '"gru": (3, 2)', '"gru": (3, 1)'),
        ("two biases for an LSTM", '"lstm": (4, 1)', '"lstm": (4, 2)'),
        ("three parts in an LSTM", '"lstm": (4, 1)', '"lstm": (3, 1)'),
        ("two gates in a GRU", '"gru": (3, 2)', '"gru": (2, 2)'),
        ("fewer than the limit", "<= limit", "< limit"),
        ("one unit too many", "return units\n", "return units + 1\n"),
        ("zero units are an answer", "if units == 0:", "if False:"),
        (
            "any kind is a plain layer",
            "if kind not in inside:",
            "kind = kind if kind in inside else 'rnn'\n    if False:",
        ),
        ("no recurrent weights", "(units + 1 + features + biases)", "(features + biases)"),
        (
            "a dictionary's error",
            'raise ValueError(f"unknown kind {kind!r}")',
            "raise KeyError(kind)",
        ),
    ],
    "leak": [
        ("the scale of all", "series[:cut].mean()", "series.mean()"),
        ("the deviation of all", "series[:cut].std()", "series.std()"),
        (
            "the past holds the first target",
            "scaled[s - window : s] for",
            "scaled[s - window : s + 1] for",
        ),
        (
            "the past holds the first target, and is cut at its front",
            "scaled[s - window : s] for",
            "scaled[s - window + 1 : s + 1] for",
        ),
        (
            "training targets reach into the test part",
            "in ((window, cut),",
            "in ((window, min(cut + horizon - 1, len(series))),",
        ),
        ("the last training target is lost", "in ((window, cut),", "in ((window, cut - 1),"),
        (
            "test windows may not reach back",
            "(max(window, cut), len(series))",
            "(cut + window, len(series))",
        ),
        (
            "test targets begin in the training part",
            "(max(window, cut), len(series))",
            "(max(window, cut - horizon + 1), len(series))",
        ),
        ("the last test target is lost", "last - horizon + 1", "last - horizon"),
        ("targets are not scaled", "scaled[s : s + horizon]", "series[s : s + horizon]"),
        ("the mean is not taken away", "(series - series[:cut].mean())", "series"),
    ],
    "compare": [
        ("the other way round", "errors[1] - errors[0]", "errors[0] - errors[1]"),
        ("without absolute values", "np.abs(forecast - truth)", "(forecast - truth)"),
        ("squares", "np.abs(forecast - truth)", "np.square(forecast - truth)"),
        ("sums over the horizon", ".mean(axis=1) for", ".sum(axis=1) for"),
        (
            "sums of a block",
            ".reshape(count, block).mean(axis=1)",
            ".reshape(count, block).sum(axis=1)",
        ),
        (
            "strided blocks",
            ".reshape(count, block).mean(axis=1)",
            ".reshape(block, count).mean(axis=0)",
        ),
        ("ddof 0", "ddof=1", "ddof=0"),
        ("the deviation without the root", " / count**0.5", ""),
        ("divided by the number", "count**0.5", "count"),
        ("divided by all moments", "count**0.5", "len(differences)**0.5"),
        (
            "every moment a case of its own",
            """def compare(first, second, truth, block):
    differences = (np.abs(second - truth) - np.abs(first - truth)).mean(axis=1)
    return float(differences.mean()), float(differences.std(ddof=1) / len(differences) ** 0.5)""",
        ),
        (
            "the rest is not left out of the mean",
            "float(blocks.mean())",
            "float(differences.mean())",
        ),
    ],
}
