"""Mechanisms: six that the book needs are drawn, and read back from the figure's objects."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from dlbook import plot
from dlbook.plot.style import alternative_text

RESIDUAL = {
    "rows": ["x convolution_1 relu convolution_2 add"],
    "arrows": ["x -> convolution_1 -> relu -> convolution_2 -> add", "x ^> add: skip"],
    "text": {"add": "+", "convolution_1": "convolution", "convolution_2": "convolution"},
    "groups": {"learned": ["convolution_1", "convolution_2"]},
}
LSTM = {
    "rows": [
        "cell_before keep   .     .         plus .      cell .",
        ".           .      .     write     .    .      tanh .",
        ".           forget input candidate .    output .    show",
        "before      joined joined joined joined joined .    hidden",
    ],
    "arrows": [
        "cell_before -> keep -> plus -> cell -> tanh -> show -> hidden",
        "before -> joined -> forget -> keep",
        "joined -> input -> write -> plus",
        "joined -> candidate -> write",
        "joined -> output -> show",
    ],
    "text": {"keep": "×", "write": "×", "show": "×", "plus": "+", "forget": "forget gate\nσ"},
}
TRANSFORMER = {
    "rows": [
        ".  .      query .       .   .     .      .            .",
        ".  .      key   weights .   .     .      .            .",
        "x  norm_1 value .       mix add_1 norm_2 feed_forward add_2",
    ],
    "arrows": [
        "x -> norm_1 -> value -> mix -> add_1 -> norm_2 -> feed_forward -> add_2",
        "norm_1 -> query -> weights -> mix",
        "norm_1 -> key -> weights",
        "x v> add_1: residual",
        "add_1 v> add_2: residual",
    ],
    "text": {"add_1": "+", "add_2": "+", "norm_1": "norm", "norm_2": "norm"},
    "matrices": {"weights": np.tri(4) / np.arange(1, 5)[:, None]},
    "frames": {"block": ["norm_1", "query", "add_2"]},
}
MESSAGES = {
    "rows": ["a . . .", "b messages sum update", "c . . ."],
    "arrows": [
        "a -> messages",
        "b -> messages -> sum -> update",
        "c -> messages",
        "update v> b: next round",
    ],
}
TRANSLATION = {
    "rows": ["source encoder memory . .", "target masked . cross word"],
    "arrows": [
        "source -> encoder -> memory -> cross: keys, values",
        "target -> masked -> cross -> word",
        "word v> target: next input",
    ],
}
ADVERSARIES = {
    "rows": ["noise generator fake . .", ". . . discriminator verdict", ". data real . ."],
    "arrows": [
        "noise -> generator -> fake -> discriminator -> verdict",
        "data -> real -> discriminator",
        "verdict ^> generator: gradient",
        "verdict v> discriminator: gradient",
    ],
    "groups": {"learned": ["generator", "discriminator"]},
}
ALL = [RESIDUAL, LSTM, TRANSFORMER, MESSAGES, TRANSLATION, ADVERSARIES]


def boxes_of(ax) -> list:
    kinds = FancyBboxPatch | Circle
    return [p for p in ax.patches if isinstance(p, kinds) and p.get_zorder() == 2]


def window(patch, ax):
    return patch.get_window_extent(ax.figure.canvas.get_renderer())


@pytest.mark.parametrize("drawing", ALL)
def test_boxes_are_apart_and_every_arrow_is_drawn_and_told(drawing):
    ax = plot.mechanism(**drawing)
    ax.figure.canvas.draw()
    places = [window(box, ax) for box in boxes_of(ax)]
    names = {name for row in drawing["rows"] for name in row.split()} - {"."}
    assert len(places) == len(names)
    for number, place in enumerate(places):
        assert not any(place.overlaps(other) for other in places[:number])
    wanted = sum(
        arrow.count("->") + arrow.count("^>") + arrow.count("v>") for arrow in drawing["arrows"]
    )
    assert sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) == wanted
    told = alternative_text(ax.figure)
    assert told.count(" to ") >= wanted
    for arrow in drawing["arrows"]:
        label = arrow.partition(":")[2].strip()
        assert f"({label})" in told or not label


@pytest.mark.parametrize("drawing", ALL)
def test_the_texts_fit_into_their_boxes(drawing):
    ax = plot.mechanism(**drawing)
    ax.figure.canvas.draw()
    given = {name: name.replace("_", " ") for row in drawing["rows"] for name in row.split()}
    given |= drawing.get("text", {})
    texts = [text for text in ax.texts if text.get_text() in given.values()]
    assert len(texts) >= len(set(given) - {"."})
    places = [window(box, ax) for box in boxes_of(ax)]
    for text in texts:
        inside = text.get_window_extent()
        assert any(p.x0 <= inside.x0 and inside.x1 <= p.x1 for p in places), text.get_text()


def test_operations_are_circles_and_groups_have_a_key():
    ax = plot.mechanism(**RESIDUAL)
    assert sum(isinstance(box, Circle) for box in boxes_of(ax)) == 2  # x and +
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["learned"]
    colors = {box.get_edgecolor() for box in boxes_of(ax)}
    assert len(colors) == 2


def test_a_detour_keeps_clear_of_the_boxes_that_it_passes():
    ax = plot.mechanism(["one two three four"], ["one ^> four", "one ^> three", "four v> two"])
    high = max(box.get_y() + box.get_height() for box in boxes_of(ax) if hasattr(box, "get_y"))
    arrows = [
        patch.get_path().vertices[:, 1] for patch in ax.patches if not hasattr(patch, "get_y")
    ]
    tops = sorted(float(ys.max()) for ys in arrows)
    assert tops[-1] > high
    assert len({round(top, 3) for top in tops}) == 3  # the longer one runs outside the shorter


def test_a_loop_and_a_matrix():
    ax = plot.mechanism(
        ["state_of_it"], ["state_of_it ^> state_of_it"], matrices={"state_of_it": np.eye(3)}
    )
    assert "state of it back to itself" in alternative_text(ax.figure)
    np.testing.assert_array_equal(ax.images[0].get_array(), np.eye(3))


def test_drawing_on_a_given_ax():
    figure, ax = plt.subplots()
    assert plot.mechanism(["a b"], ["a -> b"], ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"arrows": ["a -> c"]}, "'c' is no box: rows has a, b"),
        ({"arrows": ["a b"]}, "is no arrow"),
        ({"arrows": [], "text": {"c": "?"}}, "'c' is no box"),
        ({"arrows": [], "groups": {"key": ["c"]}}, "'c' is no box"),
    ],
)
def test_what_names_no_box_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot.mechanism(["a b"], **arguments)
