"""Drawings of mechanisms: boxes, arrows, detours and loops, from a few lines of data."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.colors
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path

from dlbook.plot.style import COLORS, SEQUENTIAL, describe, new_axes

_SIZE = 8.5  # points of a box's text
_LETTER = 0.068  # inches
_LINE = 0.16  # inches from one line to the next
_GAP = 0.42  # inches between two columns
_ROW_GAP = 0.6  # and between two rows
_CURVE = 0.3  # inches that an arrow over or under a row keeps from its boxes
_ARROW = re.compile(r"\s*(->|\^>|v>)\s*")
_INK = "#444444"
_ARROW_LOOK = {"arrowstyle": "-|>", "mutation_scale": 9, "color": _INK, "linewidth": 1.1}


class _Box(NamedTuple):
    """The place of a box: its centre and size, inches."""

    x: float
    y: float
    width: float
    height: float

    @property
    def low(self) -> float:
        return self.y - self.height / 2

    @property
    def high(self) -> float:
        return self.y + self.height / 2


def mechanism(
    rows: Sequence[str],
    arrows: Sequence[str],
    *,
    text: Mapping[str, str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    frames: Mapping[str, Sequence[str]] | None = None,
    matrices: Mapping[str, np.ndarray] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """How a model works: boxes in rows and columns, arrows between them, past them and back.

    A residual block, ``+`` in a circle::

        plot.mechanism(
            ["x convolution add"],
            ["x -> convolution -> add", "x ^> add: skip"],
            text={"add": "+"},
        )

    Args:
        rows: Names of the boxes of each row, parted by spaces; ``.`` leaves a place empty. A name
            that stands in several places of one row is one wide box.
        arrows: ``"a -> b -> c"`` draws straight arrows, ``"a ^> b"`` one that leaves the row above
            and comes back to it, ``"a v> b"`` one below; ``"a ^> a"`` is a loop. A label follows
            after a colon: ``"a -> b: gradient"``.
        text: What stands in a box, where it is not its name (underscores are spaces there). One
            or two characters are put in a circle: + and × are operations, not layers.
        groups: Key of a colour -> the boxes that have it.
        frames: Label -> the boxes that a dashed frame goes round, as a block that is repeated.
        matrices: Box -> a small array (rows, columns) drawn in it, over its text.
        title: Title of the Axes.
        ax: Where to draw. A figure of its own is as large as the boxes need.

    Raises:
        ValueError: An arrow, a text, a group, a frame or a matrix names no box.
    """
    text, groups, frames, matrices = (given or {} for given in (text, groups, frames, matrices))
    grid = [row.split() for row in rows]
    names = list(dict.fromkeys(name for row in grid for name in row if name != "."))
    joined = [one for arrow in arrows for one in _read(arrow)]
    mentioned = [*text, *matrices, *(end for arrow in joined for end in arrow[:2])]
    mentioned += [name for some in (*groups.values(), *frames.values()) for name in some]
    for name in mentioned:
        if name not in names:
            raise ValueError(f"{name!r} is no box: rows has {', '.join(names)}")
    text = {name: text.get(name, name.replace("_", " ")) for name in names}
    side_by_side = [{*row} for row in grid]
    longest = max(
        (
            len(label) * any({start, end} <= row for row in side_by_side) * (kind == "->")
            for start, end, kind, label in joined
        ),
        default=0,
    )
    boxes = _places(grid, text, matrices, max(_GAP, 0.058 * longest + 0.3))
    levels = _detour_levels(joined, boxes)
    ys = [y for box in boxes.values() for y in (box.low, box.high)] + [*levels.values()]
    margin = 0.35 if frames else 0.15
    low, high = min(ys) - margin, max(ys) + margin
    left = min(box.x - box.width / 2 for box in boxes.values()) - 0.25
    right = max(box.x + box.width / 2 for box in boxes.values()) + 0.25
    ax = new_axes(ax, right - left, high - low + 0.3 * bool(title) + 0.3 * bool(groups))
    colors = {name: COLORS[n] for n, some in enumerate(groups.values()) for name in some}
    for label, some in frames.items():
        _draw_frame(ax, label, [boxes[name] for name in some])
    patches = {
        name: _draw_box(ax, box, text[name], colors.get(name, _INK), matrices.get(name))
        for name, box in boxes.items()
    }
    told = []
    for arrow in joined:
        start, end, kind, label = arrow
        ends = boxes[start], boxes[end]
        if kind == "->":
            _draw_straight(ax, patches[start], patches[end], ends, label)
        else:
            _draw_detour(ax, *ends, 1 if kind == "^>" else -1, levels[arrow], label)
        goal = "back to itself" if start == end else f"to {_plain(text[end])}"
        told.append(f"{_plain(text[start])} {goal}" + (f" ({label})" if label else ""))
    if groups:
        pairs = zip(COLORS, groups, strict=False)
        keys = [Patch(facecolor=_tint(c), edgecolor=c, label=key) for c, key in pairs]
        under = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.02), "ncols": len(keys)}
        ax.legend(handles=keys, fontsize=8, **under)
    ax.set(xlim=(left, right), ylim=(low, high))
    ax.set_title(title)
    ax.set_aspect("equal")
    ax.axis("off")
    framed = [
        f" {key}: {', '.join(_plain(text[n]) for n in some)}." for key, some in frames.items()
    ]
    describe(ax, f"{title or 'Diagram'}. Arrows: {'; '.join(told)}.{''.join(framed)}")
    return ax


def _detour_levels(
    joined: Sequence[tuple[str, str, str, str]], boxes: Mapping[str, _Box]
) -> dict[tuple[str, str, str, str], float]:
    """How high an arrow above its boxes runs, and how low one below: the longer, the farther."""
    levels: dict[tuple[str, str, str, str], float] = {}
    detours = [arrow for arrow in joined if arrow[2] != "->"]
    spans = {a: sorted((boxes[a[0]].x, boxes[a[1]].x)) for a in detours}
    for arrow in sorted(detours, key=lambda a: spans[a][1] - spans[a][0]):
        start, end, kind, _ = arrow
        side = 1 if kind == "^>" else -1
        low, high = spans[arrow]
        rows = {boxes[start].y, boxes[end].y}
        passed = [b for b in boxes.values() if low <= b.x <= high and b.y in rows]
        edge = max(side * (b.high if side > 0 else b.low) for b in passed) + _CURVE
        nested = [
            side * level
            for other, level in levels.items()
            if other[2] == kind
            and spans[other][0] <= high
            and low <= spans[other][1]
            and rows & {boxes[other[0]].y, boxes[other[1]].y}
        ]
        levels[arrow] = side * max([edge, *(level + 0.2 for level in nested)])
    return levels


def _read(arrow: str) -> list[tuple[str, str, str, str]]:
    """(start, end, kind, label) of each arrow in a chain; the label belongs to the last."""
    chain, _, label = arrow.partition(":")
    first, *rest = _ARROW.split(chain.strip())
    if not rest:
        raise ValueError(f"{arrow!r} is no arrow: write 'a -> b', 'a ^> b' or 'a v> b'")
    names, kinds = [first, *rest[1::2]], rest[::2]
    labels = [""] * (len(kinds) - 1) + [label.strip()]
    return list(zip(names[:-1], names[1:], kinds, labels, strict=True))


def _places(
    grid: list[list[str]], text: Mapping[str, str], matrices: Mapping[str, np.ndarray], gap: float
) -> dict[str, _Box]:
    """Columns as wide as their widest box, rows as high as their highest."""
    sizes = {}
    for name, words in text.items():
        lines = words.split("\n")
        height = _LINE * len(lines) + 0.16
        width = max(0.3, _LETTER * max(map(len, lines)) + 0.2)
        if len(words) <= 2:  # a circle
            width = height
        if name in matrices:
            count_rows, count_columns = np.shape(matrices[name])
            height += 0.14 * count_rows + 0.08
            width = max(width, 0.14 * count_columns + 0.2)
        sizes[name] = (width, height)
    columns = max(map(len, grid))
    wide = [0.3] * columns
    for row in grid:
        for column, name in enumerate(row):
            if name != "." and row.count(name) == 1:
                wide[column] = max(wide[column], sizes[name][0])
    left = np.cumsum([0.0, *(width + gap for width in wide)])
    places, top = {}, 0.0
    for row in grid:
        high = max((sizes[name][1] for name in row if name != "."), default=0.0)
        for name in dict.fromkeys(row):
            if name == ".":
                continue
            taken = [column for column, other in enumerate(row) if other == name]
            start, end = left[taken[0]], left[taken[-1]] + wide[taken[-1]]
            width = end - start if len(taken) > 1 else sizes[name][0]
            places[name] = _Box((start + end) / 2, top - high / 2, width, sizes[name][1])
        top -= high + _ROW_GAP
    return places


def _draw_box(
    ax: Axes, box: _Box, words: str, color: str, matrix: np.ndarray | None
) -> FancyBboxPatch | Circle:
    look = {"facecolor": _tint(color), "edgecolor": color, "linewidth": 1.1, "zorder": 2}
    if len(words) <= 2 and matrix is None:
        patch = Circle((box.x, box.y), box.height / 2, **look)
    else:
        corner = (box.x - box.width / 2, box.low)
        style = "round,pad=0,rounding_size=0.06"
        patch = FancyBboxPatch(corner, box.width, box.height, boxstyle=style, **look)
    ax.add_patch(patch)
    middle = box.y
    if matrix is not None:
        middle = box.low + 0.08 + _LINE * len(words.split("\n")) / 2
        count_rows, count_columns = np.shape(matrix)
        high, wide = 0.14 * count_rows, 0.14 * count_columns
        bottom = box.high - 0.08 - high
        extent = (box.x - wide / 2, box.x + wide / 2, bottom, bottom + high)
        ax.imshow(matrix, extent=extent, cmap=SEQUENTIAL, zorder=3, aspect="auto")
    ax.text(box.x, middle, words, ha="center", va="center", fontsize=_SIZE, zorder=3)
    return patch


def _draw_frame(ax: Axes, label: str, boxes: Sequence[_Box]) -> None:
    left = min(box.x - box.width / 2 for box in boxes) - 0.16
    right = max(box.x + box.width / 2 for box in boxes) + 0.16
    low, high = min(box.low for box in boxes) - 0.14, max(box.high for box in boxes) + 0.14
    look = {"facecolor": "none", "edgecolor": "#888888", "linestyle": (0, (4, 3)), "zorder": 1}
    style = "round,pad=0,rounding_size=0.1"
    ax.add_patch(FancyBboxPatch((left, low), right - left, high - low, boxstyle=style, **look))
    ax.text(right - 0.05, high + 0.03, label, ha="right", va="bottom", fontsize=8, color="#555555")


def _draw_straight(ax: Axes, start: Patch, end: Patch, ends: tuple[_Box, _Box], label: str) -> None:
    first, last = ends
    tail, head = [first.x, first.y], [last.x, last.y]
    # a wide box is met straight above or below the other, not at its middle
    for wide, here, there in ((first, tail, head), (last, head, tail)):
        if abs(there[0] - wide.x) < wide.width / 2 and first.y != last.y:
            here[0] = there[0]
    look = {"shrinkA": 1, "shrinkB": 1, "zorder": 1.5, **_ARROW_LOOK}
    ax.add_patch(FancyArrowPatch(tail, head, patchA=start, patchB=end, **look))
    _write_label(ax, (tail[0] + head[0]) / 2, (tail[1] + head[1]) / 2, label)


def _draw_detour(ax: Axes, first: _Box, last: _Box, side: int, level: float, label: str) -> None:
    """Out of a box above (side 1) or below its row (-1), along it, and into another box."""
    apart = 0.12 if first == last else 0.0
    x0, x1 = first.x + apart, last.x - apart
    y0, y1 = (first.high, last.high) if side > 0 else (first.low, last.low)
    turn = side * 0.08
    inward = 0.08 if x1 > x0 else -0.08
    points = [
        (x0, y0), (x0, level - turn), (x0, level), (x0 + inward, level),
        (x1 - inward, level), (x1, level), (x1, level - turn), (x1, y1 + side * 0.02),
    ]  # fmt: skip
    bends = [Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE3]
    bends += [Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO]
    ax.add_patch(FancyArrowPatch(path=Path(points, bends), zorder=1.5, **_ARROW_LOOK))
    _write_label(ax, (x0 + x1) / 2, level, label)


def _write_label(ax: Axes, x: float, y: float, label: str) -> None:
    if label:
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        style = {"ha": "center", "va": "center", "fontsize": 7.5, "color": _INK, "zorder": 4}
        ax.text(x, y, label, bbox=ground, **style)


def _tint(color: str) -> tuple[float, ...]:
    """A pale form of a colour, on which black is readable."""
    return tuple(1 - 0.12 * (1 - part) for part in matplotlib.colors.to_rgb(color))


def _plain(words: str) -> str:
    return " ".join(words.split())
