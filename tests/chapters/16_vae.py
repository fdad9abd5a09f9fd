"""Chapter 16 for the tools: wrong answers of its assignment, and its full size in small."""

# the run on a GPU in small: see tests/test_checks_can_fail.py
TINY = """
FULL_SIZE.update(hidden_units=(8, 8, 8))
FULL_EPOCHS = 1
"""

UNTRAINED = ""  # all training is train.fit

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
        (
            "changes its argument",
            "return mean + np.exp(log_variance / 2) * noise",
            "log_variance /= 2\n    return mean + np.exp(log_variance) * noise",
        ),
        (
            "lets the module do it",
            """def draw(mean, log_variance, noise):
    from dlbook.models.vae import reparameterise

    return np.asarray(reparameterise(mean, log_variance, noise))""",
        ),
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
        (
            "changes its argument",
            "terms = mean**2",
            "mean *= mean\n    terms = mean",
        ),
        (
            "lets the module do it",
            """def price(mean, log_variance):
    from dlbook.models.vae import gaussian_kl

    return np.asarray(gaussian_kl(mean, log_variance)).sum(axis=1)""",
        ),
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
            "ones only",
            "(pixels * logits - np.logaddexp(0, logits))",
            "(pixels * (logits - np.logaddexp(0, logits)))",
        ),
        ("ones for zeros", "pixels * logits", "(1 - pixels) * logits"),
        ("bits for nats", ".sum(axis=1)", ".sum(axis=1) / np.log(2)"),
        (
            "the squared error",
            "pixels * logits - np.logaddexp(0, logits)",
            "-((pixels - 1 / (1 + np.exp(-logits))) ** 2)",
        ),
        (
            "lets the module do it",
            """def log_likelihood(pixels, logits):
    from dlbook.models import vae

    return np.asarray(vae.bernoulli_log_likelihood(pixels, logits))""",
        ),
        (
            "changes its argument",
            "return (pixels * logits - np.logaddexp(0, logits)).sum(axis=1)",
            "pixels *= logits\n    return (pixels - np.logaddexp(0, logits)).sum(axis=1)",
        ),
    ],
    "bound": [
        ("underflows", "largest = log_weights.max(axis=0)", "largest = 0"),
        ("the largest is not added again", "largest + np.log(mean_weight)", "np.log(mean_weight)"),
        ("the sum for the mean", ".mean(axis=0)\n", ".sum(axis=0)\n"),
        (
            "over the images",
            "return log_weights.mean(axis=0), largest + np.log(mean_weight)",
            "return log_weights.mean(axis=1)[: log_weights.shape[1]], largest + "
            "np.log(mean_weight)",
        ),
        ("one largest for all", "log_weights.max(axis=0)", "log_weights.max()"),
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
        (
            "changes its argument",
            "mean_weight = np.exp(log_weights - largest).mean(axis=0)\n"
            "    return log_weights.mean(axis=0), largest",
            "log_weights -= largest\n"
            "    mean_weight = np.exp(log_weights).mean(axis=0)\n"
            "    return largest + log_weights.mean(axis=0), largest",
        ),
    ],
    "repair": [
        (
            "the mistake that was to be found",
            """def loss(log_probabilities, kl):
    return -log_probabilities.mean() + kl.sum(axis=1).mean()""",
        ),
        (
            "both are means",
            "-log_probabilities.sum(axis=1)\n    price = kl.sum(axis=1)",
            "-log_probabilities.mean(axis=1)\n    price = kl.mean(axis=1)",
        ),
        ("the sum over the batch", "(copying + price).mean()", "(copying + price).sum()"),
        ("without the price", "(copying + price)", "(copying + 1.0 * kl.any())"),
        ("the price is taken off", "(copying + price)", "(copying - price)"),
        ("the mean price of a latent number", "kl.sum(axis=1)", "kl.mean(axis=1)"),
        ("the first latent number", "kl.sum(axis=1)", "kl[:, 0]"),
        ("the dearest latent number", "kl.sum(axis=1)", "kl.max(axis=1)"),
        ("the sign", "-log_probabilities", "log_probabilities"),
        (
            "the sum over everything",
            "log_probabilities.sum(axis=1)",
            "log_probabilities.sum()",
        ),
        ("over the batch", "kl.sum(axis=1)", "kl.sum(axis=0)"),
        ("one number for each image", "(copying + price).mean()", "copying + price"),
        (
            "784 pixels",
            "log_probabilities.sum(axis=1)",
            "784 * log_probabilities.mean(axis=1)",
        ),
        (
            "the visible number of pixels",
            "log_probabilities.sum(axis=1)",
            "2 * log_probabilities.mean(axis=1)",
        ),
        (
            "the price is divided by the pixels as well",
            "kl.sum(axis=1)",
            "kl.sum(axis=1) / log_probabilities.shape[1]",
        ),
        (
            "the visible numbers",
            "return (copying + price).mean()",
            "return 2 * np.log(2) + 1.0 * kl.any()",
        ),
        (
            "changes its argument",
            "copying = -log_probabilities.sum(axis=1)",
            "log_probabilities *= -1\n    copying = log_probabilities.sum(axis=1)",
        ),
    ],
    "in-use": [
        ("the sum over the images", ".mean(axis=0)", ".sum(axis=0)"),
        ("over the latent numbers", ".mean(axis=0)", ".mean(axis=1)"),
        ("the largest price", ".mean(axis=0)", ".max(axis=0)"),
        ("the price of the image in the middle", "kl.mean(axis=0)", "np.median(kl, axis=0)"),
        ("the first two images", "kl.mean(axis=0)", "kl[:2].mean(axis=0)"),
        ("the border counts", "prices > bar", "prices >= bar"),
        ("a border that is blurred", "prices > bar", "prices > bar - 1e-3"),
        ("one image over the bar is enough", "prices > bar", "(kl > bar).any(axis=0)"),
        ("zero divided by zero", " if whole > 0 else 0.0", ""),
        ("counts the others", "prices > bar", "prices <= bar"),
        ("a share of the count", "float(prices[used].sum() / whole)", "float(used.mean())"),
        ("the share of the dearest", "prices[used].sum() / whole", "prices.max() / whole"),
        ("the bar is fixed", "prices > bar", "prices > 0.01"),
        ("NumPy's int", "int(used.sum())", "used.sum()"),
        (
            "the visible numbers",
            "int(used.sum()), float(prices[used].sum() / whole) if whole > 0 else 0.0",
            "1 + (bar < 0.1), 2 / 2.02",
        ),
    ],
}
