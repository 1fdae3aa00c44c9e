"""Forecasts of a mean learning curve: families averaged by how well they foresee larger sizes, folds drawn again.

The whole procedure runs on the observed mean curve and on each bootstrap replicate of it.
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
"""The sizes from which a forecast can be made: three are fitted to foresee the fourth."""

_HELD_BACK = 3
_ANCHOR = 0.85
_WIDEN = 1.3
_DRIFT = 0.25
"""Share of the error on held-back sizes, by which a forecast may drift from the truth with each doubling; this and
``_WIDEN`` are calibrated in ``bench/planner.py`` on curves that it does not report."""


@dataclass(frozen=True)
class Forecast:
    """The mean score at some sizes (at,), with its 90 % interval, and the weights of the families (families,).

    ``gain`` is the mean score less that at the largest observed size, ``gain_low`` and ``gain_high`` its interval.
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

    The interval is of the mean score over the population of folds from which the study's are a sample. It is the
    forecast ± z sd, cut at the metric's bounds, with z the normal quantile and
    sd² = 1.3² (bootstrap variance + variance between families + (e/4 log2(n / largest))²): e is the root mean square
    error, a doubling, of the families' average on the largest sizes when held back.
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
    """The families' average (at,) for the observed curve, and half the width of its interval (at,)."""
    averages = (weights[:, :, None] * families).sum(axis=1)
    between = (weights[0][:, None] * (families[0] - averages[0]) ** 2).sum(axis=0)
    sd = _WIDEN * np.sqrt(averages[1:].var(axis=0) + between + drift**2)
    return averages[0], special.ndtri((1 + LEVEL) / 2) * sd


def _judge(x: Values, curves: Values, variances: Values, upper: float) -> tuple[Values, float]:
    """The families' weights (curves, families), and the average's root mean square error a doubling.

    The one, two and three largest sizes are held back in turn. A family's weight is one over its mean squared error
    on them plus the families' mean of it, which keeps one lucky family from taking all.
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
    # Neighboring sizes tell of noise rather than of drift: below a third of a doubling they count as that.
    average = (weights[0][:, None] * miss[0]).sum(axis=0) / np.maximum(distance, 0.3)
    return weights, float(np.sqrt((average**2).mean()))


def _extrapolate(x: Values, curves: Values, variances: Values, shown: int, at: Values, upper: float) -> Values:
    """Forecasts (curves, families, at) from the ``shown`` smallest sizes."""
    members = [_member(family, x[:shown], curves[:, :shown], variances[:shown], at, upper) for family in FAMILIES]
    return np.stack(members, axis=1)


def _member(family: Family, x: Values, curves: Values, variances: Values, at: Values, upper: float) -> Values:
    """One family's forecasts (curves, at): its shapes averaged by likelihood, shifted towards the last observed mean.

    Sizes weigh by n / variance, since what is asked lies beyond the largest. The noise in the likelihood is what the
    best shape leaves, at least the folds' variance. What the average leaves at the last size stays, by 85 %.
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
