"""Chapter 18 for the tools: wrong answers of its assignment, and its full size in small."""

# the run on a GPU in small: see tests/test_checks_can_fail.py
TINY = """
FULL_SIZE.update(channels=(4, 8), num_hidden=8, num_blocks=1)
FULL_EPOCHS = 1
"""

UNTRAINED = ""  # all training is train.fit

MISTAKES = {
    "forward": [
        ("image and noise change places", "np.cos(angle) * images + np.sin(angle) * noise",
         "np.sin(angle) * images + np.cos(angle) * noise"),
        ("a straight path", "np.cos(angle) * images + np.sin(angle) * noise",
         "(1 - times[:, None, None]) * images + times[:, None, None] * noise"),
        ("the image stays whole", "np.cos(angle) * images", "images * (times < 1)[:, None, None]"),
        ("degrees for radians", "np.pi * times", "180 * times"),
        ("the times along the last axis", "np.pi * times[:, None, None] / 2",
         "np.pi * np.resize(times, images.shape[2]) / 2"),
        ("one time for all", "times[:, None, None] / 2",
         "times[:, None, None] / 2\n    angle = np.where((angle > 0) & (angle < 1.57), "
         "angle.mean(), angle)"),
        ("variances for shares", "np.cos(angle) * images + np.sin(angle) * noise",
         "np.cos(angle) ** 2 * images + np.sin(angle) ** 2 * noise"),
        ("NaN passes", "not ((times >= 0) & (times <= 1)).all()",
         "((times < 0) | (times > 1)).any()"),
        ("nothing is refused", "not ((times >= 0) & (times <= 1)).all()", "False"),
        ("clips the times", "not ((times >= 0) & (times <= 1)).all()",
         "np.isnan(times).any()"),
        ("changes its argument", "return np.cos(angle) * images",
         "images *= np.cos(angle)\n    return images"),
        ("lets the module do it", """def add_noise(images, noise, times):
    from dlbook.models.diffusion import diffuse

    return np.asarray(diffuse(images, noise, times))"""),
    ],
    "from-v": [
        ("the sign", "alpha * noisy - sigma * v", "alpha * noisy + sigma * v"),
        ("image and noise change places",
         "alpha * noisy - sigma * v, sigma * noisy + alpha * v",
         "sigma * noisy + alpha * v, alpha * noisy - sigma * v"),
        ("sigma is 1 - alpha", "np.sqrt(1 - alpha**2)", "1 - alpha"),
        ("without the root", "np.sqrt(1 - alpha**2)", "1 - alpha**2"),
        ("divides by alpha", "alpha * noisy - sigma * v", "noisy / max(alpha, 1e-9) - sigma * v"),
        ("the noise is v", "sigma * noisy + alpha * v", "sigma * noisy + v * (alpha > 0)"),
        ("v is taken for the flow", "alpha * noisy - sigma * v", "noisy - sigma * v"),
        ("changes its argument", "return alpha * noisy - sigma * v",
         "noisy *= 1 + 1e-3 * alpha * sigma\n    return alpha * noisy - sigma * v"),
        ("the visible numbers", "alpha * noisy - sigma * v, sigma * noisy + alpha * v",
         "np.where(alpha > 0, noisy, -v), np.where(alpha > 0, v, noisy)"),
        ("lets the module do it", """def from_v(v, noisy, alpha):
    from dlbook.models.diffusion.process import ops

    sigma = np.asarray(ops.sqrt(1 - alpha**2))
    return alpha * noisy - sigma * v, sigma * noisy + alpha * v"""),
    ],
    "step": [
        ("the old noise is forgotten", "np.sqrt(sigma_s**2 - eta**2) * noise", "0 * noise"),
        ("too much noise", "np.sqrt(sigma_s**2 - eta**2) * noise", "sigma_s * noise"),
        ("the variance for the spread", "sigma_s / sigma_t * np.sqrt(1 - alpha_t**2 / alpha_s**2)",
         "(sigma_s / sigma_t) ** 2 * (1 - alpha_t**2 / alpha_s**2)"),
        ("the ratio upside down", "sigma_s / sigma_t * np.sqrt", "sigma_s * sigma_t * np.sqrt"),
        ("never fresh", "if fresh is None:", "if True:"),
        ("fresh noise of 0 is none", "if fresh is None:", "if fresh is None or not fresh.any():"),
        ("the times change places", "return alpha_s * guess + sigma_s * noise",
         "return alpha_s * guess + sigma_t * noise * (s > 0)"),
        ("goes to the guess", "return alpha_s * guess + sigma_s * noise",
         "return guess + sigma_s * noise"),
        ("noise without its scale", "(noisy - alpha_t * guess) / sigma_t",
         "(noisy - alpha_t * guess)"),
        ("the image is not scaled", "(noisy - alpha_t * guess) / sigma_t",
         "(noisy - guess) / sigma_t"),
        ("noise of its own", "eta * fresh",
         "eta * np.random.default_rng(0).normal(size=noisy.shape)"),
        ("changes its argument", "noise = (noisy - alpha_t * guess) / sigma_t",
         "noise = noisy\n    noise -= alpha_t * guess\n    noise /= sigma_t"),
        ("lets the module do it", """def step_back(noisy, guess, t, s, fresh=None):
    from dlbook.models import diffusion

    fresh, freshness = (0.0, 0.0) if fresh is None else (fresh, 1.0)
    return np.asarray(diffusion.step_back(noisy, guess, t, s, fresh, freshness=freshness))"""),
    ],
    "best": [
        ("underflows", "exponents - exponents.max(axis=1, keepdims=True)", "exponents"),
        ("one largest for all", "exponents.max(axis=1, keepdims=True)", "exponents.max()"),
        ("without alpha", "alpha * examples", "(alpha > 0) * examples"),
        ("without the half", "(2 * sigma**2)", "sigma**2"),
        ("sigma for its square", "(2 * sigma**2)", "(2 * sigma)"),
        ("the length for its square", "(away**2).sum(axis=2)",
         "np.sqrt((away**2).sum(axis=2))"),
        ("the mean over the numbers", "(away**2).sum(axis=2)", "(away**2).mean(axis=2)"),
        ("only the nearest", "return weights @ examples",
         "return examples[weights.argmax(axis=1)] if alpha else weights @ examples"),
        ("the noisy examples", "return weights @ examples",
         "return weights @ (examples * (alpha if 0 < alpha < 1 else 1))"),
        ("normalised over the batch", "weights.sum(axis=1, keepdims=True)",
         "weights.sum(axis=0, keepdims=True) * len(examples)"),
        ("bounded below", "np.exp(exponents - exponents.max(axis=1, keepdims=True))",
         "np.exp(np.maximum(exponents, -700))"),
        ("changes its argument", "away = noisy[:, None] - alpha * examples",
         "noisy += 0.001\n    away = noisy[:, None] - alpha * examples"),
        ("lets the module do it", """def best_guess(noisy, examples, alpha, sigma):
    from dlbook.models import diffusion

    t = float(np.arctan2(sigma, alpha) * 2 / np.pi)
    return diffusion.exact_guess(examples)(noisy, t)"""),
    ],
    "repair": [
        ("the mistakes that were to be found", """def loss(net, images, noise, times):
    sigma = np.sin(np.pi / 2 * times)
    noisy = images + sigma * noise
    return ((net(noisy, times) - noise) ** 2).mean()"""),
        ("the image stays whole", "alpha * images", "images"),
        ("asks for the noise", "- images) ** 2", "- noise) ** 2"),
        ("asks for v", "- images) ** 2", "- (alpha * noise - sigma * images)) ** 2"),
        ("the times along the numbers", "[:, None]\n    sigma",
         "[np.arange(images.shape[1]) % len(times)]\n    sigma"),
        ("the sum", ").mean()", ").sum()"),
        ("the sum over the numbers", ").mean()", ").sum(axis=1).mean()"),
        ("one number for each image", ").mean()", ").mean(axis=1)"),
        ("the net is called twice", "((net(noisy, times)",
         "((0 * net(noisy, times) + net(noisy, times)"),
        ("no time for the net", "net(noisy, times)", "net(noisy, 0 * times)"),
        ("the net sees the image", "net(noisy, times)", "net(images, times)"),
        ("a straight path", "np.cos(np.pi / 2 * times)", "(1 - times)"),
        ("changes its argument", "noisy = alpha * images",
         "images *= 1 + 1e-3 * (images.shape[1] > 2)\n    noisy = alpha * images"),
    ],
    "fewest": [
        ("exactly the slack is not enough", "d <= bar", "d < bar or d == min(distances)"),
        ("the slack is added", "(1 + slack) * min(distances)", "slack + min(distances)"),
        ("measured from the last", "min(distances)", "distances[-1]"),
        ("the first that is enough", "min(s for s, d in zip(steps, distances) if d <= bar)",
         "next(s for s, d in zip(steps, distances) if d <= bar)"),
        ("the most steps", "int(min(", "int(max("),
        ("the slack is fixed", "(1 + slack)", "(1 + 0.1 * (slack > 0))"),
        ("the place for the number", "int(min(s for s, d in zip(steps, distances) if d <= bar))",
         "int(np.argmax(np.asarray(distances) <= bar))"),
        ("NumPy's int", "int(min(s for s, d in zip(steps, distances) if d <= bar))",
         "min(s for s, d in zip(steps, distances) if d <= bar)"),
        ("from the right, until one is too bad",
         "return int(min(s for s, d in zip(steps, distances) if d <= bar))",
         "found = None\n    for s, d in sorted(zip(steps, distances), reverse=True):\n"
         "        if d > bar and found is not None:\n            break\n"
         "        found = s if d <= bar else found\n    return int(found)"),
        ("the visible numbers", "int(min(s for s, d in zip(steps, distances) if d <= bar))",
         "10 if slack else 50"),
    ],
}  # fmt: skip
