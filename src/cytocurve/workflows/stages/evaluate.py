"""Stage ``evaluate``: compute answers, tables, figures and the page from the stored predictions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Answers, ArmAnswers, ArmPlan, to_json
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.evaluation.answers import LEADING, Progress, answers
from cytocurve.evaluation.page import page_file, page_of
from cytocurve.files import write_text
from cytocurve.report.figures import drawings
from cytocurve.report.tables import tables
from cytocurve.study.design import check_split

PLOTTED = (LEADING, "f1")
"""Metrics shown by ``dvc plots`` and ``dvc metrics``."""

FIGURES = ("curves", "boxplot")
"""The figures in ``reports/figures/``."""

POINT = ("mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n")


def evaluate(project: ProjectPaths, progress: Progress) -> dict[str, Any]:
    """Write answers, metrics, tables, plots, figures and the page; returns the contents of ``metrics.json``.

    Raises ``InputError`` listing all results that are missing or cannot be used.
    """
    params = project.params()
    check_split(project, params)
    results = answers(project, params, progress)
    metrics = _metrics(results)
    for file, text in _files(project, results, metrics):
        write_text(file, text)
    return metrics


def _files(project: ProjectPaths, results: Answers, metrics: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """All files and their contents, computed before any file is written, since drawing may fail."""
    reports, drawn = project.reports, drawings(results)
    page = page_of(project, results, drawn)
    return [
        (project.answers, json.dumps(results.to_json(), allow_nan=False, ensure_ascii=False) + "\n"),
        (reports / "metrics.json", _json(metrics)),
        (reports / "summary.json", _json(_summary(results))),
        *((reports / "plots" / f"{metric}.json", _json(_plot(results, metric))) for metric in PLOTTED),
        *((reports / "tables" / f"{name}.csv", table) for name, table in tables(results).items()),
        *((reports / "figures" / f"{name}.svg", drawn[name]) for name in FIGURES if drawn.get(name)),
        (page_file(project), page),
    ]


def _metrics(results: Answers) -> dict[str, Any]:
    """The contents of ``metrics.json``: mean and spread for every arm, metric and training size."""
    comparisons = [{"kind": "arms", **row.published()} for row in results.comparisons]
    comparisons += [{"kind": "relabelling", **to_json(row)} for row in results.relabellings]
    return {
        "dataset": results.dataset,
        "task": results.task,
        "arms": {name: _arm_metrics(arm) for name, arm in results.arms.items()},
        "comparisons": comparisons,
        "plan": {name: _plan_metrics(arm.plan) for name, arm in results.arms.items()},
    }


def _arm_metrics(arm: ArmAnswers) -> dict[str, Any]:
    scores = {
        metric: {str(point.size): {name: getattr(point, name) for name in POINT} for point in arm.curves[metric]}
        for metric in METRICS
    }
    area = {metric: summary.mean for metric, summary in arm.area.items()}
    return {**scores, "saturation_size": arm.saturation.size, "area": area}


def _plan_metrics(plan: ArmPlan) -> dict[str, Any]:
    return {name: value for name, value in to_json(plan).items() if name not in {"observed", "forecast"}}


def _summary(results: Answers) -> dict[str, Any]:
    """The numbers shown by ``dvc metrics``: the means of ``PLOTTED`` at the largest size, area and saturation."""
    return {
        name: {metric: arm.curves[metric][-1].mean for metric in PLOTTED}
        | {"area": arm.area[LEADING].mean, "saturation_size": arm.saturation.size}
        for name, arm in results.arms.items()
    }


def _plot(results: Answers, metric: str) -> list[dict[str, Any]]:
    return [
        {"arm": name, "size": point.size, "mean": point.mean, "ci_low": point.ci_low, "ci_high": point.ci_high}
        for name, arm in results.arms.items()
        for point in arm.curves[metric]
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
