"""Chapter 21 for the tools: wrong answers of its assignment, its full size in small."""

# the run on a GPU in small: see tests/test_checks_can_fail.py
TINY = """
acrobot = dataclasses.replace(
    acrobot, copies=16, total_steps=2_048, hidden=(16,), warm_up_steps=1_024, updates=4
)
"""

MISTAKES = {
    "returns": [
        (
            "changes its argument",
            "returns = np.zeros(len(rewards))\n    running = last_value",
            "rewards[-1] += discount * last_value\n"
            "    returns, running = np.zeros(len(rewards)), 0.0",
        ),
        ("forgets what comes after the cut", "running = last_value", "running = 0.0"),
        (
            "what comes after is not discounted",
            "running = last_value",
            "running = last_value / discount",
        ),
        ("forwards", "reversed(range(len(rewards)))", "range(len(rewards))"),
        ("no discount", "discount * running", "running"),
        (
            "discounts the reward too",
            "rewards[t] + discount * running",
            "discount * (rewards[t] + running)",
        ),
        (
            "one step late",
            "        running = rewards[t] + discount * running\n        returns[t] = running",
            "        returns[t] = running\n        running = rewards[t] + discount * running",
        ),
        ("whole numbers", "np.zeros(len(rewards))", "np.zeros_like(rewards)"),
        ("the visible discount", "discount * running", "0.5 * running"),
        (
            "discounts by the step, not by the distance",
            "rewards[t] + discount * running",
            "rewards[t] * discount**t + running",
        ),
        (
            "the return of the first step for all",
            "return returns",
            "return np.full(len(rewards), returns[0])",
        ),
        (
            "the next reward only",
            "        returns[t] = running",
            "        returns[t] = rewards[t] + discount * (rewards[t + 1] if t + 1 < "
            "len(rewards) else last_value)",
        ),
    ],
    "sweep": [
        (
            "believes q where the episode is over",
            "np.where(terminal, 0.0, q.max(axis=1))",
            "q.max(axis=1)",
        ),
        ("a mean for the maximum", "q.max(axis=1)", "q.mean(axis=1)"),
        ("the best state of an action", "q.max(axis=1)", "np.resize(q.max(axis=0), len(q))"),
        ("chances transposed", "chances @ best", "chances.transpose(0, 2, 1) @ best"),
        ("the most probable state only", "(chances @ best)", "best[chances.argmax(axis=2)]"),
        ("no discount", "discount * (chances", "(chances"),
        (
            "the discount for the reward too",
            "rewards + discount * (chances @ best).T",
            "discount * (rewards + (chances @ best).T)",
        ),
        ("without rewards", "rewards + discount", "discount"),
        (
            "changes q",
            "best = np.where(terminal, 0.0, q.max(axis=1))",
            "q[terminal] = 0.0\n    best = q.max(axis=1)",
        ),
        (
            "the reward of the best action",
            "rewards + discount",
            "rewards.max(axis=1, keepdims=True) + discount",
        ),
        ("the first action's chances", "(chances @ best).T", "(chances[:1] @ best).T"),
        ("never below zero", "q.max(axis=1)", "np.maximum(q.max(axis=1), 0)"),
        ("the visible discount", "discount * (chances", "0.9 * (chances"),
    ],
    "targets": [
        ("a time limit ends the task", "~terminated", "~(terminated | truncated)"),
        (
            "one mistake left: the online network's value",
            "best = target[np.arange(len(target)), choice]",
            "best = online.max(axis=1)",
        ),
        ("DQN without Double", "choice = online.argmax(axis=1)", "choice = target.argmax(axis=1)"),
        (
            "the networks exchanged",
            "choice = online.argmax(axis=1)\n    best = target[",
            "choice = target.argmax(axis=1)\n    best = online[",
        ),
        (
            "the best lesson of an action",
            "online.argmax(axis=1)",
            "np.resize(online.argmax(axis=0), len(online))",
        ),
        ("the task never ends", "~terminated * best", "best"),
        (
            "no reward at the end",
            "rewards + discount * ~terminated * best",
            "(rewards + discount * best) * ~terminated",
        ),
        (
            "the discount for the reward too",
            "rewards + discount * ~terminated * best",
            "discount * (rewards + ~terminated * best)",
        ),
        ("the visible discount", "discount * ~terminated", "0.5 * ~terminated"),
        ("two lessons only", "np.arange(len(target))", "np.arange(2)"),
        ("two actions only", "online.argmax(axis=1)", "(online[:, 1] > online[:, 0]).astype(int)"),
        ("the end seen the other way round", "~terminated", "terminated"),
    ],
    "network": [
        ("overflows with a warning", "np.expm1(np.minimum(z, 0))", "np.exp(z) - 1"),
        ("ReLU", "np.expm1(np.minimum(z, 0))", "0.0"),
        ("without the one", "np.expm1(np.minimum(z, 0))", "np.exp(np.minimum(z, 0))"),
        ("elu at the end too", "return hidden @ w3 + b3", "return elu(hidden @ w3 + b3)"),
        ("inputs are not divided", "observations / scale", "observations"),
        ("inputs are multiplied", "observations / scale", "observations * scale"),
        ("the outputs are divided", "observations / scale @ w1", "observations @ w1 / scale[0]"),
        ("one hidden layer", "    hidden = elu(hidden @ w2 + b2)\n", ""),
        ("biases are forgotten", "hidden @ w2 + b2", "hidden @ w2 + b2.mean()"),
        ("weights transposed", "hidden @ w2", "hidden @ w2.T"),
        (
            "changes the observations",
            "elu(observations / scale",
            "elu(np.divide(observations, scale, out=observations)",
        ),
        ("one observation", "return hidden @ w3 + b3", "return (hidden @ w3 + b3)[:1]"),
    ],
    "borders": [
        ("forgets the time limit", "terminated | truncated", "terminated"),
        ("the ending step is no lesson", "real[1:] = ~ended[:-1]", "real = ~ended"),
        ("both", "real[1:] = ~ended[:-1]", "real[1:] = ~ended[:-1] & ~ended[1:]"),
        ("the step before the end", "real[1:] = ~ended[:-1]", "real[:-1] = ~ended[1:]"),
        (
            "one cart's end stops all",
            "terminated | truncated",
            "np.broadcast_to((terminated | truncated).any(axis=1, keepdims=True), "
            "terminated.shape)",
        ),
        ("numbers", "np.ones(ended.shape, bool)", "np.ones(ended.shape)"),
        (
            "the first step is no lesson",
            "real = np.ones(ended.shape, bool)",
            "real = np.ones(ended.shape, bool)\n    real[0] = False",
        ),
        ("two steps late", "real[1:] = ~ended[:-1]", "real[2:] = ~ended[:-2]"),
        (
            "once over, always over",
            "real[1:] = ~ended[:-1]",
            "real[1:] = ~np.maximum.accumulate(ended, axis=0)[:-1]",
        ),
        ("over the carts, not the steps", "real[1:] = ~ended[:-1]", "real[:, 1:] = ~ended[:, :-1]"),
        (
            "the first end only",
            "real[1:] = ~ended[:-1]",
            "real[1:] = ~(ended & (np.cumsum(ended, axis=0) == 1))[:-1]",
        ),
    ],
    "solved": [
        (
            "seeds that fail are left out",
            "np.median(solved)",
            "np.median([n for n in solved if n < np.inf] or [np.inf])",
        ),
        ("the last good episode", "good[0] + window", "good[-1] + window"),
        ("the first episode of the window", "good[0] + window", "good[0] + 1"),
        ("counted from 0", "good[0] + window", "good[0] + window - 1"),
        ("one good episode is enough", "np.ones(window) / window", "np.ones(1)"),
        ("over the bar", "means >= bar - 1e-9", "means > bar + 1e-9"),
        ("windows that are not full", 'mode="valid"', 'mode="full"'),
        (
            "the mean of all so far",
            'np.convolve(episodes, np.ones(window) / window, mode="valid")',
            "(np.cumsum(episodes) / np.arange(1, len(episodes) + 1))[window - 1 :]",
        ),
        (
            "the first seed for all",
            "for episodes in returns:",
            "for episodes in returns[[0] * len(returns)]:",
        ),
        ("the mean for the median", "np.median(solved)", "np.mean(solved)"),
        ("a count for a share", "np.isfinite(solved).mean()", "np.isfinite(solved).sum() / 3"),
        ("never is the last episode", "else np.inf", "else len(episodes)"),
        ("the visible window", "np.ones(window) / window", "np.ones(2) / 2"),
        (
            "every episode of the window",
            "np.flatnonzero(means >= bar - 1e-9)",
            "np.flatnonzero([(episodes[k : k + window] >= bar).all() for k in range(len(means))])",
        ),
    ],
}
