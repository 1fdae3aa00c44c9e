"""Contents of the JSON files that ``dvc metrics`` and ``dvc plots`` read."""

from typing import Any

from cytocurve.core.answers import Answers, ArmAnswers, ArmPlan, to_json
from cytocurve.core.statistics.metrics import METRICS

PLOTTED = ("roc_auc", "f1")
"""Metrics shown by ``dvc plots`` and ``dvc metrics``."""

PLAN = ("metric", "refusal", "largest", "horizon", "next", "targets", "families", "backtest")
TARGET = ("target", "verdict", "size", "low", "high")
"""The parts of a plan and of its targets in ``metrics.json``."""

POINT = ("mean", "sd", "median", "q1", "q3", "ci_low", "ci_high", "n")


def metrics(results: Answers) -> dict[str, Any]:
    """The contents of ``metrics.json``: mean and spread for every arm, metric and training size."""
    comparisons = [{"kind": "arms", **row.tracked()} for row in results.comparisons]
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
    area = {metric: whole.mean for metric, whole in arm.area.items()}
    return {**scores, "saturation_size": arm.saturation.size, "area": area}


def _plan_metrics(plan: ArmPlan) -> dict[str, Any]:
    """The plan without its curves and probabilities, which ``answers.json`` has."""
    record = to_json(plan)
    targets = [{name: row[name] for name in TARGET} for row in record["targets"]]
    return {name: record[name] for name in PLAN} | {"targets": targets}


def summary(results: Answers) -> dict[str, Any]:
    """The numbers shown by ``dvc metrics``: the means of ``PLOTTED`` at the largest size, area and saturation."""
    return {
        name: {metric: arm.curves[metric][-1].mean for metric in PLOTTED}
        | {"area": arm.area[results.metric].mean, "saturation_size": arm.saturation.size}
        for name, arm in results.arms.items()
    }


def plot(results: Answers, metric: str) -> list[dict[str, Any]]:
    """The points of a metric's curves with their intervals, one record per arm and training size."""
    return [
        {"arm": name, "size": point.size, "mean": point.mean, "ci_low": point.ci_low, "ci_high": point.ci_high}
        for name, arm in results.arms.items()
        for point in arm.curves[metric]
    ]
