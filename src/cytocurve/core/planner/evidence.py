"""What a planner sees of a study: the scores of folds over training sizes, and the folds drawn again."""

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

    The folds are in the order of their scores, so that nothing depends on their numbers. Scores lie between ``lower``
    and ``upper``, the metric's bounds.
    """

    sizes: NDArray[np.int64]
    folds: Values
    lower: float
    upper: float

    @classmethod
    def of(cls, sizes: NDArray[np.int64], scores: Values, lower: float, upper: float) -> "Evidence":
        """The evidence in scores (folds, seeds, sizes); folds without any score are left out.

        Raises ``ValueError`` where shapes do not fit, sizes do not increase, or a score is out of bounds.
        """
        if scores.ndim != 3 or scores.shape[2] != len(sizes):
            raise ValueError(f"scores are (folds, seeds, {len(sizes)} sizes), but got {scores.shape}")
        if not len(sizes) or sizes[0] < 1 or (np.diff(sizes) <= 0).any():
            raise ValueError(f"sizes are positive and increase, but got {sizes.tolist()}")
        if (scores < lower).any() or (scores > upper).any():
            raise ValueError(f"scores lie in {lower}..{upper}, but got {np.nanmin(scores)}..{np.nanmax(scores)}")
        return cls(sizes, _ordered(mean(scores, axis=1)), lower, upper)

    def first(self, count: int) -> "Evidence":
        """What was known when only the ``count`` smallest sizes had been trained."""
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
        """The folds that have a score, at each size."""
        return np.asarray((~np.isnan(self.folds)).sum(axis=0))

    @property
    def variances(self) -> Values:
        """The variance of the mean at each size: half its own estimate and half the average over sizes.

        Estimates from few folds are poor, and a size at which the folds agree by chance must not govern the fit.
        """
        own = np.nanvar(self.folds, axis=0, ddof=1) / self.defined
        return np.asarray(0.5 * own + 0.5 * own.mean() + _LEAST_VARIANCE)

    def replicates(self) -> Values:
        """Mean curves (1 + REPLICATES, sizes): the observed one, then those of folds drawn with replacement.

        All sizes of a fold are drawn together (Efron & Tibshirani 1993, section 8.3). A bootstrap of few folds is too
        narrow by sqrt((n - 1) / n) and knows no Student's t; deviations from the observed mean are stretched by both.
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
