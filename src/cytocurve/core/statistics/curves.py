"""Learning curves: what an arm scores at each training size, how sure that is, and what more images add.

Undefined scores (NaN) are left out of every figure and counted beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.bootstrap import mean_intervals
from cytocurve.core.statistics.values import Values

MARGIN = 0.01
"""The gain in score below which a larger training set is not worth its labels."""

WHISKER = 1.5
"""Box lengths that a whisker may be long (Tukey 1977, Exploratory Data Analysis, section 2D)."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One arm's scores by one metric: ``scores`` (folds, seeds, sizes), NaN where undefined and where no run is.

    ``folds``, ``seeds`` and ``sizes`` name the axes, each increasing, so that curves of the same runs can be
    subtracted; ``ran`` (folds, seeds, sizes) says which runs there are.
    """

    folds: NDArray[np.int64]
    seeds: NDArray[np.int64]
    sizes: NDArray[np.int64]
    scores: Values
    ran: NDArray[np.bool_]

    @classmethod
    def of(cls, folds: Sequence[int], seeds: Sequence[int], sizes: Sequence[int], scores: Sequence[float]) -> "Curve":
        """The curve of these runs, as columns of equal length; raises ``ValueError`` where one is there twice."""
        fold_names, fold = np.unique(np.asarray(folds, dtype=np.int64), return_inverse=True)
        seed_names, seed = np.unique(np.asarray(seeds, dtype=np.int64), return_inverse=True)
        size_names, size = np.unique(np.asarray(sizes, dtype=np.int64), return_inverse=True)
        ran = np.zeros((len(fold_names), len(seed_names), len(size_names)), dtype=np.bool_)
        ran[fold, seed, size] = True
        if ran.sum() < len(scores):
            raise ValueError("a fold, seed and size may occur once in a curve; some run is there twice")
        table = np.full(ran.shape, np.nan)
        table[fold, seed, size] = scores
        return cls(fold_names, seed_names, size_names, table, ran)


@dataclass(frozen=True)
class Summary:
    """The scores of the runs at one size: ``sd`` by n - 1, and a 95 % interval of the mean; NaN if undefined.

    Box and whiskers as a box plot has them: a whisker ends at the furthest score within 1.5 box lengths of the box,
    and the scores beyond are ``outliers``, in order. ``n`` scores are defined, those of ``undefined`` runs are not.
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


def summarise(curve: Curve) -> dict[int, Summary]:
    """The summary of each size; intervals as in ``mean_intervals``."""
    return dict(zip(curve.sizes.tolist(), _summaries(curve.scores, curve.ran), strict=True))


def areas(scores: Values, sizes: Sequence[int]) -> Values:
    """The area under each learning curve over log(size), (…,) of scores (…, sizes), in the score's own range.

    The trapezoidal rule over the logarithm of the number of labels (Guyon et al. 2011, "Results of the Active Learning
    Challenge", JMLR W&CP 16), divided by the length of that axis: a curve that stays at 0.9 has the area 0.9. It is
    linear in the scores, so that the difference of two arms' areas is the area of their difference. NaN where a score
    is undefined, and with one size.
    """
    if len(sizes) == 1:
        return np.full(scores.shape[:-1], np.nan)
    steps = np.log(sizes)
    area: Values = np.trapezoid(scores, steps, axis=-1) / (steps[-1] - steps[0])
    return area


def area(curve: Curve) -> Summary:
    """The summary of ``areas``; a fold and seed is ``undefined`` where some size lacks a defined score."""
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
    low, high = mean_intervals(differences)
    return Gain(float(np.nanmean(differences)), float(low[0]), float(high[0]))


def _summaries(scores: Values, ran: NDArray[np.bool_]) -> list[Summary]:
    """The summaries of scores (folds, seeds, columns), one per column."""
    low, high = mean_intervals(scores)
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
    # Between distant neighbours a quartile is interpolated, and a whisker would end inside the box.
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
