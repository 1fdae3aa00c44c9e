"""Tests of paired scores from cross-validation, and of scores of independent seeds.

The differences over the folds of a cross-validation are not independent, since the folds' training sets overlap: a
plain test takes their spread for more than it is and finds differences where there are none (Dietterich 1998). The
paired tests here widen the standard error by ``ratio``, test images to training images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytocurve.core.statistics.values import Values

DIGITS = 12
"""Decimal places to which differences count as equal: scores are ratios of small whole numbers, and floats round."""

_NAN = float("nan")


@dataclass(frozen=True)
class MeanDifference:
    """A mean difference with its 95 % interval and two-sided p; NaN where the spread cannot be judged."""

    mean: float
    ci_low: float
    ci_high: float
    p: float


def fold_ratio(folds: int) -> float:
    """Test images to training images where one fold of ``folds`` tests, one validates and the others train.

    It stands for every training size: a smaller training set is drawn from the same images, so that two folds'
    training sets overlap in a smaller share than they do at full size. Raises ``ValueError`` below three folds.
    """
    if folds < 3:
        raise ValueError(f"one fold tests, one validates, the others train: at least 3 are needed, got {folds}")
    return 1 / (folds - 2)


def corrected_t(differences: Values, ratio: float) -> MeanDifference:
    """The corrected resampled t-test of differences (folds,), NaN where undefined, with the interval it implies.

    Nadeau & Bengio 2003, "Inference for the generalization error", section 3: the variance of the mean of J
    differences is (1/J + ratio) s², with J - 1 degrees of freedom; for cross-validation as Bouckaert & Frank 2004.
    Where all differences are zero, p is 1. Where all are equal and not zero, or fewer than two are defined, there is
    no spread to judge by: interval and p are NaN.
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
    """The exact two-sided p of Wilcoxon's signed-rank test of differences (folds,); 1 where all are zero.

    Wilcoxon 1945; zeros are left out, equal ones share their mean rank, and the distribution is that of all signs of
    these ranks. NaN where no difference is defined.
    """
    values = _defined(differences)
    if not len(values):
        return _NAN
    values = values[values != 0]
    ranks = _doubled_ranks(np.abs(values))
    ways = np.zeros(int(ranks.sum()) + 1)  # to reach each sum of ranks
    ways[0] = 1.0
    for rank in ranks.tolist():
        ways[rank:] += ways[:-rank]
    positive = int(ranks[values > 0].sum())
    smaller = min(positive, len(ways) - 1 - positive)
    return float(min(1.0, 2 * ways[: smaller + 1].sum() / ways.sum()))


def corrected_signed_rank(differences: Values, ratio: float) -> float:
    """The signed-rank test of differences (folds,) that overlapping training sets correlate; otherwise as without.

    With the correlation ratio / (1 + ratio) of Nadeau & Bengio 2003 between n differences, the standard deviation of
    the rank sum grows by the root of 1 + (n - 1) correlation: the normal quantile of the exact p is divided by it.
    """
    p = signed_rank(differences)
    pairs = int(np.count_nonzero(_defined(differences)))
    growth = 1 + max(pairs - 1, 0) * ratio / (1 + ratio)
    return float(2 * special.ndtr(special.ndtri(p / 2) / np.sqrt(growth)))


def rank_sum(larger: Values, smaller: Values) -> float:
    """The exact one-sided p that the first scores (seeds,) are larger than the second; NaN where a side has none.

    The Mann-Whitney U test (Mann & Whitney 1947), as Prellberg & Kramer 2019, section 4, compare networks over seeds;
    equal scores share their mean rank, and the distribution is that of all ways to deal these ranks to the sides. It
    judges whether training again on these images would give such scores, not whether other images would.
    """
    first, second = _defined(larger), _defined(smaller)
    if not len(first) or not len(second):
        return _NAN
    ranks = _doubled_ranks(np.concatenate([first, second]))
    ways = np.zeros((len(first) + 1, int(ranks.sum()) + 1))  # by the scores dealt to the first, to reach each sum
    ways[0, 0] = 1.0
    for rank in ranks.tolist():
        ways[1:, rank:] += ways[:-1, :-rank]
    return float(ways[-1, int(ranks[: len(first)].sum()) :].sum() / ways[-1].sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p adjusted for all of them by Holm 1979, in their order; undefined ones stay so and are not counted."""
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
    """Twice the rank of each value, so that the mean rank of equal ones is a whole number."""
    _, at, equal = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((2 * np.cumsum(equal) - equal + 1)[at], dtype=np.int64)
