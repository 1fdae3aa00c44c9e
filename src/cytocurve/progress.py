"""Progress bars on stderr."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tqdm import tqdm

# Logs get a line now and then instead of a bar that moves.
INTERVAL = 0.5 if sys.stderr.isatty() else 30.0


class _Sized(Protocol):
    @property
    def size(self) -> int: ...


class Bars:
    """One bar a description, for callables that are told the number done and the total."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}

    def __call__(self, description: str, unit: str) -> Callable[[int, int], None]:
        """A callable that draws the bar of that description."""

        def show(done: int, total: int) -> None:
            if description not in self._bars:
                self._bars[description] = tqdm(total=total, desc=description, unit=f" {unit}", mininterval=INTERVAL)
            bar = self._bars[description]
            bar.update(done - bar.n)
            if done == total:
                bar.close()

        return show

    def close(self) -> None:
        """Leave the terminal in order, whatever happened."""
        for bar in self._bars.values():
            bar.close()


class RunBar:
    """Runs done, their rate, and the time left: by training images, since large runs come first."""

    def __init__(self, arm: str, runs: Sequence[_Sized]) -> None:
        self._left = sum(run.size for run in runs)
        self._done = 0
        self._runs = 0
        self._started: float | None = None
        self._bar: Any = tqdm(
            total=len(runs),
            desc=arm,
            mininterval=INTERVAL,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} runs [{elapsed}{postfix}]",
        )

    def __call__(self, finished: Sequence[_Sized]) -> None:
        """Take in finished runs; the first call has those that need no training."""
        work = sum(run.size for run in finished)
        self._left -= work
        if self._started is None:
            self._started = time.monotonic()
        elif finished:
            self._done += work
            self._runs += len(finished)
            seconds = time.monotonic() - self._started
            left = tqdm.format_interval(seconds / self._done * self._left)
            self._bar.set_postfix_str(f"{self._runs / seconds * 60:.1f} runs/min, {left} left", refresh=False)
        self._bar.update(len(finished))
        if sys.stderr.isatty():
            self._bar.refresh()

    def say(self, message: str) -> None:
        """A line above the bar."""
        tqdm.write(message, file=sys.stderr)

    def close(self) -> None:
        """Leave the terminal in order."""
        self._bar.close()
