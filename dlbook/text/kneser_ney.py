"""Counting n-grams as a language model: interpolated modified Kneser–Ney smoothing.

Kneser & Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995; three discounts and
interpolation: Chen & Goodman, "An empirical study of smoothing techniques for language modeling",
Computer Speech and Language 13, 1999.
"""

import numpy as np


class KneserNey:
    """The probability of each next piece of a text, from counting in another text.

    An n-gram is one integer, whose digits are its pieces. From every count a discount is taken
    away, and what was taken is shared out by the history without its first piece, down to the
    empty history, below which all pieces are equally likely. Of the shorter n-grams it is counted
    how many different pieces stand before them.

    Args:
        numbers: (pieces,): the text to count in, as numbers below ``base``.
        history: how many pieces before the next one are looked at.
        base: how many different pieces there are.

    Raises:
        ValueError: when the text is not longer than the history, a number is not from 0 to
            ``base - 1``, or an n-gram does not fit into 64 bits.
    """

    def __init__(self, numbers: np.ndarray, history: int, base: int):
        numbers = np.asarray(numbers)
        if history < 0 or len(numbers) <= history:
            raise ValueError(f"history must be from 0 to {len(numbers) - 1}, got {history}")
        if base ** (history + 1) >= 2**63:
            raise ValueError(f"{history + 1} pieces of {base} kinds do not fit into 64 bits")
        self.history, self.base = history, base
        longest = np.unique(self._grams(numbers, history + 1), return_counts=True)
        tables = [longest]  # (n-grams, counts)
        for size in range(history, 0, -1):
            # each different longer n-gram counts once
            tables.insert(0, np.unique(tables[0][0] % base**size, return_counts=True))
        self._tables = []
        for grams, counts in tables:
            taken = _discounts(counts)
            histories, which = np.unique(grams // base, return_inverse=True)
            sums = np.bincount(which, counts), np.bincount(which, taken)
            self._tables.append((grams, counts - taken, histories, *sums))

    def log_probabilities(self, numbers: np.ndarray) -> np.ndarray:
        """How likely each piece of a text is after the pieces before it.

        Args:
            numbers: (pieces,): the text to read. At its beginning the histories are shorter.

        Returns:
            (pieces,): natural logarithms.
        """
        numbers = np.asarray(numbers)
        share = np.full(len(numbers), 1 / self.base)
        for size, (grams, kept, histories, totals, taken) in enumerate(self._tables, start=1):
            if len(numbers) < size:
                break
            asked = self._grams(numbers, size)
            before = asked // self.base
            total = np.maximum(_look_up(histories, totals, before), 1e-9)
            mixed = (
                _look_up(grams, kept, asked)
                + _look_up(histories, taken, before) * (share[size - 1 :])
            )
            known = np.isin(before, histories)
            share[size - 1 :] = np.where(known, mixed / total, share[size - 1 :])
        return np.log(share)

    def _grams(self, numbers: np.ndarray, size: int) -> np.ndarray:
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < self.base:
            raise ValueError(f"numbers must be from 0 to {self.base - 1}")
        grams = np.zeros(len(numbers) - size + 1, np.int64)
        for place in range(size):
            grams = grams * self.base + numbers[place : place + len(grams)]
        return grams


def _discounts(counts: np.ndarray) -> np.ndarray:
    """What each count gives up; by a formula from how many n-grams were counted 1, 2, 3, 4 times.

    Where too few were, as in a tiny text, the formula is kept between 0.1 and the count itself.
    """
    n1, n2, n3, n4 = (max(np.count_nonzero(counts == n), 1) for n in (1, 2, 3, 4))
    share = n1 / (n1 + 2 * n2)
    of_count = [0, 1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3]
    return np.clip(of_count, [0, 0.1, 0.1, 0.1], [0, 1, 2, 3])[np.minimum(counts, 3)]


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 where there is none; the keys are sorted."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
