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


def test_heat_map_has_a_column_for_each_word():
    values = np.arange(8.0).reshape(4, 2)
    ax = plot.word_heat_map(WORDS, values, rows=["first", "second"], value_label="gate")
    np.testing.assert_array_equal(ax.images[0].get_array(), values.T)
    assert [label.get_text() for label in ax.get_xticklabels()] == WORDS
    assert [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    assert ax.images[0].get_clim() == (0.0, 7.0)
    assert "gate of 2 units at each of 4 words" in alternative_text(ax.figure)


def test_heat_map_scales():
    values = np.array([[-1.0, 3.0]])
    assert plot.word_heat_map(["a"], values, signed=True).images[0].get_clim() == (-3, 3)
    assert plot.word_heat_map(["a"], values, limits=(0, 1)).images[0].get_clim() == (0, 1)


def test_drawing_on_a_given_ax():
    figure, axes = plt.subplots(2)
    assert plot.colored_words(WORDS, [1, 2, 3, 4], ax=axes[0]) is axes[0]
    assert plot.word_heat_map(WORDS, np.zeros((4, 2)), ax=axes[1]) is axes[1]
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("draw", "words", "values", "message"),
    [
        (plot.colored_words, [], [], "words is empty"),
        (plot.colored_words, WORDS, [1.0], r"values must be \(4,\)"),
        (plot.word_heat_map, [], np.zeros((0, 2)), "words is empty"),
        (plot.word_heat_map, WORDS, np.zeros(4), r"values must be \(4, units\)"),
        (plot.word_heat_map, WORDS, np.zeros((3, 2)), r"values must be \(4, units\)"),
    ],
)
def test_wrong_arguments_are_refused(draw, words, values, message):
    with pytest.raises(ValueError, match=message):
        draw(words, values)


def test_another_number_of_names_is_refused():
    with pytest.raises(ValueError, match="rows has 1 names for 2 units"):
        plot.word_heat_map(WORDS, np.zeros((4, 2)), rows=["one"])


def test_attention_map_names_queries_and_keys() -> None:
    weights = np.array([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.2, 0.7, 0.1]])
    ax = plot.attention_map(weights, "a b", title="head 1")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "␣", "b"]
    np.testing.assert_array_equal(ax.images[0].get_array(), weights)
    assert "0.7 places back" in alternative_text(ax.figure)
    for wrong in (weights[:2], weights[:2, :2]):
        with pytest.raises(ValueError, match="one row for each token"):
            plot.attention_map(wrong, "a b")
