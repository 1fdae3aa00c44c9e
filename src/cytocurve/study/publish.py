"""Finished runs of an arm, from the ledger to MLflow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import Project
from cytocurve.core.metrics import METRICS, score
from cytocurve.core.runs import PlannedRun
from cytocurve.errors import ServiceError
from cytocurve.stores.dvc import commit, data_hash
from cytocurve.stores.ledger import Finished, Ledger
from cytocurve.stores.mlflow import ArmRuns, Published, PublishedRun
from cytocurve.stores.mlflow import publish as publish_runs
from cytocurve.stores.tracking import connected
from cytocurve.study.plan import ArmPlan

INTERVAL = 20.0
"""Seconds between two looks at what a running sweep has finished."""

SHARE = 0.02
"""Of a sweep's time, what publishing while it runs may take."""


def publish(project: Project, plan: ArmPlan, progress: Callable[[int, int], object] | None = None) -> Published:
    """Bring MLflow up to date with the arm's runs in the ledger; the curves follow once all of them are there.

    Raises ``ServiceError`` where the tracking store cannot be used.
    """
    return _publish(project, plan, plan.runs, progress)


def _publish(
    project: Project,
    plan: ArmPlan,
    runs: Sequence[PlannedRun],
    progress: Callable[[int, int], object] | None = None,
) -> Published:
    arm = arm_runs(project, plan, runs)
    with connected(project.tracking_uri, project.tracking_lock) as client:
        return publish_runs(client, arm, progress)


def arm_runs(project: Project, plan: ArmPlan, planned: Sequence[PlannedRun]) -> ArmRuns:
    """Those of the arm's planned runs that the ledger holds, as the tracking store takes them."""
    ledger = Ledger(project.ledger)
    classes = np.array(plan.classes)
    runs = [_published(each, run, classes) for each in planned if (run := ledger.get(each.key))]
    recipe = asdict(plan.recipe)
    settings = recipe.pop("architecture_settings") | recipe.pop("augmentation_settings")
    return ArmRuns(
        arm=plan.arm,
        dataset=plan.dataset,
        task=plan.task,
        data_hash=data_hash(project.root),
        arm_key=plan.key,
        params={name: value for name, value in (recipe | settings).items() if name not in vars(plan.arm)},
        commit=commit(project.root),
        runs=runs,
        curves=_curves(runs) if len(runs) == len(plan.runs) else None,
    )


def _published(planned: PlannedRun, run: Finished, classes: Any) -> PublishedRun:
    metrics = score(classes[planned.rows["test"]], run.predictions["test"])
    return PublishedRun(planned.key, planned.fold, planned.size, planned.seed, metrics, lambda: run)


def _curves(runs: list[PublishedRun]) -> dict[str, dict[int, float]]:
    means = pd.DataFrame([{"size": run.size, **run.metrics} for run in runs]).groupby("size").mean()
    sizes = means.index.tolist()
    return {metric: dict(zip(sizes, means[metric].tolist(), strict=True)) for metric in METRICS}


class Publisher:
    """Publishes an arm now and then while it is swept, and at its end; a store that fails costs one warning."""

    def __init__(self, project: Project, plan: ArmPlan, say: Callable[[str], None]) -> None:
        self._project, self._plan, self._say = project, plan, say
        self._waiting: list[PlannedRun] = []
        self._next = time.monotonic() + INTERVAL
        self._failed = False
        self._seconds = self._cpu_seconds = 0.0

    def now_and_then(self, finished: Sequence[PlannedRun]) -> None:
        """Publish the runs finished since the last time, if that is some time ago."""
        self._waiting += finished
        if self._waiting and time.monotonic() >= self._next:
            began = time.monotonic()
            self._try(self._waiting)
            self._waiting = []
            ended = time.monotonic()
            self._next = ended + max(INTERVAL, (ended - began) / SHARE)

    def finish(self) -> dict[str, Any]:
        """Publish what is left; the count of runs in MLflow (None if the store failed) and the seconds it all took."""
        published = self._try(self._plan.runs)
        runs = None if published is None else published.created + published.present
        seconds = {"publish_seconds": self._seconds, "publish_cpu_seconds": self._cpu_seconds}
        return {"published": runs} | {name: round(value, 2) for name, value in seconds.items()}

    def _try(self, runs: Sequence[PlannedRun]) -> Published | None:
        if self._failed:
            return None
        began, cpu = time.monotonic(), time.process_time()
        try:
            return _publish(self._project, self._plan, runs)
        except ServiceError as error:
            self._failed = True
            self._say(f"warning: {error}")
            return None
        finally:
            self._seconds += time.monotonic() - began
            self._cpu_seconds += time.process_time() - cpu
