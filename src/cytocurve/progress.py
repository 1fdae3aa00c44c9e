"""Observers of long-running commands: progress bars, log lines, or silence."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from cytocurve.core.durations import Timed, seconds_left

LOG_INTERVAL = 30.0
"""Minimum number of seconds between two log lines of a task."""

logger = logging.getLogger("cytocurve")

Progress = Callable[[int, int], None]
"""Called with the number done and the total."""


class Sized(Protocol):
    """A run, whose cost grows with its number of training images."""

    @property
    def size(self) -> int:
        """Training images."""


class RunProgress(Protocol):
    """Receives the runs that just finished, possibly none; the first call lists those that need no training."""

    def __call__(self, finished: Sequence[Sized], times: Sequence[Timed] = ()) -> None:
        """Report finished runs; ``times`` are those of the ones that were trained, as far as they are known."""


class Observer(Protocol):
    """Receives the progress and the messages of a command. Its methods may be called from any thread."""

    def task(self, description: str, unit: str) -> Progress:
        """Start a task; its total is known from the first progress call."""

    def runs(self, arm: str, runs: Sequence[Sized]) -> RunProgress:
        """Start reporting the runs of an arm, with the remaining time once a run has been trained."""

    def message(self, text: str) -> None:
        """Show a message."""

    def warning(self, text: str) -> None:
        """Show a warning; the command continues."""

    def close(self) -> None:
        """End all tasks, finished or not. The observer can be reused."""


def default_observer() -> Observer:
    """Bars if stderr is a terminal, log lines otherwise."""
    return Bars() if sys.stderr.isatty() else LogLines()


class Silent:
    """Reports nothing."""

    def task(self, description: str, unit: str) -> Progress:  # noqa: ARG002
        """Ignore the task."""
        return lambda _done, _total: None

    def runs(self, arm: str, runs: Sequence[Sized]) -> RunProgress:  # noqa: ARG002
        """Ignore the runs."""
        return lambda finished, times=(): None  # noqa: ARG005

    def message(self, text: str) -> None:
        """Ignore the message."""

    def warning(self, text: str) -> None:
        """Ignore the warning."""

    def close(self) -> None:
        """Do nothing."""


class LogLines:
    """Logs to the logger ``cytocurve``: progress and messages at level INFO, warnings at level WARNING.

    A task is logged at most every ``LOG_INTERVAL`` seconds, and when it finishes.
    """

    def __init__(self, interval: float = LOG_INTERVAL) -> None:
        self._interval = interval

    def task(self, description: str, unit: str) -> Progress:
        """Log the task's progress."""
        logged = time.monotonic()

        def show(done: int, total: int) -> None:
            nonlocal logged
            if done == total or time.monotonic() - logged >= self._interval:
                logger.info("%s: %d of %d %s", description, done, total, unit)
                logged = time.monotonic()

        return show

    def runs(self, arm: str, runs: Sequence[Sized]) -> RunProgress:
        """Log finished runs with their rate and the remaining time."""
        estimate, logged = Estimate(runs), float("-inf")

        def show(finished: Sequence[Sized], times: Sequence[Timed] = ()) -> None:
            nonlocal logged
            estimate.add(finished, times)
            if finished and (estimate.finished == len(runs) or time.monotonic() - logged >= self._interval):
                remaining = f", {estimate}" if str(estimate) else ""
                logger.info("%s: %d of %d runs%s", arm, estimate.finished, len(runs), remaining)
                logged = time.monotonic()

        return show

    def message(self, text: str) -> None:
        """Log the message."""
        logger.info("%s", text)

    def warning(self, text: str) -> None:
        """Log the warning."""
        logger.warning("%s", text)

    def close(self) -> None:
        """Do nothing."""


class Bars:
    """Progress bars on stderr."""

    def __init__(self) -> None:
        self._open: list[Any] = []

    def task(self, description: str, unit: str) -> Progress:
        """Show a progress bar from the first progress call."""
        bar: Any = None

        def show(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:
                bar = self._bar(total=total, desc=description, unit=f" {unit}")
            bar.update(done - bar.n)
            if done == total:
                bar.close()

        return show

    def runs(self, arm: str, runs: Sequence[Sized]) -> RunProgress:
        """Show a progress bar with the rate and the remaining time."""
        bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} runs [{elapsed}{postfix}]"
        bar, estimate = self._bar(total=len(runs), desc=arm, bar_format=bar_format), Estimate(runs)

        def show(finished: Sequence[Sized], times: Sequence[Timed] = ()) -> None:
            estimate.add(finished, times)
            bar.set_postfix_str(str(estimate), refresh=False)
            bar.update(len(finished))
            bar.refresh()  # update the elapsed time even if no run has finished

        return show

    def message(self, text: str) -> None:
        """Print the message above the bars."""
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)

    def warning(self, text: str) -> None:
        """Print the warning above the bars."""
        self.message(f"warning: {text}")

    def close(self) -> None:
        """Close all bars."""
        for bar in self._open:
            bar.close()
        self._open.clear()

    def _bar(self, **settings: Any) -> Any:
        from tqdm import tqdm

        bar = tqdm(file=sys.stderr, mininterval=0.5, **settings)
        self._open.append(bar)
        return bar


class Estimate:
    """Rate and remaining time of an arm's runs, from the times of those that were trained, as in ``core.durations``."""

    def __init__(self, runs: Sequence[Sized]) -> None:
        self.finished = 0
        self._left = Counter(run.size for run in runs)
        self._times: list[Timed] = []
        self._last = 0.0

    def add(self, finished: Sequence[Sized], times: Sequence[Timed] = ()) -> None:
        """Count finished runs, and keep the times of those that were trained."""
        self.finished += len(finished)
        self._left -= Counter(run.size for run in finished)
        if times:
            self._times += times
            self._last = time.monotonic()

    def __str__(self) -> str:
        if not self._times:
            return ""
        minutes = (max(run.finished for run in self._times) - min(run.started for run in self._times)) / 60
        left = max(seconds_left(self._left, self._times) - (time.monotonic() - self._last), 0.0)
        return f"{len(self._times) / max(minutes, 1e-9):.1f} runs/min, {clock(left)} left"


def clock(seconds: float) -> str:
    """A duration as ``05:09`` or ``1:05:09``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:d}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
