"""Figures of agents: what is drawn lies where the state says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlbook import plot
from dlbook.plot.style import alternative_text


def test_the_pole_stands_on_the_cart_and_leans_to_its_side():
    ax = plot.cart_pole(np.array([1.0, 0.0, 0.2, 0.0]))
    pole = ax.get_lines()[-1]
    (foot, top), (low, high) = pole.get_data()
    assert (foot, low) == (1.0, 0)
    assert (top, high) == pytest.approx((1.0 + np.sin(0.2), np.cos(0.2)))
    cart = ax.patches[0]
    assert cart.get_x() + cart.get_width() / 2 == pytest.approx(1.0)
    assert alternative_text(ax.figure) == (
        "Cart and pole: cart at 1.0 m, pole leans 11 degrees to the right."
    )


@pytest.mark.parametrize(("action", "side"), [(0, -1), (1, 1)])
def test_the_arrow_points_where_the_push_goes(action: int, side: int):
    figure, ax = plt.subplots()
    assert plot.cart_pole(np.zeros(4), action=action, ax=ax) is ax
    (arrow,) = ax.texts
    assert np.sign(arrow.xy[0] - arrow.xyann[0]) == side
    assert plt.get_fignums() == [figure.number]


def test_a_state_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(4,\), not \(2, 4\)"):
        plot.cart_pole(np.zeros((2, 4)))


def test_a_value_map_keeps_rows_and_columns_apart():
    x, y = np.linspace(0, 1, 3), np.linspace(-1, 1, 5)
    values = y[:, None] + 0 * x
    labels = {"x_label": "x (m)", "y_label": "y (m)", "value_label": "height (m)"}
    ax = plot.value_map(x, y, values, signed=True, **labels)
    mesh = ax.collections[0]
    np.testing.assert_array_equal(np.asarray(mesh.get_array()).reshape(5, 3), values)
    assert mesh.get_clim() == (-1, 1)
    assert "height (m) as colour over x (m) and y (m)" in alternative_text(ax.figure)
    assert mesh.colorbar.ax.get_ylabel() == "height (m)"
    with pytest.raises(ValueError, match=r"\(3, 5\), x and y want \(5, 3\)"):
        plot.value_map(x, y, values.T, **labels)
    plot.value_map(x, y, 0 * values, **labels)  # nothing above or below zero
