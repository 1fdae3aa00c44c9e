"""The remaining time of a sweep is right from its first runs on, for any number of workers."""

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.durations import Timed, at_once, seconds_by_size, seconds_left


def sweep(sizes: list[int], workers: int, overhead: float) -> list[Timed]:
    """The runs of a sweep, largest first, in the order in which they finish; an image takes a second."""
    free = [0.0] * workers
    runs = []
    for size in sorted(sizes, reverse=True):
        started = heapq.heappop(free)
        heapq.heappush(free, started + size + overhead)
        runs.append(Timed(size, started, started + size + overhead))
    return sorted(runs, key=lambda run: run.finished)


@given(
    workers=st.integers(1, 8),
    overhead=st.floats(0, 20),
    sizes=st.lists(st.integers(10, 500), min_size=2, max_size=6, unique=True),
)
def test_estimate_is_within_a_tenth_of_the_sweep_once_every_worker_has_finished_a_run(
    workers: int, overhead: float, sizes: list[int]
) -> None:
    runs = sweep(10 * sizes, workers, overhead)
    end = max(run.finished for run in runs)
    for done in range(workers, len(runs)):
        left: dict[int, int] = {}
        for run in runs[done:]:
            left[run.size] = left.get(run.size, 0) + 1
        truth = end - runs[done - 1].finished
        assert abs(seconds_left(left, runs[:done]) - truth) <= 0.1 * end


def test_estimate_knows_that_small_runs_are_shorter() -> None:
    first = [Timed(200, 0, 42), Timed(200, 0, 43)]
    expected = seconds_by_size([10, 100, 200], first)
    assert expected[200] == 42.5
    assert 3 < expected[10] < 6
    assert 20 < expected[100] < 24


def test_estimate_scales_from_the_nearest_size_and_is_not_moved_by_one_slow_run() -> None:
    trained = [Timed(200, 0, 40), Timed(200, 0, 4000), Timed(200, 0, 41), Timed(50, 0, 5)]
    assert seconds_by_size([200, 40], trained) == {200: 41, 40: pytest.approx(5 * 50 / 60)}


def test_runs_at_once_are_those_that_overlap() -> None:
    assert at_once([]) == 0
    assert at_once([Timed(1, 0, 2), Timed(1, 2, 3)]) == 1
    assert at_once([Timed(1, 0, 2), Timed(1, 1, 3), Timed(1, 1.5, 4), Timed(1, 3.5, 5)]) == 3


def test_estimate_needs_a_trained_run() -> None:
    with pytest.raises(ValueError, match="once one has been trained"):
        seconds_left({10: 1}, [])
