"""What all figures share: colours that the colour-blind tell apart, marks, axes, sizes of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator

NEUTRALS = {"ink": "#1d2125", "muted": "#626a73", "rule": "#dfe3e7", "paper": "#fefefe"}
"""Colours of text, quiet text, grid and ground, by the names of the page's variables for them."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b87c00", "#3b96cc")
"""Okabe & Ito 2008; orange and sky blue darker, so that lines of them have a contrast of 3 to white."""

_MARKERS = ("o", "s", "^", "D", "v", "P")
_DASHES = ("-", (0, (4, 2)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.5, 1.5)))


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it shows in words."""

    figure: Figure
    words: str


def style(width_mm: float) -> Any:
    """matplotlib's settings: text of 7.5 points in a column of a journal, of 9 in wider figures."""
    size, muted, ink = 7.5 if width_mm < 120 else 9.0, NEUTRALS["muted"], NEUTRALS["ink"]
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "cytocurve",
        "pdf.fonttype": 42,
        "font.family": "DejaVu Sans",
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "xtick.labelsize": size - 0.5,
        "ytick.labelsize": size - 0.5,
        "legend.fontsize": size,
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.edgecolor": muted,
        "axes.linewidth": 0.7,
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": NEUTRALS["rule"],
        "grid.linewidth": 0.6,
        "xtick.color": muted,
        "ytick.color": muted,
        "xtick.labelcolor": ink,
        "ytick.labelcolor": ink,
        "lines.linewidth": 1.5,
        "lines.markersize": 3.8,
        "figure.facecolor": NEUTRALS["paper"],
        "savefig.facecolor": NEUTRALS["paper"],
    }


def look(number: int) -> dict[str, Any]:
    """Colour, marker and dash of the arm or class of this number: no two of them by colour alone."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "linestyle": _DASHES[(number + number // len(COLOURS)) % len(_DASHES)],
    }


def size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """A logarithmic axis with a tick at every training size, and a label where there is room."""
    axes.set_xscale("log")
    shown = {sizes[i] for i in thinned(np.log(sizes).tolist())}
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{size:,}" if size in shown else "" for size in sizes]))
    axes.xaxis.minorticks_off()
    axes.set_xlabel("training images")


def thinned(places: Sequence[float], room: float = 11) -> list[int]:
    """Indices of the ticks, given in order, that are labelled: the last one, and before it what leaves room."""
    gap = (places[-1] - places[0]) / room
    shown = [len(places) - 1]
    for i in range(len(places) - 2, -1, -1):
        if places[shown[-1]] - places[i] >= gap:
            shown.append(i)
    return shown[::-1]


def unit_axes(axes: Axes) -> None:
    """A square from 0 to 1 with its diagonal."""
    axes.plot([0, 1], [0, 1], color=NEUTRALS["muted"], linewidth=0.8, linestyle=(0, (1.5, 2)))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")


def legend(figure: Figure, axes: Axes, names: Sequence[str]) -> None:
    """The names above the axes, in two columns where they are short."""
    handles, labels = axes.get_legend_handles_labels()
    size = float(mpl.rcParams["font.size"])
    short = 2 * max(map(len, names)) * 0.58 * size + 9 * size <= figure.get_figwidth() * 72
    figure.legend(handles, labels, loc="outside upper left", frameon=False, ncols=2 if short else 1, handlelength=2.6)


def defined(rows: Sequence[Mapping[str, Any]], key: str = "mean") -> list[Mapping[str, Any]]:
    """The rows whose number is there."""
    return [row for row in rows if row[key] is not None]
