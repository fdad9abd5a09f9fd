"""Diagrams of the data's way through a model, drawn with Matplotlib alone."""

import itertools
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from dlbook.plot.style import COLORS, describe, new_axes

_WRAP = 6  # boxes in a row


def flow(stages: Sequence[tuple[str, str]], *, title: str = "", ax: Axes | None = None) -> Axes:
    """Boxes joined by arrows: what is done, and under each box the shape that comes out.

    Args:
        stages: (name, shape) of each box, in order. A name may have several lines.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: No stages.
    """
    if not stages:
        raise ValueError("flow needs at least one stage")
    columns = min(_WRAP, len(stages))
    rows = -(-len(stages) // columns)
    ax = new_axes(ax, 1.42 * columns, 0.95 * rows + 0.25)
    for number, (name, shape) in enumerate(stages):
        row, column = divmod(number, columns)
        x, y = 1.5 * column, -1.0 * row
        ax.add_patch(
            FancyBboxPatch(
                (x - 0.55, y - 0.22),
                1.1,
                0.44,
                boxstyle="round,pad=0.02,rounding_size=0.07",
                facecolor="#e8f1f8",
                edgecolor=COLORS[0],
            )
        )
        ax.text(x, y, name, ha="center", va="center", fontsize=8)
        ax.text(x, y - 0.29, shape, ha="center", va="top", fontsize=7.5, color="#444444")
        if number + 1 < len(stages):
            last = column + 1 == columns  # the next box starts a new row
            start, end = (x + 0.58, y), (x + 0.92, y)
            if last:
                end = (x + 0.8, y)
            ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "#444444"})
        if number and column == 0:
            ax.annotate(
                "", (x - 0.58, y), (x - 0.8, y), arrowprops={"arrowstyle": "->", "color": "#444444"}
            )
    ax.set_xlim(-0.85, 1.5 * (columns - 1) + 0.85)
    ax.set_ylim(-1.0 * (rows - 1) - 0.5, 0.35)
    ax.axis("off")
    ax.set_title(title)
    steps = ", then ".join(f"{' '.join(name.split())} ({shape})" for name, shape in stages)
    describe(ax, f"Diagram of the data flow: {steps}.")
    return ax


def network(
    sizes: Sequence[int],
    labels: Sequence[str] | None = None,
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Units as circles in layers, a line for every weight.

    Args:
        sizes: Units of each layer, from the input to the output.
        labels: A text under each layer.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: Fewer than two layers, or another number of labels.
    """
    if len(sizes) < 2:
        raise ValueError("network needs at least an input and an output layer")
    labels = labels or [""] * len(sizes)
    if len(labels) != len(sizes):
        raise ValueError(f"{len(labels)} labels for {len(sizes)} layers")
    ax = new_axes(ax, 1.5 * len(sizes) + 0.5, 0.24 * max(sizes) + 0.7)
    places = [
        [(1.6 * layer, 0.6 * ((count - 1) / 2 - unit)) for unit in range(count)]
        for layer, count in enumerate(sizes)
    ]
    for left, right in itertools.pairwise(places):
        for start in left:
            for end in right:
                ax.plot(*zip(start, end, strict=True), color="#999999", linewidth=0.8, zorder=1)
    for layer, units in enumerate(places):
        color = COLORS[1] if layer == len(sizes) - 1 else COLORS[0]
        ax.scatter(*zip(*units, strict=True), s=110, color="white", edgecolor=color, zorder=2)
        bottom = -0.6 * (max(sizes) - 1) / 2 - 0.5
        ax.text(1.6 * layer, bottom, labels[layer], ha="center", va="top", fontsize=8)
    ax.margins(0.12)
    ax.axis("off")
    ax.set_title(title)
    layers = ", ".join(f"{size} {label}".strip() for size, label in zip(sizes, labels, strict=True))
    describe(ax, f"Network diagram, every unit joined to every unit of the next layer: {layers}.")
    return ax
