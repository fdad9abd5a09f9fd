"""What tests must know of chapter 02, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_HIDDEN = (8, 8)
FULL_EPOCHS = 1
"""

MISTAKES = {
    "signal-size": [
        ("no half for ReLU", '"relu": 0.5', '"relu": 1.0'),
        ("a quarter for ReLU", '"relu": 0.5', '"relu": 0.25'),
        ("a half for both", '"linear": 1.0', '"linear": 0.5'),
        ("the mean square instead of the size", ") ** 0.5", ")"),
        ("adds layers up", "factor**depth", "factor * depth"),
        ("one layer more", "factor**depth", "factor ** (depth + 1)"),
        ("the deviation not squared", "deviation**2", "deviation"),
        ("without the size of the inputs", "size * factor**depth", "factor**depth"),
        ("never refuses", "if activation not in kept:", "if False:"),
        (
            "takes anything else for ReLU",
            """def signal_size(size, depth, width, deviation, activation):
    share = 1 if activation == "linear" else 0.5
    return size * (width * deviation**2 * share) ** (depth / 2)""",
        ),
        (
            "the visible numbers",
            """def signal_size(size, depth, width, deviation, activation):
    return size""",
        ),
    ],
    "deep-forward": [
        ("no ReLU", "np.maximum(sums[-1], 0)", "sums[-1]"),
        (
            "ReLU on the logits",
            "values @ kernels[-1] + biases[-1]",
            "np.maximum(values @ kernels[-1] + biases[-1], 0)",
        ),
        ("no bias in the hidden layers", "values @ kernel + bias", "values @ kernel"),
        ("no bias in the logits", "values @ kernels[-1] + biases[-1]", "values @ kernels[-1]"),
        (
            "sums after ReLU",
            "values = np.maximum(sums[-1], 0)",
            "values = sums[-1] = np.maximum(sums[-1], 0)",
        ),
        (
            "the last layer first",
            "zip(kernels[:-1], biases[:-1])",
            "zip(kernels[-2::-1], biases[-2::-1])",
        ),
        ("one hidden layer only", "zip(kernels[:-1], biases[:-1])", "zip(kernels[:1], biases[:1])"),
        ("only the last sums", "return sums, logits", "return sums[-1:], logits"),
        ("the logits among the sums", "return sums, logits", "return [*sums, logits], logits"),
        (
            "ReLU of the first layer only",
            "np.maximum(sums[-1], 0)",
            "np.maximum(sums[-1], 0) if len(sums) == 1 else sums[-1]",
        ),
    ],
    "error-signals": [
        ("from the last layer to the first", "return found[::-1]", "return found"),
        ("no slope", " * (1 - np.tanh(sums[layer]) ** 2)", ""),
        (
            "the slope of the value's value",
            "np.tanh(sums[layer]) ** 2",
            "np.tanh(np.tanh(sums[layer])) ** 2",
        ),
        (
            "takes the sums for values",
            "np.tanh(sums[layer]) ** 2",
            "np.minimum(sums[layer] ** 2, 1)",
        ),
        (
            "the slope of the sigmoid",
            "(1 - np.tanh(sums[layer]) ** 2)",
            "(1 - np.tanh(sums[layer])) * np.tanh(sums[layer])",
        ),
        ("no transpose", "kernels[layer + 1].T", "kernels[layer + 1]"),
        ("the weights of this layer", "kernels[layer + 1].T", "kernels[layer].T"),
        (
            "every layer from the logits",
            "error = (error @ kernels[layer + 1].T)",
            "error = (logit_error @ kernels[-1].T)",
        ),
        (
            "the slope only once",
            "(1 - np.tanh(sums[layer]) ** 2)",
            "(1 - np.tanh(sums[layer]) ** 2 * (layer == len(sums) - 1))",
        ),
        ("the last layer only", "reversed(range(len(sums)))", "[len(sums) - 1]"),
        (
            "the mean over the examples",
            "return found[::-1]",
            "return [one / len(one) for one in found[::-1]]",
        ),
    ],
    "batch-norm": [
        (
            "the colleague's mistakes",
            """def batch_norm(z, scale, shift, epsilon=1e-3):
    mean = z.mean(axis=1, keepdims=True)
    variance = z.var(axis=1, keepdims=True)
    return scale * ((z - mean) / (np.sqrt(variance) + epsilon) + shift)""",
        ),
        (
            "one mistake left: over the units",
            """def batch_norm(z, scale, shift, epsilon=1e-3):
    mean = z.mean(axis=1, keepdims=True)
    variance = z.var(axis=1, keepdims=True)
    return scale * (z - mean) / np.sqrt(variance + epsilon) + shift""",
        ),
        (
            "one mistake left: epsilon outside",
            "np.sqrt(variance + epsilon)",
            "(np.sqrt(variance) + epsilon)",
        ),
        (
            "one mistake left: the shift is scaled",
            "scale * (z - mean) / np.sqrt(variance + epsilon) + shift",
            "scale * ((z - mean) / np.sqrt(variance + epsilon) + shift)",
        ),
        ("no epsilon", "np.sqrt(variance + epsilon)", "np.sqrt(variance)"),
        ("divides by one less", "z.var(axis=0)", "z.var(axis=0, ddof=1)"),
        ("one mean for all units", "z.mean(axis=0)", "z.mean()"),
        ("divides by the variance", "np.sqrt(variance + epsilon)", "(variance + epsilon)"),
        ("without shift", " + shift", ""),
        ("another epsilon", "variance + epsilon", "variance + min(epsilon, 1e-5)"),
    ],
    "layer-factor": [
        ("divides by the layers", "sizes.shape[1] - 1", "sizes.shape[1]"),
        ("the arithmetic mean", "np.log(sizes).mean(axis=0)", "np.log(sizes.mean(axis=0))"),
        ("upside down", "logarithms[-1] - logarithms[0]", "logarithms[0] - logarithms[-1]"),
        (
            "the logarithm",
            "float(np.exp((logarithms[-1] - logarithms[0]) / steps))",
            "(logarithms[-1] - logarithms[0]) / steps",
        ),
        ("the whole factor", " / steps", ""),
        ("the first start", "np.log(sizes).mean(axis=0)", "np.log(sizes)[0]"),
        ("the wrong axis", "sizes.shape[1] - 1", "max(sizes.shape[0], 2) - 1"),
        (
            "the first two layers",
            "(logarithms[-1] - logarithms[0]) / steps",
            "logarithms[1] - logarithms[0]",
        ),
        (
            "the mean of the ratios",
            """def layer_factor(sizes):
    return float((sizes[:, -1] / sizes[:, 0]).mean() ** (1 / (sizes.shape[1] - 1)))""",
        ),
        ("a median", "np.log(sizes).mean(axis=0)", "np.median(np.log(sizes), axis=0)"),
    ],
    "paired": [
        (
            "second minus first",
            "first.mean(axis=0) - second.mean(axis=0)",
            "second.mean(axis=0) - first.mean(axis=0)",
        ),
        (
            "repeats as examples",
            "first.mean(axis=0) - second.mean(axis=0)",
            "(first.astype(float) - second).ravel()",
        ),
        (
            "over the repeats",
            "first.mean(axis=0) - second.mean(axis=0)",
            "first.mean(axis=1) - second.mean(axis=1)",
        ),
        ("divides by the examples", "ddof=1", "ddof=0"),
        ("the spread, not the error", " / len(differences) ** 0.5", ""),
        ("divides by the number", "len(differences) ** 0.5", "len(differences)"),
        (
            "as if the two were independent",
            "differences.std(ddof=1)",
            "(first.mean(axis=0).var(ddof=1) + second.mean(axis=0).var(ddof=1)) ** 0.5",
        ),
        ("no sign", "float(differences.mean())", "abs(float(differences.mean()))"),
        (
            "the first repeat",
            "first.mean(axis=0) - second.mean(axis=0)",
            "first[0].astype(float) - second[0]",
        ),
        (
            "the visible numbers",
            "return float(differences.mean()), float(error)",
            "return 0.25, 0.25",
        ),
    ],
}
