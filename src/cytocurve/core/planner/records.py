"""The records that make up a plan."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reached", "forecast", "open", "beyond"]
CautionKind = Literal["dip", "late_riser", "backtest"]


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
    """The size at which the mean score reaches ``target``: with a probability of 50 % (``size``), 10 % and 90 %.

    ``low`` to ``high`` is an 80 % range; an end is None if it may be beyond the horizon. ``chances`` (points,) are the
    probabilities that a plan's sizes reach the target; empty without a forecast.

    - ``reached``: ``size`` is within the trained sizes.
    - ``forecast``: ``size`` is beyond them.
    - ``beyond``: the target is out of reach, with a probability of 90 % or more, up to the horizon.
    - ``open``: neither; or there is no forecast, and the observed means do not reach the target.
    """

    target: float
    verdict: Verdict
    size: int | None = None
    low: int | None = None
    high: int | None = None
    chances: tuple[float, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether this is an answer: a size with both ends of its range, or out of reach."""
        return self.verdict == "beyond" or self.high is not None


@dataclass(frozen=True)
class Start:
    """The target that the page and the command line begin with, and why."""

    target: float
    reason: str


@dataclass(frozen=True)
class Caution:
    """What makes a forecast doubtful, in a sentence, and the factor by which it widens all intervals."""

    kind: CautionKind
    sentence: str
    widens: float


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
        return self.missed <= 1

    @property
    def missed(self) -> float:
        """How far the observed mean is from the forecast, in half-widths of the interval on its side."""
        end = self.high if self.truth > self.forecast else self.low
        away, half = abs(self.truth - self.forecast), abs(end - self.forecast)
        return away / half if half else float("inf") if away > 1e-9 else 0.0
