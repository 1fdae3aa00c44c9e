"""The probability that the mean score reaches a target, by training size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.forecasting import NOISE, Forecast
from cytocurve.core.statistics.values import Values

LEVEL = 0.9
"""The coverage of intervals of scores and gains."""

SURE = 0.9
"""A target is reached, or out of reach, if this is at least as probable as stated."""

_FREEDOM = 3
"""Degrees of freedom: forecasts of real curves miss by far more often than a normal distribution says."""

HALF = float(special.stdtrit(_FREEDOM, (1 + LEVEL) / 2))
"""Half the width of an interval of ``LEVEL``, in scales."""


@dataclass(frozen=True)
class Outlook:
    """The mean score at ``sizes`` (at,), which increase: ``mean`` plus ``scale`` times Student's t.

    ``mean`` does not decrease; up to the largest observed size it is the isotonic regression of the observed means.
    """

    sizes: NDArray[np.int64]
    mean: Values
    scale: Values

    def probability(self, target: float) -> Values:
        """The probability that this many images reach ``target`` (at,), which never decreases with the size.

        The curves of all families rise, so more images are not less likely to reach a target, although their score is
        less certain: the probability is the largest one up to the size.
        """
        apart = (self.mean - target) / np.maximum(self.scale, 1e-9)
        return np.asarray(np.maximum.accumulate(special.stdtr(_FREEDOM, apart)))

    def size_at(self, target: float, probability: float) -> int | None:
        """The smallest size that reaches ``target`` with this probability, interpolated in log n; None if none does."""
        chances = self.probability(target)
        after = int(np.searchsorted(chances, probability - 1e-12))
        if after == len(chances):
            return None
        if after == 0:
            return int(self.sizes[0])
        low, high = chances[after - 1], chances[after]
        share = (probability - low) / (high - low)
        return int(np.ceil(self.sizes[after - 1] * (self.sizes[after] / self.sizes[after - 1]) ** share - 1e-9))

    def widened(self, factor: float) -> "Outlook":
        """The outlook with ``factor`` times the uncertainty."""
        return Outlook(self.sizes, self.mean, factor * self.scale)


def observed_outlook(evidence: Evidence, at: NDArray[np.int64]) -> Outlook:
    """The outlook at sizes ``at`` within the observed ones, from at least two folds.

    Means and scales are interpolated in log n. The means are at most the one at the largest size, which a forecast
    starts from.
    """
    rising = np.minimum(isotonic(evidence.means, 1 / evidence.variances), evidence.means[-1])
    scale = NOISE * evidence.replicates()[1:].std(axis=0)
    logs, x = np.log(evidence.sizes), np.log(at)
    return Outlook(at, np.interp(x, logs, rising), np.interp(x, logs, scale))


def joined(observed: Outlook, ahead: NDArray[np.int64], forecast: Forecast) -> Outlook:
    """The outlook up to the largest observed size, followed by the forecast at the sizes ``ahead`` of it."""
    means = np.maximum.accumulate(np.concatenate([observed.mean, forecast.mean]))
    return Outlook(np.concatenate([observed.sizes, ahead]), means, np.concatenate([observed.scale, forecast.scale]))


def isotonic(values: Values, weights: Values) -> Values:
    """The non-decreasing values (sizes,) closest to these by weighted least squares: pooled neighbors that fall."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, count = value, weight, 1
        while blocks and blocks[-1][0] >= mean:
            before, others, more = blocks.pop()
            mean, total, count = (before * others + mean * total) / (others + total), others + total, count + more
        blocks.append((mean, total, count))
    return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])
