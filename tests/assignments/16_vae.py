"""Wrong answers to assignment 16. See tests/test_assignments.py for the form."""

MISTAKES = {
    "draw": [
        (
            "the variance for the standard deviation",
            "np.exp(log_variance / 2)",
            "np.exp(log_variance)",
        ),
        (
            "the logarithm for the variance",
            "np.exp(log_variance / 2)",
            "np.sqrt(np.abs(log_variance) + (log_variance == 0))",
        ),
        ("multiplies twice", "np.exp(log_variance / 2)", "np.exp(2 * log_variance)"),
        ("a precision", "np.exp(log_variance / 2)", "np.exp(-log_variance / 2)"),
        ("no spread", "np.exp(log_variance / 2) * noise", "noise"),
        ("noise of its own", "* noise", "* noise.mean(axis=0)"),
        ("one spread for all", "np.exp(log_variance / 2)", "np.exp(log_variance.mean() / 2)"),
        ("the visible numbers", "np.exp(log_variance / 2) * noise", "noise * (log_variance == 0)"),
    ],
    "price": [
        ("the mean over the latent numbers", "terms.sum(axis=1) / 2", "terms.mean(axis=1) / 2"),
        ("without the half", "terms.sum(axis=1) / 2", "terms.sum(axis=1)"),
        ("over the batch", "terms.sum(axis=1)", "terms.sum(axis=0)"),
        ("without the variance", "mean**2 + np.exp(log_variance) - 1 - log_variance", "mean**2"),
        ("without the logarithm", " - log_variance", ""),
        ("without the one", " - 1", ""),
        (
            "the logarithm for the variance",
            "np.exp(log_variance) - 1 - log_variance",
            "log_variance - np.log(1 + log_variance**2)",
        ),
        ("the sign of the logarithm", "- 1 - log_variance", "- 1 + log_variance"),
        (
            "the standard deviation for the variance",
            "np.exp(log_variance)",
            "np.exp(log_variance / 2)",
        ),
        ("the first latent number", "terms.sum(axis=1)", "terms[:, 0]"),
    ],
    "likelihood": [
        ("overflows", "np.logaddexp(0, logits)", "np.log(1 + np.exp(logits))"),
        (
            "a clipped sigmoid",
            "(pixels * logits - np.logaddexp(0, logits))",
            "np.log(np.clip(np.where(pixels == 1, 1, -1) * (1 / (1 + "
            "np.exp(-np.clip(logits, -500, 500))) - 0.5) + 0.5, 1e-7, 1))",
        ),
        ("the sign", "return (", "return -("),
        ("the mean over the pixels", ".sum(axis=1)", ".mean(axis=1)"),
        ("over the batch", ".sum(axis=1)", ".sum(axis=0)"),
        ("one number for all", ".sum(axis=1)", ".sum(keepdims=True)[0]"),
        (
            "white pixels only",
            "(pixels * logits - np.logaddexp(0, logits))",
            "(pixels * (logits - np.logaddexp(0, logits)))",
        ),
        ("black for white", "pixels * logits", "(1 - pixels) * logits"),
        ("bits for nats", ".sum(axis=1)", ".sum(axis=1) / np.log(2)"),
        (
            "the squared error",
            "pixels * logits - np.logaddexp(0, logits)",
            "-((pixels - 1 / (1 + np.exp(-logits))) ** 2)",
        ),
    ],
    "bound": [
        ("underflows", "largest = log_weights.max(axis=0)", "largest = 0"),
        ("the largest is not added again", "largest + np.log(mean_weight)", "np.log(mean_weight)"),
        ("the sum for the mean", ".mean(axis=0)\n", ".sum(axis=0)\n"),
        (
            "over the pictures",
            "return log_weights.mean(axis=0), largest + np.log(mean_weight)",
            "return log_weights.mean(axis=1)[: log_weights.shape[1]], largest + "
            "np.log(mean_weight)",
        ),
        (
            "one largest for all",
            "log_weights.max(axis=0)",
            "log_weights.max()\n    log_weights = log_weights[:10]",
        ),
        ("the best draw", "largest + np.log(mean_weight)", "largest"),
        ("the ELBO twice", "largest + np.log(mean_weight)", "log_weights.mean(axis=0)"),
        (
            "the other way round",
            "return log_weights.mean(axis=0), largest + np.log(mean_weight)",
            "return largest + np.log(mean_weight), log_weights.mean(axis=0)",
        ),
        (
            "bounded below",
            "np.exp(log_weights - largest)",
            "np.exp(np.maximum(log_weights, -700) - np.maximum(largest, -700))",
        ),
        ("two draws", ".mean(axis=0)\n", ".sum(axis=0) / 2\n"),
    ],
    "repair": [
        (
            "the mistake that was to be found",
            "(np.logaddexp(0, logits) - pixels * logits).sum(axis=1)",
            "(np.logaddexp(0, logits) - pixels * logits).mean()",
        ),
        (
            "both are means",
            "/ 2).sum(axis=1)\n    return (copying + price)",
            "/ 2).mean(axis=1)\n    return (copying / pixels.shape[1] + price)",
        ),
        ("the sum over the batch", "(copying + price).mean()", "(copying + price).sum()"),
        ("without the price", "(copying + price)", "(copying + 0.5 * price.any())"),
        ("the price is taken off", "(copying + price)", "(copying - price)"),
        ("the mean price of a latent number", "/ 2).sum(axis=1)", "/ 2).mean(axis=1)"),
        ("without the half", "- log_variance) / 2)", "- log_variance) / 1)"),
        ("black for white", "pixels * logits", "(1 - pixels) * logits"),
        (
            "the sum over everything",
            "(np.logaddexp(0, logits) - pixels * logits).sum(axis=1)",
            "(np.logaddexp(0, logits) - pixels * logits).sum()",
        ),
        ("one number for each picture", "(copying + price).mean()", "copying + price"),
        (
            "784 pixels",
            "(np.logaddexp(0, logits) - pixels * logits).sum(axis=1)",
            "784 * (np.logaddexp(0, logits) - pixels * logits).mean(axis=1)",
        ),
    ],
    "in-use": [
        (
            "the price of the mean picture",
            "((mean**2 + np.exp(log_variance) - 1 - log_variance) / 2).mean(axis=0)",
            "(mean.mean(axis=0) ** 2 + np.exp(log_variance.mean(axis=0)) - 1 - "
            "log_variance.mean(axis=0)) / 2",
        ),
        ("the sum over the pictures", ".mean(axis=0)", ".sum(axis=0)"),
        ("over the latent numbers", ".mean(axis=0)", ".mean(axis=1)"),
        ("the largest price", ".mean(axis=0)", ".max(axis=0)"),
        (
            "looks at means only",
            "(mean**2 + np.exp(log_variance) - 1 - log_variance) / 2",
            "mean**2 / 2",
        ),
        (
            "looks at variances only",
            "used = prices > bar",
            "used = np.exp(log_variance).mean(axis=0) < 0.9",
        ),
        ("zero divided by zero", " if whole > 0 else 0.0", ""),
        ("counts the others", "prices > bar", "prices <= bar"),
        ("a share of the count", "float(prices[used].sum() / whole)", "float(used.mean())"),
        ("the bar is fixed", "prices > bar", "prices > 0.01"),
        ("NumPy's int", "int(used.sum())", "used.sum()"),
        (
            "the visible numbers",
            "int(used.sum()), float(prices[used].sum() / whole) if whole > 0 else 0.0",
            "1 + (bar < 0.1), 2 / 2.02",
        ),
    ],
}
