"""The book's figures, in one visual grammar.

Every function draws on a given ``ax`` (or makes a figure of its own), returns the Axes, and
writes an alternative text for readers who cannot see the picture. ``describe`` replaces that
text. Colours are Okabe and Ito's, which colour-blind readers can tell apart; where colour says
something, a marker, a dash or a label says it too. Importing this module sets Matplotlib's
defaults for the process, so that figures drawn without these functions look alike.
"""

from dlbook.plot.agents import cart_pole, value_map
from dlbook.plot.animation import Animation, animate
from dlbook.plot.diagrams import flow, network
from dlbook.plot.graphs import graph, scatter
from dlbook.plot.images import confusion_matrix, heat_map, image_grid, number_grid
from dlbook.plot.mechanisms import mechanism
from dlbook.plot.series import bars, curves, histogram, lines
from dlbook.plot.style import COLORS, describe, new_axes, use_style
from dlbook.plot.surfaces import decision_surface
from dlbook.plot.texts import colored_words

use_style()

__all__ = [
    "COLORS",
    "Animation",
    "animate",
    "bars",
    "cart_pole",
    "colored_words",
    "confusion_matrix",
    "curves",
    "decision_surface",
    "describe",
    "flow",
    "graph",
    "heat_map",
    "histogram",
    "image_grid",
    "lines",
    "mechanism",
    "network",
    "new_axes",
    "number_grid",
    "scatter",
    "use_style",
    "value_map",
]
