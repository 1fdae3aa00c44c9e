"""Box plots of the runs' scores, one panel per arm (Schouten et al. 2021, figure 4a)."""

from collections.abc import Sequence
from textwrap import fill

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytocurve.core.answers import Answers, CurvePoint
from cytocurve.report.arm_names import short_names
from cytocurve.report.figures.style import Drawn, defined, thinned
from cytocurve.report.palette import COLORS

_WIDE = 5.0  # width in inches from which two or three panels fit side by side


def box_plots(answers: Answers, width: float) -> Drawn | None:
    """Boxes span the quartiles, lines are medians, whiskers reach the furthest run within 1.5 box lengths."""
    names, metric = short_names(answers.arms), answers.metric
    curves = {arm: defined(results.curves[metric], "median") for arm, results in answers.arms.items()}
    if not any(curves.values()):
        return None
    columns = 2 if len(curves) > (1 if width >= _WIDE else 3) else 1
    rows = -(-len(curves) // columns)
    figure = Figure(
        figsize=(width, rows * (0.25 + (0.46 + 0.16 * (columns - 1)) * width / columns)), layout="constrained"
    )
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for number, (arm, points) in enumerate(curves.items()):
        panels[number].set_title(fill(names[arm], _letters(width / columns)), loc="left", fontweight="bold")
        if not points:
            continue
        color = COLORS[number % len(COLORS)]
        _boxes(panels[number], color, points, answers.sizes, 3.2 * width / columns)
    for spare in panels[len(curves) :]:
        spare.set_visible(False)
    for axes in panels[max(len(curves) - columns, 0) : len(curves)]:
        axes.set_xlabel("training images")
        axes.tick_params(labelbottom=True)
    figure.supylabel(answers.title, fontsize="medium")
    return Drawn(figure, f"Box plots of {answers.title} for each number of training images, one panel per arm.")


def _letters(width: float) -> int:
    """The number of bold letters that fit into a width in inches."""
    return int(width * 72 / (0.68 * float(mpl.rcParams["font.size"])))


def _boxes(axes: Axes, color: str, points: list[CurvePoint], sizes: Sequence[int], room: float) -> None:
    stats = [
        {
            "med": p.median,
            "q1": p.q1,
            "q3": p.q3,
            "whislo": p.whisker_low,
            "whishi": p.whisker_high,
            "fliers": p.outliers,
        }
        for p in points
    ]
    line = {"color": color, "linewidth": 0.9}
    axes.bxp(
        stats,
        positions=[sizes.index(p.size) for p in points],
        widths=0.6,
        patch_artist=True,
        boxprops={"facecolor": f"{color}33", "edgecolor": color, "linewidth": 0.9},
        medianprops={"color": color, "linewidth": 1.8},
        whiskerprops=line,
        capprops=line,
        flierprops={"marker": "o", "markersize": 2.2, "markerfacecolor": color, "markeredgewidth": 0},
    )
    shown = thinned([float(i) for i in range(len(sizes))], room)
    axes.set_xticks(shown, [f"{sizes[i]:,}" for i in shown])
    axes.set_xlim(-0.6, len(sizes) - 0.4)
    axes.tick_params(axis="x", length=0)
