"""Publish finished runs from the ledger to MLflow."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.comparison import digest_of_tests
from cytocurve.core.runs import PlannedRun
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.errors import ServiceError
from cytocurve.models import recipes
from cytocurve.stores.dvc import commit, data_hash
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.stores.tracking.connection import connected
from cytocurve.stores.tracking.experiments import ArmRuns, Published, PublishedRun
from cytocurve.stores.tracking.experiments import publish as publish_runs
from cytocurve.study.design import ArmDesign

INTERVAL = 20.0
"""Minimum seconds between two publications during a sweep."""

SHARE = 0.02
"""Maximum share of a sweep's time that publishing may take, in CPU time."""


def publish(
    project: ProjectPaths, design: ArmDesign, progress: Callable[[int, int], object] | None = None
) -> Published:
    """Publish the arm's finished runs, and its curves once all runs are finished.

    Raises ``ServiceError`` if the tracking store cannot be used.
    """
    return _publish(project, arm_runs(project, design, list(_read(project, design, design.runs))), progress)


def _publish(project: ProjectPaths, arm: ArmRuns, progress: Callable[[int, int], object] | None = None) -> Published:
    with connected(project.tracking_uri, project.tracking_lock) as client:
        return publish_runs(client, arm, progress)


def arm_runs(project: ProjectPaths, design: ArmDesign, runs: Sequence[PublishedRun]) -> ArmRuns:
    """The record of these runs for the tracking store; it includes curves if all runs of the arm are given."""
    return ArmRuns(
        arm=design.arm,
        dataset=design.dataset,
        task=design.task,
        data_hash=data_hash(project.root),
        arm_key=design.key,
        params=flat_params(design),
        commit=commit(project.root),
        runs=runs,
        curves=_curves(runs) if len(runs) == len(design.runs) else None,
        tests=_tests(design),
    )


def flat_params(design: ArmDesign) -> dict[str, Any]:
    """The recipe as MLflow parameters: the version and all settings of every component."""
    recipe = design.recipe
    versions = {f"{name}_version": component["version"] for name, component in asdict(recipe).items()}
    named = {name: getattr(recipe, name).name for name in ("preparation", "protocol", "engine")}
    size = {"image_size": recipe.preparation.settings["size"], "outputs": len(design.class_names)}
    return {**versions, **named, **size, **recipes.resolved(recipe).settings()}


def _tests(design: ArmDesign) -> str:
    """The digest of the arm's test images, folds and labels."""
    rows = [(row, run.fold) for run in {run.fold: run for run in design.runs}.values() for row in run.rows["test"]]
    labels = [design.class_names[design.classes[row]] for row, _ in rows]
    return digest_of_tests([design.images[row] for row, _ in rows], [fold for _, fold in rows], labels)


def _read(project: ProjectPaths, design: ArmDesign, planned: Sequence[PlannedRun]) -> Iterator[PublishedRun]:
    """The planned runs that are in the ledger."""
    ledger, classes = open_ledger(project.ledger_url), np.array(design.classes)
    return (_published(run, finished, classes) for run in planned if (finished := ledger.get(run.key)))


def _published(planned: PlannedRun, run: Finished, classes: Any) -> PublishedRun:
    metrics = score(classes[planned.rows["test"]], run.predictions["test"])
    return PublishedRun(planned.key, planned.fold, planned.size, planned.seed, metrics, lambda: run)


def _curves(runs: Sequence[PublishedRun]) -> dict[str, dict[int, float]]:
    means = pd.DataFrame([{"size": run.size, **run.metrics} for run in runs]).groupby("size").mean()
    sizes = means.index.tolist()
    return {metric: dict(zip(sizes, means[metric].tolist(), strict=True)) for metric in METRICS}


class Publisher:
    """Publishes an arm in a background thread during its sweep; a failing store causes a single warning.

    The process of the sweep only waits for its workers, so publishing costs nothing but CPU time.
    """

    def __init__(self, project: ProjectPaths, design: ArmDesign, say: Callable[[str], None]) -> None:
        self._project, self._design, self._say = project, design, say
        self._waiting: list[PlannedRun] = []
        self._read: dict[str, PublishedRun] = {}
        self._thread = ThreadPoolExecutor(1)
        self._look: Future[Published | None] | None = None
        self._next = 0.0
        self._failed = False
        self._cpu_seconds = 0.0

    def publish_if_due(self, finished: Sequence[PlannedRun]) -> None:
        """Start publishing the runs finished since the last time, unless that was too recent."""
        self._waiting += finished
        if self._waiting and (self._look is None or self._look.done()) and time.monotonic() >= self._next:
            self._look = self._thread.submit(self._try, self._waiting)
            self._waiting = []

    def finish(self) -> dict[str, Any]:
        """Publish the remaining runs; returns ``published`` and the cost of publishing, as in ``SweepOutcome``."""
        started = time.monotonic()
        published = self._thread.submit(self._try, self._design.runs).result()
        self._thread.shutdown()
        return {
            "published": None if published is None else published.created + published.present,
            "publish_seconds": round(time.monotonic() - started, 2),
            "publish_cpu_seconds": round(self._cpu_seconds, 2),
        }

    def _try(self, planned: Sequence[PlannedRun]) -> Published | None:
        if self._failed:
            return None
        started = time.thread_time()
        try:
            return _publish(self._project, arm_runs(self._project, self._design, self._once(planned)))
        except ServiceError as error:
            self._failed = True
            self._say(str(error))
            return None
        finally:
            spent = time.thread_time() - started
            self._cpu_seconds += spent
            self._next = time.monotonic() + max(INTERVAL, spent / SHARE)

    def _once(self, planned: Sequence[PlannedRun]) -> list[PublishedRun]:
        """The planned runs, each read from the ledger once."""
        unread = [run for run in planned if run.key not in self._read]
        self._read |= {run.key: run for run in _read(self._project, self._design, unread)}
        return [self._read[run.key] for run in planned if run.key in self._read]
