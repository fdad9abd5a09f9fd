"""Scatter plots and graphs, read back from the figure's own objects."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from dlbook import plot
from dlbook.plot.style import alternative_text

POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
EDGES = np.array([[0, 1], [1, 0], [1, 2], [3, 2]])


def nodes_of(ax):
    return [c for c in ax.collections if not isinstance(c, LineCollection)]


def lines_of(ax) -> LineCollection:
    (found,) = (c for c in ax.collections if isinstance(c, LineCollection))
    return found


def test_ten_classes_have_ten_looks():
    ax = plot.scatter(np.zeros((10, 2)), range(10), list("0123456789"))
    looks = {
        (tuple(c.get_facecolor()[0]), c.get_paths()[0].vertices.tobytes()) for c in ax.collections
    }
    assert len(looks) == 10


def test_scatter_tells_classes_apart_by_colour_and_marker():
    ax = plot.scatter(POINTS, [0, 1, 1, 2], ["a", "b", "c"], x_label="cm", y_label="kg")
    first, second, third = ax.collections
    assert [len(c.get_offsets()) for c in ax.collections] == [1, 2, 1]
    np.testing.assert_array_equal(second.get_offsets(), POINTS[1:3])
    assert len({tuple(c.get_facecolor()[0]) for c in (first, second, third)}) == 3
    assert len({c.get_paths()[0].vertices.tobytes() for c in (first, second, third)}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("cm", "kg")
    assert "kg against cm; 4 points, classes a, b, c." in alternative_text(ax.figure)


def test_a_map_without_labels_has_no_ticks():
    ax = plot.scatter(POINTS, [0, 0, 0, 0], ["a"], legend=False)
    assert list(ax.get_xticks()) == list(ax.get_yticks()) == []
    assert ax.get_legend() is None


def test_a_graph_draws_each_edge_once():
    ax = plot.graph(POINTS, EDGES)
    segments = {tuple(map(tuple, segment)) for segment in lines_of(ax).get_segments()}
    assert segments == {
        ((0.0, 0.0), (1.0, 0.0)),
        ((1.0, 0.0), (1.0, 1.0)),
        ((1.0, 1.0), (0.0, 1.0)),
    }
    assert not ax.axison
    assert "4 nodes, 3 edges" in alternative_text(ax.figure)


def test_weighted_edges_are_drawn_one_by_one_with_their_widths():
    ax = plot.graph(POINTS, EDGES, weights=np.array([1.0, 0.5, 0.0, 2.0]))
    np.testing.assert_allclose(lines_of(ax).get_linewidths(), [2, 1, 0, 4])


def test_nodes_by_class_and_by_value_with_rims_and_labels():
    ax = plot.graph(POINTS, EDGES, classes=[0, 0, 1, 1], class_names=["left", "right"], marked=[2])
    first, second = nodes_of(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left", "right"]
    assert list(second.get_linewidths()) == [2.6, 0.8]
    assert list(first.get_linewidths()) == [0.8, 0.8]
    ax = plot.graph(POINTS, EDGES, values=np.array([0.0, 0.2, 0.8, 1.0]), labels=list("abcd"))
    (shaded,) = nodes_of(ax)
    assert shaded.get_clim() == (0, 1)
    np.testing.assert_array_equal(shaded.get_array(), [0, 0.2, 0.8, 1])
    assert [text.get_text() for text in ax.texts] == list("abcd")


def test_a_graph_without_edges_and_drawing_on_a_given_ax():
    figure, ax = plt.subplots()
    assert plot.graph(POINTS, np.empty((0, 2), int), ax=ax) is ax
    figure, ax = plt.subplots()
    assert plot.scatter(POINTS, [0, 0, 0, 0], ["a"], ax=ax) is ax
    assert len(alternative_text(figure)) > 10


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plot.scatter(np.zeros((3, 3)), [0, 0, 0], ["a"]), r"shape \(points, 2\)"),
        (lambda: plot.scatter(POINTS, [0], ["a"]), "1 classes for 4 points"),
        (lambda: plot.scatter(POINTS, [0, 0, 0, 1], ["a"]), "from 0 to 0"),
        (lambda: plot.graph(POINTS, [[0, 4]]), "from 0 to 3"),
        (lambda: plot.graph(POINTS, EDGES, classes=[0] * 4, values=[0] * 4), "not both"),
        (lambda: plot.graph(POINTS, EDGES, labels=["a"]), "1 labels for 4"),
        (lambda: plot.graph(POINTS, EDGES, weights=[1.0]), "1 weights for 4 edges"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
