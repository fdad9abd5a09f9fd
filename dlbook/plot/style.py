"""Colours, defaults, and the alternative text of figures."""

import base64
import functools
import io
import sys
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito, "Color universal design", 2008; the order gives the largest contrast first
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SEQUENTIAL = "cividis"  # even in brightness, the same for colour-blind readers
DIVERGING = "PuOr"

_DPI = 110
_ALT = "_dlbook_alternative_texts"


def use_style() -> None:
    """Set Matplotlib's defaults: white ground (readable on a dark page too), few lines."""
    mpl.rcParams.update(
        {
            "axes.prop_cycle": mpl.cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "figure.facecolor": "white",
            "figure.figsize": (6.0, 3.2),
            "figure.constrained_layout.use": True,
            "font.size": 9.5,
            "image.cmap": SEQUENTIAL,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
        }
    )


def new_axes(ax: Axes | None, width: float = 6.0, height: float = 3.2) -> Axes:
    """The given Axes, or those of a new figure of this size in inches."""
    return ax if ax is not None else plt.subplots(figsize=(width, height))[1]


def describe(ax: Axes | Figure, text: str) -> None:
    """Give a figure, or one Axes of it, its alternative text.

    The text travels as the picture's ``alt`` metadata, which exported pages use, and as its plain
    form. The texts of several Axes are joined in the order in which they were given.

    Args:
        ax: The Axes, or the whole figure; a text for the whole replaces those of its Axes.
        text: One or two sentences that say what a reader would see.
    """
    figure = ax if isinstance(ax, Figure) else ax.figure
    texts = getattr(figure, _ALT, None)
    if texts is None:
        texts = {}
        setattr(figure, _ALT, texts)
        # IPython asks an object for this before it uses its own figure format
        figure._repr_mimebundle_ = functools.partial(_bundle, figure)
    if ax is figure:
        texts.clear()
    elif figure in texts:
        return  # the whole figure is described already
    texts[ax] = " ".join(text.split())


def alternative_text(figure: Figure) -> str:
    """The alternative text of a figure; empty when nobody has described it."""
    return " ".join(getattr(figure, _ALT, {}).values())


def _bundle(figure: Figure, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
    alt = alternative_text(figure)
    data = {"text/plain": alt}
    if not _drawn_by_ipython():
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight", facecolor="white")
        data["image/png"] = base64.b64encode(file.getvalue()).decode()
    return data, {"image/png": {"alt": alt}}


def _drawn_by_ipython() -> bool:
    # in a notebook the inline backend has registered a format of its own for figures; IPython
    # prefers it to a bundle's, so a picture drawn here would be drawn twice and thrown away
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return False
    try:
        shell.display_formatter.formatters["image/png"].lookup_by_type(Figure)
    except KeyError:
        return False
    return True
