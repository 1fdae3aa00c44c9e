"""``cytocurve plan``: forecast the number of labeled images that a target score needs."""

from collections.abc import Sequence

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import PlanAnswer
from cytocurve.core.audit.balance import unbalanced_sizes
from cytocurve.core.runs import Arm
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.evaluation.answers import by_image
from cytocurve.evaluation.forecasts import planned_arm
from cytocurve.evaluation.label_needs import label_needs
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import check_split, read_split
from cytocurve.study.results import read_runs, validation_images
from cytocurve.text import check_known


def plan(project: ProjectPaths, arms: Sequence[Arm], metric: str, target: float | None) -> PlanAnswer:
    """Forecast the learning curve of each arm and how probable it is that training sizes reach the target.

    Without a target, each arm answers its most informative one.
    Raises ``InputError`` for an unknown metric, or listing all results that are missing or cannot be used.
    """
    if unknown := check_known("metric", [metric], list(METRICS)):
        raise InputError(unknown[0], hint=f"Metrics: {', '.join(METRICS)}")
    if target is not None and not 0 < target <= 1:
        raise InputError(f"--target: expected a score above 0 and up to 1, got {target}", hint="For example 0.95")
    params = project.params()
    check_split(project, params)
    runs = read_runs(project, arms)
    patients = by_image(read_catalog(project), "patient") if project.catalog.is_file() else {}
    planned = {
        arm.name: planned_arm(runs[arm.name], metric, target, label_needs(project, params, arm, patients))
        for arm in arms
    }
    unbalanced = {arm.name: _unbalanced(project, arm) for arm in arms}
    return PlanAnswer(target, metric, validation_images(project, arms[0]), planned, unbalanced)


def _unbalanced(project: ProjectPaths, arm: Arm) -> tuple[int, ...]:
    """The training sizes of an arm that cannot be balanced; none if its split is not there."""
    if not project.split(arm.labels).is_file():
        return ()
    params = project.params()
    split = read_split(project, params, arm.labels)
    return tuple(found.size for found in unbalanced_sizes(split, params.sizes))
