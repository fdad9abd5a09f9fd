"""Lines, bars and histograms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dlbook.plot.style import COLORS, LINE_STYLES, describe, new_axes


def curves(history: Any, metric: str = "loss", *, ax: Axes | None = None) -> Axes:
    """A training curve, and the validation curve where there is one.

    Args:
        history: What ``dlbook.train.fit`` returned, or its ``history`` dictionary.
        metric: "loss" or the name of a metric.
        ax: Where to draw.

    Raises:
        ValueError: The history has no such metric.
    """
    values = getattr(history, "history", history)
    if metric not in values:
        known = ", ".join(name for name in values if not name.startswith("val_"))
        raise ValueError(f"the history has no {metric!r}; it has {known}")
    series = {"training": values[metric]}
    if f"val_{metric}" in values:
        series["validation"] = values[f"val_{metric}"]
    epochs = np.arange(1, len(values[metric]) + 1)
    return lines(epochs, series, x_label="epoch", y_label=metric, ax=ax)


def lines(
    x: Sequence[float] | np.ndarray,
    series: Mapping[str, Sequence[float] | np.ndarray],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    log_y: bool = False,
    log_x: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """One line per named series over a common x, told apart by colour and by dash.

    Args:
        x: (points,).
        series: Name and values (points,) of each line.
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        title: Title of the Axes.
        log_y: Logarithmic y axis.
        log_x: Logarithmic x axis.
        ax: Where to draw.
    """
    ax = new_axes(ax)
    few = len(x) <= 20
    for number, (name, values) in enumerate(series.items()):
        ax.plot(
            x,
            values,
            label=name,
            color=COLORS[number % len(COLORS)],
            linestyle=LINE_STYLES[number % len(LINE_STYLES)],
            marker="o" if few else None,
            markersize=4,
        )
    ax.set(xlabel=x_label, ylabel=y_label, title=title)
    if log_x:
        ax.set_xscale("log")
    if log_y:
        ax.set_yscale("log")
    if few and not log_x and all(float(value).is_integer() for value in x):
        ax.xaxis.get_major_locator().set_params(integer=True)
    if len(series) > 1:
        ax.legend()
    names = " and ".join(series)
    describe(ax, f"{title or 'Line chart'}: {y_label} against {x_label}, for {names}.")
    return ax


def bars(
    values: Mapping[str, float],
    *,
    x_label: str,
    title: str = "",
    decimals: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Horizontal bars with their values written beside them.

    Args:
        values: Name and length of each bar, from top to bottom.
        x_label: What the length is, with its unit.
        title: Title of the Axes.
        decimals: Decimals of the written values.
        ax: Where to draw.
    """
    ax = new_axes(ax, height=0.6 + 0.34 * len(values))
    names = list(values)
    drawn = ax.barh(names, list(values.values()), color=COLORS[0], height=0.6)
    ax.bar_label(drawn, fmt=f"%.{decimals}f", padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set(xlabel=x_label, title=title)
    describe(ax, f"{title or 'Bar chart'}: {x_label} for {', '.join(names)}.")
    return ax


def histogram(
    series: Mapping[str, Sequence[float] | np.ndarray],
    *,
    bins: Any = 40,
    x_label: str,
    y_label: str = "how many",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Histograms of one or more series over the same bins.

    Args:
        series: Name and values of each histogram.
        bins: Number of bins, or their edges.
        x_label: What is counted, with its unit.
        y_label: Label of the counts.
        title: Title of the Axes.
        ax: Where to draw.
    """
    ax = new_axes(ax)
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in series.values()]), bins)
    for number, (name, values) in enumerate(series.items()):
        ax.hist(
            np.ravel(values),
            edges,
            label=name,
            histtype="stepfilled",
            alpha=0.55,
            color=COLORS[number % len(COLORS)],
            edgecolor=COLORS[number % len(COLORS)],
            linestyle=LINE_STYLES[number % len(LINE_STYLES)],
        )
    ax.set(xlabel=x_label, ylabel=y_label, title=title)
    if len(series) > 1:
        ax.legend()
    describe(
        ax, f"{title or 'Histogram'}: {y_label} against {x_label}, for {' and '.join(series)}."
    )
    return ax
