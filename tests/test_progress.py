"""Progress observers: all of them, discovered automatically, meet the same contract."""

import inspect
import io
import logging
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve import progress
from cytocurve.core.durations import Timed
from cytocurve.progress import Bars, Estimate, LogLines, Observer, Silent, default_observer

METHODS = {name for name, _ in inspect.getmembers(Observer, inspect.isfunction) if not name.startswith("_")}
OBSERVERS: list[Callable[[], Any]] = [
    result
    for name, result in inspect.getmembers(progress, inspect.isclass)
    if result.__module__ == progress.__name__ and result is not Observer and all(hasattr(result, m) for m in METHODS)
]


@dataclass(frozen=True)
class Run:
    size: int


RUNS = [Run(size) for size in (16, 8, 8, 4)]


@pytest.fixture(params=OBSERVERS)
def observer(request: pytest.FixtureRequest) -> Iterator[Observer]:
    with redirect_stderr(io.StringIO()):
        made: Observer = request.param()
        yield made
        made.close()


def test_observers_are_all_discovered() -> None:
    assert {Silent, LogLines, Bars} == set(OBSERVERS)


def test_observer_follows_several_tasks_at_once(observer: Observer) -> None:
    first, second = observer.task("reading", "images"), observer.task("decoding", "images")
    for done in range(1, 4):
        first(done, 3)
        second(done, 5)


def test_observer_follows_reused_and_trained_runs(observer: Observer) -> None:
    finished = observer.runs("arm", RUNS)
    finished(RUNS[:1])
    finished([])
    finished(RUNS[1:])


def test_observer_follows_an_arm_without_runs_to_train(observer: Observer) -> None:
    observer.runs("arm", RUNS)(RUNS)


def test_observer_closes_with_tasks_unfinished_and_can_be_used_again(observer: Observer) -> None:
    observer.task("reading", "images")(1, 3)
    observer.close()
    observer.close()
    observer.task("reading", "images")(3, 3)


def test_observer_accepts_messages_that_look_like_format_strings(observer: Observer) -> None:
    observer.message("100 % of {images}, %s")
    observer.warning("100 % of {images}, %s")


def test_observer_prints_nothing_to_stdout(observer: Observer, capsys: pytest.CaptureFixture[str]) -> None:
    observer.task("reading", "images")(3, 3)
    observer.message("done")
    assert capsys.readouterr().out == ""


def test_log_lines_report_the_end_of_a_task_and_messages(caplog: pytest.LogCaptureFixture) -> None:
    observer = LogLines()
    with caplog.at_level(logging.INFO, "cytocurve"):
        show = observer.task("decoding", "images")
        for done in range(1, 41):
            show(done, 40)
        observer.message("Compiling kernels.")
        observer.warning("4 runs diverged")
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "decoding: 40 of 40 images"),
        ("INFO", "Compiling kernels."),
        ("WARNING", "4 runs diverged"),
    ]


def test_log_lines_report_every_call_where_the_interval_is_zero(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cytocurve"):
        finished = LogLines(interval=0).runs("arm", RUNS)
        finished(RUNS[:1])
        finished(RUNS[1:], [Timed(run.size, 0, 20) for run in RUNS[1:]])
    assert caplog.messages == ["arm: 1 of 4 runs", "arm: 4 of 4 runs, 9.0 runs/min, 00:00 left"]


def test_log_lines_report_the_remaining_time_with_the_first_trained_run(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cytocurve"):
        finished = LogLines(interval=3600).runs("arm", RUNS)
        finished([])
        finished(RUNS[:1], [Timed(16, 0, 26)])
    assert caplog.messages == ["arm: 1 of 4 runs, 2.3 runs/min, 00:50 left"]


def test_default_observer_logs_where_stderr_is_not_a_terminal() -> None:
    with redirect_stderr(io.StringIO()):
        assert isinstance(default_observer(), LogLines)


@given(sizes=st.lists(st.integers(1, 10_000), min_size=1, max_size=20), cut=st.integers(0, 20))
def test_estimate_is_zero_when_all_runs_are_finished(sizes: list[int], cut: int) -> None:
    runs = [Run(size) for size in sizes]
    estimate = Estimate(runs)
    estimate.add(runs[:cut])
    estimate.add(runs[cut:], [Timed(size, 0, size) for size in sizes[cut:]])
    assert estimate.finished == len(runs)
    assert not str(estimate) or str(estimate).endswith("00:00 left")
