"""``cytocurve plan``: what each arm's learning curve says about larger training sets."""

from collections.abc import Sequence
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.core.planner import required
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.evaluation.forecasts import figures_of, forecast_of
from cytocurve.study.design import check_split
from cytocurve.study.results import read_runs
from cytocurve.text import check_known


def plan(project: ProjectPaths, arms: Sequence[Arm], metric: str, target: float) -> dict[str, Any]:
    """Each arm's plan by a metric, and what this target needs; the form is that of ``plan`` in ``answers.json``.

    Raises ``InputError`` for an unknown metric, and listing all results that are missing or cannot be used.
    """
    if unknown := check_known("metric", [metric], list(METRICS)):
        raise InputError(unknown[0], hint=f"Metrics: {', '.join(METRICS)}")
    if not 0 < target <= 1:
        raise InputError(f"--target: a score above 0 and up to 1 is expected, got {target}", hint="For example 0.95")
    check_split(project, project.params())
    plans = {arm: forecast_of(runs, metric) for arm, runs in read_runs(project, arms).items()}
    return {
        "target": target,
        "metric": metric,
        "arms": {
            arm: figures_of(found, metric) | {"required": vars(required(found, target))} for arm, found in plans.items()
        },
    }
