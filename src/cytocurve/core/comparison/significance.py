"""Significance tests for paired scores from cross-validation, and for scores over independent seeds.

Differences over the folds of a cross-validation are not independent, since the folds' training sets overlap: an
uncorrected test underestimates the variance and reports too many differences (Dietterich 1998). The paired tests here
increase the standard error according to ``ratio``, the number of test images over the number of training images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytocurve.core.statistics.values import Values

DIGITS = 12
"""Decimal places to which differences are rounded, so that rounding errors do not break ties."""

_NAN = float("nan")


@dataclass(frozen=True)
class MeanDifference:
    """A mean difference with its 95 % interval and two-sided p-value; NaN if the spread cannot be estimated."""

    mean: float
    ci_low: float
    ci_high: float
    p: float


def fold_ratio(folds: int) -> float:
    """The ratio of test to training images if one of ``folds`` folds tests, one validates and the others train.

    It is used for all training sizes: smaller training sets are drawn from the same images, so those of two folds
    overlap less than at full size. Raises ``ValueError`` for fewer than three folds.
    """
    if folds < 3:
        raise ValueError(f"at least 3 folds are required (one tests, one validates, the others train), got {folds}")
    return 1 / (folds - 2)


def corrected_t(differences: Values, ratio: float) -> MeanDifference:
    """The corrected resampled t-test of differences (folds,), NaN where undefined, with the interval it implies.

    Nadeau & Bengio 2003, "Inference for the generalization error", section 3: the variance of the mean of J
    differences is (1/J + ratio) s², with J - 1 degrees of freedom; applied to cross-validation by Bouckaert & Frank
    2004. If all differences are zero, p is 1. If all are equal and nonzero, or fewer than two are defined, the spread
    cannot be estimated, and the interval and p are NaN.
    """
    values = _defined(differences)
    if not len(values):
        return MeanDifference(_NAN, _NAN, _NAN, _NAN)
    mean = float(values.mean())
    if not values.any():
        return MeanDifference(0.0, 0.0, 0.0, 1.0) if len(values) > 1 else MeanDifference(0.0, _NAN, _NAN, _NAN)
    if len(set(values.tolist())) == 1:
        return MeanDifference(mean, _NAN, _NAN, _NAN)
    freedom = len(values) - 1
    error = float(np.sqrt((1 / len(values) + ratio) * values.var(ddof=1)))
    half = error * float(special.stdtrit(freedom, 0.975))
    return MeanDifference(mean, mean - half, mean + half, float(2 * special.stdtr(freedom, -abs(mean) / error)))


def signed_rank(differences: Values) -> float:
    """The exact two-sided p-value of Wilcoxon's signed-rank test of differences (folds,); 1 if all are zero.

    Wilcoxon 1945; zeros are excluded, ties share their mean rank, and the null distribution is over all sign
    assignments to these ranks. NaN if no difference is defined.
    """
    values = _defined(differences)
    if not len(values):
        return _NAN
    values = values[values != 0]
    ranks = _doubled_ranks(np.abs(values))
    ways = np.zeros(int(ranks.sum()) + 1)  # number of ways to reach each rank sum
    ways[0] = 1.0
    for rank in ranks.tolist():
        ways[rank:] += ways[:-rank]
    positive = int(ranks[values > 0].sum())
    smaller = min(positive, len(ways) - 1 - positive)
    return float(min(1.0, 2 * ways[: smaller + 1].sum() / ways.sum()))


def corrected_signed_rank(differences: Values, ratio: float) -> float:
    """``signed_rank``, corrected for the correlation of differences (folds,) due to overlapping training sets.

    With a correlation of ratio / (1 + ratio) (Nadeau & Bengio 2003) between n differences, the standard deviation of
    the rank sum grows by the square root of 1 + (n - 1) correlation; the normal quantile of the exact p-value is
    divided by this factor.
    """
    p = signed_rank(differences)
    pairs = int(np.count_nonzero(_defined(differences)))
    growth = 1 + max(pairs - 1, 0) * ratio / (1 + ratio)
    return float(2 * special.ndtr(special.ndtri(p / 2) / np.sqrt(growth)))


def rank_sum(larger: Values, smaller: Values) -> float:
    """The exact one-sided p-value that the first scores (seeds,) are larger; NaN if either side has no scores.

    The Mann-Whitney U test (Mann & Whitney 1947), used by Prellberg & Kramer 2019, section 4, to compare networks over
    seeds. Ties share their mean rank, and the null distribution is over all assignments of these ranks to the two
    sides. The test generalizes to retraining on the same images, not to other images.
    """
    first, second = _defined(larger), _defined(smaller)
    if not len(first) or not len(second):
        return _NAN
    ranks = _doubled_ranks(np.concatenate([first, second]))
    ways = np.zeros((len(first) + 1, int(ranks.sum()) + 1))  # by scores assigned to the first, per rank sum
    ways[0, 0] = 1.0
    for rank in ranks.tolist():
        ways[1:, rank:] += ways[:-1, :-rank]
    return float(ways[-1, int(ranks[: len(first)].sum()) :].sum() / ways[-1].sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm's method (Holm 1979), in the given order; NaN values stay NaN and do not count."""
    values = np.asarray(p_values, dtype=np.float64)
    order = [int(i) for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    adjusted = np.full(len(values), np.nan)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, float(values[index]) * (len(order) - rank)))
        adjusted[index] = largest
    return [float(value) for value in adjusted]


def _defined(values: Values) -> Values:
    return np.round(values[~np.isnan(values)], DIGITS)


def _doubled_ranks(values: Values) -> NDArray[np.int64]:
    """Twice the rank of each value, so that mean ranks of ties are integers."""
    _, at, equal = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((2 * np.cumsum(equal) - equal + 1)[at], dtype=np.int64)
