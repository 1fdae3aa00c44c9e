"""ROC curves averaged over runs, at the largest training size."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cytocurve.report import words
from cytocurve.report.figures.style import Drawn, legend, look, unit_axes
from cytocurve.report.names import short_names


def receiver(answers: Mapping[str, Any], width: float) -> Drawn | None:
    """Every arm where there is one curve an arm; the chosen arm's classes where there are several."""
    curves = {name: row for name, row in _curves(answers).items() if row["n"]}
    if not curves:
        return None
    figure = Figure(figsize=(width, width + 0.1 + 0.17 * len(curves)), layout="constrained")
    axes = figure.add_subplot()
    unit_axes(axes)
    for number, (name, row) in enumerate(curves.items()):
        drawn = look(number) | {"marker": ""}
        axes.fill_between(row["grid"], row["low"], row["high"], color=drawn["color"], alpha=0.14, linewidth=0)
        axes.plot(row["grid"], row["mean"], label=f"{name}, area {words.score(row['auc_mean'])}", **drawn)
    axes.set(xlabel="false-positive rate", ylabel="true-positive rate")
    legend(figure, axes, [f"{name}, area 0.000" for name in curves])
    told = "; ".join(f"{name}: {words.score(row['auc_mean'])}" for name, row in curves.items())
    return Drawn(figure, f"ROC curves with {answers['sizes'][-1]} images, areas below them: {told}.")


def _curves(answers: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    names, chosen = short_names(answers["arms"]), answers["arms"][answers["chosen"]]["roc"]
    if len(chosen) > 1:
        return {name: rows[-1] for name, rows in chosen.items()}
    return {names[arm]: rows[-1] for arm, found in answers["arms"].items() for rows in found["roc"].values()}
