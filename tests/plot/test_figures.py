"""What is drawn, read back from the figure's own objects."""

import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from dlbook import plot
from dlbook.plot.style import alternative_text


def test_curves_draw_training_and_validation():
    ax = plot.curves({"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 2.0]})
    training, validation = ax.get_lines()
    assert list(training.get_xdata()) == [1, 2, 3]
    assert list(training.get_ydata()) == [3.0, 2.0, 1.0]
    assert list(validation.get_ydata()) == [3.5, 2.5, 2.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_curves_take_a_keras_history_and_name_what_is_there():
    history = SimpleNamespace(history={"loss": [1.0], "accuracy": [0.5]})
    assert len(plot.curves(history, "accuracy").get_lines()) == 1
    with pytest.raises(ValueError, match="loss, accuracy"):
        plot.curves(history, "auc")


def test_lines_differ_in_color_and_dash():
    ax = plot.lines([0, 1], {"a": [0, 1], "b": [1, 0]}, x_label="s", y_label="m", log_y=True)
    first, second = ax.get_lines()
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize(
    "draw",
    ["lines", "bars", "histogram", "number_grid", "image_grid", "heat_map", "flow", "network"],
)
def test_drawing_on_a_given_ax(draw):
    figure, ax = plt.subplots()
    arguments = {
        "lines": (([0, 1], {"a": [0, 1]}), {"x_label": "x", "y_label": "y"}),
        "bars": (({"a": 1.0},), {"x_label": "x"}),
        "histogram": (({"a": [1.0, 2.0]},), {"x_label": "x"}),
        "number_grid": ((np.eye(3),), {}),
        "image_grid": ((np.zeros((2, 3, 3)),), {}),
        "heat_map": ((np.eye(3),), {}),
        "flow": (([("in", "3"), ("out", "1")],), {}),
        "network": (([2, 3, 1],), {}),
    }[draw]
    positional, named = arguments
    assert getattr(plot, draw)(*positional, **named, ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert len(alternative_text(figure)) > 10


def test_bars_have_their_lengths_and_labels():
    ax = plot.bars({"one": 1.0, "two": 2.5}, x_label="score")
    assert [patch.get_width() for patch in ax.patches] == [1.0, 2.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]
    assert {text.get_text() for text in ax.texts} == {"1.0", "2.5"}


def test_histogram_counts():
    ax = plot.histogram({"a": [0.1, 0.2, 0.9]}, bins=[0, 0.5, 1], x_label="value")
    heights = ax.patches[0].get_xy()[:, 1]
    assert set(heights) == {0, 1, 2}


def test_image_grid_keeps_one_scale_and_its_rows():
    images = np.stack([np.zeros((4, 4)), np.full((4, 4), 9.0), np.full((4, 4), 3.0)])
    ax = plot.image_grid(images, ["a", "b", "c"], columns=2, alt="Three squares")
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    assert {drawn.get_clim() for drawn in ax.images} == {(0.0, 9.0)}
    np.testing.assert_array_equal(ax.images[1].get_array(), images[1])
    first, second, third = (drawn.get_extent() for drawn in ax.images)
    assert first[1] < second[0]  # beside it
    assert third[:2] == first[:2]
    assert third[3] < first[2]  # below it
    assert alternative_text(ax.figure) == "Three squares."


def test_image_grid_signed_scale_is_symmetric():
    ax = plot.image_grid([np.array([[-2.0, 1.0]])], signed=True)
    assert ax.images[0].get_clim() == (-2.0, 2.0)


def test_image_grid_takes_grey_and_colour_channels():
    plot.image_grid(np.zeros((2, 5, 5, 1)))
    plot.image_grid(np.zeros((2, 5, 5, 3)))


@pytest.mark.parametrize(
    ("images", "titles", "message"),
    [
        ([], None, "at least one"),
        (np.zeros((2, 5, 5, 2)), None, "shape"),
        (np.zeros((2, 5, 5)), ["one"], "1 titles for 2"),
    ],
)
def test_image_grid_refuses(images, titles, message):
    with pytest.raises(ValueError, match=message):
        plot.image_grid(images, titles)


def test_heat_map_names_rows_and_columns():
    weights = np.array([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0]])
    ax = plot.heat_map(weights, rows="ab", columns=["a", " ", "b"], row_label="query")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "␣", "b"]
    np.testing.assert_array_equal(ax.images[0].get_array(), weights)
    assert ax.images[0].get_clim() == (0.0, 1.0)
    assert "row “a” and column “a”" in alternative_text(ax.figure)


def test_heat_map_scales():
    values = np.array([[-1.0, 3.0]])
    assert plot.heat_map(values, signed=True).images[0].get_clim() == (-3, 3)
    assert plot.heat_map(values, limits=(0, 1)).images[0].get_clim() == (0, 1)


@pytest.mark.parametrize(
    ("values", "names", "message"),
    [
        (np.zeros((0, 2)), {}, "at least one"),
        (np.zeros(4), {}, "rows, columns"),
        (np.zeros((2, 3)), {"rows": ["one"]}, "rows has 1 names for 2"),
        (np.zeros((2, 3)), {"columns": ["one"]}, "columns has 1 names for 3"),
    ],
)
def test_heat_map_refuses(values, names, message):
    with pytest.raises(ValueError, match=message):
        plot.heat_map(values, **names)


def test_number_grid_writes_every_number():
    ax = plot.number_grid(np.array([[1.0, -2.0], [3.0, 4.0]]), signed=True)
    assert [text.get_text() for text in ax.texts] == ["1", "-2", "3", "4"]
    low, high = ax.images[0].get_clim()
    assert low == -high


def test_confusion_matrix_colours_mistakes_only():
    counts = np.array([[8, 2, 0], [0, 9, 1], [0, 0, 10]])
    ax = plot.confusion_matrix(counts, ["a", "b", "c"])
    mistakes = np.ma.masked_invalid(ax.images[1].get_array())
    assert mistakes.mask.diagonal().all()
    assert mistakes[0, 1] == pytest.approx(0.2)
    assert mistakes[1, 2] == pytest.approx(0.1)
    assert mistakes.mask.sum() == 9 - 2
    assert sorted(text.get_text() for text in ax.texts) == ["1", "10", "2", "8", "9"]


def test_confusion_matrix_without_mistakes_and_of_the_wrong_shape():
    plot.confusion_matrix(np.diag([3, 4]), ["a", "b"])
    with pytest.raises(ValueError, match="2 classes"):
        plot.confusion_matrix(np.zeros((3, 3)), ["a", "b"])


def test_flow_draws_a_box_per_stage_and_says_the_shapes():
    stages = [(f"step {n}", f"{n}×{n}") for n in range(8)]
    ax = plot.flow(stages)
    assert len(ax.patches) >= 8
    for name, shape in stages:
        assert f"{name} ({shape})" in alternative_text(ax.figure)
    with pytest.raises(ValueError, match="at least one"):
        plot.flow([])


def test_network_draws_a_line_per_weight():
    ax = plot.network([2, 3, 1])
    assert len(ax.get_lines()) == 2 * 3 + 3 * 1
    with pytest.raises(ValueError, match="at least"):
        plot.network([2])
    with pytest.raises(ValueError, match="labels"):
        plot.network([2, 1], ["only one"])


def test_decision_surface_evaluates_the_function_in_place():
    def right_half(points):
        return (points[:, 0] > 0.5).astype(float)

    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    ax = plot.decision_surface(right_half, points, np.array([0, 1]), resolution=21)
    values = ax.images[0].get_array()  # rows go along the second input
    assert (values[:, 0] == 0).all()
    assert (values[:, -1] == 1).all()
    assert ax.images[0].get_extent() == [-0.4, 1.4, -0.4, 1.4]


def test_animation_is_a_gif_with_its_frames_and_its_text():
    def draw(figure, frame):
        figure.subplots().plot([0, frame])

    animation = plot.animate(draw, [1, 2, 3], alt="A line that rises.", seconds=0.1, hold=1.0)
    picture = Image.open(io.BytesIO(animation.gif))
    assert (picture.format, picture.n_frames) == ("GIF", 3)
    data, metadata = animation._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/gif"]["alt"] == "A line that rises."
    assert plt.get_fignums() == []


def test_animation_refuses_nothing_and_too_much(monkeypatch):
    with pytest.raises(ValueError, match="at least one"):
        plot.animate(lambda figure, frame: None, [], alt="nothing")
    monkeypatch.setattr("dlbook.plot.animation._MOST_BYTES", 100)
    with pytest.raises(ValueError, match="fewer frames"):
        plot.animate(lambda figure, frame: None, [1], alt="empty")
