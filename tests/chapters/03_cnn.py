"""What tests must know of chapter 03, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(filters=(2, 3), num_hidden=8)
FULL_EPOCHS = 1
"""

MISTAKES = {
    "output-size": [
        ("rounds up", "room // stride + 1", "-(-room // stride) + 1"),
        ("one place less", "room // stride + 1", "room // stride"),
        ("a true division", "room // stride + 1", "room / stride + 1"),
        ("padding at one end", "2 * padding", "padding"),
        ("without padding", " + 2 * padding", ""),
        ("the stride first", "room // stride + 1", "(room + 1) // stride"),
        ("never refuses", "if room < 0:", "if False:"),
        ("refuses a filter that just fits", "if room < 0:", "if room <= 0 and padding:"),
        ("looks at the row without padding", "if room < 0:", "if size < kernel:"),
        ("another error", "raise ValueError(", "raise IndexError("),
        (
            "rounds towards zero",
            "if room < 0:",
            "if int(room / stride) + 1 < 1:",
        ),
    ],
    "convolve": [
        ("takes every picture for a square", "(image.shape[1] - k)", "(image.shape[0] - k)"),
        (
            "turns the filter round",
            "tensordot(window, weights,",
            "tensordot(window, weights[::-1, ::-1],",
        ),
        (
            "transposes the filter",
            "np.tensordot(window, weights, axes=3)",
            "np.tensordot(window, weights.transpose(1, 0, 2, 3), axes=3)",
        ),
        ("without bias", " + bias", ""),
        (
            "no stride in the window",
            "i * stride : i * stride + k, j * stride : j * stride + k",
            "i : i + k, j : j + k",
        ),
        ("one place less", "// stride + 1\n    columns", "// stride\n    columns"),
        (
            "the first channel only",
            "window = image[",
            "image, weights = image[..., :1], weights[:, :, :1]\n            window = image[",
        ),
        ("the same bias for all filters", "+ bias", "+ bias[0]"),
        ("the stride for rows only", "j * stride : j * stride + k", "j : j + k"),
        ("the mean over channels", "weights, axes=3)", "weights, axes=3) / image.shape[2]"),
        (
            "a window with a pixel in its middle",
            "i * stride : i * stride + k, j * stride : j * stride + k",
            "i * stride : i * stride + k // 2 * 2 + 1, j * stride : j * stride + k // 2 * 2 + 1",
        ),
        (
            "a filter that is made odd",
            "k = weights.shape[0]",
            "k = weights.shape[0] | 1\n"
            "    weights = np.pad(weights, ((0, k - weights.shape[0]),) * 2 + ((0, 0),) * 2)",
        ),
    ],
    "max-pool": [
        (
            "the colleague's mistakes",
            """def max_pool(maps, size=2):
    batch, height, width, channels = maps.shape
    rows, columns = height // size, width // size
    pooled = np.zeros((batch, rows, columns, channels))
    for i in range(rows):
        for j in range(columns):
            square = maps[:, i : i + size, j : j + size]
            pooled[:, i, j] = np.maximum(pooled[:, i, j], square.max(axis=(1, 2)))
    return pooled""",
        ),
        (
            "one mistake left: begins with zeros",
            """def max_pool(maps, size=2):
    batch, height, width, channels = maps.shape
    rows, columns = height // size, width // size
    pooled = np.zeros((batch, rows, columns, channels))
    for i in range(rows):
        for j in range(columns):
            square = maps[:, i * size : (i + 1) * size, j * size : (j + 1) * size]
            pooled[:, i, j] = np.maximum(pooled[:, i, j], square.max(axis=(1, 2)))
    return pooled""",
        ),
        (
            "one mistake left: squares that overlap",
            """def max_pool(maps, size=2):
    batch, height, width, channels = maps.shape
    rows, columns = height // size, width // size
    squares = [
        [maps[:, i : i + size, j : j + size].max(axis=(1, 2)) for j in range(columns)]
        for i in range(rows)
    ]
    return np.array(squares).transpose(2, 0, 1, 3)""",
        ),
        ("leaves nothing out", "maps[:, : rows * size, : columns * size]", "maps"),
        (
            "leaves out at the top",
            "maps[:, : rows * size, : columns * size]",
            "maps[:, height - rows * size :, width - columns * size :]",
        ),
        ("the wrong axes", "axis=(2, 4)", "axis=(1, 3)"),
        (
            "the order of the reshape",
            "(batch, rows, size, columns, size, channels)",
            "(batch, size, rows, size, columns, channels)",
        ),
        ("the mean", ".max(axis=(2, 4))", ".mean(axis=(2, 4))"),
        ("over the channels too", ".max(axis=(2, 4))", ".max(axis=(2, 4, 5))[..., None]"),
        ("squares of 2 only", "rows, columns = ", "size = 2\n    rows, columns = "),
        ("all pictures together", ".max(axis=(2, 4))", ".max(axis=(0, 2, 4))[None]"),
        (
            "begins with a number that is not small enough",
            ".max(axis=(2, 4))",
            ".max(axis=(2, 4), initial=-99)",
        ),
    ],
    "block-parameters": [
        ("one channel in", "kernel_size * channels * filters", "kernel_size * filters"),
        ("a filter is a row", "kernel_size * kernel_size * channels", "kernel_size * channels"),
        ("a bias for each filter", "return weights + 2 * filters", "return weights + 3 * filters"),
        (
            "all four numbers are trained",
            "weights + 2 * filters, 2 * filters",
            "weights + 4 * filters, 0",
        ),
        ("normalises what comes in", "2 * filters, 2 * filters", "2 * channels, 2 * channels"),
        (
            "one number is trained, three are not",
            "2 * filters, 2 * filters",
            "filters, 3 * filters",
        ),
        (
            "the other way round",
            "weights + 2 * filters, 2 * filters",
            "2 * filters, weights + 2 * filters",
        ),
        ("filters of 5", "kernel_size * kernel_size", "25"),
        (
            "channels twice",
            "kernel_size * channels * filters",
            "kernel_size * channels * channels * filters",
        ),
        ("the visible numbers", "weights + 2 * filters, 2 * filters", "648, 48"),
    ],
    "shuffle": [
        ("shuffling twice undoes a reversal only", "np.argsort(places)", "places"),
        ("backwards", "pixels[:, places]", "pixels[:, np.argsort(places)]"),
        ("always a reversal", "pixels[:, places]", "pixels[:, ::-1]"),
        (
            "numbers column by column",
            "pixels[:, places].reshape(images.shape)",
            "images.transpose(0, 2, 1, 3).reshape(pixels.shape)[:, "
            "places].reshape(batch, width, height, channels).transpose(0, 2, 1, 3)",
        ),
        (
            "moves channels too",
            "return pixels[:, places].reshape(images.shape)",
            "return pixels[:, places][..., ::-1].reshape(images.shape)",
        ),
        (
            "takes the picture for a square",
            "return pixels[:, places].reshape(images.shape)",
            "return pixels[:, places].reshape(batch, width, height, channels)",
        ),
    ],
    "chosen-epoch": [
        ("chooses on the test set", "validation.argmax", "test.argmax"),
        (
            "one epoch for all seeds",
            "validation.argmax(axis=1)",
            "np.full(len(test), validation.mean(axis=0).argmax())",
        ),
        ("reports the validation accuracy", "chosen = test[", "chosen = validation["),
        ("the last epoch", "validation.argmax(axis=1)", "np.full(len(test), -1)"),
        (
            "the latest of equal ones",
            "validation.argmax(axis=1)",
            "validation.shape[1] - 1 - validation[:, ::-1].argmax(axis=1)",
        ),
        ("divides by the seeds", "ddof=1", "ddof=0"),
        ("the error of the mean", "chosen.std(ddof=1)", "chosen.std(ddof=1) / len(chosen) ** 0.5"),
        ("the wrong axis", "validation.argmax(axis=1)", "validation.argmax(axis=0)[: len(test)]"),
        ("the spread of two", "chosen.std(ddof=1)", "abs(chosen[0] - chosen[1]) / 2**0.5"),
        ("the visible numbers", "chosen.mean(), chosen.std(ddof=1)", "0.96, 0.02 / 2**0.5"),
    ],
}
