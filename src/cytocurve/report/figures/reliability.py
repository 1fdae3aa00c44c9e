"""Reliability: how often what the networks state comes true (Guo et al. 2017, figure 1)."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cytocurve.report import words
from cytocurve.report.figures.style import Drawn, legend, look, unit_axes
from cytocurve.report.names import short_names


def reliability(answers: Mapping[str, Any], width: float) -> Drawn | None:
    """The share that came true over the stated probability, in bins, of every arm at the largest training size."""
    names, size = short_names(answers["arms"]), answers["sizes"][-1]
    found = {names[arm]: arms["calibration"][-1] for arm, arms in answers["arms"].items()}
    bins = {name: [each for each in row["bins"] if each["images"]] for name, row in found.items()}
    if not any(bins.values()):
        return None
    figure = Figure(figsize=(width, width + 0.1 + 0.17 * len(found)), layout="constrained")
    axes = figure.add_subplot()
    unit_axes(axes)
    for number, (name, rows) in enumerate(bins.items()):
        axes.plot([row["predicted"] for row in rows], [row["observed"] for row in rows], label=name, **look(number))
    stated, came_true = words.calibration_axes(answers)
    axes.set(xlabel=stated, ylabel=came_true)
    legend(figure, axes, list(names.values()))
    told = "; ".join(f"{name}: {words.score(row['ece']['mean'])}" for name, row in found.items())
    return Drawn(figure, f"Reliability with {size} images, expected calibration errors: {told}.")
