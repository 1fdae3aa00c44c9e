"""Reliability: how often stated probabilities come true (Guo et al. 2017, figure 1)."""

from matplotlib.figure import Figure

from cytocurve.core.answers import Answers
from cytocurve.report import wording
from cytocurve.report.arm_names import short_names
from cytocurve.report.figures.style import Drawn, floats, legend, look, unit_axes
from cytocurve.report.formatting import score


def reliability(answers: Answers, width: float) -> Drawn | None:
    """The share that came true over the stated probability, in bins, of every arm at the largest training size."""
    names, size = short_names(answers.arms), answers.sizes[-1]
    calibrations = {names[arm]: arms.calibration[-1] for arm, arms in answers.arms.items()}
    bins = {name: [place for place in row.bins if place.images] for name, row in calibrations.items()}
    if not any(bins.values()):
        return None
    figure = Figure(figsize=(width, width + 0.1 + 0.17 * len(calibrations)), layout="constrained")
    axes = figure.add_subplot()
    unit_axes(axes)
    for number, (name, rows) in enumerate(bins.items()):
        axes.vlines(
            floats(row.predicted for row in rows),
            floats(row.observed_low for row in rows),
            floats(row.observed_high for row in rows),
            color=look(number)["color"],
            linewidth=0.9,
            alpha=0.5,
        )
        axes.plot(
            floats(row.predicted for row in rows), floats(row.observed for row in rows), label=name, **look(number)
        )
    stated, came_true = wording.calibration_axes(answers)
    axes.set(xlabel=stated, ylabel=came_true)
    legend(figure, axes, list(names.values()))
    description = "; ".join(f"{name}: {score(row.ece.mean)}" for name, row in calibrations.items())
    return Drawn(figure, f"Reliability with {size} images, expected calibration errors: {description}.")
