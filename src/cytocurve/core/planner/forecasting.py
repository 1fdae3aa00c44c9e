"""Forecasts of a mean learning curve: an average of curve families, weighted by how well each predicts larger sizes.

The whole procedure is applied to the observed mean curve and to each of its bootstrap replicates over folds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.families import FAMILIES, Family
from cytocurve.core.planner.fitting import fit
from cytocurve.core.statistics.values import Values

LEVEL = 0.9
FEWEST = 4
"""The fewest sizes that a forecast can be made from: three are fitted to predict the fourth."""

_HELD_BACK = 3
_ANCHOR = 0.85
_WIDEN = 1.3
_DRIFT = 0.25
"""How far a forecast may drift from the truth with each doubling, as a share of the error on held-out sizes.

This and ``_WIDEN`` are calibrated by ``bench/planner.py`` on curves that are not among those it reports on."""


@dataclass(frozen=True)
class Forecast:
    """The mean score at the requested sizes (at,) with its 90 % interval, and the family weights (families,).

    ``gain`` is the mean score minus that at the largest observed size; ``gain_low`` to ``gain_high`` is its interval.
    """

    mean: Values
    low: Values
    high: Values
    gain: Values
    gain_low: Values
    gain_high: Values
    weights: Values


def forecast(evidence: Evidence, at: NDArray[np.int64]) -> Forecast:
    """The forecast at sizes ``at`` (at,), from at least ``FEWEST`` sizes and two folds.

    The interval is for the mean score over the population of folds that the study's folds are sampled from. It is the
    forecast ± z sd, clipped to the metric's bounds, where z is the normal quantile and
    sd² = 1.3² (bootstrap variance + variance between families + (e/4 log2(n / largest))²). Here e is the root mean
    square error, per doubling, of the weighted average of families on the largest sizes when these are held out.
    """
    x, largest = evidence.sizes / evidence.largest, evidence.largest
    points = np.append(at, largest) / largest
    curves, variances = evidence.replicates(), evidence.variances
    weights, drift = _judge(x, curves, variances, evidence.upper)
    families = _extrapolate(x, curves, variances, len(x), points, evidence.upper)
    doublings = np.maximum(np.log2(points), 0)
    means, error = _spread(families, weights, _DRIFT * drift * doublings)
    gains, gain_error = _spread(families - families[:, :, -1:], weights, _DRIFT * drift * doublings)
    bounds = evidence.lower, evidence.upper
    return Forecast(
        mean=np.clip(means, *bounds)[:-1],
        low=np.clip(means - error, *bounds)[:-1],
        high=np.clip(means + error, *bounds)[:-1],
        gain=gains[:-1],
        gain_low=(gains - gain_error)[:-1],
        gain_high=(gains + gain_error)[:-1],
        weights=weights[0],
    )


def _spread(families: Values, weights: Values, drift: Values) -> tuple[Values, Values]:
    """The weighted average of families (at,) for the observed curve, and half the width of its interval (at,)."""
    averages = (weights[:, :, None] * families).sum(axis=1)
    between = (weights[0][:, None] * (families[0] - averages[0]) ** 2).sum(axis=0)
    sd = _WIDEN * np.sqrt(averages[1:].var(axis=0) + between + drift**2)
    return averages[0], special.ndtri((1 + LEVEL) / 2) * sd


def _judge(x: Values, curves: Values, variances: Values, upper: float) -> tuple[Values, float]:
    """The family weights (curves, families), and the root mean square error per doubling of the weighted average.

    The one, two and three largest sizes are held out in turn. A family's weight is the inverse of its mean squared
    error on them plus the mean of that error over all families, which keeps one lucky family from dominating.
    """
    misses, distances = [], []
    for shown in range(max(len(x) - _HELD_BACK, FEWEST - 1), len(x)):
        ahead = x[shown:]
        misses.append(_extrapolate(x, curves, variances, shown, ahead, upper) - curves[:, None, shown:])
        distances.append(np.log2(ahead / x[shown - 1]))
    miss, distance = np.concatenate(misses, axis=2), np.concatenate(distances)
    errors = (miss**2).mean(axis=2)
    weights = 1 / (errors + errors.mean(axis=1, keepdims=True) + 1e-8)
    weights /= weights.sum(axis=1, keepdims=True)
    # Errors at close sizes reflect noise rather than drift, so distances below 0.3 doublings count as 0.3.
    average = (weights[0][:, None] * miss[0]).sum(axis=0) / np.maximum(distance, 0.3)
    return weights, float(np.sqrt((average**2).mean()))


def _extrapolate(x: Values, curves: Values, variances: Values, shown: int, at: Values, upper: float) -> Values:
    """Forecasts (curves, families, at) from the ``shown`` smallest sizes."""
    members = [_member(family, x[:shown], curves[:, :shown], variances[:shown], at, upper) for family in FAMILIES]
    return np.stack(members, axis=1)


def _member(family: Family, x: Values, curves: Values, variances: Values, at: Values, upper: float) -> Values:
    """One family's forecasts (curves, at): its shapes averaged by likelihood, shifted toward the last observed mean.

    Sizes are weighted by n / variance, since forecasts are for sizes beyond the largest. The noise variance in the
    likelihood is the residual variance of the best shape, but at least the variance over folds. The curve is shifted by
    85 % of the average's residual at the last size.
    """
    bases, weights, shown = family.bases(x), x / variances, len(x)
    fits = fit(bases, weights, curves, upper)
    noise = weights @ variances / weights.sum()
    left = fits.loss.min(axis=1, keepdims=True) * shown / max(shown - 2, 1)
    likelihood = -0.5 * shown * fits.loss / np.maximum(left, noise)
    share = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    a, b = (share * fits.a).sum(axis=1), share * fits.b
    residual = curves[:, -1] - (a - b @ bases[:, -1])
    return np.asarray((a + _ANCHOR * residual)[:, None] - b @ family.bases(at))
