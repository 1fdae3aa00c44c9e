"""Stage ``sweep``: the runs of one arm; those that the ledger holds are taken from it, the others are trained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from cytocurve.config import ProjectPaths
from cytocurve.core.runs import PlannedRun, longest_first
from cytocurve.core.statistics.metrics import score
from cytocurve.errors import CytocurveError
from cytocurve.progress import Observer
from cytocurve.stores.dvc import commit
from cytocurve.stores.ledger import Finished, Ledger
from cytocurve.stores.tables import write_parquet
from cytocurve.study.design import ArmPlan
from cytocurve.training.executors import end_workers
from cytocurve.training.kernel_files import to_compile
from cytocurve.training.preparation import shared_pixels
from cytocurve.training.publisher import Publisher
from cytocurve.training.worker import Assignment, train_run
from cytocurve.workflows.gate import require_audit

DEATHS = 3
"""How often in a row workers may die before the sweep gives up, with no run finished in between."""

TICK = 1.0
"""Seconds after which a report is made even where no run has finished."""

Report = Callable[[Sequence[PlannedRun]], None]
"""Called with the runs that have just been finished (first, with those found in the ledger), possibly none."""


@dataclass(frozen=True)
class SweepOutcome:
    """What a sweep did for an arm: counts of runs, and what publishing cost.

    ``found`` runs were in the ledger already. ``published`` is the number of runs in MLflow, None if it could not be
    used; the sweep waited ``publish_seconds`` for it, and it took ``publish_cpu_seconds`` of processor time in all.
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
    project: ProjectPaths, plans: Sequence[ArmPlan], executor: Callable[[], Executor], observer: Observer
) -> dict[str, SweepOutcome]:
    """Pass the audit gate, finish all runs of these arms, write their results and publish them; outcomes by arm.

    Raises ``CytocurveError``, before any training, if the audit refuses the study.
    """
    require_audit(project)
    return {plan.arm.name: _sweep_arm(project, plan, executor, observer) for plan in plans}


def _sweep_arm(
    project: ProjectPaths, plan: ArmPlan, executor: Callable[[], Executor], observer: Observer
) -> SweepOutcome:
    show, publisher = observer.runs(plan.arm.name, plan.runs), Publisher(project, plan, observer.warning)

    def report(finished: Sequence[PlannedRun]) -> None:
        show(finished)
        publisher.now_and_then(finished)

    counts = _finish_runs(project, plan, executor, observer, report)
    return SweepOutcome(**counts, **publisher.finish())


def _finish_runs(
    project: ProjectPaths, plan: ArmPlan, executor: Callable[[], Executor], observer: Observer, report: Report
) -> dict[str, int]:
    """Finish all runs of the arm and write its results; returns the counts ``runs, found, trained, diverged``.

    A run has diverged if no epoch had a finite validation loss: its network is the initial one, which is a warning.
    Raises ``InputError`` before any training, ``CytocurveError`` if runs fail, after all others are finished.
    """
    say, decoded = observer.message, observer.task("decoding", "images")
    ledger = Ledger(project.ledger)
    with _only_sweep(project.ledger / "locks" / f"{plan.key}.lock", plan.arm.name, say):
        finished = {run.key: ledger.get(run.key) for run in plan.runs}
        missing = [run for run in plan.runs if finished[run.key] is None]
        report([run for run in plan.runs if finished[run.key] is not None])
        if missing:
            files = [project.data / plan.dataset / "images" / image for image in plan.images]
            pixels = shared_pixels(project.pixels, files, plan.identities, plan.recipe.image_size, decoded)
            if to_compile(plan.recipe):
                say("Compiling kernels (once per machine, about 20 s).")
            train_all(_assignments(project, plan, missing, pixels), ledger, executor, report, say)
            finished |= {run.key: ledger.get(run.key) for run in missing}
        write_results(project, plan, finished)
    diverged = [run for run in plan.runs if _diverged(finished[run.key])]
    if diverged:
        sizes = ", ".join(str(size) for size in sorted({run.size for run in diverged}))
        observer.warning(
            f"{len(diverged)} of {len(plan.runs)} runs of {plan.arm.name} diverged: no epoch had a finite "
            f"validation loss, and their scores are those of untrained networks (sizes {sizes}). "
            "Lower training.learning_rate or training.class_weights."
        )
    found = len(plan.runs) - len(missing)
    return {"runs": len(plan.runs), "found": found, "trained": len(missing), "diverged": len(diverged)}


def _diverged(run: Finished | None) -> bool:
    return run is not None and not np.isfinite(run.validation_losses).any()


@contextmanager
def _only_sweep(path: Path, arm: str, say: Callable[[str], None]) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another sweep of {arm} is running; waiting for it to finish.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _assignments(project: ProjectPaths, plan: ArmPlan, runs: Sequence[PlannedRun], pixels: Path) -> list[Assignment]:
    revision = commit(project.root)
    order = longest_first([run.size for run in runs])
    return [Assignment(project.ledger, pixels, plan.arm.name, plan.classes, runs[i], revision) for i in order]


def train_all(
    assignments: Sequence[Assignment],
    ledger: Ledger,
    executor: Callable[[], Executor],
    report: Report,
    say: Callable[[str], None],
) -> None:
    """Train every assignment; a killed worker costs its run, which is trained again, and no other.

    Raises ``CytocurveError`` listing the runs that failed, after all others are finished.
    """
    failures: dict[str, str] = {}
    deaths = 0
    pending = list(assignments)
    while pending:
        finished = _train_until_death(pending, executor, report, failures)
        deaths = 0 if finished else deaths + 1
        pending = [a for a in pending if a.planned.key not in ledger and a.planned.key not in failures]
        if pending and deaths == DEATHS:
            raise CytocurveError(
                f"Worker processes died {DEATHS} times in a row without finishing a run.",
                hint="Is there too little memory? Try --workers 1, or --executor serial to see the run itself.",
            )
        if pending:
            say("A worker process died; retraining its run.")
    if failures:
        raise CytocurveError(
            f"{len(failures)} runs failed; all others are kept:",
            [f"{key[:12]}: {reason}" for key, reason in sorted(failures.items())],
        )


def _train_until_death(
    pending: Sequence[Assignment], executor: Callable[[], Executor], report: Report, failures: dict[str, str]
) -> int:
    finished = 0
    pool = executor()
    try:
        futures = {pool.submit(train_run, assignment): assignment.planned for assignment in pending}
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, TICK, FIRST_COMPLETED)
            for future in done:
                failure = future.exception()
                if isinstance(failure, BrokenExecutor):
                    return finished
                if failure:
                    run = futures[future]
                    failures[run.key] = f"fold {run.fold}, size {run.size}, seed {run.seed}: {failure!r}"
            trained = [futures[future] for future in done if not future.exception()]
            finished += len(trained)
            report(trained)
    except BrokenExecutor:
        return finished
    except KeyboardInterrupt:
        end_workers()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return finished


def write_results(project: ProjectPaths, plan: ArmPlan, finished: Mapping[str, Finished | None]) -> None:
    """Write the arm's runs with their scores, and its predictions; the same runs give the same bytes."""
    rows, predictions = [], []
    classes = np.array(plan.classes)
    for planned in plan.runs:
        run = finished[planned.key]
        if run is None:
            raise CytocurveError(
                f"{project.ledger}: run {planned.key} was damaged just after it was written",
                next_step="Check the disk, then rerun the command",
            )
        rows.append(
            {
                "arm": plan.arm.name,
                **vars(plan.arm),
                "fold": planned.fold,
                "size": planned.size,
                "seed": planned.seed,
                "run_key": planned.key,
                "epochs": len(run.losses),
                **score(classes[planned.rows["test"]], run.predictions["test"]),
            }
        )
        predictions += [prediction_rows(plan, planned, run, subset) for subset in ("validation", "test")]
    write_parquet(project.predictions(plan.arm), pd.concat(predictions, ignore_index=True))
    write_parquet(project.results(plan.arm), pd.DataFrame(rows))


def prediction_rows(plan: ArmPlan, planned: PlannedRun, run: Finished, subset: str) -> pd.DataFrame:
    """The predictions of a run for a subset: ``run_key, image, subset, label`` and a column ``p_<class>`` a class."""
    rows = planned.rows[subset]
    columns = {
        "run_key": planned.key,
        "image": [plan.images[row] for row in rows],
        "subset": subset,
        "label": [plan.class_names[plan.classes[row]] for row in rows],
    }
    probabilities = {f"p_{name}": run.predictions[subset][:, i] for i, name in enumerate(plan.class_names)}
    return pd.DataFrame(columns | probabilities)
