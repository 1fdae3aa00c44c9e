"""The planner's input: the scores of each fold at each training size, and bootstrap resamples of the folds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytocurve.core.statistics.values import Values, mean

REPLICATES = 200
_SEED = 20_190_419
_LEAST_VARIANCE = 1e-7


@dataclass(frozen=True)
class Evidence:
    """Scores (folds, sizes), each a mean over seeds, NaN where undefined; ``sizes`` (sizes,) increase.

    Folds are sorted by their scores, so results do not depend on how folds are numbered. Scores lie between ``lower``
    and ``upper``, the bounds of the metric.
    """

    sizes: NDArray[np.int64]
    folds: Values
    lower: float
    upper: float

    @classmethod
    def of(cls, sizes: NDArray[np.int64], scores: Values, lower: float, upper: float) -> "Evidence":
        """The evidence from scores (folds, seeds, sizes); folds without any score are dropped.

        Raises ``ValueError`` if the shapes do not match, the sizes do not increase, or a score is out of bounds.
        """
        if scores.ndim != 3 or scores.shape[2] != len(sizes):
            raise ValueError(f"scores must have the shape (folds, seeds, {len(sizes)} sizes), got {scores.shape}")
        if not len(sizes) or sizes[0] < 1 or (np.diff(sizes) <= 0).any():
            raise ValueError(f"sizes must be positive and increasing, got {sizes.tolist()}")
        if (scores < lower).any() or (scores > upper).any():
            raise ValueError(f"scores must lie in {lower}..{upper}, got {np.nanmin(scores)}..{np.nanmax(scores)}")
        return cls(sizes, _ordered(mean(scores, axis=1)), lower, upper)

    def first(self, count: int) -> "Evidence":
        """The evidence restricted to the ``count`` smallest sizes."""
        return Evidence(self.sizes[:count], _ordered(self.folds[:, :count]), self.lower, self.upper)

    @property
    def largest(self) -> int:
        """The largest training size."""
        return int(self.sizes[-1])

    @property
    def means(self) -> Values:
        """The mean over folds at each size."""
        return mean(self.folds)

    @property
    def defined(self) -> NDArray[np.int64]:
        """The number of folds with a score, at each size."""
        return np.asarray((~np.isnan(self.folds)).sum(axis=0))

    @property
    def variances(self) -> Values:
        """The variance of the mean at each size: the average of its own estimate and the mean over all sizes.

        Estimates from few folds are noisy, and a size at which the folds agree by chance must not dominate the fit.
        """
        own = np.nanvar(self.folds, axis=0, ddof=1) / self.defined
        return np.asarray(0.5 * own + 0.5 * own.mean() + _LEAST_VARIANCE)

    def replicates(self) -> Values:
        """Mean curves (1 + REPLICATES, sizes): the observed curve, then one per resample of folds with replacement.

        All sizes of a fold are resampled together (Efron & Tibshirani 1993, section 8.3). With few folds, bootstrap
        intervals are too narrow by sqrt((n - 1) / n) and by the ratio of normal to Student's t quantiles; deviations
        from the observed mean are stretched to correct for both.
        """
        count, present = len(self.folds), ~np.isnan(self.folds)
        draws = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), size=REPLICATES)
        totals, counts = draws @ np.where(present, self.folds, 0.0), draws @ present
        means = np.where(counts > 0, totals / np.maximum(counts, 1), self.means)
        stretch = np.sqrt(count / (count - 1)) * special.stdtrit(count - 1, 0.95) / special.ndtri(0.95)
        stretched = np.clip(self.means + stretch * (means - self.means), self.lower, self.upper)
        return np.vstack([self.means, stretched])


def _ordered(folds: Values) -> Values:
    folds = folds[~np.isnan(folds).all(axis=1)]
    return folds[np.lexsort(folds.T)]
