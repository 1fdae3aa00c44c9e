"""The queue of a sweep: submit training runs to an executor until all are finished, even if workers die."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, wait

from cytocurve.core.runs import PlannedRun
from cytocurve.errors import CytocurveError
from cytocurve.stores.ledger import Ledger
from cytocurve.text import counted
from cytocurve.training.executors.processes import end_workers
from cytocurve.training.worker import Assignment, train_run

DEATHS = 3
"""Consecutive worker deaths, without a finished run in between, after which the sweep gives up."""

TICK = 1.0
"""Seconds after which progress is reported even if no run has finished."""

Report = Callable[[Sequence[PlannedRun]], None]
"""Called with the runs that just finished, possibly none; the first call lists those already in the ledger."""


def train_all(
    assignments: Sequence[Assignment],
    ledger: Ledger,
    executor: Callable[[], Executor],
    report: Report,
    say: Callable[[str], None],
) -> int:
    """Train every assignment; if a worker dies, only its run is retrained.

    Returns the number of runs that a concurrent sweep trained instead. Raises ``CytocurveError`` listing the runs that
    failed, after all others have finished; and at once if a run cannot be stored, since the results of the others could
    not be stored either.
    """
    failures: dict[str, str] = {}
    elsewhere: list[PlannedRun] = []
    deaths = 0
    pending = list(assignments)
    while pending:
        finished = _train_until_death(pending, executor, report, failures, elsewhere)
        deaths = 0 if finished else deaths + 1
        pending = [a for a in pending if a.planned.key not in ledger and a.planned.key not in failures]
        if pending and deaths == DEATHS:
            raise CytocurveError(
                f"Worker processes died {DEATHS} times in a row without finishing a run.",
                hint="The machine may be out of memory. Try --workers 1, or --executor serial to debug the run.",
            )
        if pending:
            say("A worker process died; retraining its run.")
    if failures:
        raise CytocurveError(
            f"{counted(len(failures), 'run')} failed; finished runs are kept:",
            [f"{key[:12]}: {reason}" for key, reason in sorted(failures.items())],
        )
    return len(elsewhere)


def _train_until_death(
    pending: Sequence[Assignment],
    executor: Callable[[], Executor],
    report: Report,
    failures: dict[str, str],
    elsewhere: list[PlannedRun],
) -> int:
    """Train until a worker dies or all runs are done; returns the number of finished runs.

    Adds to ``failures``, and to ``elsewhere`` the runs that a concurrent sweep has trained.
    """
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
                if isinstance(failure, CytocurveError):
                    raise failure
                if failure:
                    run = futures[future]
                    where = f"fold {run.fold}, size {run.size}, seed {run.seed}"
                    failures[run.key] = f"{where}: {type(failure).__name__}: {failure}"
            stored = [future for future in done if not future.exception()]
            elsewhere += [futures[future] for future in stored if not future.result()]
            finished += len(stored)
            report([futures[future] for future in stored])
    except (BrokenExecutor, BrokenPipeError):  # the latter if a worker dies while it is being started
        return finished
    except (CytocurveError, KeyboardInterrupt):
        end_workers()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return finished
