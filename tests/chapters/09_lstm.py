"""What tests must know of chapter 09, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(num_words=300, embedding_dim=4, num_units=4)
FULL_EPOCHS = 1
"""

MISTAKES = {
    "parameters": [
        ("every layer reads the features", "features if layer == 0 else units", "features"),
        ("every layer reads units", "features if layer == 0 else units", "units"),
        ("three gates, without the candidate", "total += 4 *", "total += 3 *"),
        ("without biases", " + units)\n    return", ")\n    return"),
        (
            "two biases, as other libraries have",
            " + units)\n    return",
            " + 2 * units)\n    return",
        ),
        ("no recurrent weights", "units * (units + inputs)", "units * inputs"),
        ("one layer", "range(layers)", "range(1)"),
        (
            "layers of the first kind",
            "return total",
            "return layers * 4 * (units * (units + features) + units)",
        ),
        ("a bias for the features", " + units)\n    return", " + inputs)\n    return"),
        (
            "the visible numbers",
            "return total",
            "return 72 if layers == 1 else 2 * 4 * (8 * 16 + 8)",
        ),
    ],
    "step": [
        ("forgets nothing", "cell / (1 + np.exp(-f))", "cell"),
        ("the cell without its old state", "cell / (1 + np.exp(-f)) + ", ""),
        ("gates in another order", "i, f, g, o = ", "f, i, g, o = "),
        ("candidate and output gate exchanged", "i, f, g, o = ", "i, f, o, g = "),
        ("no tanh at the end", "np.tanh(cell) / (1", "cell / (1"),
        ("without the hidden state", " + hidden @ recurrent", ""),
        ("splits the batch", "axis=-1", "axis=0"),
        (
            "for one example only",
            "axis=-1)\n",
            "axis=-1) if z.ndim == 1 else [z[0, k::4] for k in range(4)]\n",
        ),
        (
            "the new hidden state from the old cell",
            "return np.tanh(cell) / (1 + np.exp(-o)), cell",
            "old = cell * 0\n    return np.tanh(old) / (1 + np.exp(-o)), cell",
        ),
        (
            "cell and hidden state exchanged",
            "return np.tanh(cell) / (1 + np.exp(-o)), cell",
            "return cell, np.tanh(cell) / (1 + np.exp(-o))",
        ),
        (
            "changes the old state",
            "cell = cell / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))",
            "cell /= 1 + np.exp(-f)\n    cell += np.tanh(g) / (1 + np.exp(-i))",
        ),
        ("the bias once more", " + bias", " + bias * (1 + hidden.any())"),
    ],
    "mask": [
        (
            "stops reading at the first padding",
            "if keep:",
            "if keep and len(states) == sum(np.cumprod(mask)[: len(states)]):",
        ),
        ("ignores the mask", "if keep:", "if True:"),
        (
            "leaves masked steps out",
            "        states.append(hidden)",
            "            states.append(hidden)",
        ),
        (
            "zeros at masked steps",
            "states.append(hidden)",
            "states.append(hidden if keep else np.zeros(units))",
        ),
        (
            "forgets at masked steps",
            "        states.append(hidden)",
            "        else:\n            cell = np.zeros(units)\n        states.append(hidden)",
        ),
        (
            "holds the hidden state only",
            "            hidden, cell = step(x, hidden, cell)",
            "            hidden, cell = step(x, hidden, cell)\n"
            "        else:\n"
            "            cell = step(x, hidden, cell)[1]",
        ),
        ("the mask the other way round", "if keep:", "if not keep:"),
        (
            "the state before the step",
            "        if keep:",
            "        states.append(hidden)\n        if keep:",
        ),
        (
            "multiplies the input by the mask",
            "        if keep:\n            hidden, cell = step(x, hidden, cell)",
            "        hidden, cell = step(x * keep, hidden, cell)",
        ),
        (
            "begins with ones",
            "hidden, cell, states = np.zeros(units), np.zeros(units), []",
            "hidden, cell, states = np.zeros(units), np.ones(units), []",
        ),
    ],
    "memory": [
        (
            "a gate that is shut never loses",
            "if forget == 0:\n        return 1",
            "if forget == 0:\n        return math.inf",
        ),
        (
            "rounds down",
            "math.ceil(math.log(share) / math.log(forget) - 1e-9)",
            "math.floor(math.log(share) / math.log(forget) + 1e-9)",
        ),
        (
            "rounds to the nearest",
            "math.ceil(math.log(share) / math.log(forget) - 1e-9)",
            "round(math.log(share) / math.log(forget))",
        ),
        ("always half", "math.log(share)", "math.log(0.5)"),
        ("the share that is lost", "math.log(share)", "math.log(1 - share)"),
        ("a linear loss", "math.log(share) / math.log(forget)", "(1 - share) / (1 - forget)"),
        (
            "not a whole number",
            "return max(1, math.ceil(math.log(share) / math.log(forget) - 1e-9))",
            "return math.log(share) / math.log(forget)",
        ),
        (
            "NumPy's float",
            "math.ceil(math.log(share) / math.log(forget) - 1e-9)",
            "np.ceil(math.log(share) / math.log(forget) - 1e-9)",
        ),
        ("one step more", "- 1e-9))", "+ 1e-9) + (forget > 0.95))"),
        ("at most a thousand steps", "return max(1, ", "return min(1000, "),
        (
            "the visible numbers",
            "return max(1, math.ceil(math.log(share) / math.log(forget) - 1e-9))",
            "return {(0.5, 0.5): 1, (0.5, 0.25): 2, (0.9, 0.5): 7}.get((forget, share), 1)",
        ),
    ],
    "both-ways": [
        ("the colleague's mistake", "backward(sequence[::-1])[::-1]", "backward(sequence[::-1])"),
        (
            "reads forwards, turns the result",
            "backward(sequence[::-1])[::-1]",
            "backward(sequence)[::-1]",
        ),
        ("reads forwards twice", "backward(sequence[::-1])[::-1]", "backward(sequence)"),
        (
            "turns the features too",
            "backward(sequence[::-1])[::-1]",
            "backward(sequence[::-1, ::-1])[::-1]",
        ),
        (
            "turns the units too",
            "backward(sequence[::-1])[::-1]",
            "backward(sequence[::-1])[::-1, ::-1]",
        ),
        ("the backward reader first", "[forward(sequence), back]", "[back, forward(sequence)]"),
        ("one reader for both", "back = backward(", "back = forward("),
        ("one below the other", "axis=-1", "axis=0"),
        (
            "one step ahead",
            "[::-1]\n    return",
            "[::-1]\n    back = np.roll(back, -1, axis=0)\n    return",
        ),
        (
            "the sum",
            "np.concatenate([forward(sequence), back], axis=-1)",
            "np.repeat(forward(sequence) + back, 2, axis=-1)",
        ),
    ],
    "longest-lag": [
        (
            "the mean over the seeds",
            "(accuracies[place] < bar).any()",
            "accuracies[place].mean() < bar",
        ),
        (
            "one seed is enough",
            "(accuracies[place] < bar).any()",
            "(accuracies[place] < bar).all()",
        ),
        ("the first seed", "(accuracies[place] < bar).any()", "accuracies[place, 0] < bar"),
        ("goes on behind a failure", "break", "continue"),
        ("takes the order as it is", "np.argsort(lags)", "range(len(lags))"),
        ("the border does not count", "accuracies[place] < bar", "accuracies[place] <= bar"),
        ("NumPy's int", "int(lags[place])", "lags[place]"),
        ("the place for the lag", "int(lags[place])", "int(place)"),
        ("the lag that fails", "            break", "            return int(lags[place])"),
        (
            "sorts the lags without their accuracies",
            "    longest = 0",
            "    longest, lags = 0, np.sort(lags)",
        ),
        ("at least the shortest", "longest = 0", "longest = int(lags.min())"),
        ("the visible numbers", "return longest", "return 10 if bar == 0.95 else 40"),
    ],
}
