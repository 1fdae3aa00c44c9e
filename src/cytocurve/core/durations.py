"""How long the rest of a sweep takes, from the runs that it has trained so far."""

import heapq
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

OVERHEAD = 10
"""What a run costs regardless of its size (validation, mostly), in training images."""


@dataclass(frozen=True)
class Timed:
    """When a run of a training size started and finished, in seconds."""

    size: int
    started: float
    finished: float

    @property
    def seconds(self) -> float:
        """The duration of the run."""
        return self.finished - self.started


def seconds_by_size(sizes: Iterable[int], trained: Sequence[Timed]) -> dict[int, float]:
    """The expected seconds of a run of each size: the median of its runs, else scaled from the nearest trained size.

    Early stopping makes the number of epochs similar for all sizes, so an epoch's images and an overhead set the scale.
    Raises ``ValueError`` if no run has been trained.
    """
    known: dict[int, list[float]] = defaultdict(list)
    for run in trained:
        known[run.size].append(run.seconds)
    if not known:
        raise ValueError("the durations of runs are known once one has been trained")
    typical = {size: median(seconds) for size, seconds in known.items()}

    def expected(size: int) -> float:
        nearest = min(typical, key=lambda other: (abs(other - size), other))
        return typical[nearest] * (size + OVERHEAD) / (nearest + OVERHEAD)

    return {size: typical.get(size, expected(size)) for size in sizes}


def at_once(trained: Sequence[Timed]) -> int:
    """The largest number of these runs that were under way at the same moment; 0 if there are none."""
    changes = sorted([(run.started, 1) for run in trained] + [(run.finished, -1) for run in trained])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def seconds_left(left: Mapping[int, int], trained: Sequence[Timed]) -> float:
    """The seconds from the last of the ``trained`` runs until all runs that are ``left``, by size, have finished.

    The largest run is always next. Raises ``ValueError`` if no run has been trained.
    """
    expected, free = seconds_by_size(left, trained), _under_way_since(trained)
    now = max(run.finished for run in trained)
    for size in sorted(Counter(left).elements(), reverse=True):
        started = heapq.heappop(free)
        heapq.heappush(free, max(started + expected[size], now))
    return max(now, *free) - now


def _under_way_since(trained: Sequence[Timed]) -> list[float]:
    """When the run that each worker is at now started, sorted: a worker starts one as soon as it has finished another.

    These are the beginning, for every worker, and the ends of runs, without those at which a trained run started.
    """
    beginning = min(run.started for run in trained)
    free = [beginning] * at_once(trained) + sorted(run.finished for run in trained)
    for run in sorted(trained, key=lambda run: run.started):
        del free[max(bisect(free, run.started) - 1, 0)]
    return free
