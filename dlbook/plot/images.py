"""Images in a grid, values as colours, numbers in a grid, confusion matrices."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

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
    ax: Axes | None = None,
) -> Axes:
    """Images in rows, each with an optional title.

    Args:
        images: (images, height, width), or with 1 or 3 channels last.
        titles: One short text per image.
        columns: Images in a row.
        size: Width of an image in inches.
        signed: Zero is the middle of a two-sided colour scale (filters, weights).
        cmap: Another colour map. Grey by default, two-sided when signed.
        same_scale: One colour scale for all images; else each has its own.
        alt: What the images show, for the alternative text.
        ax: Where to draw.

    Raises:
        ValueError: No images, another shape, or another number of titles.
    """
    pictures = [_picture(image) for image in images]
    if not pictures:
        raise ValueError("image_grid needs at least one image")
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"{len(titles)} titles for {len(pictures)} images")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    # in units of an image's width
    tall = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    lines = 0 if titles is None else max(map(_count_lines, titles))
    step = tall + 0.08 + 0.15 * lines / size
    ax = new_axes(ax, 1.08 * columns * size, rows * step * size + 0.1)
    if signed:
        top = max(float(np.abs(p).max()) for p in pictures)
        low, cmap = -top, cmap or DIVERGING
    else:
        low, top = (float(f([f(p) for p in pictures])) for f in (np.min, np.max))
        cmap = cmap or "gray"
    if not same_scale:
        low = top = None
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        left, bottom = 1.08 * column, -step * row - tall
        extent = (left, left + 1, bottom, bottom + picture.shape[0] / picture.shape[1])
        ax.imshow(picture, cmap=cmap, vmin=low, vmax=top, extent=extent)
        if titles is not None:
            middle, over = left + 0.5, extent[3] + 0.03
            ax.text(middle, over, titles[number], fontsize=8, ha="center", va="bottom")
    ax.set(xlim=(0, 1.08 * columns - 0.08), ylim=(-step * rows + (step - tall), step - tall))
    ax.set_aspect("equal")
    ax.axis("off")
    labels = "" if titles is None else f" Titles: {', '.join(map(str, titles[:10]))}."
    what = alt or f"{len(pictures)} images in {rows} rows"
    describe(ax, f"{what.rstrip('.')}.{labels if not alt else ''}")
    return ax


def heat_map(
    values: np.ndarray,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    row_label: str = "",
    column_label: str = "",
    value_label: str = "",
    signed: bool = False,
    limits: tuple[float, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A square of colour for each value, with a scale: attention weights, gates over words.

    Args:
        values: (rows, columns).
        rows: Names of the rows, as the tokens that ask. None: they are only counted.
        columns: Names of the columns, as the tokens that are looked at.
        row_label: What the rows are.
        column_label: What the columns are.
        value_label: What the colours are, with their unit.
        signed: Zero is the middle of a two-sided colour scale.
        limits: Values at the ends of the colour scale. None: those of the values, from 0 where
            none is negative.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: No values, or another number of names.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"values must be (rows, columns) with at least one, not {values.shape}")
    for axis, names in (("rows", rows), ("columns", columns)):
        count = values.shape[axis == "columns"]
        if names is not None and len(names) != count:
            raise ValueError(f"{axis} has {len(names)} names for {count} {axis} of values")
    if limits is None:
        top = float(np.abs(values).max()) or 1.0
        limits = (-top, top) if signed else (min(0.0, float(values.min())), float(values.max()))
    high = 0.14 if rows is None else 0.17
    width, height = 0.17 * values.shape[1], high * values.shape[0]
    ax = new_axes(ax, min(10.0, width + 1.8), min(8.0, height + 1.2))
    drawn = ax.imshow(
        values,
        aspect="auto",
        interpolation="nearest",
        cmap=DIVERGING if signed else SEQUENTIAL,
        vmin=limits[0],
        vmax=limits[1],
    )
    for axis, names in ((ax.yaxis, rows), (ax.xaxis, columns)):
        shown = [] if names is None else [name if name.strip() else "␣" for name in names]
        axis.set_ticks(range(len(shown)), shown, fontsize=7)
    if columns is not None and max(map(len, columns)) > 1:
        ax.tick_params(axis="x", rotation=90)
    ax.tick_params(length=0)
    ax.figure.colorbar(drawn, ax=ax, label=value_label, pad=0.02)
    ax.set(xlabel=column_label, ylabel=row_label)
    ax.set_title(title)
    strongest = np.unravel_index(np.abs(values).argmax(), values.shape)
    place = [
        f"{axis} “{names[index]}”" if names is not None else f"{axis} {index + 1}"
        for axis, names, index in zip(("row", "column"), (rows, columns), strongest, strict=True)
    ]
    describe(
        ax,
        f"{title or 'Heat map'}: {value_label or 'values'} in {values.shape[0]} rows "
        f"({row_label or 'unnamed'}) and {values.shape[1]} columns ({column_label or 'unnamed'}); "
        f"the strongest stands in {' and '.join(place)}.",
    )
    return ax


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
        raise ValueError(f"an image has shape (height, width[, 1 or 3]), not {image.shape}")
    return image


def _count_lines(text: str) -> int:
    return str(text).count("\n") + 1
