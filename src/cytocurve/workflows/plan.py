"""``cytocurve plan``: the labeled images that a target needs, by the learning curve of each arm."""

from collections.abc import Sequence

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import PlanAnswer
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.evaluation.forecasts import planned_arm
from cytocurve.study.design import check_split
from cytocurve.study.results import read_runs
from cytocurve.text import check_known


def plan(project: ProjectPaths, arms: Sequence[Arm], metric: str, target: float) -> PlanAnswer:
    """The forecast of each arm by a metric, and what this target needs.

    Raises ``InputError`` for an unknown metric, and listing all results that are missing or cannot be used.
    """
    if unknown := check_known("metric", [metric], list(METRICS)):
        raise InputError(unknown[0], hint=f"Metrics: {', '.join(METRICS)}")
    if not 0 < target <= 1:
        raise InputError(f"--target: expected a score above 0 and up to 1, got {target}", hint="For example 0.95")
    check_split(project, project.params())
    runs = read_runs(project, arms)
    return PlanAnswer(target, metric, {arm: planned_arm(table, metric, target) for arm, table in runs.items()})
