"""What tests must know of chapter 13, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
LONG.update(passes=2, batch_size=32)
rows = rows[:64]
"""

MISTAKES = {
    "pieces": [
        ("the shortest first", "range(len(word), start, -1)", "range(start + 1, len(word) + 1)"),
        ("no marks inside", '("##" if start else "") + ', ""),
        ("marks everywhere", '("##" if start else "") + ', '("" if start else "") + '),
        (
            "beginnings fit inside",
            "if piece in pieces:",
            "if piece in pieces or word[start:end] in pieces:",
        ),
        ("keeps what was found", 'return ["[UNK]"]', 'return [*found, "[UNK]"]'),
        ("leaves letters out", 'return ["[UNK]"]', "start += 1"),
        ("an empty list", 'return ["[UNK]"]', "return []"),
    ],
    "pair": [
        ("keeps the beginning", "list(first)[-room:]", "list(first)[:room]"),
        ("the second one's beginning", "list(second)[-room:]", "list(second)[:room]"),
        ("no separator at the end", "*second, separator]", "*second]"),
        ("the second has a start", "separator, *second", "separator, start, *second"),
        ("segment 1 from the separator on", "len(first) + 2 :", "len(first) + 1 :"),
        (
            "padding has segment 1",
            "segments[len(first) + 2 : len(row)]",
            "segments[len(first) + 2 :]",
        ),
        ("the last separator is of the first", ": len(row)] = 1", ": len(row) - 1] = 1"),
        ("more room for both", "(length - 3) // 2", "(length - 3)"),
    ],
    "gaps": [
        ("always [MASK]", "np.where(fates < 0.9, drawn, targets)", "mask"),
        ("never a random one", "np.where(fates < 0.9, drawn, targets)", "targets"),
        ("90 % [MASK]", "fates < 0.8, mask", "fates < 0.9, mask"),
        ("up to and including 0.8", "fates < 0.8", "fates <= 0.8"),
        ("up to and including 0.9", "fates < 0.9", "fates <= 0.9"),
        ("10 and 10 exchanged", "drawn, targets)", "targets, drawn)"),
        ("changes the row itself", "np.array(tokens)", "np.asarray(tokens)"),
        (
            "targets after masking",
            "    tokens[places] = shown\n    return tokens, targets",
            "    tokens[places] = shown\n    return tokens, tokens[places]",
        ),
        ("in the order of the places", "return tokens, targets", "return tokens, np.sort(targets)"),
    ],
    "loss": [
        ("no bias", " + bias", " + 0 * bias"),
        ("all places count", "found[targets > 0].mean()", "found.mean()"),
        (
            "a sum over gaps, a mean over rows",
            "found[targets > 0].mean()",
            "(found * (targets > 0)).sum(axis=1).mean()",
        ),
        (
            "a mean of the rows' means",
            "-found[targets > 0].mean()",
            "-np.mean([one[y > 0].mean() for one, y in zip(found, targets)])",
        ),
        (
            "overflows",
            "    scores = scores - scores.max(axis=-1, keepdims=True)\n",
            "",
        ),
        ("in bits", "-found[targets > 0].mean()", "-found[targets > 0].mean() / np.log(2)"),
        ("with the wrong sign", "-found[targets", "found[targets"),
        (
            "normalises over the gaps",
            "np.exp(scores).sum(axis=-1, keepdims=True)",
            "np.exp(scores).sum(axis=1, keepdims=True)",
        ),
    ],
    "mean": [
        (
            "the colleague's mistakes",
            """def mean_of_tokens(vectors, tokens):
    keep = tokens > 0
    return (vectors * keep[..., None]).mean(axis=1) / keep.sum()""",
        ),
        ("one mistake left: the mean", ".sum(axis=1) / count", ".mean(axis=1) / count"),
        ("one mistake left: the batch's count", "keep.sum(axis=1, keepdims=True)", "keep.sum()"),
        (
            "divides by the length",
            "np.maximum(keep.sum(axis=1, keepdims=True), 1)",
            "tokens.shape[1]",
        ),
        ("padding is added", " * keep[..., None]", ""),
        (
            "divides by nothing",
            "np.maximum(keep.sum(axis=1, keepdims=True), 1)",
            "keep.sum(axis=1, keepdims=True)",
        ),
        (
            "one more in the denominator",
            "keep.sum(axis=1, keepdims=True), 1)",
            "keep.sum(axis=1, keepdims=True) + 1, 1)",
        ),
        (
            "padding at the end only",
            "keep = tokens > 0",
            "keep = np.cumprod(tokens > 0, axis=1) > 0",
        ),
    ],
    "worth": [
        ("the other way round", "count / enough.min()", "enough.min() / count"),
        ("the largest", "enough.min()", "enough.max()"),
        ("the best seed", "np.mean(pretrained, axis=1)", "np.max(pretrained, axis=1)"),
        ("the worst seed", "np.mean(pretrained, axis=1)", "np.min(pretrained, axis=1)"),
        ("strictly better", ">= wanted", "> wanted"),
        (
            "exchanged",
            "np.mean(scratch, axis=1)[counts == count]",
            "np.mean(pretrained, axis=1)[counts == count]",
        ),
        ("the last point", "[counts == count][0]", "[-1]"),
        ("never 0", "if len(enough) else 0.0", "if len(enough) else 1.0"),
    ],
}
