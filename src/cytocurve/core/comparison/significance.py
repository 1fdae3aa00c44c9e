"""Significance tests for paired scores from cross-validation, and for scores over independent seeds.

Differences over the folds of a cross-validation are not independent, since the folds' training sets overlap: an
uncorrected test underestimates the variance and reports too many differences (Dietterich 1998). The paired tests here
increase the standard error according to ``ratio``, the number of test images over the number of training images.
``images_and_folds`` gives the verdict where the variance over images is known; the others use only the folds' scores.
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


@dataclass(frozen=True)
class Sampling:
    """The variance of a mean difference over new test images, given the networks, with its degrees of freedom.

    Both are NaN if it cannot be estimated.
    """

    variance: float
    freedom: float


UNKNOWN = Sampling(_NAN, _NAN)


def sampling(
    contributions: Values, folds: NDArray[np.intp], classes: NDArray[np.intp], units: NDArray[np.intp]
) -> Sampling:
    """The sampling variance of the mean over folds, from the images' contributions (images,), NaN in undefined folds.

    ``folds``, ``classes`` and ``units`` (images,) number the images' folds, classes and independent units, which are
    images, or patients if they are known: contributions are summed by unit. Strata are the classes of a fold; one with
    m units increases its contributions by the square root of m / (m - 1), and the degrees of freedom are those of
    Satterthwaite 1946 over strata, at most the number of units less one. ``UNKNOWN`` if a stratum has a single unit or
    an undefined contribution.
    """
    known = ~np.isnan(contributions)
    count = np.count_nonzero(np.bincount(folds[known]))
    if not count or count != np.count_nonzero(np.bincount(folds)) - np.count_nonzero(np.bincount(folds[~known])):
        return UNKNOWN
    strata, within = folds[known] * (classes.max() + 1) + classes[known], units.max() + 1
    cells, cell = np.unique(strata * within + units[known], return_inverse=True)
    stratum, unit = cells // within, cells % within
    sizes = np.bincount(stratum)
    if (sizes == 1).any():
        return UNKNOWN
    growth = np.sqrt(sizes / (sizes - 1).clip(min=1))[stratum]
    sums = np.bincount(cell, contributions[known]) / count * growth
    freedom = float(np.count_nonzero(np.bincount(unit)) - 1)
    by_stratum = np.bincount(stratum, sums**2)
    if by_stratum.any():
        others: Values = np.maximum(sizes - 1, 1).astype(np.float64)
        freedom = min(freedom, satterthwaite(by_stratum, others))
    return Sampling(float((np.bincount(unit, sums) ** 2).sum()), freedom)


def images_and_folds(differences: Values, images: Sampling, ratio: float) -> MeanDifference:
    """The test over images and folds of differences (folds,), NaN where undefined, with the interval it implies.

    The variance of the mean of J differences is s² / J + J ratio v: the spread s of the folds, which includes what
    differs between trainings, plus the correction of Nadeau & Bengio 2003 for overlapping training sets. That
    correction is proportional to the variance over test images; here it uses its estimate from the images, v for the
    mean, rather than s² with J - 1 degrees of freedom. Degrees of freedom: Satterthwaite 1946. If all differences are
    zero, p is 1. NaN if fewer than two differences are defined, ``images`` is unknown, or nothing varies.
    """
    values = _defined(differences)
    mean = float(values.mean()) if len(values) else _NAN
    if len(values) < 2 or np.isnan(images.variance):
        return MeanDifference(mean, _NAN, _NAN, _NAN)
    parts = np.array([values.var(ddof=1) / len(values), len(values) * ratio * images.variance])
    if parts.sum() < 10.0 ** (-2 * DIGITS):
        return MeanDifference(0.0, 0.0, 0.0, 1.0) if mean == 0 else MeanDifference(mean, _NAN, _NAN, _NAN)
    freedom = satterthwaite(parts, np.array([len(values) - 1, images.freedom]))
    error = float(np.sqrt(parts.sum()))
    half = error * float(special.stdtrit(freedom, 0.975))
    return MeanDifference(mean, mean - half, mean + half, float(2 * special.stdtr(freedom, -abs(mean) / error)))


def satterthwaite(parts: Values, freedom: Values) -> float:
    """The degrees of freedom of a sum of independent variances (Satterthwaite 1946)."""
    return float(parts.sum() ** 2 / (parts**2 / freedom).sum())


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
