"""Points in a plane: scatter plots of classes, and graphs with their edges."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from dlbook.plot.style import COLORS, DIVERGING, MARKERS, describe, new_axes

_EDGE_COLOR = "#999999"


def scatter(
    points: np.ndarray,
    classes: Sequence[int] | np.ndarray,
    class_names: Sequence[str],
    *,
    x_label: str = "",
    y_label: str = "",
    title: str = "",
    size: float = 22,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Points of several classes, told apart by colour and by marker.

    Without labels of the axes, as for a map whose directions have no meaning, no ticks are drawn.

    Args:
        points: (points, 2).
        classes: (points,), the number of each point's class.
        class_names: One for each class.
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        title: Title of the Axes.
        size: Area of a marker, in square points.
        legend: Name the classes beside the points.
        ax: Where to draw.

    Raises:
        ValueError: Another shape, or a class without a name.
    """
    points, classes = _plane(points), np.ravel(classes)
    if len(classes) != len(points):
        raise ValueError(f"{len(classes)} classes for {len(points)} points")
    if len(classes) and not 0 <= classes.min() <= classes.max() < len(class_names):
        raise ValueError(f"classes must be numbers from 0 to {len(class_names) - 1}")
    ax = new_axes(ax, 4.6, 3.4)
    for number, name in enumerate(class_names):
        chosen = points[classes == number]
        ax.scatter(*chosen.T, label=name, s=size, **_look(number))
    ax.set(xlabel=x_label, ylabel=y_label, title=title)
    if not (x_label or y_label):
        ax.set(xticks=[], yticks=[])
    if legend:
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.2)
    where = f": {y_label} against {x_label}" if x_label and y_label else ""
    names = ", ".join(map(str, class_names))
    describe(ax, f"{title or 'Scatter plot'}{where}; {len(points)} points, classes {names}.")
    return ax


def graph(
    positions: np.ndarray,
    edges: np.ndarray,
    *,
    classes: Sequence[int] | np.ndarray | None = None,
    class_names: Sequence[str] = (),
    values: np.ndarray | None = None,
    labels: Sequence[str] | None = None,
    weights: np.ndarray | None = None,
    marked: Sequence[int] = (),
    size: float = 110,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Nodes joined by lines.

    Nodes are coloured by class (with a marker for each), or by a value from 0 (orange) to 1
    (purple), or not at all.

    Args:
        positions: (nodes, 2), from a layout such as ``networkx.spring_layout``.
        edges: (edges, 2), pairs of node numbers. Both directions of an edge are one line.
        classes: (nodes,), the number of each node's class.
        class_names: One for each class; they make a legend.
        values: (nodes,), 0 to 1.
        labels: A short text for every node, written into it.
        weights: (edges,), 0 or more: the width of each line, relative to the widest.
        marked: Numbers of nodes with a thick rim.
        size: Area of a node, in square points.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: Another shape, an edge to a node without a place, or classes and values both.
    """
    positions, edges = _plane(positions), np.asarray(edges).reshape(-1, 2)
    nodes = len(positions)
    if edges.size and not 0 <= edges.min() <= edges.max() < nodes:
        raise ValueError(f"edges must name nodes from 0 to {nodes - 1}")
    if classes is not None and values is not None:
        raise ValueError("give classes or values, not both")
    for name, given in (("classes", classes), ("values", values), ("labels", labels)):
        if given is not None and len(given) != nodes:
            raise ValueError(f"{len(given)} {name} for {nodes} nodes")
    if weights is not None and len(weights) != len(edges):
        raise ValueError(f"{len(weights)} weights for {len(edges)} edges")
    ax = new_axes(ax, 4.6, 3.4)
    if weights is None:
        edges, widths = np.unique(np.sort(edges, axis=1), axis=0), 0.8
    else:
        widths = 4 * np.asarray(weights, float) / max(float(np.max(weights, initial=0)), 1e-12)
    ax.add_collection(
        LineCollection(positions[edges], colors=_EDGE_COLOR, linewidths=widths, zorder=1)
    )
    rims = np.where(np.isin(np.arange(nodes), list(marked)), 2.6, 0.8)
    if classes is None:
        look = {"color": "white"}
        if values is not None:
            look = {"c": np.asarray(values, float), "cmap": DIVERGING, "vmin": 0, "vmax": 1}
        ax.scatter(*positions.T, s=size, edgecolor="black", linewidth=rims, zorder=2, **look)
    else:
        for number in np.unique(classes):
            chosen = np.flatnonzero(np.asarray(classes) == number)
            name = class_names[number] if len(class_names) else None
            look = {**_look(number), "edgecolor": "black", "linewidth": rims[chosen]}
            ax.scatter(*positions[chosen].T, label=name, s=size, zorder=2, **look)
        if len(class_names):
            ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.2)
    for number, label in enumerate(labels or ()):
        # white on the two ends of a two-sided scale and on the classes' dark colours
        dark = classes is not None or (values is not None and abs(values[number] - 0.5) > 0.35)
        color = "white" if dark else "black"
        ax.text(
            *positions[number], label, ha="center", va="center", fontsize=7, color=color, zorder=3
        )
    ax.margins(0.08)
    ax.axis("off")
    ax.set_title(title)
    describe(ax, f"{title or 'Graph'}: {nodes} nodes, {len(edges)} edges.")
    return ax


def _plane(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points must have the shape (points, 2), not {points.shape}")
    return points


def _look(number: int) -> dict[str, str | float]:
    # the eighth class has the first colour again, with the second marker
    marker = MARKERS[(number + number // len(COLORS)) % len(MARKERS)]
    return {
        "color": COLORS[number % len(COLORS)],
        "marker": marker,
        "linewidth": 0,
    }
