"""Values over words, read back from the figure's objects."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

from dlbook import plot
from dlbook.plot.style import alternative_text

WORDS = ["not", "a", "good", "film"]


def boxes(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_words_stand_on_their_colours_with_their_values():
    ax = plot.colored_words(WORDS, [-2.0, 0.0, 1.0, 0.5])
    assert len(boxes(ax)) == 4
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["not", "-2.0", "a", "+0.0", "good", "+1.0", "film", "+0.5"]
    orange, middle, purple, _ = (box.get_facecolor() for box in boxes(ax))
    assert orange[0] > orange[2]  # more red than blue
    assert purple[2] > purple[1]
    assert min(middle[:3]) > 0.9  # nearly white
    assert "“not”" in alternative_text(ax.figure)
    assert "“good”" in alternative_text(ax.figure)


def test_words_break_into_lines_and_do_not_overlap():
    ax = plot.colored_words(["extraordinary"] * 30, np.linspace(-1, 1, 30), width=5)
    lines = {}
    for box in boxes(ax):
        lines.setdefault(round(box.get_y(), 3), []).append((box.get_x(), box.get_width()))
    assert len(lines) > 3
    for row in lines.values():
        for (x, wide), (following, _) in itertools.pairwise(row):
            assert x + wide <= following
        assert row[-1][0] + row[-1][1] <= 5


def test_values_beyond_the_limit_and_all_zero():
    ax = plot.colored_words(["a", "b"], [5.0, 1.0], limit=1.0)
    first, second = (box.get_facecolor() for box in boxes(ax))
    assert first == second
    plot.colored_words(["a"], [0.0])


def test_drawing_on_a_given_ax():
    figure, ax = plt.subplots()
    assert plot.colored_words(WORDS, [1, 2, 3, 4], ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(("words", "values"), [([], []), (WORDS, [1.0])])
def test_wrong_arguments_are_refused(words, values):
    with pytest.raises(ValueError, match="values must be one for each of"):
        plot.colored_words(words, values)
