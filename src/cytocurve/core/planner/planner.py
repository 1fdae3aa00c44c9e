"""The plan of an arm: its forecast, the gain from more images, the images that targets need, and a backtest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytocurve.core.planner import cautions, refusals
from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.families import FAMILIES
from cytocurve.core.planner.forecasting import FEWEST, Forecast, forecast
from cytocurve.core.planner.outlook import HALF, SURE, Outlook, joined, observed_outlook
from cytocurve.core.planner.records import Caution, Gain, Observed, Point, Start, Target, Trial
from cytocurve.core.statistics.values import Values

HORIZON = 10
"""The farthest size that is forecast, as a multiple of the largest training size."""

NARROW = 10
"""The widest 80 % range of an informative answer, as the ratio of its ends."""

NEXT = (50, 100, 500)
STEP = 0.005
_POINTS = (20, 41)
"""The number of forecast points up to the largest size, and from there to the horizon."""


@dataclass(frozen=True)
class Plan:
    """What a study predicts for larger training sets; if ``refusal`` is set, it is the reason why there is no forecast.

    ``forecast`` passes through the observed means up to the largest size. ``outlook`` is None with fewer than two
    folds, and ends at the largest size without a forecast. ``families`` are (name, weight, formula). Undefined means
    are NaN.
    """

    refusal: str | None
    largest: int
    horizon: int
    upper: float
    observed: Sequence[Observed]
    outlook: Outlook | None = field(default=None, compare=False)
    forecast: Sequence[Point] = ()
    families: Sequence[tuple[str, float, str]] = ()
    backtest: Sequence[Trial] = ()
    cautions: Sequence[Caution] = ()

    @property
    def next(self) -> Sequence[Gain]:
        """The gain from the next 50, 100 and 500 images, up to the horizon."""
        reachable = [images for images in NEXT if self.forecast and self.largest + images <= self.horizon]
        return [expected_gain(self, images) for images in reachable]

    @property
    def targets(self) -> Sequence[Target]:
        """Targets in steps of 0.005, from the lowest observed mean to just above the highest forecast interval.

        They start lower if the lowest mean is not certain to be reached. The metric's upper bound is not a target: no
        number of images guarantees a perfect mean.
        """
        if not self.forecast or self.outlook is None:
            return []
        first = math.floor(min(point.mean for point in self.observed) / STEP)
        while first > 1 and self.outlook.probability(first * STEP)[-1] < SURE:
            first -= 1
        beyond = math.ceil(max(point.high for point in self.forecast) / STEP) + 1
        last = max(first, min(beyond, math.ceil(self.upper / STEP - 1e-9) - 1))
        return [required(self, round(i * STEP, 3)) for i in range(first, last + 1)]


def plan(sizes: ArrayLike, scores: ArrayLike, *, lower: float = 0.0, upper: float = 1.0) -> Plan:
    """The plan from scores (folds, seeds, sizes), NaN where undefined, at increasing training ``sizes`` (sizes,).

    Higher scores are better; they lie between ``lower`` and ``upper``. The forecast is of the mean score over the
    population of folds (draws of test and training images) that the study's folds are sampled from: what the study
    would show at that size with very many folds. Intervals and probabilities are calibrated at sizes up to 8 times the
    largest (``bench/planner.py``); from there to the horizon they widen by the same rule. Failed back-tests and dips
    widen them (``core.planner.cautions``). The result is deterministic and does not depend on the order of folds.
    Raises ``ValueError`` if shapes, sizes or bounds do not match.
    """
    evidence = Evidence.of(np.asarray(sizes, dtype=np.int64), np.asarray(scores, dtype=np.float64), lower, upper)
    horizon = HORIZON * evidence.largest
    observed = _observed(evidence)
    refusal = refusals.reason(evidence)
    trials = [] if refusal else _backtest(evidence)
    refusal = refusal or cautions.hopeless(trials)
    below, ahead = _below(evidence.sizes), _ahead(evidence.largest, horizon)
    known = _known(evidence, below)
    if refusal is not None or known is None:
        return Plan(refusal, evidence.largest, horizon, upper, observed, known)
    result = forecast(evidence, ahead)
    found = cautions.found(evidence, trials)
    factor = max((caution.widens for caution in found), default=1.0)
    result = replace(result, scale=factor * result.scale, gain_scale=factor * result.gain_scale)
    families = [
        (family.name, float(weight), family.formula) for family, weight in zip(FAMILIES, result.weights, strict=True)
    ]
    points = _interpolated(evidence, below, factor * known.scale) + _points(evidence, ahead, result)
    outlook = joined(known.widened(factor), ahead, result)
    return Plan(None, evidence.largest, horizon, upper, observed, outlook, points, families, trials, found)


def required(plan: Plan, target: float) -> Target:
    """The number of images that ``target`` needs; without a forecast, only whether observed sizes reach it."""
    if plan.outlook is None:
        reached = _from_on(plan.observed, target)
        return Target(target, "reached" if reached else "open", reached)
    low, size, high = (plan.outlook.size_at(target, probability) for probability in (1 - SURE, 0.5, SURE))
    chances = tuple(plan.outlook.probability(target).tolist()) if plan.forecast else ()
    if size is not None:
        return Target(target, "reached" if size <= plan.largest else "forecast", size, low, high, chances)
    return Target(target, "beyond" if plan.forecast and low is None else "open", None, low, None, chances)


def start(plan: Plan) -> Start | None:
    """The most informative target: the highest one whose number of images is known within a factor of ``NARROW``.

    Lower targets say less; higher ones have a wider range, no answer, or are out of reach. If no range is as narrow, it
    is the highest target whose range has both ends, then the lowest one that is out of reach, else the highest one.
    None without a forecast.
    """
    targets = plan.targets
    if not targets:
        return None
    bounded = [(row, row.high / row.low) for row in targets if row.high is not None and row.low is not None]
    unreachable = [row for row in targets if row.verdict == "beyond"]
    if narrow := [row for row, ratio in bounded if ratio <= NARROW]:
        return Start(
            narrow[-1].target, f"the highest target whose number of images is known within a factor of {NARROW}"
        )
    if bounded:
        return Start(bounded[-1][0].target, "the highest target for which the number of images has an upper end")
    if unreachable:
        return Start(unreachable[0].target, "the lowest target that is out of reach; no lower one has a bounded range")
    return Start(targets[-1].target, "no target can be decided on this evidence")


def expected_gain(plan: Plan, images: int) -> Gain:
    """The gain from ``images`` more than the largest size.

    Raises ``ValueError`` if that is beyond the horizon or there is no forecast.
    """
    size = plan.largest + images
    if not plan.forecast or not plan.largest <= size <= plan.horizon:
        raise ValueError(f"no forecast for {size} images: {plan.refusal or f'the horizon is {plan.horizon} images'}")
    logs = np.log([point.size for point in plan.forecast])
    ends = [[point.gain, point.gain_low, point.gain_high] for point in plan.forecast]
    gain, low, high = (float(np.interp(np.log(size), logs, column)) for column in zip(*ends, strict=True))
    return Gain(images, size, gain, low, high)


def _known(evidence: Evidence, at: NDArray[np.int64]) -> Outlook | None:
    """The outlook within the trained sizes; None if there is no spread over folds at every size."""
    return observed_outlook(evidence, at) if len(evidence.folds) > 1 and evidence.defined.min() > 1 else None


def _observed(evidence: Evidence) -> list[Observed]:
    """The means with percentile bootstrap intervals over folds; the bounds are NaN with fewer than two folds."""
    means, ends = evidence.means, np.full((2, len(evidence.sizes)), np.nan)
    if len(evidence.folds) > 1:
        ends = np.quantile(evidence.replicates()[1:], (0.05, 0.95), axis=0)
    rows = zip(evidence.sizes.tolist(), means.tolist(), *ends.tolist(), strict=True)
    return [Observed(*row) for row in rows]


def _below(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The trained sizes, and integers in even steps of log n between the smallest and the largest."""
    between = np.rint(np.geomspace(sizes[0], sizes[-1], _POINTS[0])).astype(np.int64)
    return np.unique(np.concatenate([sizes, between]))


def _ahead(largest: int, horizon: int) -> NDArray[np.int64]:
    """Integer sizes in even steps of log n above the largest trained size."""
    return np.unique(np.rint(np.geomspace(largest, horizon, _POINTS[1])).astype(np.int64))[1:]


def _interpolated(evidence: Evidence, at: NDArray[np.int64], scale: Values) -> list[Point]:
    """Points through the observed means, linear in log n in between; gains are losses against the largest size."""
    means = np.interp(np.log(at), np.log(evidence.sizes), evidence.means)
    low, high = (np.clip(means + sign * HALF * scale, evidence.lower, evidence.upper) for sign in (-1, 1))
    gains = means - means[-1]
    return _rows(at, means, low, high, gains, gains, gains)


def _points(evidence: Evidence, at: NDArray[np.int64], result: Forecast) -> list[Point]:
    """The forecast with its intervals, whose ends do not fall.

    The curves of all families rise, so the lower end of a gain is at least 0: a loss would come from the width of the
    interval alone.
    """
    low, high = (result.mean + sign * HALF * result.scale for sign in (-1, 1))
    gain_low, gain_high = (result.gain + sign * HALF * result.gain_scale for sign in (-1, 1))
    room = evidence.upper - float(evidence.means[-1])
    return _rows(
        at,
        result.mean,
        *(np.clip(np.maximum.accumulate(end), evidence.lower, evidence.upper) for end in (low, high)),
        *(np.clip(np.maximum.accumulate(end), 0, room) for end in (result.gain, gain_low, gain_high)),
    )


def _rows(at: NDArray[np.int64], *columns: Values) -> list[Point]:
    return [Point(int(size), *row) for size, row in zip(at, np.stack(columns, -1).tolist(), strict=True)]


def _backtest(evidence: Evidence) -> list[Trial]:
    """Forecasts of the largest size from all smaller ones, and from sizes up to 1/2, 1/4 and 1/8 of it."""
    shares = evidence.sizes / evidence.largest
    counts = {len(shares) - 1} | {int((shares <= share).sum()) for share in (1 / 2, 1 / 4, 1 / 8)}
    trials = []
    for count in sorted(counts):
        if count < FEWEST:
            continue
        shown = evidence.first(count)
        (point,) = _points(shown, evidence.sizes[-1:], forecast(shown, evidence.sizes[-1:]))
        truth = float(evidence.means[-1])
        trials.append(Trial(shown.largest, evidence.largest, point.mean, point.low, point.high, truth))
    return trials


def _from_on(observed: Sequence[Observed], target: float) -> int | None:
    """The smallest observed size such that the mean is at or above the target there and at all larger sizes."""
    smallest = None
    for point in reversed(observed):
        if not point.mean >= target:
            break
        smallest = point.size
    return smallest
