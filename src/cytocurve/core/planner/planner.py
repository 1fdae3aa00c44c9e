"""The plan of an arm: its forecast, the gain from more images, the images that targets need, and a backtest."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytocurve.core.planner import refusals
from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.families import FAMILIES
from cytocurve.core.planner.forecasting import FEWEST, Forecast, forecast
from cytocurve.core.planner.records import Gain, Observed, Point, Target, Trial

HORIZON = 10
"""The farthest size that is forecast, as a multiple of the largest training size."""

NEXT = (50, 100, 500)
STEP = 0.005
_POINTS = (20, 41)
"""The number of forecast points up to the largest size, and from there to the horizon."""


@dataclass(frozen=True)
class Plan:
    """What a study predicts for larger training sets; if ``refusal`` is set, it is the reason why there is no forecast.

    ``families`` are (name, weight, formula). Undefined means are NaN.
    """

    refusal: str | None
    largest: int
    horizon: int
    upper: float
    observed: Sequence[Observed]
    forecast: Sequence[Point] = ()
    families: Sequence[tuple[str, float, str]] = ()
    backtest: Sequence[Trial] = ()

    @property
    def next(self) -> Sequence[Gain]:
        """The gain from the next 50, 100 and 500 images, up to the horizon."""
        reachable = [images for images in NEXT if self.forecast and self.largest + images <= self.horizon]
        return [expected_gain(self, images) for images in reachable]

    @property
    def targets(self) -> Sequence[Target]:
        """Targets in steps of 0.005, from the lowest observed mean to just above the highest forecast interval.

        The metric's upper bound is not a target: no number of images guarantees a perfect mean.
        """
        if not self.forecast:
            return []
        first = math.floor(min(point.mean for point in self.observed) / STEP)
        beyond = math.ceil(max(point.high for point in self.forecast) / STEP) + 1
        last = max(first, min(beyond, math.ceil(self.upper / STEP - 1e-9) - 1))
        return [required(self, round(i * STEP, 3)) for i in range(first, last + 1)]


def plan(sizes: ArrayLike, scores: ArrayLike, *, lower: float = 0.0, upper: float = 1.0) -> Plan:
    """The plan from scores (folds, seeds, sizes), NaN where undefined, at increasing training ``sizes`` (sizes,).

    Higher scores are better; they lie between ``lower`` and ``upper``. The forecast is of the mean score over the
    population of folds (draws of test and training images) that the study's folds are sampled from: what the study
    would show at that size with very many folds. The intervals are calibrated at 2 and 4 times the largest size
    (``bench/planner.py``); from there to the horizon they widen by the same rule. The result is deterministic and does
    not depend on the order of folds. Raises ``ValueError`` if shapes, sizes or bounds do not match.
    """
    evidence = Evidence.of(np.asarray(sizes, dtype=np.int64), np.asarray(scores, dtype=np.float64), lower, upper)
    horizon = HORIZON * evidence.largest
    observed = _observed(evidence)
    refusal = refusals.reason(evidence)
    if refusal is not None:
        return Plan(refusal, evidence.largest, horizon, upper, observed)
    at = _at(int(evidence.sizes[0]), evidence.largest, horizon)
    result = forecast(evidence, at)
    families = [
        (family.name, float(weight), family.formula) for family, weight in zip(FAMILIES, result.weights, strict=True)
    ]
    return Plan(None, evidence.largest, horizon, upper, observed, _points(at, result), families, _backtest(evidence))


def required(plan: Plan, target: float) -> Target:
    """The number of images that ``target`` needs; without a forecast, only whether an observed size reaches it."""
    ahead = [point for point in plan.forecast if point.size >= plan.largest]
    size, low, high = (
        _from_on(plan.observed, target, end) or _crossing(ahead, target, end) for end in (_mean, _high, _low)
    )
    if size is not None and size <= plan.largest:
        return Target(target, "reached", size, low, high)
    return Target(target, "forecast", size, low, high) if ahead and low is not None else Target(target, "beyond")


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
    room = plan.upper - _mean_of_largest(plan)
    return Gain(images, size, min(gain, room), min(low, room), min(high, room))


def _mean_of_largest(plan: Plan) -> float:
    """The observed mean at the largest size, NaN if undefined."""
    return next((point.mean for point in plan.observed if point.size == plan.largest), float("nan"))


def _observed(evidence: Evidence) -> list[Observed]:
    """The means with percentile bootstrap intervals over folds; the bounds are NaN with fewer than two folds."""
    means, ends = evidence.means, np.full((2, len(evidence.sizes)), np.nan)
    if len(evidence.folds) > 1:
        ends = np.quantile(evidence.replicates()[1:], (0.05, 0.95), axis=0)
    rows = zip(evidence.sizes.tolist(), means.tolist(), *ends.tolist(), strict=True)
    return [Observed(*row) for row in rows]


def _at(smallest: int, largest: int, horizon: int) -> NDArray[np.int64]:
    """Integer sizes in even steps of log n, including the largest observed size."""
    below, above = (
        np.geomspace(*ends, count)
        for ends, count in zip(((smallest, largest), (largest, horizon)), _POINTS, strict=True)
    )
    return np.unique(np.rint(np.concatenate([below, above])).astype(np.int64))


def _points(at: NDArray[np.int64], result: Forecast) -> list[Point]:
    columns = (result.mean, result.low, result.high, result.gain, result.gain_low, result.gain_high)
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
        result = forecast(shown, evidence.sizes[-1:])
        predicted = float(result.mean[0]), float(result.low[0]), float(result.high[0])
        trials.append(Trial(shown.largest, evidence.largest, *predicted, truth=float(evidence.means[-1])))
    return trials


def _mean(point: Observed | Point) -> float:
    return point.mean


def _low(point: Observed | Point) -> float:
    return point.low


def _high(point: Observed | Point) -> float:
    return point.high


def _from_on(observed: Sequence[Observed], target: float, end: Callable[[Observed], float]) -> int | None:
    """The smallest observed size such that this bound is at or above the target there and at all larger sizes."""
    smallest = None
    for point in reversed(observed):
        if not end(point) >= target:
            break
        smallest = point.size
    return smallest


def _crossing(points: Sequence[Point], target: float, end: Callable[[Point], float]) -> int | None:
    """The smallest size above the first point's at which this bound reaches the target, interpolated in log n."""
    for before, after in itertools.pairwise(points):
        if end(after) < target:
            continue
        if end(before) >= target:
            return before.size + 1
        share = (target - end(before)) / (end(after) - end(before))
        return int(np.ceil(before.size * (after.size / before.size) ** share - 1e-9))
    return None
