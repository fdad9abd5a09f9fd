"""Chapter 17 for the tools: wrong answers of its assignment, and its full size in small."""

# the run on a GPU in small: see tests/test_checks_can_fail.py
TINY = """
FULL_SIZE.update(filters=2, latent_dim=4)
FULL_EPOCHS = 1
"""

UNTRAINED = ""  # all training is train.fit

MISTAKES = {
    "losses": [
        ("overflows", "np.logaddexp(0, fake_logits)", "np.log(1 + np.exp(fake_logits))"),
        (
            "a clipped sigmoid",
            "np.logaddexp(0, -fake_logits).mean()",
            "-np.log(np.clip(1 / (1 + np.exp(-np.clip(fake_logits, -500, 500))), 1e-7, 1)).mean()",
        ),
        (
            "the saturating loss",
            "np.logaddexp(0, -fake_logits).mean()",
            "-np.logaddexp(0, fake_logits).mean()",
        ),
        (
            "half of the discriminator's loss",
            "seen_real + seen_fake",
            "(seen_real + seen_fake) / 2",
        ),
        (
            "sums for means",
            "np.logaddexp(0, -real_logits).mean()",
            "np.logaddexp(0, -real_logits).sum()",
        ),
        (
            "labels the wrong way round",
            "np.logaddexp(0, -real_logits)",
            "np.logaddexp(0, real_logits)",
        ),
        ("bits for nats", "seen_real + seen_fake,", "(seen_real + seen_fake) / np.log(2),"),
        (
            "one mean over both batches",
            "seen_real + seen_fake",
            "2 * np.logaddexp(0, np.concatenate([-real_logits, fake_logits])).mean()",
        ),
        (
            "changes its argument",
            "seen_real = np.logaddexp(0, -real_logits)",
            "real_logits *= -1\n    seen_real = np.logaddexp(0, real_logits)",
        ),
    ],
    "best": [
        ("zero times the logarithm of zero", "np.where(p > 0, p, middle)", "p"),
        ("the ratio for the share", "p / (p + q)", "p / (2 * q)"),
        ("the fakes for the real ones", "verdicts = p", "verdicts = q"),
        ("without the half", "(real.sum() + fake.sum()) / 2", "real.sum() + fake.sum()"),
        ("one direction only", "(real.sum() + fake.sum()) / 2", "real.sum()"),
        ("the sum for the middle", "middle = (p + q) / 2", "middle = p + q"),
        ("bits for nats", "(real.sum() + fake.sum()) / 2", "(real.sum() + fake.sum()) / np.log(4)"),
        (
            "the divergence of the fakes from the data",
            "fake = q * np.log(np.where(q > 0, q, middle) / middle)",
            "fake = real",
        ),
        (
            "changes its argument",
            "verdicts = p / (p + q)",
            "verdicts = p / (p + q)\n    p += 0.0 + 1e-9",
        ),
    ],
    "step": [
        (
            "both at once",
            "    slope = slope - rate * (place / (1 + np.exp(-slope * place)) + gamma * slope)\n"
            "    place = place + rate * slope / (1 + np.exp(slope * place))\n"
            "    return place, slope",
            "    new = slope - rate * (place / (1 + np.exp(-slope * place)) + gamma * slope)\n"
            "    place = place + rate * slope / (1 + np.exp(slope * place))\n"
            "    return place, new",
        ),
        ("the saturating loss", "(1 + np.exp(slope * place))", "(1 + np.exp(-slope * place))"),
        ("no penalty", " + gamma * slope", ""),
        ("twice the penalty", "gamma * slope", "2 * gamma * slope"),
        ("the penalty pushes", "+ gamma * slope", "- gamma * slope"),
        ("the generator helps", "place + rate * slope", "place - rate * slope"),
        ("near rest only", "place / (1 + np.exp(-slope * place))", "place / 2"),
        (
            "changes its argument",
            "    slope = slope - rate * (place",
            "    slope -= rate * (place",
        ),
        ("the pair is turned round", "return place, slope", "return slope, place"),
    ],
    "penalty": [
        (
            "the mistake that was to be found",
            """def penalty(slopes):
    mean_slope = slopes.mean(axis=0)
    return np.square(mean_slope).sum()""",
        ),
        ("the length for its square", "lengths.mean()", "np.sqrt(lengths).mean()"),
        ("the sum over the batch", "lengths.mean()", "lengths.sum()"),
        ("the mean over everything", ".sum(axis=1)", ".mean(axis=1)"),
        ("the steepest example", "lengths.mean()", "lengths.max()"),
        ("the example in the middle", "lengths.mean()", "np.median(lengths)"),
        (
            "lists of numbers only",
            "np.square(slopes).reshape(len(slopes), -1).sum(axis=1)",
            "np.square(slopes).sum(axis=1)",
        ),
        (
            "absolute values",
            "np.square(slopes).reshape(len(slopes), -1).sum(axis=1)",
            "np.square(np.abs(slopes).reshape(len(slopes), -1).sum(axis=1))",
        ),
        (
            "changes its argument",
            "lengths = np.square(slopes)",
            "slopes *= slopes\n    lengths = slopes",
        ),
    ],
    "modes": [
        ("good points only in the fair share", "len(points) / len", "good.sum() / len"),
        ("one point is enough", "hits >= len(points) / len(centres) / 4", "hits >= 1"),
        ("more than a quarter", "hits >= len", "hits > len"),
        ("all points in the count", "distances[good].argmin", "distances.argmin"),
        ("a wider ring", "3 * spread", "4 * spread"),
        (
            "distances along the axes",
            "np.sqrt(np.square(points[:, None] - centres).sum(axis=-1))",
            "np.abs(points[:, None] - centres).max(axis=-1)",
        ),
        (
            "squares for distances",
            "np.sqrt(np.square(points[:, None] - centres).sum(axis=-1))",
            "np.square(points[:, None] - centres).sum(axis=-1)",
        ),
        ("NumPy's int", "int(found.sum())", "found.sum()"),
        ("the share of found modes", "float(good.mean())", "float(found.mean())"),
        ("a whole fair share", "/ len(centres) / 4", "/ len(centres)"),
        ("changes its argument", "good = distances", "points -= 1e-9\n    good = distances"),
    ],
}
