"""Shared by all figures: looks of the arms, axes, text sizes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator

from cytocurve.report import palette
from cytocurve.report.palette import COLORS, DASHES, NEUTRALS, SHAPES

Row = TypeVar("Row")


@dataclass(frozen=True)
class Drawn:
    """A figure, and a description of what it shows."""

    figure: Figure
    description: str


def style(width_mm: float) -> Any:
    """matplotlib's settings: 7.5-point text at the width of a journal column, 9-point text in wider figures."""
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
    """Color, marker and dash of the arm or class of this number, as matplotlib names them."""
    place = palette.look(number)
    dash = DASHES[place.dash].figure
    return {
        "color": COLORS[place.color],
        "marker": SHAPES[place.shape].matplotlib,
        "linestyle": (0, dash) if dash else "-",
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
    """Indices of the ticks, given in order, that get a label: the last one, and earlier ones where there is room."""
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
    """The names above the axes, in two columns if they are short."""
    handles, labels = axes.get_legend_handles_labels()
    size = float(mpl.rcParams["font.size"])
    short = 2 * max(map(len, names)) * 0.58 * size + 9 * size <= figure.get_figwidth() * 72
    figure.legend(handles, labels, loc="outside upper left", frameon=False, ncols=2 if short else 1, handlelength=2.6)


def floats(values: Iterable[float | None]) -> list[float]:
    """The numbers as matplotlib expects them, NaN if undefined."""
    return [float("nan") if value is None else value for value in values]


def defined(rows: Sequence[Row], name: str = "mean") -> list[Row]:
    """The rows in which the number of this name is defined."""
    return [row for row in rows if getattr(row, name) is not None]
