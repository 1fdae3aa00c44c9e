"""Observers of long-running commands: progress bars, log lines, or silence."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

LOG_INTERVAL = 30.0
"""Minimum number of seconds between two log lines of a task."""

logger = logging.getLogger("cytocurve")

Progress = Callable[[int, int], None]
"""Called with the number done and the total."""


class Sized(Protocol):
    """A run, whose cost is proportional to its number of training images."""

    @property
    def size(self) -> int:
        """Training images."""


RunProgress = Callable[[Sequence[Sized]], None]
"""Called with the runs that just finished, possibly none; the first call lists those that need no training."""


class Observer(Protocol):
    """Receives the progress and the messages of a command. Its methods may be called from any thread."""

    def task(self, description: str, unit: str) -> Progress:
        """Start a task; its total is known from the first progress call."""

    def runs(self, arm: str, runs: Sequence[Sized]) -> RunProgress:
        """Start reporting the runs of an arm; the remaining time is estimated from training images."""

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
        return lambda _finished: None

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
        estimate, logged = Estimate(runs), time.monotonic()

        def show(finished: Sequence[Sized]) -> None:
            nonlocal logged
            estimate.add(finished)
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

        def show(finished: Sequence[Sized]) -> None:
            estimate.add(finished)
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
    """Rate and remaining time of an arm's runs, based on training images, since large runs come first."""

    def __init__(self, runs: Sequence[Sized]) -> None:
        self.finished = 0
        self._images_left = sum(run.size for run in runs)
        self._images_done = 0
        self._trained = 0
        self._started: float | None = None

    def add(self, finished: Sequence[Sized]) -> None:
        """Count finished runs; those of the first call needed no training."""
        images = sum(run.size for run in finished)
        self.finished += len(finished)
        self._images_left -= images
        if self._started is None:
            self._started = time.monotonic()
        else:
            self._images_done += images
            self._trained += len(finished)

    def __str__(self) -> str:
        if self._started is None or not self._images_done:
            return ""
        seconds = max(time.monotonic() - self._started, 1e-9)
        minutes, rest = divmod(round(seconds / self._images_done * self._images_left), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours:d}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
        return f"{self._trained / seconds * 60:.1f} runs/min, {left} left"
