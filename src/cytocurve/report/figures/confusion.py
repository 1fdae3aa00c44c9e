"""The confusion matrix of the chosen arm at the largest training size."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cytocurve.core.answers import Answers
from cytocurve.report.figures.style import Drawn
from cytocurve.report.palette import COLORS, NEUTRALS
from cytocurve.report.wording import class_names

_LABELED = 12
"""The maximum number of classes for which numbers fit into the cells."""


def confusion(answers: Answers, width: float) -> Drawn | None:
    """Percent of the true class, one row per class."""
    matrix, classes = answers.best.confusion[-1], [*class_names(answers).values()]
    shares = np.array([[np.nan if value is None else value for value in row] for row in matrix.percent])
    if np.isnan(shares).all():
        return None
    figure = Figure(figsize=(width, 0.86 * width), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=LinearSegmentedColormap.from_list("shares", ["#ffffff", COLORS[0]]), vmin=0, vmax=100)
    if len(classes) <= _LABELED:
        for (i, k), value in np.ndenumerate(shares):
            text = "–" if np.isnan(value) else f"{value:.0f}" if len(classes) > 5 else f"{value:.1f} %"
            axes.text(k, i, text, ha="center", va="center", color="#ffffff" if value > 55 else NEUTRALS["ink"])
    axes.set_xticks(
        range(len(classes)),
        classes,
        rotation=0 if len(classes) < 4 else 45,
        ha="center" if len(classes) < 4 else "right",
    )
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="class given by the network", ylabel="true class")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    rows = zip(classes, matrix.percent, strict=True)
    description = "; ".join(f"{name}: {', '.join('–' if v is None else f'{v:.1f}' for v in row)}" for name, row in rows)
    return Drawn(figure, f"Confusion matrix with {matrix.size} images, percent of the true class. {description}.")
