"""The records that make up a plan."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reached", "forecast", "beyond"]


@dataclass(frozen=True)
class Point:
    """The mean score at a size, and its gain over the largest observed size, each with a 90 % interval."""

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
    """The gain in mean score from ``images`` more than the largest size, with a 90 % interval."""

    images: int
    size: int
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """The size at which the mean score reaches ``target``; ``low`` and ``high`` are the ends of its 90 % interval.

    - ``reached``: ``size`` was trained, and the observed mean is at or above the target there and at all larger sizes.
    - ``forecast``: ``size`` is where the forecast reaches the target; None if that is beyond the horizon.
    - ``beyond``: not even the upper end of the interval reaches the target within the horizon; no sizes.

    ``low`` and ``high`` are where the upper and the lower end of the mean's interval, observed or forecast, reach the
    target; ``high`` is None if that may be beyond the horizon.
    """

    target: float
    verdict: Verdict
    size: int | None = None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Trial:
    """A forecast of the largest size from sizes up to ``shown``, and the mean observed there."""

    shown: int
    size: int
    forecast: float
    low: float
    high: float
    truth: float

    @property
    def covered(self) -> bool:
        """Whether the interval contains the observed mean."""
        return self.low <= self.truth <= self.high
