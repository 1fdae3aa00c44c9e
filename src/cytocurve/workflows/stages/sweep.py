"""Stage ``sweep``: train the runs of an arm that the ledger does not contain, and publish all of them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from cytocurve.config import ProjectPaths
from cytocurve.core.durations import Timed
from cytocurve.core.runs import PlannedRun, longest_first
from cytocurve.models import recipes
from cytocurve.models.preparation import preparation
from cytocurve.progress import Observer
from cytocurve.redaction import shown
from cytocurve.stores.dvc import commit
from cytocurve.stores.ledger import Finished, Ledger, open_ledger
from cytocurve.study.design import ArmDesign, check_withdrawn
from cytocurve.text import counted
from cytocurve.training.features import shared_features
from cytocurve.training.finished_sizes import FinishedSizes
from cytocurve.training.kernel_files import to_compile
from cytocurve.training.preparation import shared_pixels
from cytocurve.training.publisher import Publisher
from cytocurve.training.queue import Report, train_all
from cytocurve.training.results import write_results
from cytocurve.training.worker import Assignment
from cytocurve.workflows.gate import require_audit


@dataclass(frozen=True)
class SweepOutcome:
    """The outcome of sweeping an arm: counts of runs, and the cost of publishing.

    ``found`` runs were in the ledger, or a concurrent sweep trained them. ``published`` is the number of runs in
    MLflow, None if it could not be reached; the sweep waited ``publish_seconds`` for publishing, which took
    ``publish_cpu_seconds`` of CPU time.
    """

    runs: int
    found: int
    trained: int
    diverged: int
    published: int | None
    publish_seconds: float
    publish_cpu_seconds: float

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)


def sweep(
    project: ProjectPaths, designs: Sequence[ArmDesign], executor: Callable[[], Executor], observer: Observer
) -> dict[str, SweepOutcome]:
    """Check the audit, finish all runs of these arms, write their results and publish them; returns outcomes by arm.

    Raises ``CytocurveError``, before any training, if the audit fails.
    """
    require_audit(project)
    gave_up = Event()
    return {design.arm.name: _sweep_arm(project, design, executor, observer, gave_up) for design in designs}


def _sweep_arm(
    project: ProjectPaths, design: ArmDesign, executor: Callable[[], Executor], observer: Observer, gave_up: Event
) -> SweepOutcome:
    publisher = Publisher(project, design, observer.warning, gave_up)
    show_progress, sizes = observer.runs(design.arm.name, design.runs), FinishedSizes(design)
    ledger = open_ledger(project.ledger_url)
    first = True

    def report(finished: Sequence[PlannedRun]) -> None:
        nonlocal first
        times = [] if first else _times(ledger, finished)
        show_progress(finished, times)
        for line in sizes.add(finished, ledger, trained=not first):
            observer.message(line)
        first = False
        publisher.publish_if_due(finished)

    counts = _finish_runs(project, design, executor, observer, report)
    return SweepOutcome(**counts, **publisher.finish())


def _times(ledger: Ledger, finished: Sequence[PlannedRun]) -> list[Timed]:
    """When these runs were trained, as far as the ledger tells."""
    known = [(run.size, ledger.provenance(run.key)) for run in finished]
    return [
        Timed(size, about["started"], about["finished"])
        for size, about in known
        if {"started", "finished"} <= about.keys()
    ]


def _finish_runs(
    project: ProjectPaths, design: ArmDesign, executor: Callable[[], Executor], observer: Observer, report: Report
) -> dict[str, int]:
    """Finish all runs of the arm and write its results; returns the counts ``runs, found, trained, diverged``.

    A run has diverged if no epoch had a finite validation loss; its network is the untrained one. Diverged runs cause a
    warning. Raises ``InputError`` before any training, ``CytocurveError`` if runs fail, after all others have finished.
    """
    say = observer.message
    ledger = open_ledger(project.ledger_url)
    with _exclusive(project.locks / f"{design.key}.lock", design.arm.name, say):
        check_withdrawn(project, design.dataset, design.images, f"The runs of {design.arm.name}")
        finished = {run.key: ledger.get(run.key) for run in design.runs}
        missing = [run for run in design.runs if finished[run.key] is None]
        _quarantine(ledger, missing, observer.warning)
        report([run for run in design.runs if finished[run.key] is not None])
        trained = len(missing)
        if missing:
            ledger.check_writable()
            inputs = _inputs(project, design, executor, observer)
            if to_compile(design.recipe):
                say("Compiling kernels (once per machine, about 20 s)")
            assignments = _assignments(project, design, missing, inputs)
            trained -= train_all(assignments, ledger, executor, report, say)
            finished |= {run.key: ledger.get(run.key) for run in missing}
        write_results(project, design, finished)
    diverged = [run for run in design.runs if _diverged(finished[run.key])]
    if diverged:
        sizes = ", ".join(str(size) for size in sorted({run.size for run in diverged}))
        observer.warning(
            f"{len(diverged)} of {len(design.runs)} runs of {design.arm.name} diverged: no epoch had a finite "
            f"validation loss, so their scores are those of untrained networks (sizes {sizes}). "
            "Try a lower training.learning_rate or training.class_weights."
        )
    found = len(design.runs) - trained
    return {"runs": len(design.runs), "found": found, "trained": trained, "diverged": len(diverged)}


def _inputs(
    project: ProjectPaths, design: ArmDesign, executor: Callable[[], Executor], observer: Observer
) -> tuple[Path, Path | None]:
    """The files that all workers read: prepared pixels, and feature vectors if the architecture has features."""
    prepared, identities = preparation(design.recipe.preparation.settings), design.identities
    files = [project.data / design.dataset / "images" / image for image in design.images]
    pixels = shared_pixels(project.pixels, files, identities, prepared, observer.task("decoding", "images"))
    parts = recipes.resolved(design.recipe)
    if parts.architecture.features is None:
        return pixels, None
    features = parts.architecture.features, parts.architecture_settings
    progress = observer.task("features", "images")
    return pixels, shared_features(project.features, pixels, identities, prepared, features, executor, progress)


def _quarantine(ledger: Ledger, runs: Sequence[PlannedRun], warn: Callable[[str], None]) -> None:
    damaged = [run.key for run in runs if ledger.quarantine(run.key)]
    if damaged:
        warn(f"{counted(len(damaged), 'damaged run')} quarantined in the ledger {shown(ledger.url)}; retraining.")


def _diverged(run: Finished | None) -> bool:
    return run is not None and not np.isfinite(run.validation_losses).any()


@contextmanager
def _exclusive(path: Path, arm: str, say: Callable[[str], None]) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another sweep of {arm} is running; waiting for it to finish")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _assignments(
    project: ProjectPaths, design: ArmDesign, runs: Sequence[PlannedRun], inputs: tuple[Path, Path | None]
) -> list[Assignment]:
    url, revision = open_ledger(project.ledger_url).url, commit(project.root)
    order = longest_first([run.size for run in runs])
    locks = project.locks.resolve() / "runs"
    pixels, features = inputs
    return [Assignment(url, locks, pixels, design.arm.name, design.classes, runs[i], revision, features) for i in order]
