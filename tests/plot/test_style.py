"""The grammar: colours, alternative text, the bundle that notebooks show."""

import base64
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from dlbook import plot
from dlbook.plot.style import alternative_text


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_first_colors_stand_out_from_white():
    for color in plot.COLORS[:3]:
        assert 1.05 / (luminance(color) + 0.05) >= 3, color


def test_colors_differ_in_hue_order():
    assert len(set(plot.COLORS)) == len(plot.COLORS)
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(plot.COLORS)


def test_alternative_text_is_in_the_bundle():
    ax = plot.new_axes(None)
    plot.describe(ax, "A line\n   that rises.")
    data, metadata = ax.figure._repr_mimebundle_()
    assert data["text/plain"] == "A line that rises."
    assert metadata["image/png"]["alt"] == "A line that rises."
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_texts_of_several_axes_are_joined_and_a_whole_replaces_them():
    figure, (left, right) = plt.subplots(1, 2)
    plot.describe(left, "Left.")
    plot.describe(right, "Right.")
    assert alternative_text(figure) == "Left. Right."
    plot.describe(figure, "Both.")
    plot.describe(left, "Left again.")
    assert alternative_text(figure) == "Both."


def test_ipython_uses_our_bundle():
    display_formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    ax = plot.lines([1, 2], {"a": [1, 2]}, x_label="x", y_label="y")
    data, metadata = display_formatter.format(ax.figure)
    assert set(data) == {"image/png", "text/plain"}
    assert metadata["image/png"]["alt"]


def test_in_a_notebook_a_figure_is_drawn_once(monkeypatch):
    display_formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    drawn = []
    inline = display_formatter.formatters["image/png"]
    inline.for_type(Figure, lambda figure: drawn.append("inline") or "its picture")
    shell = SimpleNamespace(display_formatter=display_formatter)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: drawn.append("bundle"))
    ax = plot.lines([1, 2], {"a": [1, 2]}, x_label="x", y_label="y")
    data, metadata = display_formatter.format(ax.figure)
    assert drawn == ["inline"]
    assert data["image/png"] == "its picture"
    assert metadata["image/png"]["alt"] == data["text/plain"] != ""


def test_an_undescribed_figure_has_no_text():
    assert alternative_text(plt.figure()) == ""
