"""Learning curves: what an arm scores at each training size, how sure that is, and where more images stop to pay.

Folds, not runs, are the units that are resampled: the runs of a fold share test images and, over the sizes, training
images, so they stay together. Undefined scores (NaN) are left out and counted out of ``n``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MARGIN = 0.01
"""The gain in score below which a larger training set is not worth its labels."""

RESAMPLES = 10_000
_SEED = 20_190_419


@dataclass(frozen=True)
class Curve:
    """One arm's scores by one metric: ``sizes`` (sizes,) increasing, ``scores`` (folds, seeds, sizes), NaN where none.

    The folds are in the order of their scores, so that nothing depends on their numbers.
    """

    sizes: NDArray[np.int64]
    scores: Values

    @classmethod
    def of(cls, folds: Sequence[int], seeds: Sequence[int], sizes: Sequence[int], scores: Sequence[float]) -> "Curve":
        """The curve of these runs, as columns of equal length; raises ``ValueError`` where one is there twice."""
        names, fold = np.unique(np.asarray(folds), return_inverse=True)
        seed_names, seed = np.unique(np.asarray(seeds), return_inverse=True)
        size_names, size = np.unique(np.asarray(sizes, dtype=np.int64), return_inverse=True)
        if len(set(zip(fold, seed, size, strict=True))) < len(fold):
            raise ValueError("a fold, seed and size may occur once in a curve; some run is there twice")
        table = np.full((len(names), len(seed_names), len(size_names)), np.nan)
        table[fold, seed, size] = scores
        order = np.lexsort(table.reshape(len(names), -1).T)
        return cls(size_names, table[order])


@dataclass(frozen=True)
class Summary:
    """The scores at one size: ``sd`` by n - 1, a 95 % interval of the mean, ``n`` defined scores; NaN if undefined."""

    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    ci_low: float
    ci_high: float
    n: int


def summarise(curve: Curve) -> dict[int, Summary]:
    """The summary of each size; intervals as in ``mean_intervals``."""
    low, high = mean_intervals(curve.scores)
    return {
        int(size): _summary(curve.scores[:, :, i], float(low[i]), float(high[i])) for i, size in enumerate(curve.sizes)
    }


@dataclass(frozen=True)
class Gain:
    """What a larger training set adds to the mean score, paired by fold and seed, with a 95 % interval."""

    mean: float
    ci_low: float
    ci_high: float


def gain(curve: Curve, small: int, large: int) -> Gain:
    """The gain from one training size of the curve to another; the interval as in ``mean_intervals``."""
    first, second = (int(np.flatnonzero(curve.sizes == size)[0]) for size in (small, large))
    differences = curve.scores[:, :, [second]] - curve.scores[:, :, [first]]
    low, high = mean_intervals(differences)
    return Gain(float(np.nanmean(differences)), float(low[0]), float(high[0]))


def saturation_size(curve: Curve, margin: float = MARGIN) -> int | None:
    """The smallest size after which no larger one is better by more than ``margin``, with 95 % confidence.

    That is the smallest size n, below the largest, such that for every larger size m the lower end of the 95 %
    interval of the mean gain score(m) - score(n), paired by fold and seed, is at most ``margin``. None where only
    the largest size fulfils it, and where a gain is undefined.
    """
    for i, size in enumerate(curve.sizes[:-1]):
        low, _ = mean_intervals(curve.scores[:, :, i + 1 :] - curve.scores[:, :, i : i + 1])
        # A rise of exactly the margin may end up above it by the rounding of the subtraction.
        if (low <= margin + 1e-9).all():
            return int(size)
    return None


def mean_intervals(values: Values) -> tuple[Values, Values]:
    """The lower and upper ends, each (columns,), of the 95 % intervals of the means of values (folds, seeds, columns).

    Percentile bootstrap over folds (Efron & Tibshirani 1993, chapter 13): all runs of a drawn fold are taken, and all
    columns share the draws. The draws are the same in every call for the same number of folds.
    """
    folds = len(values)
    draws = np.random.default_rng(_SEED).multinomial(folds, np.full(folds, 1 / folds), size=RESAMPLES)  # (R, folds)
    defined = ~np.isnan(values)
    totals = draws @ np.where(defined, values, 0.0).sum(axis=1)  # (R, columns)
    counts = draws @ defined.sum(axis=1)
    means = np.divide(totals, counts, out=np.full(totals.shape, np.nan), where=counts > 0)
    ends = [_quantiles(column[~np.isnan(column)], (0.025, 0.975)) for column in means.T]
    return np.array([end[0] for end in ends]), np.array([end[1] for end in ends])


def _summary(scores: Values, low: float, high: float) -> Summary:
    defined = np.sort(scores[~np.isnan(scores)])
    q1, median, q3 = _quantiles(defined, (0.25, 0.5, 0.75))
    return Summary(
        mean=float(defined.mean()) if len(defined) else float("nan"),
        sd=float(defined.std(ddof=1)) if len(defined) > 1 else float("nan"),
        median=median,
        q1=q1,
        q3=q3,
        ci_low=low,
        ci_high=high,
        n=len(defined),
    )


def _quantiles(values: NDArray[Any], at: Sequence[float]) -> list[float]:
    if not len(values):
        return [float("nan")] * len(at)
    return [float(value) for value in np.quantile(values, at)]
