"""Publish finished runs from the ledger to MLflow."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import asdict
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.comparison import digest_of_tests
from cytocurve.core.runs import PlannedRun
from cytocurve.core.statistics.metrics import METRICS, score
from cytocurve.errors import ServiceError
from cytocurve.models import recipes
from cytocurve.redaction import shown
from cytocurve.stores.dvc import commit, data_hash
from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.stores.tracking.connection import ANSWER_SECONDS, ask, check_uri, connected
from cytocurve.stores.tracking.experiments import ArmRuns, Published, PublishedRun
from cytocurve.stores.tracking.experiments import publish as publish_runs
from cytocurve.stores.tracking.limits import scaled, start, within
from cytocurve.study.design import ArmDesign

INTERVAL = 20.0
"""Minimum seconds between two publications during a sweep."""

SHARE = 0.02
"""Maximum share of a sweep's time that publishing may take, in CPU time."""

PATIENCE = 60.0
PATIENCE_PER_RUN = 0.25
"""A sweep waits at most this many seconds for publishing after training: ``PATIENCE``, and more for many runs.

Both are in proportion to MLFLOW_HTTP_REQUEST_TIMEOUT, as is ``PUBLISH_PER_RUN``.
"""

PUBLISH_PER_RUN = 1.0
"""Publishing by itself may take ``ANSWER_SECONDS``, and this many more for every run."""


def publish(
    project: ProjectPaths, design: ArmDesign, progress: Callable[[int, int], object] | None = None
) -> Published:
    """Publish the arm's finished runs, and its curves once all runs are finished.

    Raises ``ServiceError`` if the tracking store cannot be used, or a server takes too long.
    """
    check_uri(project.tracking_uri)
    arm = arm_runs(project, design, list(_read(project, design, design.runs)))
    return ask(
        project.tracking_uri,
        project.tracking_lock,
        lambda client: publish_runs(client, arm, progress),
        ANSWER_SECONDS + PUBLISH_PER_RUN * len(arm.runs),
    )


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

    The process of the sweep only waits for its workers, so publishing costs nothing but CPU time. After training, it
    waits for the store for a limited time. ``gave_up`` is shared by the arms of a sweep: once one of them has timed
    out, the others do not try. Raises ``InputError`` if the tracking store's URI cannot be used.
    """

    def __init__(
        self,
        project: ProjectPaths,
        design: ArmDesign,
        say: Callable[[str], None],
        gave_up: Event | None = None,
        patience: float = PATIENCE,
    ) -> None:
        check_uri(project.tracking_uri)
        self._project, self._design, self._say = project, design, say
        self._gave_up = gave_up or Event()
        self._patience = patience
        self._waiting: list[PlannedRun] = []
        self._read: dict[str, PublishedRun] = {}
        self._look: Future[Published | None] | None = None
        self._next = 0.0
        self._failed = False
        self._cpu_seconds = 0.0

    def publish_if_due(self, finished: Sequence[PlannedRun]) -> None:
        """Start publishing the runs finished since the last time, unless that was too recent."""
        self._waiting += finished
        if self._waiting and (self._look is None or self._look.done()) and time.monotonic() >= self._next:
            self._look = start(partial(self._try, self._waiting))
            self._waiting = []

    def finish(self) -> dict[str, Any]:
        """Publish the remaining runs; returns ``published`` and the cost of publishing, as in ``SweepOutcome``."""
        started = time.monotonic()
        limit = scaled(self._patience + PATIENCE_PER_RUN * len(self._design.runs))
        published = None if self._gave_up.is_set() else within(limit, self._publish_all)
        if published is None and not self._failed:
            self._give_up(limit)
        return {
            "published": None if published is None else published.created + published.present,
            "publish_seconds": round(time.monotonic() - started, 2),
            "publish_cpu_seconds": round(self._cpu_seconds, 2),
        }

    def _publish_all(self) -> Published | None:
        if self._look is not None:
            wait([self._look])
        return self._try(self._design.runs)

    def _give_up(self, limit: float) -> None:
        self._failed = True
        reason = "was skipped" if self._gave_up.is_set() else f"was not finished {limit:.0f} s after training"
        self._gave_up.set()
        self._say(
            str(
                ServiceError(
                    f"Publishing {self._design.arm.name} to the tracking store {shown(self._project.tracking_uri)} "
                    f"{reason}: the store is too slow",
                    hint="Nothing is lost: the ledger contains every finished run.",
                    next_step="run cytocurve publish once the store is available again",
                )
            )
        )

    def _try(self, planned: Sequence[PlannedRun]) -> Published | None:
        if self._failed or self._gave_up.is_set():
            return None
        started = time.thread_time()
        try:
            arm = arm_runs(self._project, self._design, self._once(planned))
            with connected(self._project.tracking_uri, self._project.tracking_lock) as client:
                return publish_runs(client, arm)
        except ServiceError as error:
            if not self._failed:
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
