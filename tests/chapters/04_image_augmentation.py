"""What tests must know of chapter 04, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(size=32, filters=(2, 3))
FULL_EPOCHS = 1
"""

MISTAKES = {
    "flip": [
        ("mirrors by rows", "[:, :, ::-1]", "[:, ::-1]"),
        (
            "all or none",
            "new[mirrored] = new[mirrored]",
            "new = new[:] if not any(mirrored) else new",
        ),
        ("no copy", "pictures.copy()", "pictures"),
        ("the channels backwards", "[:, :, ::-1]", "[..., ::-1]"),
        ("turns instead of upside down", "[upside_down][:, ::-1]", "[upside_down][:, ::-1, ::-1]"),
        (
            "both coins cancel",
            "new = pictures.copy()",
            "new = pictures.copy()\n    mirrored, upside_down = "
            "mirrored & ~upside_down, upside_down & ~mirrored",
        ),
        (
            "mirrored before upside down only",
            "new[upside_down] = new[upside_down]",
            "new[upside_down] = pictures[upside_down]",
        ),
        (
            "one coin for all",
            "new = pictures.copy()",
            "new = pictures.copy()\n    mirrored, upside_down = mirrored | mirrored[0], "
            "upside_down | upside_down[0]",
        ),
    ],
    "affine": [
        ("rows and columns exchanged", "np.array([j, i])", "np.array([i, j])"),
        ("the centre of a square", "[(width - 1) / 2, (height - 1) / 2]", "[(width - 1) / 2] * 2"),
        (
            "the centre is half the size",
            "(width - 1) / 2, (height - 1) / 2",
            "width / 2, height / 2",
        ),
        ("turns about the corner", "(np.array([j, i]) - centre) + centre", "np.array([j, i])"),
        ("the other way round", "matrix @ (", "np.linalg.inv(matrix) @ ("),
        ("the other direction", "matrix @ (", "matrix.T @ ("),
        ("cuts off instead of rounding", "np.rint(", "np.floor("),
        ("without fill", "float(fill))", "0.0)"),
        (
            "repeats the border",
            "if 0 <= x < width and 0 <= y < height:\n                new[i, j] = picture[y, x]",
            "new[i, j] = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]",
        ),
        (
            "negative places count from the end",
            "if 0 <= x < width and 0 <= y < height:",
            "if x < width and y < height:",
        ),
        ("whole numbers only", "float(fill))", "int(fill))"),
        ("loses the first row", "if 0 <= x < width and 0 <= y", "if 0 <= x < width and 0 < y"),
    ],
    "light": [
        ("always on", "if not training:", "if False:"),
        (
            "on unless told otherwise",
            "if not training:",
            "if training is False:",
        ),
        ("one factor for all pictures", "(keras.ops.shape(pictures)[0], 1, 1, 1)", "(1, 1, 1, 1)"),
        (
            "one factor for each pixel",
            "(keras.ops.shape(pictures)[0], 1, 1, 1)",
            "keras.ops.shape(pictures)",
        ),
        ("only darker", "1 - amount, 1 + amount", "1 - amount, 1.0"),
        ("only brighter", "1 - amount, 1 + amount", "1.0, 1 + amount"),
        ("the same factors in every call", "seed=generator", "seed=1"),
        ("leaves the range", "keras.ops.clip(factor * pictures, 0, 255)", "factor * pictures"),
        ("adds", "factor * pictures, 0, 255", "(factor - 1) * 255 + pictures, 0, 255"),
        ("pixels up to 1", "0, 255)", "0, 1)"),
        (
            "half of the amount",
            "low, high = 1 - amount, 1 + amount",
            "low, high = 1 - amount / 2, 1 + amount / 2",
        ),
    ],
    "leak": [
        (
            "the colleague's mistakes",
            """def make_sets(pictures, labels, held, variants, augment):
    many = np.concatenate([augment(pictures) for _ in range(variants)])
    many_labels = np.tile(labels, variants)
    return (many[held:], many_labels[held:]), (many[:held], many_labels[:held])""",
        ),
        (
            "changed validation pictures",
            "(pictures[:held], labels[:held])",
            "(augment(pictures[:held]), labels[:held])",
        ),
        (
            "one call, repeated",
            "[augment(rest) for _ in range(variants)]",
            "[augment(rest)] * variants",
        ),
        (
            "all of them to train on",
            "rest, rest_labels = pictures[held:]",
            "rest, rest_labels = pictures[0:]",
        ),
        (
            "holds out the last",
            "rest, rest_labels = pictures[held:], labels[held:]",
            "pictures, labels = pictures[::-1], labels[::-1]\n"
            "    rest, rest_labels = pictures[held:], labels[held:]",
        ),
        (
            "labels in another order",
            "np.tile(rest_labels, variants)",
            "np.repeat(rest_labels, variants)",
        ),
        ("never refuses", "if not 1 <= held < len(pictures):", "if False:"),
        ("refuses a single training picture", "held < len(pictures):", "held < len(pictures) - 1:"),
        (
            "augments all, keeps the rest",
            "np.concatenate([augment(rest) for",
            "np.concatenate([augment(pictures)[held:] for",
        ),
        (
            "the originals as well",
            "np.concatenate([augment(rest) for _ in range(variants)])",
            "np.concatenate([rest] + [augment(rest) for _ in range(variants - 1)])",
        ),
    ],
    "twins": [
        (
            "wraps around",
            "pictures[:, :, 1:] > pictures[:, :, :-1]",
            "(pictures[:, :, 1:] - pictures[:, :, :-1]) > 0",
        ),
        ("equal is brighter", "pictures[:, :, 1:] > pictures", "pictures[:, :, 1:] >= pictures"),
        (
            "looks down",
            "pictures[:, :, 1:] > pictures[:, :, :-1]",
            "pictures[:, 1:] > pictures[:, :-1]",
        ),
        ("fewer, not at most", "<= at_most", "< at_most"),
        ("with itself", "range(i + 1, len(bits))", "range(i, len(bits))"),
        ("both orders", "range(i + 1, len(bits))", "[k for k in range(len(bits)) if k != i]"),
        ("neighbours only", "range(i + 1, len(bits))", "range(i + 1, min(i + 2, len(bits)))"),
        (
            "compares with the mean",
            "pictures[:, :, 1:] > pictures[:, :, :-1]",
            "pictures > pictures.mean(axis=(1, 2), keepdims=True)",
        ),
        ("a share of the bits", ".sum() <= at_most", ".mean() <= at_most"),
        (
            "without the last row",
            "pictures[:, :, 1:] > pictures[:, :, :-1]",
            "pictures[:, :2, 1:] > pictures[:, :2, :-1]",
        ),
    ],
    "worth": [
        (
            "a straight line over the size",
            "math.exp(np.interp(augmented[0], plain, np.log(sizes)))",
            "np.interp(augmented[0], plain, sizes)",
        ),
        ("stops at the last size", "return math.inf", "return sizes[-1] / sizes[0]"),
        ("the number of pictures", "return size / sizes[0]", "return size"),
        ("the largest set", "augmented[0], plain, np.log", "augmented[-1], plain, np.log"),
        ("level with the last is beyond", "augmented[0] > plain[-1]", "augmented[0] >= plain[-1]"),
        ("harm is worth less", "return 1.0", "return augmented[0] / plain[0]"),
        (
            "the exchange of curves",
            "np.interp(augmented[0], plain, np.log(sizes))",
            "np.interp(plain[0], augmented, np.log(sizes))",
        ),
        (
            "always the first two points",
            "np.interp(augmented[0], plain, np.log(sizes))",
            "np.interp(augmented[0], plain[:2], np.log(sizes[:2]))",
        ),
        ("the share of points", "return size / sizes[0]", "return augmented[0] / plain[0]"),
    ],
}
