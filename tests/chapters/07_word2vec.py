"""What tests must know of chapter 07, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(dim=16, passes=1)
"""

MISTAKES = {
    "pairs": [
        ("the window ends one early", "i + window + 1", "i + window"),
        ("a word is its own neighbour", "if j != i:", "if True:"),
        ("the neighbour's window", "(max(0, i - window)", "(max(0, i - windows[0])"),
        ("no word beside itself", "if j != i:", "if text[j] != word:"),
        ("the left only", "min(len(text), i + window + 1)", "i"),
        ("goes round at the beginning", "max(0, i - window)", "i - window"),
        ("the neighbour first", "(word, text[j])", "(text[j], word)"),
        (
            "each pair once",
            "found.append((word, text[j]))",
            "found += [(word, text[j])] * ((word, text[j]) not in found)",
        ),
    ],
    "subsampling": [
        ("without the root", "np.sqrt(ratio) + ratio", "ratio"),
        ("the root alone", "np.sqrt(ratio) + ratio", "np.sqrt(ratio)"),
        ("not limited", "np.minimum(np.sqrt(ratio) + ratio, 1)", "np.sqrt(ratio) + ratio"),
        ("counts, not shares", "counts / counts.sum()", "counts / 1.0"),
        ("the share of the most frequent", "counts / counts.sum()", "counts / counts.max()"),
        ("the probability of dropping", "return probability", "return 1 - probability"),
        ("0 for what does not occur", "np.ones(len(counts))", "np.zeros(len(counts))"),
        ("sorted", "share = counts / counts.sum()", "share = np.sort(counts)[::-1] / counts.sum()"),
    ],
    "sampling-loss": [
        ("the noise is pulled, too", "np.log(1 - misses).sum()", "np.log(misses).sum()"),
        (
            "the mean over the noise",
            "np.log(1 - misses).sum()",
            "np.log(1 - misses).sum() / max(len(noise), 1)",
        ),
        ("the gradient without its sign", "(hit - 1) * u", "hit * u"),
        (
            "the noise is left out of v's gradient",
            "(hit - 1) * u + misses @ noise",
            "(hit - 1) * u",
        ),
        ("v where u belongs", "(hit - 1) * u", "(hit - 1) * v"),
        ("an update, not a gradient", "misses[:, None] * v", "-misses[:, None] * v"),
        ("the noise's own vectors", "misses[:, None] * v", "misses[:, None] * noise"),
        (
            "base 2",
            "-np.log(hit) - np.log(1 - misses).sum()",
            "-np.log2(hit) - np.log2(1 - misses).sum()",
        ),
        ("errors not weighted", "misses @ noise,", "noise.sum(axis=0) / 2,"),
    ],
    "ppmi": [
        ("negative values stay", "np.maximum(information, 0)", "information"),
        ("without the total", " / total", ""),
        ("rows only", " * counts.sum(axis=0, keepdims=True)", " * total / counts.shape[1]"),
        ("columns only", "counts.sum(axis=1, keepdims=True) *", "total / counts.shape[0] *"),
        (
            "no logarithm",
            "np.log(counts[some] / by_chance[some])",
            "counts[some] / by_chance[some]",
        ),
        ("base 2", "np.log(counts", "np.log2(counts"),
        (
            "one added to every count",
            "total = counts.sum()",
            "counts = counts + 1\n    total = counts.sum()",
        ),
        ("warns of log 0", "some = counts > 0", "some = counts >= 0"),
    ],
    "analogy": [
        ("the other direction", "unit[b] - unit[a]", "unit[a] - unit[b]"),
        (
            "vectors of their own length",
            "vectors / np.linalg.norm(vectors, axis=1, keepdims=True)",
            "vectors",
        ),
        (
            "one length for all",
            "np.linalg.norm(vectors, axis=1, keepdims=True)",
            "np.linalg.norm(vectors)",
        ),
        ("never leaves out", "if leave_out:", "if False:"),
        ("always leaves out", "if leave_out:", "if True:"),
        ("leaves out c alone", "near[[a, b, c]]", "near[[c]]"),
        ("0 for the given words", "-np.inf", "0"),
        ("without c", " + unit[c]", ""),
        ("the farthest", "np.argmax(near)", "np.argmin(near)"),
    ],
    "comparison": [
        (
            "products, not cosines",
            "vectors / np.linalg.norm(vectors, axis=1, keepdims=True)",
            "vectors",
        ),
        ("places, not ranks", "np.argsort(np.argsort(values))", "np.argsort(values)"),
        ("values, not ranks", "np.argsort(np.argsort(values))", "values"),
        ("scores not ranked", "np.corrcoef(*ranks)", "np.corrcoef(ranks[0], scores)"),
        (
            "distances",
            "return np.corrcoef(*ranks)[0, 1]",
            "return np.corrcoef(ranks[0], ranks[1])[0, 1] ** 2",
        ),
        (
            "the colleague's",
            """def rank_correlation(vectors, pairs, scores):
    first, second = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
    similar = (first * second).sum(axis=1)
    ranks = np.argsort(similar)
    return np.corrcoef(ranks, scores)[0, 1]""",
        ),
    ],
}
