"""What tests must know of chapter 08, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL.update(words=16, units=4, epochs=1)
"""

# the recall of section 5 trains in NumPy: one update, before which the nets are asked
UNTRAINED = """
import functools
from dlbook.models import rnn

rnn.learn_recall = functools.partial(rnn.learn_recall, updates=1)
"""

MISTAKES = {
    "states": [
        ("ignores the mask", "np.where(mask[:, step, None], new, state)", "new"),
        ("a masked step empties the state", "new, state)", "new, 0 * state)"),
        ("the mask the wrong way round", "new, state)", "state, new)"),
        ("without the old state", " + state @ U", ""),
        ("without the bias", " + b)", ")"),
        ("no tanh", "np.tanh(x[:, step] @ W + state @ U + b)", "x[:, step] @ W + state @ U + b"),
        ("the transposed kernel", "state @ U", "state @ U.T"),
        ("only the last states", "np.stack(states, axis=1)", "state"),
        ("steps first", "np.stack(states, axis=1)", "np.stack(states)"),
        (
            "masked outputs are zeros",
            "np.stack(states, axis=1)",
            "np.stack(states, axis=1) * mask[:, :, None]",
        ),
        (
            "stops at the first padding",
            "mask[:, step, None]",
            "mask[:, : step + 1].all(axis=1)[:, None]",
        ),
        (
            "the first sequence decides what is masked",
            "mask[:, step, None]",
            "mask[:1, step, None]",
        ),
    ],
    "bptt": [
        ("no slope of the tanh", " * (1 - states[t] ** 2)", ""),
        ("the slope of the state before", "(1 - states[t] ** 2)", "(1 - before[t] ** 2)"),
        ("the transposed gradient", "np.outer(before[t], error)", "np.outer(error, before[t])"),
        ("the state after the step", "np.outer(before[t], error)", "np.outer(states[t], error)"),
        ("no transpose", "error @ U.T", "error @ U"),
        (
            "the last step alone",
            "reversed(range(len(states)))",
            "[len(states) - 1]",
        ),
        ("the mean over the steps", "return gradient", "return gradient / len(states)"),
        ("from the first step on", "reversed(range(len(states)))", "range(len(states))"),
        ("the slope without the tanh goes back", "slope = error @ U.T", "slope = slope @ U.T"),
        (
            "one step back at most",
            "reversed(range(len(states)))",
            "[k for k in (len(states) - 1, len(states) - 2) if k >= 0]",
        ),
    ],
    "clip": [
        (
            "each array by itself",
            "factor for gradient in gradients",
            """(
        limit / np.sqrt((gradient**2).sum()) if (gradient**2).sum() > limit**2 else 1.0
    ) for gradient in gradients""",
        ),
        ("always to the limit", "if length > limit else 1.0", "if length else 1.0"),
        ("each number by itself", "gradient * factor", "np.clip(gradient, -limit, limit)"),
        (
            "without the root",
            "np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))",
            "sum(np.sum(gradient**2) for gradient in gradients)",
        ),
        ("the sum of the sizes", "np.sum(gradient**2)", "np.sum(abs(gradient)) ** 2"),
        ("never refuses", "if limit <= 0:", "if False:"),
        ("zero is allowed", "if limit <= 0:", "if limit < 0:"),
        (
            "the length of the first",
            "for gradient in gradients))",
            "for gradient in gradients[:1]))",
        ),
        (
            "in place",
            "return [gradient * factor for gradient in gradients]",
            "for gradient in gradients:\n        gradient *= factor\n    return gradients",
        ),
        ("to length 1", "limit / length", "1 / length"),
    ],
    "pieces": [
        (
            "the colleague's mistakes",
            """def pieces(numbers, rows, length):
    count = len(numbers) // (rows * length)
    cut = rows * length * count
    x = numbers[:cut].reshape(count, rows, length)
    y = np.roll(numbers, 1)[:cut].reshape(count, rows, length)
    return x, y""",
        ),
        (
            "one mistake left: rows after each other",
            """def pieces(numbers, rows, length):
    count = (len(numbers) - 1) // (rows * length)
    cut = rows * length * count
    x = numbers[:cut].reshape(count, rows, length)
    y = numbers[1 : cut + 1].reshape(count, rows, length)
    return x, y""",
        ),
        (
            "one mistake left: a batch too many",
            "(len(numbers) - 1) // (rows * length)",
            "len(numbers) // (rows * length)",
        ),
        (
            "one mistake left: targets from the past",
            "numbers[1 : cut + 1]",
            "np.roll(numbers, 1)[:cut]",
        ),
        ("the inputs as targets", "numbers[1 : cut + 1]", "numbers[:cut]"),
        (
            "targets that wrap round in a piece",
            "return x, y",
            "return x, np.roll(x, -1, axis=-1)",
        ),
        (
            "a batch too few",
            "(len(numbers) - 1) // (rows * length)",
            "max((len(numbers) - 1) // (rows * length) - 1, 1)",
        ),
        ("two ahead", "y = numbers[1 : cut + 1]", "y = np.append(numbers, 0)[2 : cut + 2]"),
    ],
    "bits": [
        ("nats", " / np.log(2)", ""),
        ("decimal", "np.log(2)", "np.log(10)"),
        ("the sum", " / np.bincount(places)", ""),
        ("whole pieces only", "np.arange(len(nats))", "np.arange(len(nats) // length * length)"),
        ("place by piece", "np.arange(len(nats)) % length", "np.arange(len(nats)) // length"),
        (
            "the number of whole pieces",
            "np.bincount(places) /",
            "(len(nats) // length) /",
        ),
        (
            "whole pieces alone",
            """def bits_by_place(nats, length):
    whole = nats[: len(nats) // length * length].reshape(-1, length)
    return whole.mean(axis=0) / np.log(2)""",
        ),
        (
            "the mean of each piece",
            """def bits_by_place(nats, length):
    pieces = [nats[k * length :][:length].mean() for k in range(length) if k * length < len(nats)]
    return np.array(pieces) / np.log(2)""",
        ),
        ("backwards", "return np.bincount(places, nats)", "return np.bincount(places, nats)[::-1]"),
        ("one later", "np.arange(len(nats)) % length", "(np.arange(len(nats)) + 1) % length"),
    ],
    "temperature": [
        (
            "multiplies",
            "(logits - np.max(logits)) / temperature",
            "(logits - np.max(logits)) * temperature",
        ),
        (
            "divides the shares",
            "np.exp((logits - np.max(logits)) / temperature)",
            "np.exp(logits - np.max(logits)) / temperature",
        ),
        ("never refuses", "if temperature < 0:", "if False:"),
        ("zero is refused", "if temperature < 0:", "if temperature <= 0:"),
        (
            "equals share",
            "np.eye(len(logits))[np.argmax(logits)]",
            "(logits == np.max(logits)) / np.sum(logits == np.max(logits))",
        ),
        ("the last of equals", "np.argmax(logits)", "len(logits) - 1 - np.argmax(logits[::-1])"),
        ("not normalised", "return shares / shares.sum()", "return shares"),
        ("large logits overflow", "logits - np.max(logits)", "logits"),
        ("the square root", "/ temperature)", "/ temperature**0.5)"),
        (
            "zero as a tiny temperature",
            "if temperature == 0:\n        return np.eye(len(logits))[np.argmax(logits)]",
            "temperature = max(temperature, 1e-3)",
        ),
    ],
}
