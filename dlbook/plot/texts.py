"""Values over the words of a text: words on coloured ground."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from dlbook.plot.style import DIVERGING, describe, new_axes

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
    values = np.asarray(values, dtype=float)
    if not len(words) or values.shape != (len(words),):
        raise ValueError(f"values must be one for each of {len(words)} words, not {values.shape}")
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
