"""Values over the words of a text: words on coloured ground, and heat maps of words and units."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from dlbook.plot.style import DIVERGING, SEQUENTIAL, describe, new_axes

_FONT_SIZE = 8.5  # points
_CHARACTER = 0.602 * _FONT_SIZE / 72  # inches; the width of DejaVu Sans Mono
_LINE = 0.40  # inches from one line of words to the next


def colored_words(
    words: Sequence[str],
    values: Sequence[float] | np.ndarray,
    *,
    limit: float | None = None,
    decimals: int = 1,
    width: float = 7.5,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A text on coloured ground, purple for positive and orange for negative values.

    The value stands under each word, so that nothing hangs on the colour alone.

    Args:
        words: The words in order.
        values: (words,): one value for each.
        limit: The value with the deepest colour. None: the largest one, without its sign.
        decimals: Decimals of the written values.
        width: Width of a line in inches.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: No words, or another number of values.
    """
    values = _fitting(words, values, dimensions=1)
    limit = limit or float(np.abs(values).max()) or 1.0
    places, x, line = [], 0.0, 0
    for word in words:
        # the value below may be wider than the word
        wide = _CHARACTER * (max(len(word), decimals + 3) + 1)
        if x and x + wide > width:
            x, line = 0.0, line + 1
        places.append((x, -_LINE * line, wide))
        x += wide
    ax = new_axes(ax, width, _LINE * (line + 1) + 0.3)
    colors = mpl.colormaps[DIVERGING]
    for word, value, (x, y, wide) in zip(words, values, places, strict=True):
        share = np.clip(value / limit, -1, 1)
        ax.add_patch(
            Rectangle((x, y), wide * 0.97, 0.21, color=colors(0.5 + 0.5 * share), linewidth=0)
        )
        middle = x + wide * 0.97 / 2
        shade = "white" if abs(share) > 0.7 else "black"
        style = {"ha": "center", "va": "center", "family": "monospace"}
        ax.text(middle, y + 0.1, word, fontsize=_FONT_SIZE, color=shade, **style)
        number = f"{value:+.{decimals}f}"
        ax.text(middle, y - 0.06, number, fontsize=5.5, color="#555555", **style)
    ax.set_xlim(0, width)
    ax.set_ylim(-_LINE * line - 0.14, 0.25)
    ax.axis("off")
    ax.set_title(title)
    top, bottom = (words[int(index(values))] for index in (np.argmax, np.argmin))
    describe(
        ax,
        f"{title or 'A text'}: each word on ground coloured by its value, from {values.min():.1f} "
        f"at “{bottom}” to {values.max():.1f} at “{top}”.",
    )
    return ax


def word_heat_map(
    words: Sequence[str],
    values: np.ndarray,
    *,
    rows: Sequence[str] | None = None,
    value_label: str = "",
    signed: bool = False,
    limits: tuple[float, float] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Words from left to right, units from top to bottom, a colour for each value.

    Args:
        words: The words in order.
        values: (words, units).
        rows: Names of the units. None: they are not named.
        value_label: What the values are, written at the colour scale.
        signed: Zero is the middle of a two-sided colour scale.
        limits: Values at the ends of the colour scale. None: those of the values.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: No words, or another number of values or names.
    """
    values = _fitting(words, values, dimensions=2)
    units = values.shape[1]
    if rows is not None and len(rows) != units:
        raise ValueError(f"rows has {len(rows)} names for {units} units")
    if limits is None:
        top = float(np.abs(values).max()) or 1.0
        limits = (-top, top) if signed else (float(values.min()), float(values.max()))
    height = 0.13 if rows is None else 0.2
    ax = new_axes(ax, min(10.0, 1.6 + 0.16 * len(words)), 1.2 + height * units)
    image = ax.imshow(
        values.T,
        aspect="auto",
        interpolation="nearest",
        cmap=DIVERGING if signed else SEQUENTIAL,
        vmin=limits[0],
        vmax=limits[1],
    )
    ax.set_xticks(range(len(words)), words, rotation=90, fontsize=7)
    if rows is None:
        ax.set_yticks([])
        ax.set_ylabel(f"{units} units")
    else:
        ax.set_yticks(range(units), rows, fontsize=7)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label=value_label, pad=0.01)
    ax.set_title(title)
    describe(
        ax,
        f"{title or 'Heat map'}: {value_label or 'a value'} of {units} units at each of "
        f"{len(words)} words, from “{words[0]}” to “{words[-1]}”.",
    )
    return ax


def attention_map(
    weights: np.ndarray, tokens: Sequence[str], *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Who looks at whom: one row for each token that asks, one column for each that is looked at.

    Args:
        weights: (tokens, tokens), rows are queries; 0 is dark, the largest weight is bright.
        tokens: The tokens in order; a text is taken character by character.
        title: Title of the Axes.
        ax: Where to draw.

    Raises:
        ValueError: No tokens, or another number of weights.
    """
    weights, tokens = np.asarray(weights, dtype=float), list(tokens)
    if not tokens or weights.shape != (len(tokens), len(tokens)):
        raise ValueError(f"weights must be square, one row for each token, not {weights.shape}")
    side = 1.2 + 0.14 * len(tokens)
    ax = new_axes(ax, side + 0.6, side)
    image = ax.imshow(weights, cmap=SEQUENTIAL, vmin=0)
    shown = [token if token.strip() else "␣" for token in tokens]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(range(len(tokens)), shown, fontsize=7)
    ax.tick_params(length=0)
    ax.set(xlabel="looked at", ylabel="looking")
    ax.set_title(title)
    ax.figure.colorbar(image, ax=ax, pad=0.02, shrink=0.8)
    strongest = weights.argmax(axis=1)
    steps_back = float(np.mean(np.arange(len(tokens)) - strongest))
    describe(
        ax,
        f"{title or 'Attention map'}: weights between {len(tokens)} tokens; the one that is looked "
        f"at most lies {steps_back:.1f} places back on average.",
    )
    return ax


def _fitting(words: Sequence[str], values: np.ndarray, dimensions: int) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if not len(words):
        raise ValueError("words is empty: give at least one")
    if values.ndim != dimensions or len(values) != len(words):
        shape = f"({len(words)},{' units' if dimensions == 2 else ''})"
        raise ValueError(f"values must be {shape} for {len(words)} words, not {values.shape}")
    return values
