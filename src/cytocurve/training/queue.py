"""The queue of a sweep: trainings handed to an executor until all are finished, however often workers die."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, wait

from cytocurve.core.runs import PlannedRun
from cytocurve.errors import CytocurveError
from cytocurve.stores.ledger import Ledger
from cytocurve.training.executors.processes import end_workers
from cytocurve.training.worker import Assignment, train_run

DEATHS = 3
"""How often in a row workers may die, with no run finished in between, before the sweep gives up."""

TICK = 1.0
"""Seconds after which progress is reported even if no run has finished."""

Report = Callable[[Sequence[PlannedRun]], None]
"""Called with the runs that have just finished, possibly none; first, with those that the ledger already holds."""


def train_all(
    assignments: Sequence[Assignment],
    ledger: Ledger,
    executor: Callable[[], Executor],
    report: Report,
    say: Callable[[str], None],
) -> None:
    """Train every assignment; the run of a killed worker is trained again, and no other is lost.

    Raises ``CytocurveError`` listing the runs that failed, after all others have finished.
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
                hint="Is there enough memory? Try --workers 1, or --executor serial to see the run itself.",
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
    """The number of runs that finished before a worker died or all were done; failures are added."""
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
