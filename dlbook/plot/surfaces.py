"""What a model of two inputs answers, over the whole plane."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from dlbook.plot.style import DIVERGING, MARKERS, describe, new_axes


def decision_surface(
    function: Callable[[np.ndarray], np.ndarray],
    points: np.ndarray,
    classes: np.ndarray,
    *,
    margin: float = 0.4,
    resolution: int = 81,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The probability of class 1 as colour, the line at one half, and the examples on top.

    Args:
        function: From (positions, 2) to probabilities (positions,) or (positions, 1).
        points: (examples, 2).
        classes: (examples,) or (examples, 1), each 0 or 1.
        margin: How far the picture reaches past the examples.
        resolution: Points computed along each side.
        title: Title of the Axes.
        ax: Where to draw.
    """
    points, classes = np.asarray(points, float), np.ravel(classes)
    ax = new_axes(ax, 3.2, 3.0)
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    first, second = (np.linspace(low[i], high[i], resolution) for i in (0, 1))
    plane = np.stack(np.meshgrid(first, second), axis=-1)  # (second, first, 2)
    values = np.asarray(function(plane.reshape(-1, 2))).reshape(resolution, resolution)
    extent = (low[0], high[0], low[1], high[1])
    # orange for 0, purple for 1; pale, so that the examples stay visible
    ax.imshow(
        values, extent=extent, origin="lower", cmap=DIVERGING, vmin=-0.3, vmax=1.3, aspect="auto"
    )
    if values.min() < 0.5 < values.max():
        ax.contour(first, second, values, levels=[0.5], colors="black", linewidths=1.2)
    for label in (0, 1):
        chosen = points[classes == label]
        ax.scatter(
            chosen[:, 0],
            chosen[:, 1],
            marker=MARKERS[label],
            s=60,
            color="white" if label == 0 else "black",
            edgecolor="black",
            label=f"class {label}",
            zorder=3,
        )
    ax.set(xlabel="input 1", ylabel="input 2", title=title)
    describe(
        ax,
        f"{title or 'Decision surface'}: probability of class 1 over the plane of both inputs, "
        f"with the {len(points)} examples.",
    )
    return ax
