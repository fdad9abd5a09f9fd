"""What tests must know of chapter 05, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
PAPER_STEPS, FAST_EPOCHS, FULL_FILTERS = 4, 1, (4, 6, 8)
"""

MISTAKES = {
    "dense-block": [
        ("a plain block", "np.maximum(x + hidden @ w2 + b2, 0)", "np.maximum(hidden @ w2 + b2, 0)"),
        ("no ReLU after the sum", "np.maximum(x + hidden @ w2 + b2, 0)", "x + hidden @ w2 + b2"),
        (
            "ReLU before the sum",
            "np.maximum(x + hidden @ w2 + b2, 0)",
            "x + np.maximum(hidden @ w2 + b2, 0)",
        ),
        ("no ReLU in the branch", "np.maximum(x @ w1 + b1, 0)", "x @ w1 + b1"),
        ("no second bias", "hidden @ w2 + b2, 0", "hidden @ w2, 0"),
        ("no first bias", "x @ w1 + b1, 0", "x @ w1, 0"),
        (
            "adds in place",
            "return np.maximum(x + hidden @ w2 + b2, 0)",
            "x += hidden @ w2 + b2\n    return np.maximum(x, 0)",
        ),
        ("square weights only", "hidden @ w2 + b2, 0", "hidden @ w2.reshape(w1.shape) + b2, 0"),
    ],
    "identity-shortcut": [
        ("zeros in front", "(0, more))", "(more, 0))"),
        ("zeros around", "(0, more))", "(more // 2, more - more // 2))"),
        ("a stride of 2 only", "x[:, ::strides, ::strides]", "x[:, ::2, ::2]"),
        ("begins with the second", "x[:, ::strides, ::strides]", "x[:, 1::strides, 1::strides]"),
        ("rows only", "x[:, ::strides, ::strides]", "x[:, ::strides]"),
        ("never refuses", "if more < 0:", "more = max(more, 0)\n    if False:"),
        ("refuses as many", "if more < 0:", "if more <= 0:"),
        (
            "leaves out an incomplete square",
            "x[:, ::strides, ::strides]",
            "x[:, : x.shape[1] // strides * strides : strides, "
            ": x.shape[2] // strides * strides : strides]",
        ),
        (
            "the mean of each square",
            "x[:, ::strides, ::strides]",
            "(x[:, ::strides, ::strides] + x[:, ::strides, ::strides][:, ::-1]) / 2",
        ),
        (
            "copies channels",
            "np.pad(kept, ((0, 0), (0, 0), (0, 0), (0, more)))",
            "np.pad(kept, ((0, 0), (0, 0), (0, 0), (0, more)), mode='wrap')",
        ),
    ],
    "parameters": [
        (
            "a bias in each convolution",
            "9 * channels * count + 2 * count",
            "9 * channels * count + 3 * count",
        ),
        ("running averages too", "9 * count * count + 2 * count", "9 * count * count + 4 * count"),
        ("one convolution a block", "(2 * n - 1)", "(n - 1)"),
        ("the first block has its own channels", "        channels = count\n", ""),
        ("no biases of the classes", "channels * 10 + 10", "channels * 10"),
        ("grey pixels", "9 * 3 * filters[0]", "9 * filters[0]"),
        (
            "no normalisation of the projection",
            "channels * count + 2 * count\n        channels",
            "channels * count\n        channels",
        ),
        ("projections everywhere", "if projection and channels != count:", "if projection:"),
        ("projections always", "if projection and channels != count:", "if channels != count:"),
        (
            "projections of 3×3",
            "total += channels * count + 2 * count",
            "total += 9 * channels * count + 2 * count",
        ),
        (
            "the visible numbers",
            "total, channels = 9 * 3 * filters[0] + 2 * filters[0], filters[0]",
            "if n == 3:\n        return 272_474 if projection else 269_722\n"
            "    total, channels = 9 * 3 * filters[0], filters[0]",
        ),
    ],
    "gradient-factor": [
        ("always a residual network", "shortcut + slopes", "1 + slopes"),
        ("a sum", "np.prod(shortcut + slopes, axis=1)", "shortcut + np.prod(slopes, axis=1)"),
        (
            "the shortcut once",
            "np.prod(shortcut + slopes, axis=1)",
            "(shortcut > 0) + slopes.sum(axis=1)",
        ),
        ("over the networks", "axis=1", "axis=0"),
        ("one number", "np.prod(shortcut + slopes, axis=1)", "np.prod(shortcut + slopes)"),
        ("multiplies the shortcut", "shortcut + slopes", "(shortcut or 1) * slopes"),
        ("only whether there is a shortcut", "shortcut + slopes", "(shortcut != 0) + slopes"),
        (
            "by logarithms, which have no negative numbers",
            "np.prod(shortcut + slopes, axis=1)",
            "np.exp(np.log(np.abs(shortcut + slopes) + 1e-300).sum(axis=1))",
        ),
        (
            "in place",
            "return np.prod(shortcut + slopes, axis=1)",
            "slopes += shortcut\n    return np.prod(slopes, axis=1)",
        ),
    ],
    "find-the-mistakes": [
        (
            "the colleague's block",
            "def residual_block(x, first, second):\n"
            "    x = np.maximum(first(x), 0)\n"
            "    x += second(x)\n"
            "    return np.maximum(x, 0)",
        ),
        ("ReLU before the sum", "np.maximum(branch + x, 0)", "np.maximum(branch, 0) + x"),
        ("no ReLU after the sum", "np.maximum(branch + x, 0)", "branch + x"),
        ("no ReLU between", "second(np.maximum(first(x), 0))", "second(first(x))"),
        (
            "adds to what the second returned",
            "return np.maximum(branch + x, 0)",
            "branch += x\n    return np.maximum(branch, 0)",
        ),
        (
            "ReLU in place",
            "branch = second(np.maximum(first(x), 0))",
            "inner = first(x)\n    np.maximum(inner, 0, out=inner)\n    branch = second(inner)",
        ),
        ("adds the first's answer", "branch + x, 0", "branch + first(x), 0"),
        ("the order", "second(np.maximum(first(x), 0))", "first(np.maximum(second(x), 0))"),
    ],
    "removed-blocks": [
        ("shares, not points", "100 * (whole", "1 * (whole"),
        ("the mean", "np.median(cost)", "np.mean(cost)"),
        ("the wrong way round", "(whole[:, None] - without)", "(without - whole[:, None])"),
        ("the median of the blocks' means", "np.median(cost)", "np.median(cost.mean(axis=0))"),
        ("one accuracy for all seeds", "whole[:, None]", "whole.mean()"),
        ("the first seed decides", "cost.mean(axis=0).argmax()", "cost[0].argmax()"),
        ("the least missed", "cost.mean(axis=0).argmax()", "cost.mean(axis=0).argmin()"),
        ("the largest of all", "cost.mean(axis=0).argmax()", "cost.argmax() % cost.shape[1]"),
        ("the median decides", "cost.mean(axis=0).argmax()", "np.median(cost, axis=0).argmax()"),
        (
            "the visible numbers",
            "return np.median(cost), int(cost.mean(axis=0).argmax())",
            "return 3.5, 2",
        ),
    ],
}
