"""ROC curves averaged over runs, at the largest training size."""

from matplotlib.figure import Figure

from cytocurve.core.answers import Answers, RocCurve
from cytocurve.report.arm_names import short_names
from cytocurve.report.figures.style import Drawn, floats, legend, look, unit_axes
from cytocurve.report.formatting import score


def receiver(answers: Answers, width: float) -> Drawn | None:
    """One curve per arm; if arms have several classes, one per class of the chosen arm."""
    curves = {name: row for name, row in _curves(answers).items() if row.n}
    if not curves:
        return None
    figure = Figure(figsize=(width, width + 0.1 + 0.17 * len(curves)), layout="constrained")
    axes = figure.add_subplot()
    unit_axes(axes)
    for number, (name, row) in enumerate(curves.items()):
        drawn = look(number) | {"marker": ""}
        grid, mean = floats(row.grid), floats(row.mean)
        axes.fill_between(grid, floats(row.low), floats(row.high), color=drawn["color"], alpha=0.14, linewidth=0)
        axes.plot([0.0, *grid], [0.0, *mean], label=f"{name}, area {score(row.auc_mean)}", **drawn)
    axes.set(xlabel="false-positive rate", ylabel="true-positive rate")
    legend(figure, axes, [f"{name}, area 0.000" for name in curves])
    description = "; ".join(f"{name}: {score(row.auc_mean)}" for name, row in curves.items())
    return Drawn(figure, f"ROC curves with {answers.sizes[-1]} images, areas below them: {description}.")


def _curves(answers: Answers) -> dict[str, RocCurve]:
    names, chosen = short_names(answers.arms), answers.best.roc
    if len(chosen) > 1:
        return {name: rows[-1] for name, rows in chosen.items()}
    return {names[arm]: rows[-1] for arm, results in answers.arms.items() for rows in results.roc.values()}
