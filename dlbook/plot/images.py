"""Pictures in a grid, numbers in a grid, confusion matrices."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlbook.plot.style import DIVERGING, SEQUENTIAL, describe, new_axes


def image_grid(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    *,
    columns: int = 10,
    size: float = 0.85,
    signed: bool = False,
    cmap: str | None = None,
    same_scale: bool = True,
    alt: str = "",
) -> Figure:
    """Pictures in rows, each with an optional title.

    Args:
        images: (pictures, height, width), or with 1 or 3 channels last.
        titles: One short text per picture.
        columns: Pictures in a row.
        size: Width of a picture in inches.
        signed: Zero is the middle of a two-sided colour scale (filters, weights).
        cmap: Another colour map. Grey by default, two-sided when signed.
        same_scale: One colour scale for all pictures; else each has its own.
        alt: What the pictures show, for the alternative text.

    Returns:
        The figure.

    Raises:
        ValueError: No pictures, another shape, or another number of titles.
    """
    pictures = [_picture(image) for image in images]
    if not pictures:
        raise ValueError("image_grid needs at least one picture")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"{len(titles)} titles for {len(pictures)} pictures")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    tall = size * (1.0 if titles is None else 1.0 + 0.3 * max(1, max(map(_count_lines, titles))))
    figure, axes = plt.subplots(rows, columns, figsize=(columns * size, rows * tall), squeeze=False)
    if signed:
        top = max(float(np.abs(p).max()) for p in pictures)
        low, cmap = -top, cmap or DIVERGING
    else:
        low, top = (float(f(np.stack([f(p) for p in pictures]))) for f in (np.min, np.max))
        cmap = cmap or "gray"
    if not same_scale:
        low = top = None
    for ax in axes.flat:
        ax.axis("off")
    for number, (ax, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        ax.imshow(picture, cmap=cmap, vmin=low, vmax=top)
        if titles is not None:
            ax.set_title(titles[number], fontsize=8, loc="center", pad=2)
    labels = "" if titles is None else f" Titles: {', '.join(map(str, titles[:10]))}."
    what = alt or f"{len(pictures)} pictures in {rows} rows"
    describe(figure, f"{what.rstrip('.')}.{labels if not alt else ''}")
    return figure


def number_grid(
    values: np.ndarray,
    *,
    title: str = "",
    decimals: int = 0,
    signed: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """A small array as coloured squares with the numbers written in them.

    Args:
        values: (rows, columns).
        title: Title of the Axes.
        decimals: Decimals of the written numbers.
        signed: Zero is the middle of a two-sided colour scale.
        ax: Where to draw.
    """
    values = np.asarray(values, dtype=float)
    rows, columns = values.shape
    ax = new_axes(ax, 0.5 * columns + 0.4, 0.5 * rows + 0.5)
    top = float(np.abs(values).max()) or 1.0
    ax.imshow(
        values,
        cmap=DIVERGING if signed else "Greys",
        vmin=-1.5 * top if signed else min(0.0, float(values.min())),
        vmax=top * (1.5 if signed else 1.6),  # dark squares would hide the numbers
        alpha=0.75,
    )
    for (row, column), value in np.ndenumerate(values):
        ax.text(column, row, f"{value:.{decimals}f}", ha="center", va="center", fontsize=8)
    ax.set(xticks=[], yticks=[], title=title)
    for spine in ax.spines.values():
        spine.set_visible(True)
    describe(ax, f"{title or 'Numbers'}: {rows} rows and {columns} columns of numbers.")
    return ax


def confusion_matrix(
    counts: np.ndarray, class_names: Sequence[str], *, title: str = "", ax: Axes | None = None
) -> Axes:
    """How often each class was taken for which: true classes down, predictions across.

    The colour of a square is its share of the row; right answers are left grey, so that the
    mistakes stand out.

    Args:
        counts: (classes, classes), rows are the true classes.
        class_names: Names of the classes.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: ``counts`` is not square or does not fit the names.
    """
    counts = np.asarray(counts)
    size = len(class_names)
    if counts.shape != (size, size):
        raise ValueError(f"counts has shape {counts.shape}, but there are {size} classes")
    longest = max(len(str(name)) for name in class_names)
    square = max(0.42, 0.085 * longest)  # inches, so that the names stand side by side
    ax = new_axes(ax, square * size + 0.4 + 0.085 * longest, 0.38 * size + 0.9)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.eye(size, dtype=bool)
    ax.imshow(np.where(right, 1.0, np.nan), cmap="Greys", vmin=0, vmax=6, aspect="auto")
    mistakes = np.where(right | (counts == 0), np.nan, shares)
    worst = np.nanmax(mistakes) if np.isfinite(mistakes).any() else 1.0
    ax.imshow(mistakes, cmap=f"{SEQUENTIAL}_r", vmin=0, vmax=worst, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = mistakes[row, column] > 0.55 * worst  # false for NaN
            color = "white" if dark else "black"
            ax.text(column, row, f"{count}", ha="center", va="center", fontsize=7.5, color=color)
    ticks = range(size)
    ax.set_xticks(ticks, class_names, rotation=90 if size > 10 else 0)
    ax.set_yticks(ticks, class_names)
    ax.set(xlabel="predicted class", ylabel="true class", title=title)
    describe(ax, f"{title or 'Confusion matrix'} of {size} classes, true against predicted.")
    return ax


def _picture(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[-1] != 3):
        raise ValueError(f"a picture has shape (height, width[, 1 or 3]), not {image.shape}")
    return image


def _count_lines(text: str) -> int:
    return str(text).count("\n") + 1
