"""What tests must know of chapter 06, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(num_buckets=1 << 12)
FULL_EPOCHS = 1
"""

MISTAKES = {
    "one-hot": [
        ("the alphabet orders the columns", "names.index(value)", "sorted(names).index(value)"),
        ("unknown values stop", "if value in names:", "if True:"),
        (
            "unknown values in the last column",
            "if value in names:\n            rows[i, names.index(value)] = 1",
            "rows[i, names.index(value) if value in names else -1] = 1",
        ),
        ("the number instead of a one", "rows[i, names.index(value)] = 1", "rows[i] = 1"),
        ("columns by row", "(len(values), len(names))", "(len(names), len(values))"),
        ("another type", "np.float32", "np.int64"),
        (
            "columns in the order of the values",
            "for i, value",
            "names = list(dict.fromkeys(values))[::-1]\n    for i, value",
        ),
        ("leaves unknown rows out", "return rows", "return rows[rows.any(axis=1)]"),
    ],
    "vocabulary": [
        ("the first word is 0", "start=2", "start=0"),
        ("no room for unknown words", "start=2", "start=1"),
        ("one word too many", "words[: size - 2]", "words[: size - 1]"),
        ("size words", "words[: size - 2]", "words[:size]"),
        ("ties by the alphabet", "-counts[word])", "(-counts[word], word))"),
        ("rare words first", "-counts[word])", "counts[word])"),
        (
            "in the order of the texts",
            "sorted(counts, key=lambda word: -counts[word])",
            "list(counts)",
        ),
        (
            "each text counts a word once",
            "for word in text.split():",
            "for word in set(text.split()):",
        ),
        ("unknown is padding", "vocabulary.get(word, 1)", "vocabulary.get(word, 0)"),
        (
            "leaves unknown words out",
            "[vocabulary.get(word, 1) for word in text.split()]",
            "[vocabulary[word] for word in text.split() if word in vocabulary]",
        ),
        (
            "letters",
            "[vocabulary.get(word, 1) for word in text.split()]",
            "[vocabulary.get(c, 1) for c in text]",
        ),
        (
            "sorted",
            "[vocabulary.get(word, 1) for word in text.split()]",
            "sorted(vocabulary.get(word, 1) for word in text.split())",
        ),
    ],
    "padding": [
        ("keeps the beginning", "sequence[-width:]", "sequence[:width]"),
        ("zeros first", "padded[i, : len(kept)] = kept", "padded[i, width - len(kept) :] = kept"),
        ("a zero is padding", "return padded, mask", "return padded, padded > 0"),
        ("the mask of the other", "return padded, mask", "return padded, ~mask"),
        ("another type", "np.int32", "np.int64"),
        ("numbers for a mask", "width), bool)", "width), np.int32)"),
        ("as wide as the longest", "padded = ", "width = max(map(len, sequences))\n    padded = "),
        (
            "cuts the lists themselves",
            "kept = sequence[-width:]",
            "del sequence[:-width]\n        kept = sequence",
        ),
        (
            "drops empty ones",
            "padded = ",
            "sequences = [s for s in sequences if s]\n    padded = ",
        ),
    ],
    "byte-pairs": [
        ("joins once only", "[left + right]", "[left + right]\n                break"),
        (
            "from right to left",
            """        place = 0
        while place + 1 < len(pieces):
            if (pieces[place], pieces[place + 1]) == (left, right):
                pieces[place : place + 2] = [left + right]
            place += 1
""",
            """        for place in range(len(pieces) - 2, -1, -1):
            if pieces[place : place + 2] == [left, right]:
                pieces[place : place + 2] = [left + right]
""",
        ),
        ("the last merge first", "in merges:", "in merges[::-1]:"),
        (
            "until nothing changes",
            "    for left, right in merges:",
            "    for left, right in merges * len(merges):",
        ),
        (
            "by replacing text",
            """    pieces = list(word)
    for left, right in merges:
        place = 0
        while place + 1 < len(pieces):
            if (pieces[place], pieces[place + 1]) == (left, right):
                pieces[place : place + 2] = [left + right]
            place += 1
    return pieces""",
            """    joined = " ".join(word)
    for left, right in merges:
        joined = joined.replace(left + " " + right, left + right)
    return joined.split()""",
        ),
        (
            "the longest piece first",
            """    pieces = list(word)
    for left, right in merges:
        place = 0
        while place + 1 < len(pieces):
            if (pieces[place], pieces[place + 1]) == (left, right):
                pieces[place : place + 2] = [left + right]
            place += 1
    return pieces""",
            """    known = sorted({*word, *(a + b for a, b in merges)}, key=len)
    pieces = []
    while word:
        pieces.append(next(piece for piece in known[::-1] if word.startswith(piece)))
        word = word[len(pieces[-1]) :]
    return pieces""",
        ),
        (
            "only at the beginning",
            "while place + 1 < len(pieces):",
            "while place < min(1, len(pieces) - 1):",
        ),
        ("either order", "== (left, right)", "in ((left, right), (right, left))"),
    ],
    "masked-mean": [
        (
            "the colleague's mistake",
            "total / np.maximum(mask.sum(axis=1, keepdims=True), 1)",
            "total / numbers.shape[1]",
        ),
        ("padding's vector is added", " * mask[:, :, None]", ""),
        (
            "divides by nothing",
            "np.maximum(mask.sum(axis=1, keepdims=True), 1)",
            "mask.sum(axis=1, keepdims=True)",
        ),
        (
            "one more in the denominator",
            "np.maximum(mask.sum(axis=1, keepdims=True), 1)",
            "(mask.sum(axis=1, keepdims=True) + 1e-3)",
        ),
        ("the sum", "total / np.maximum(mask.sum(axis=1, keepdims=True), 1)", "total"),
        (
            "padding at the end only",
            "mask = numbers > 0",
            "mask = np.cumprod(numbers > 0, axis=1) > 0",
        ),
        ("the batch's count", "mask.sum(axis=1, keepdims=True)", "mask.sum()"),
        (
            "every word once",
            "mask = numbers > 0",
            "numbers = np.array([[n * (n not in row[:k]) for k, n in enumerate(row)] "
            "for row in numbers.tolist()])\n    mask = numbers > 0",
        ),
        (
            "the visible numbers",
            "return total",
            "return total + 0 * total[:, :1] / 2 + 0.5 if len(numbers) > 1 else total",
        ),
    ],
    "paired": [
        ("all that are right", "(first & ~second)", "first"),
        ("the other way round", "return a, b,", "return b, a,"),
        ("the sign of z", "(a - b) /", "abs(a - b) /"),
        ("divides by all texts", "np.sqrt(max(a + b, 1))", "np.sqrt(len(first))"),
        ("without the root", "np.sqrt(max(a + b, 1))", "max(a + b, 1) * 2"),
        ("divides by nothing", "max(a + b, 1)", "(a + b)"),
        ("one more", "max(a + b, 1)", "(a + b + 1)"),
        ("a share", "return a, b,", "return a / len(first), b / len(first),"),
        (
            "the visible numbers",
            "return a, b, (a - b) / np.sqrt(max(a + b, 1))",
            "return 4, 0, 2.0",
        ),
    ],
}
