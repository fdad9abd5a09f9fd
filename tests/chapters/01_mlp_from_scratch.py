"""What tests must know of chapter 01, and wrong answers to its assignment."""

# gradient descent in NumPy, which learns nothing: one step, and the parameters stay
UNTRAINED = """
import functools
from dlbook.models import mlp

_untouched = mlp.train  # no name that the chapter uses


@functools.wraps(_untouched)  # the chapter shows its source
def _one_step(parameters, *args, **settings):
    _, losses = _untouched(parameters, *args, **(settings | {"epochs": 1}))
    return {name: value.copy() for name, value in parameters.items()}, losses


mlp.train = _one_step
"""

MISTAKES = {
    "relu": [
        (
            "changes its argument",
            "return d_hidden * (hidden > 0)",
            "d_hidden[hidden == 0] = 0\n    return d_hidden",
        ),
        ("changes z", "return np.maximum(z, 0)", "z[z < 0] = 0\n    return z"),
        ("the absolute value", "np.maximum(z, 0)", "np.abs(z)"),
        ("passes slopes at 0", "(hidden > 0)", "(hidden >= 0)"),
        (
            "looks at the slope, not at the value",
            "d_hidden * (hidden > 0)",
            "np.maximum(d_hidden, 0)",
        ),
        ("multiplies by the value", "d_hidden * (hidden > 0)", "d_hidden * hidden"),
        (
            "two dimensions only",
            "np.maximum(z, 0)",
            "np.array([[max(v, 0) for v in row] for row in z])",
        ),
        ("a ceiling", "np.maximum(z, 0)", "np.clip(z, 0, 3)"),
    ],
    "gradients": [
        (
            "adds up the outputs as well",
            "d_z2.sum(axis=0, keepdims=True)",
            "d_z2.sum(keepdims=True)",
        ),
        ("the sum for the mean", "(output - y) / len(x)", "(output - y)"),
        ("divides by all numbers of y", "/ len(x)", "/ y.size"),
        ("the slope of tanh", "(hidden > 0)", "(1 - hidden**2)"),
        ("without ReLU's slope", " * (hidden > 0)", ""),
        ("the sign", "(output - y)", "(y - output)"),
        (
            "the slope of the sigmoid twice",
            "d_z1 = (",
            "d_z2 = d_z2 * output * (1 - output)\n    d_z1 = (",
        ),
        (
            "the bias of the wrong layer",
            '"b1": d_z1.sum(axis=0, keepdims=True)',
            '"b1": 0 * parameters["b1"]',
        ),
        ("flat biases", '"b1": d_z1.sum(axis=0, keepdims=True)', '"b1": d_z1.sum(axis=0)'),
        ("for one output", 'd_z2 @ parameters["w2"].T', 'd_z2[:, :1] * parameters["w2"][:, 0]'),
        (
            "finite differences",
            """def gradients(parameters, x, y):
    found = {}
    for name, value in parameters.items():
        found[name] = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            move = np.zeros_like(value)
            move[place] = 1e-5
            more = relu_network_loss({**parameters, name: value + move}, x, y)
            less = relu_network_loss({**parameters, name: value - move}, x, y)
            found[name][place] = (more - less) / 2e-5
    return found""",
        ),
    ],
    "parity": [
        (
            "exactly one, which is parity for two bits only",
            "x.sum(axis=1, keepdims=True) % 2",
            "(x.sum(axis=1, keepdims=True) == 1).astype(float)",
        ),
        ("the lowest bit first", "np.arange(num_bits - 1, -1, -1)", "np.arange(num_bits)"),
        ("whole numbers", ".astype(float)", ""),
        ("a flat y", "keepdims=True", "keepdims=False"),
        ("starts at 1", "np.arange(2**num_bits)", "np.arange(1, 2**num_bits + 1)"),
        ("one row less", "np.arange(2**num_bits)", "np.arange(2**num_bits - 1)"),
        (
            "the exclusive or of the first two bits",
            "x.sum(axis=1, keepdims=True) % 2",
            "x[:, :2].sum(axis=1, keepdims=True) % 2",
        ),
        ("the square for the power", "np.arange(2**num_bits)", "np.arange(num_bits**2)"),
        (
            "numbers of eight bits",
            "x = (numbers >> places & 1).astype(float)",
            "x = np.unpackbits(numbers.astype(np.uint8), axis=1)[:, -num_bits:].astype(float)",
        ),
        (
            "odd up to three only",
            "x.sum(axis=1, keepdims=True) % 2",
            "np.isin(x.sum(axis=1, keepdims=True), (1, 3)).astype(float)",
        ),
    ],
    "compare": [
        ("chooses the rate on the fresh starts", "counts(choice).argmax", "counts(fresh).argmax"),
        (
            "reports on the starts of the choice",
            "shares = counts(fresh) / fresh.shape[2]",
            "shares = counts(choice) / choice.shape[2]",
        ),
        (
            "one rate for all methods",
            "best = counts(choice).argmax(axis=1)",
            "best = np.full(len(choice), counts(choice).sum(axis=0).argmax())",
        ),
        (
            "the best share on fresh starts, whatever the rate",
            "shares[np.arange(len(best)), best]",
            "shares.max(axis=1)",
        ),
        ("counts the border", "< margin", "<= margin"),
        (
            "counts what is not a number",
            "np.abs(outputs - y) < margin",
            "~(np.abs(outputs - y) >= margin)",
        ),
        ("without the absolute value", "np.abs(outputs - y)", "(outputs - y)"),
        ("any output for all", ".all(axis=(3, 4))", ".any(axis=(3, 4))"),
        ("looks at the first output only", ".all(axis=(3, 4))", "[..., 0].all(axis=3)"),
        (
            "the largest of equally good rates",
            "counts(choice).argmax(axis=1)",
            "len(rates) - 1 - counts(choice)[:, ::-1].argmax(axis=1)",
        ),
        ("the place of the rate", "return rates[best]", "return best"),
        ("counts for shares", "counts(fresh) / fresh.shape[2]", "counts(fresh)"),
        ("divides by the starts of the choice", "/ fresh.shape[2]", "/ choice.shape[2]"),
        ("shares of all rates", "shares[np.arange(len(best)), best]", "shares[:, best]"),
        (
            "the mean over a start",
            "np.abs(outputs - y) < margin",
            "np.abs(outputs - y).mean(axis=(3, 4), keepdims=True) < margin",
        ),
        (
            "lets the module do it",
            "right.all(axis=(3, 4)).sum(axis=2)",
            "mlp.solved(outputs, y, margin).sum(axis=2)",
        ),
        (
            "changes its argument",
            "right = np.abs(outputs - y) < margin",
            "outputs -= y\n        right = np.abs(outputs) < margin",
        ),
    ],
    "accuracy-with-error": [
        (
            "the variance",
            "np.sqrt(accuracy * (1 - accuracy) / len(labels))",
            "accuracy * (1 - accuracy) / len(labels)",
        ),
        ("the spread of one example", " / len(labels))", ")"),
        (
            "the best example of each class",
            "scores.argmax(axis=1)",
            "scores.argmax(axis=0)[labels]",
        ),
        ("the lowest score", "argmax", "argmin"),
        ("a count for a share", ".mean()", ".sum()"),
        ("divides by the classes", "/ len(labels)", "/ scores.shape[1]"),
        (
            "scores over 0.5",
            "(scores.argmax(axis=1) == labels)",
            "(scores[np.arange(len(labels)), labels] > 0.5)",
        ),
        ("divides by the visible number", "/ len(labels)", "/ 4"),
        (
            "the visible numbers",
            "return accuracy, np.sqrt(accuracy * (1 - accuracy) / len(labels))",
            "return 0.75, np.sqrt(3) / 8",
        ),
    ],
    "train-step": [
        (
            "the colleague's mistakes",
            """def train_step(parameters, x, y, rate):
    w1, b1, w2, b2 = (parameters[name] for name in ("w1", "b1", "w2", "b2"))
    hidden = np.tanh(x @ w1 + b1)
    output = mlp.sigmoid(hidden @ w2 + b2)
    d_z2 = output - y
    w2 = w2 - rate * hidden.T @ d_z2
    b2 = b2 - rate * d_z2.sum(axis=0, keepdims=True)
    d_z1 = (d_z2 @ w2.T) * (1 - hidden**2)
    w1 = w1 - rate * x.T @ d_z1
    b1 = b1 - rate * d_z1.sum(axis=0, keepdims=True)
    return {"w1": w1, "b1": b1, "w2": w2, "b2": b2}""",
        ),
        ("one mistake left: no mean", " / len(x)", ""),
        (
            "one mistake left: the new w2",
            "d_z1 = (d_z2 @ w2.T)",
            "d_z1 = (d_z2 @ (w2 - rate * hidden.T @ d_z2).T)",
        ),
        ("divides by all numbers of y", "/ len(x)", "/ y.size"),
        ("the slope of ReLU", "(1 - hidden**2)", "(hidden > 0)"),
        ("without the slope of tanh", " * (1 - hidden**2)", ""),
        ("uphill", '"w1": w1 - rate', '"w1": w1 + rate'),
        ("the visible rate", '"w1": w1 - rate * x', '"w1": w1 - x'),
        (
            "changes its argument",
            '"b2": b2 - rate * d_z2.sum(axis=0, keepdims=True)',
            '"b2": np.subtract(b2, rate * d_z2.sum(axis=0, keepdims=True), out=b2)',
        ),
        (
            "lets mlp.train do it",
            """def train_step(parameters, x, y, rate):
    return mlp.train(parameters, x, y, epochs=1, learning_rate=rate)[0]""",
        ),
        (
            "lets mlp.backward do it",
            """def train_step(parameters, x, y, rate):
    slopes, _ = mlp.backward(parameters, x, y)
    return {name: value - rate * slopes[name] for name, value in parameters.items()}""",
        ),
    ],
}
