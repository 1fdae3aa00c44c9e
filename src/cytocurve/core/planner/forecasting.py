"""Forecasts of a mean learning curve: an average of curve families, weighted by how well each predicts larger sizes.

The whole procedure is applied to the observed mean curve and to each of its bootstrap replicates over folds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.families import FAMILIES, Family
from cytocurve.core.planner.fitting import fit
from cytocurve.core.statistics.values import Values

FEWEST = 4
"""The fewest sizes that a forecast can be made from: three are fitted to predict the fourth."""

NOISE = 0.7
"""The scale of Student's t with three degrees of freedom per standard deviation of the bootstrap.

Its 90 % interval is that of a normal distribution."""

_HELD_BACK = 3
_KEPT = 0.95
"""The share of the fitted gain that is forecast: the families promise slightly more than real curves keep.

This, ``_DRIFT`` and the form of the scale were set on curves that are not among those of ``bench/planner.py``."""

_DRIFT = 0.25
"""How far a forecast may drift from the truth with each doubling, as a share of the error on held-out sizes."""

_LEAST = 1e-3
"""The smallest scale beyond the largest size: constant scores do not make a forecast exact."""


@dataclass(frozen=True)
class Forecast:
    """The mean score at the requested sizes (at,), the scale of its error, and the family weights (families,).

    The error divided by ``scale`` has a t distribution (``core.planner.outlook``). ``gain`` is the mean score minus
    that at the largest observed size, and ``gain_scale`` is the scale of its error.
    """

    mean: Values
    scale: Values
    gain: Values
    gain_scale: Values
    weights: Values


def forecast(evidence: Evidence, at: NDArray[np.int64]) -> Forecast:
    """The forecast at sizes ``at`` (at,), none below the largest, from at least ``FEWEST`` sizes and two folds.

    It is of the mean score over the population of folds that the study's folds are sampled from, and starts at the
    mean observed at the largest size; 95 % of the fitted gain is added. Its scale is the root of
    0.7² bootstrap variance + variance between families + (e/4 log2(n / largest))². Here e is the root mean square
    error, per doubling, of the weighted average of families on the largest sizes when these are held out.
    """
    x, largest = evidence.sizes / evidence.largest, evidence.largest
    points = np.append(at, largest) / largest
    curves, variances = evidence.replicates(), evidence.variances
    weights, drift = _judge(x, curves, variances, evidence.upper)
    fitted = _extrapolate(x, curves, variances, len(x), points, evidence.upper)
    families = fitted[:, :, -1:] + _KEPT * (fitted - fitted[:, :, -1:])
    drifts = np.hypot(_DRIFT * drift * np.log2(points), _LEAST * (points > 1))
    means, scale = _spread(families, weights, drifts)
    gains, gain_scale = _spread(families - families[:, :, -1:], weights, drifts)
    return Forecast(
        mean=np.clip(means, evidence.lower, evidence.upper)[:-1],
        scale=scale[:-1],
        gain=gains[:-1],
        gain_scale=gain_scale[:-1],
        weights=weights[0],
    )


def _spread(families: Values, weights: Values, drift: Values) -> tuple[Values, Values]:
    """The weighted average of families (at,) for the observed curve, and the scale of its error (at,)."""
    averages = (weights[:, :, None] * families).sum(axis=1)
    between = (weights[0][:, None] * (families[0] - averages[0]) ** 2).sum(axis=0)
    return averages[0], np.sqrt(NOISE**2 * averages[1:].var(axis=0) + between + drift**2)


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
    """One family's forecasts (curves, at): its shapes averaged by likelihood, shifted to the last observed mean.

    Sizes are weighted by n / variance, since forecasts are for sizes beyond the largest. The noise variance in the
    likelihood is the residual variance of the best shape, but at least the variance over folds. The curve is shifted by
    the average's residual at the last size, so that it starts where the observed curve ends.
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
    return np.asarray((a + residual)[:, None] - b @ family.bases(at))
