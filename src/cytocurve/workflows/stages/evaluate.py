"""The stage ``evaluate``: from every run's predictions to answers, tables, figures and the page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.evaluation.answers import LEADING, Progress, answers
from cytocurve.evaluation.page import page_file, page_of
from cytocurve.files import write_text
from cytocurve.report.figures import drawings
from cytocurve.report.tables import tables
from cytocurve.study.design import check_split

PLOTTED = (LEADING, "f1")
"""Metrics that DVC plots and lists."""

FIGURES = ("curves", "boxplot")
"""Figures that stand in ``reports/figures/``."""

POINT = ("mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n")


def evaluate(project: ProjectPaths, progress: Progress) -> dict[str, Any]:
    """Write answers, metrics, tables, plots, figures and page below ``reports/``; returns ``metrics.json``'s contents.

    Raises ``InputError`` listing every arm's results that are missing or cannot be used.
    """
    params = project.params()
    check_split(project, params)
    found = answers(project, params, progress)
    metrics = _metrics(found)
    for file, text in _files(project, found, metrics):
        write_text(file, text)
    return metrics


def _files(project: ProjectPaths, found: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """All files and their contents: what cannot be drawn is known before the first is written."""
    reports, drawn = project.reports, drawings(found)
    page = page_of(project, found, drawn)
    return [
        (project.answers, json.dumps(found, allow_nan=False, ensure_ascii=False) + "\n"),
        (reports / "metrics.json", _json(metrics)),
        (reports / "summary.json", _json(_summary(found))),
        *((reports / "plots" / f"{metric}.json", _json(_plot(found, metric))) for metric in PLOTTED),
        *((reports / "tables" / f"{name}.csv", table) for name, table in tables(found).items()),
        *((reports / "figures" / f"{name}.svg", drawn[name]) for name in FIGURES if drawn.get(name)),
        (page_file(project), page),
    ]


def _metrics(found: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that others rely on: a mean and its spread for every arm, metric and training size."""
    arms = {
        arm: {
            **{
                metric: {str(point["size"]): {name: point[name] for name in POINT} for point in of["curves"][metric]}
                for metric in METRICS
            },
            "saturation_size": of["saturation"]["size"],
            "area": {metric: area["mean"] for metric, area in of["area"].items()},
        }
        for arm, of in found["arms"].items()
    }
    plans = {
        arm: {name: value for name, value in of["plan"].items() if name not in {"observed", "forecast"}}
        for arm, of in found["arms"].items()
    }
    comparisons = [{"kind": "arms", **row} for row in found["comparisons"]]
    comparisons += [{"kind": "relabelling", **row} for row in found["relabellings"]]
    return {
        "dataset": found["dataset"],
        "task": found["task"],
        "arms": arms,
        "comparisons": comparisons,
        "plan": plans,
    }


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """A few figures an arm, for ``dvc metrics``: the means of ``PLOTTED`` at the largest size, and saturation."""
    return {
        arm: {metric: of["curves"][metric][-1]["mean"] for metric in PLOTTED}
        | {"area": of["area"][LEADING]["mean"], "saturation_size": of["saturation"]["size"]}
        for arm, of in found["arms"].items()
    }


def _plot(found: Mapping[str, Any], metric: str) -> list[dict[str, Any]]:
    return [
        {"arm": arm} | {name: point[name] for name in ("size", "mean", "ci_low", "ci_high")}
        for arm, of in found["arms"].items()
        for point in of["curves"][metric]
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
