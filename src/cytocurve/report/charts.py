"""Charts as SVG text: equal numbers give equal bytes, and text stays text."""

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator

from cytocurve.core.curves import MARGIN, Summary

INK, MUTED, RULE, PAPER = "#1d2125", "#626a73", "#dfe3e7", "#fefefe"
"""Colours of text, quiet text, grid and ground; a page may exchange them for its own."""

OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that the colour-blind tell apart (Okabe & Ito 2008)."""

WIDE_FROM = 4
"""From this number of arms on, charts are twice as wide, and their panels and legends have two columns."""

_LINES, _MARKERS = ("-", "--", ":", "-."), ("o", "s", "^", "D")
_WIDTH = 5.2  # inches; narrow, so that text stays legible on a phone
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cytocurve",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
}


def learning_curves(
    curves: Mapping[str, Mapping[int, Summary]], saturation: Mapping[str, int | None], metric: str
) -> str:
    """The mean of every arm over the number of training images, each with its 95 % band; a ring marks saturation."""
    with mpl.rc_context(_STYLE):
        columns = _columns(len(curves))
        legend_height = 0.22 * (len(curves) // columns + 1)
        figure = Figure(figsize=(columns * _WIDTH, 3.5 + legend_height), layout="constrained")
        axes = figure.add_subplot()
        for number, (arm, curve) in enumerate(curves.items()):
            _draw_curve(axes, number, arm, curve, saturation.get(arm))
        _size_axis(axes, sorted({size for curve in curves.values() for size in curve}))
        axes.set_ylabel(f"{metric}, mean over folds")
        axes.set_ylim(
            *_limits([end for curve in curves.values() for s in curve.values() for end in (s.ci_low, s.ci_high)])
        )
        handles, labels = axes.get_legend_handles_labels()
        if any(size is not None for size in saturation.values()):
            handles.append(
                Line2D([], [], color=MUTED, linestyle="none", marker="o", markersize=10, markerfacecolor="none")
            )
            labels.append(f"no larger size shown to be better by more than {MARGIN}")
        figure.legend(handles, labels, loc="outside upper left", frameon=False, ncols=columns)
        return _svg(figure, _describe(curves, metric))


def box_plots(scores: Mapping[str, Mapping[int, Sequence[float]]], metric: str) -> str:
    """A panel an arm: the scores of all runs at each training size as box and points (Schouten et al. 2021, figure 4a).

    Boxes span the quartiles, the line is the median, whiskers reach the furthest run within 1.5 box lengths.
    """
    with mpl.rc_context(_STYLE):
        columns = _columns(len(scores))
        rows = -(-len(scores) // columns)
        figure = Figure(figsize=(columns * _WIDTH, 0.3 + 2.2 * rows), layout="constrained")
        panels = [figure.add_subplot(rows, columns, number + 1) for number in range(len(scores))]
        for number, (axes, (arm, by_size)) in enumerate(zip(panels, scores.items(), strict=True)):
            _draw_boxes(axes, OKABE_ITO[number % len(OKABE_ITO)], by_size)
            axes.set_title(arm, loc="left", fontsize=10, fontweight="bold")
            axes.set_ylabel(metric)
            axes.set_ylim(*_limits([value for arm in scores.values() for values in arm.values() for value in values]))
        for axes in panels[-columns:]:
            axes.set_xlabel("training images")
        runs = max(len(values) for by_size in scores.values() for values in by_size.values())
        return _svg(figure, f"Box plots of {metric} for each training size, one panel an arm; up to {runs} runs a box.")


def _draw_curve(axes: Axes, number: int, arm: str, curve: Mapping[int, Summary], saturation: int | None) -> None:
    colour, family = OKABE_ITO[number % len(OKABE_ITO)], number // len(OKABE_ITO) % len(_LINES)
    sizes = sorted(curve)
    points = [curve[size] for size in sizes]
    axes.fill_between(
        sizes, [p.ci_low for p in points], [p.ci_high for p in points], color=colour, alpha=0.18, linewidth=0
    )
    means = [p.mean for p in points]
    axes.plot(
        sizes,
        means,
        color=colour,
        linestyle=_LINES[family],
        marker=_MARKERS[family],
        markersize=4.5,
        linewidth=2,
        label=arm,
    )
    if saturation is not None:
        mean = curve[saturation].mean
        axes.plot(
            saturation, mean, color=colour, marker="o", markersize=12, markerfacecolor="none", markeredgewidth=1.5
        )


def _draw_boxes(axes: Axes, colour: str, by_size: Mapping[int, Sequence[float]]) -> None:
    sizes = sorted(by_size)
    columns = [np.array([value for value in by_size[size] if value == value]) for size in sizes]
    line = {"color": colour, "linewidth": 1.2}
    axes.boxplot(
        columns,
        widths=0.55,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": f"{colour}26", "edgecolor": colour, "linewidth": 1.2},
        medianprops={"color": colour, "linewidth": 2.2},
        whiskerprops=line,
        capprops=line,
    )
    for position, values in enumerate(columns, start=1):
        offsets = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.36
        axes.plot(position + offsets, values, "o", color=colour, markersize=3, alpha=0.55, markeredgewidth=0)
    shown = _thinned(range(len(sizes)))
    axes.set_xticks([i + 1 for i in shown], [f"{sizes[i]:,}" for i in shown])
    axes.tick_params(axis="x", length=0)


def _size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_xscale("log")
    shown = [sizes[i] for i in _thinned(np.log(sizes).tolist())]
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{size:,}" if size in shown else "" for size in sizes]))
    axes.xaxis.minorticks_off()
    axes.set_xlabel("training images, on a logarithmic axis")


def _columns(arms: int) -> int:
    return 1 if arms < WIDE_FROM else 2


def _thinned(places: Sequence[float]) -> list[int]:
    """Indices of the ticks, given in order, that are labelled: the last one, and before it what leaves room."""
    gap = (places[-1] - places[0]) / 14
    shown = [len(places) - 1]
    for i in range(len(places) - 2, -1, -1):
        if places[shown[-1]] - places[i] >= gap:
            shown.append(i)
    return shown[::-1]


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the score axis, in steps of 0.05, the same for equal values whatever the chart."""
    defined = [value for value in values if value == value]
    if not defined:
        return 0.0, 1.0
    low, high = np.floor(min(defined) * 20) / 20, np.ceil(max(defined) * 20) / 20
    margin = 0.02 * max(high - low, 0.05)
    return float(low - margin), float(high + margin)


def _describe(curves: Mapping[str, Mapping[int, Summary]], metric: str) -> str:
    parts = [
        f"{arm}: " + ", ".join(f"{curve[size].mean:.3f} at {size} images" for size in sorted(curve) if curve[size].n)
        for arm, curve in curves.items()
    ]
    return f"Learning curves, mean {metric} over the number of training images. {'; '.join(parts)}."


def _svg(figure: Figure, description: str) -> str:
    sink = io.StringIO()
    figure.savefig(sink, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return sink.getvalue().replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1)
