"""Pictures of agents: the cart with its pole, and an answer over two state variables."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle

from dlbook.plot.style import COLORS, DIVERGING, SEQUENTIAL, describe, new_axes

_LIMIT = 2.4  # metres from the middle, where an episode of CartPole ends
_LENGTH = 1.0  # of the pole, in metres


def cart_pole(
    state: np.ndarray, *, action: int | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """The cart and its pole, to scale, with the ends of the track.

    Args:
        state: (4,): position of the cart in metres, its speed in m/s, angle of the pole in radians
            (to the right is positive), angular speed in rad/s, as gymnasium's CartPole gives them.
        action: The push, drawn as an arrow: 0 to the left, 1 to the right. None draws no arrow.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: ``state`` has another shape.
    """
    state = np.asarray(state, dtype=float)
    if state.shape != (4,):
        raise ValueError(f"state must have the shape (4,), not {state.shape}")
    position, _, angle, _ = state
    ax = new_axes(ax, 4.4, 1.6)
    ax.plot([-_LIMIT, _LIMIT], [0, 0], color="#777777", linewidth=1.2, zorder=1)
    for end in (-_LIMIT, _LIMIT):
        ax.plot([end, end], [-0.1, 0.1], color="#777777", linewidth=1.2, zorder=1)
    ax.add_patch(Rectangle((position - 0.25, -0.13), 0.5, 0.26, color=COLORS[0], zorder=2))
    top = position + _LENGTH * np.sin(angle), _LENGTH * np.cos(angle)
    ax.plot([position, top[0]], [0, top[1]], color=COLORS[1], linewidth=4, zorder=3)
    ax.add_patch(Circle((position, 0), 0.05, color="white", zorder=4))
    if action is not None:
        side = 1 if action else -1
        ax.annotate(
            "",
            (position + 0.62 * side, 0.3),
            (position + 0.12 * side, 0.3),
            arrowprops={"arrowstyle": "->", "color": "black", "linewidth": 1.5},
        )
    ax.set(xlim=(-_LIMIT - 0.3, _LIMIT + 0.3), ylim=(-0.25, 1.15), aspect="equal", title=title)
    ax.axis("off")
    lean = f"{abs(np.degrees(angle)):.0f} degrees to the {'right' if angle > 0 else 'left'}"
    describe(ax, f"{title or 'Cart and pole'}: cart at {position:.1f} m, pole leans {lean}.")
    return ax


def value_map(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    *,
    x_label: str,
    y_label: str,
    value_label: str,
    signed: bool = False,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Values over two variables as colour, with a scale beside it.

    Args:
        x: (columns,), evenly spaced.
        y: (rows,), evenly spaced.
        values: (rows, columns).
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        value_label: What the colour is, with its unit.
        signed: Zero is the middle of a two-sided colour scale, and a line is drawn where it is.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: The shapes do not fit together.
    """
    x, y, values = (np.asarray(array, dtype=float) for array in (x, y, values))
    if values.shape != (len(y), len(x)):
        raise ValueError(f"values has the shape {values.shape}, x and y want {(len(y), len(x))}")
    ax = new_axes(ax, 4.2, 3.2)
    top = float(np.abs(values).max()) or 1.0
    colors = {"cmap": DIVERGING, "vmin": -top, "vmax": top} if signed else {"cmap": SEQUENTIAL}
    # blended from point to point: no lines between squares
    drawn = ax.pcolormesh(x, y, values, shading="gouraud", **colors)
    if signed and values.min() < 0 < values.max():
        ax.contour(x, y, values, levels=[0.0], colors="black", linewidths=1.2)
    ax.figure.colorbar(drawn, ax=ax, label=value_label)
    ax.set(xlabel=x_label, ylabel=y_label, title=title)
    describe(ax, f"{title or 'Map'}: {value_label} as colour over {x_label} and {y_label}.")
    return ax
