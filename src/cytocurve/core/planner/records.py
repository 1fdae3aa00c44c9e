"""The lines of a plan."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reached", "forecast", "beyond"]


@dataclass(frozen=True)
class Point:
    """The mean score at a size with its 90 % interval, and its gain over the largest observed size with that of it."""

    size: int
    mean: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True)
class Observed:
    """The mean over folds at a trained size, with its 90 % interval."""

    size: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Gain:
    """What ``images`` more than the largest size add to the mean score, with a 90 % interval."""

    images: int
    size: int
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """The size at which the mean score reaches ``target``; ``low`` and ``high`` are the ends of its 90 % interval.

    - ``reached``: ``size`` was trained, and there and at all larger ones the observed mean is at the target.
    - ``forecast``: ``size`` is where the forecast reaches it; None where that lies beyond the horizon.
    - ``beyond``: not reachable on this evidence, not even by the upper end of the interval; no sizes.

    ``low`` and ``high`` are where the upper and the lower end of the mean's interval are at the target, observed or
    forecast; ``high`` is None where that may lie beyond the horizon.
    """

    target: float
    verdict: Verdict
    size: int | None = None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Trial:
    """A forecast of the largest size from sizes up to ``shown``, and the mean that was observed there."""

    shown: int
    size: int
    forecast: float
    low: float
    high: float
    truth: float

    @property
    def covered(self) -> bool:
        """Whether the interval holds the observed mean."""
        return self.low <= self.truth <= self.high
