"""Kneser–Ney counting against sums, a count by hand, and texts that it must find easy."""

import numpy as np
import pytest

from dlbook.text import KneserNey


def numbers(length: int, base: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, base, length)


@pytest.mark.parametrize("history", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("length", [8, 40, 900])
def test_the_probabilities_of_all_next_pieces_add_up_to_one(history, length):
    model = KneserNey(numbers(length, 4), history, 4)
    for before in ([], [1], [3, 3, 3], numbers(6, 4, seed=1)):
        every = [model.log_probabilities(np.array([*before, last], int))[-1] for last in range(4)]
        np.testing.assert_allclose(np.exp(every).sum(), 1, rtol=1e-9)


def test_by_hand_without_history():
    # counts 3, 1, 1 of three pieces: n1 = 2, the others are taken for 1; Y = 2 / (2 + 2 * 1)
    model = KneserNey(np.array([0, 0, 0, 1, 2]), 0, 3)
    taken = {1: 1 - 2 * 0.5 * 1 / 2, 3: 3 - 4 * 0.5 * 1 / 1}
    rest = (2 * taken[1] + taken[3]) / 5 / 3
    wanted = [(3 - taken[3]) / 5 + rest, (1 - taken[1]) / 5 + rest]
    np.testing.assert_allclose(np.exp(model.log_probabilities(np.array([0, 1]))), wanted)


def test_only_the_history_counts():
    text = numbers(500, 5)
    model = KneserNey(text, 2, 5)
    first, second = text[:50].copy(), text[:50].copy()
    second[10] = (second[10] + 1) % 5
    moved = model.log_probabilities(first) != model.log_probabilities(second)
    assert moved[10]
    assert not moved[:10].any()
    assert not moved[13:].any()


def test_a_longer_history_finds_a_longer_rule():
    text = np.tile([0, 1, 0, 2], 100)  # what follows a 0 hangs on the piece before it
    short, long = (-KneserNey(text, n, 3).log_probabilities(text)[4:].mean() for n in (1, 2))
    assert long < 0.1 < short


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="history must be from 0 to 2, got 3"):
        KneserNey(np.array([0, 1, 0]), 3, 2)
    with pytest.raises(ValueError, match="numbers must be from 0 to 1"):
        KneserNey(np.array([0, 2, 0]), 1, 2)
    with pytest.raises(ValueError, match="12 pieces of 70 kinds do not fit into 64 bits"):
        KneserNey(numbers(50, 70), 11, 70)
    with pytest.raises(ValueError, match="numbers must be from 0 to 1"):
        KneserNey(np.array([0, 1, 0]), 1, 2).log_probabilities(np.array([0, 5]))
