"""Learning curves: an arm's scores at each training size, their uncertainty, and the gain from more images.

Undefined scores (NaN) are excluded from all statistics and counted separately.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.bootstrap import DIFFERENCES, SHARES, mean_intervals
from cytocurve.core.statistics.values import Values

MARGIN = 0.01
"""The gain in score below which a larger training set is not worth labeling."""

ROUNDING = 1e-9
"""Tolerance for rounding: scores that differ by less are equal."""

WHISKER = 1.5
"""Maximum whisker length in box lengths (Tukey 1977, Exploratory Data Analysis, section 2D)."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One arm's scores by one metric: ``scores`` (folds, seeds, sizes), NaN if undefined or if there is no run.

    ``folds``, ``seeds`` and ``sizes`` are the increasing axis labels, so that curves of the same runs can be
    subtracted; ``ran`` (folds, seeds, sizes) marks existing runs.
    """

    folds: NDArray[np.int64]
    seeds: NDArray[np.int64]
    sizes: NDArray[np.int64]
    scores: Values
    ran: NDArray[np.bool_]

    @classmethod
    def of(cls, folds: Sequence[int], seeds: Sequence[int], sizes: Sequence[int], scores: Sequence[float]) -> "Curve":
        """The curve of these runs, given as columns of equal length; raises ``ValueError`` for duplicate runs."""
        fold_names, fold = np.unique(np.asarray(folds, dtype=np.int64), return_inverse=True)
        seed_names, seed = np.unique(np.asarray(seeds, dtype=np.int64), return_inverse=True)
        size_names, size = np.unique(np.asarray(sizes, dtype=np.int64), return_inverse=True)
        ran = np.zeros((len(fold_names), len(seed_names), len(size_names)), dtype=np.bool_)
        ran[fold, seed, size] = True
        if ran.sum() < len(scores):
            raise ValueError("duplicate runs: each fold, seed and size may occur only once in a curve")
        table = np.full(ran.shape, np.nan)
        table[fold, seed, size] = scores
        return cls(fold_names, seed_names, size_names, table, ran)


@dataclass(frozen=True)
class Summary:
    """The scores of the runs at one size: ``sd`` with ddof 1, and a 95 % interval of the mean; NaN if undefined.

    There is no interval with a single fold and run, nor if all folds agree: that they do not differ in this sample does
    not make the mean certain.

    Quartiles and whiskers are those of a box plot: a whisker ends at the furthest score within 1.5 box lengths of the
    box, and scores beyond it are ``outliers``, sorted. ``n`` runs have a defined score, ``undefined`` runs do not.
    """

    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    whisker_low: float
    whisker_high: float
    outliers: tuple[float, ...]
    min: float
    max: float
    ci_low: float
    ci_high: float
    n: int
    undefined: int


def summarize(curve: Curve) -> dict[int, Summary]:
    """The summary of each size; intervals as in ``mean_intervals``."""
    return dict(zip(curve.sizes.tolist(), _summaries(curve.scores, curve.ran), strict=True))


def areas(scores: Values, sizes: Sequence[int]) -> Values:
    """The area under each learning curve over log(size), (…,) from scores (…, sizes), in the range of the score.

    The trapezoidal rule over the logarithm of the number of labels (Guyon et al. 2011, "Results of the Active Learning
    Challenge", JMLR W&CP 16), divided by the length of that axis: a constant curve at 0.9 has the area 0.9. The area is
    linear in the scores, so the difference of two areas is the area of the difference. NaN if any score is undefined or
    there is only one size.
    """
    if len(sizes) == 1:
        return np.full(scores.shape[:-1], np.nan)
    steps = np.log(sizes)
    area: Values = np.trapezoid(scores, steps, axis=-1) / (steps[-1] - steps[0])
    return area


def area(curve: Curve) -> Summary:
    """The summary of ``areas``; a fold and seed is ``undefined`` if the score is undefined at any size."""
    ran = np.asarray(curve.ran.any(axis=2))
    return _summaries(areas(curve.scores, curve.sizes.tolist())[:, :, np.newaxis], ran[:, :, np.newaxis])[0]


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
    low, high = mean_intervals(differences, bounds=DIFFERENCES)
    return Gain(float(np.nanmean(differences)), float(low[0]), float(high[0]))


def _summaries(scores: Values, ran: NDArray[np.bool_]) -> list[Summary]:
    """The summaries of scores (folds, seeds, columns), one per column."""
    low, high = mean_intervals(scores, bounds=SHARES)
    low, high = (np.where(high - low > ROUNDING, end, np.nan) for end in (low, high))
    columns = range(scores.shape[2])
    return [_summary(scores[:, :, i], float(low[i]), float(high[i]), int(ran[:, :, i].sum())) for i in columns]


def _summary(scores: Values, low: float, high: float, runs: int) -> Summary:
    defined = np.sort(scores[~np.isnan(scores)])
    n, nan = len(defined), float("nan")
    if not n:
        return Summary(nan, nan, nan, nan, nan, nan, nan, (), nan, nan, low, high, 0, runs)
    q1, median, q3 = np.quantile(defined, (0.25, 0.5, 0.75)).tolist()
    reach = WHISKER * (q3 - q1)
    inside = defined[(defined >= q1 - reach) & (defined <= q3 + reach)]
    # A quartile interpolated between distant scores may lie beyond the last inlier; keep whiskers outside the box.
    whisker_low, whisker_high = min(q1, float(inside[0])), max(q3, float(inside[-1]))
    return Summary(
        mean=float(defined.mean()),
        sd=float(defined.std(ddof=1)) if n > 1 else nan,
        median=median,
        q1=q1,
        q3=q3,
        whisker_low=whisker_low,
        whisker_high=whisker_high,
        outliers=tuple(defined[(defined < whisker_low) | (defined > whisker_high)].tolist()),
        min=float(defined[0]),
        max=float(defined[-1]),
        ci_low=low,
        ci_high=high,
        n=n,
        undefined=runs - n,
    )
