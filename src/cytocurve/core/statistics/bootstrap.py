"""Intervals of means over folds and seeds: a bootstrap or, with few folds, Student's.

Folds rather than runs are the sample: the runs of a fold share test images and, across sizes, training images, so they
are kept together. Undefined values (NaN) are excluded.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from cytocurve.core.statistics.values import Values, ratio

CONFIDENCE = 0.95
RESAMPLES = 10_000
FEW = 5
"""With fewer folds than this, no resample is as far out as the ends of a 95 % interval."""

Bounds = tuple[float, float]
UNBOUNDED: Bounds = (-np.inf, np.inf)
SHARES: Bounds = (0.0, 1.0)
"""The range of scores, beyond which no interval reaches."""
DIFFERENCES: Bounds = (-1.0, 1.0)
"""The range of differences of scores."""
_SEED = 20_190_419


def mean_intervals(values: Values, resamples: int = RESAMPLES, bounds: Bounds = UNBOUNDED) -> tuple[Values, Values]:
    """The lower and upper ends, each (columns,), of the 95 % intervals of the means of values (folds, seeds, columns).

    Let n be the number of folds with a defined value, or of seeds if there is one fold. NaN with a single one: nothing
    shows how much folds differ. With two to four, the interval is Student's, from the means of the folds, and ends at
    the ``bounds`` of the values. With five and more, it is a two-stage percentile bootstrap (Efron & Tibshirani 1993,
    chapter 13): folds are drawn with replacement, then seeds within each drawn fold (Davison & Hinkley 1997, section
    3.8). All columns share the draws. The draws are identical in every call with the same numbers of folds and seeds.
    The order of folds and seeds does not matter.

    Percentile intervals are too narrow with few units, so they are widened to match Student's interval (Hesterberg
    2015, The American Statistician 69:371-386): the tail probability is that of the normal distribution beyond
    t sqrt(n / (n - 1)). With three or four folds, that is less than the probability of drawing the same fold every
    time, so that the ends would be the smallest and the largest fold: hence Student's interval itself. For independent
    normal scores, one per fold, simulated coverage is 94.3 % with 3 folds, 94.9 % with 4, 93.7 % with 5, 95.5 % with 10
    and 95.5 % with 20 (``bench/intervals.py``).
    """
    values = _ordered(values)
    defined = ~np.isnan(values)
    units = _by_unit(defined).any(axis=1).sum(axis=0)
    few = _students(np.where(defined, values, 0.0), defined.astype(np.float64), bounds)
    if (units < FEW).all():
        return few
    folds, seeds, columns = values.shape
    flat, present = values.reshape(folds * seeds, columns), defined.reshape(folds * seeds, columns)
    draws = _draws(folds, seeds)[:resamples]
    counts = np.full((len(draws), 1), folds * seeds) if defined.all() else draws @ present.astype(np.float64)
    means = ratio(draws @ np.where(present, flat, 0.0), counts)
    return _with_few(units, few, means)


def ratio_intervals(part: Values, whole: Values) -> tuple[Values, Values]:
    """The ends, each (columns,), of 95 % intervals of shares, sums over sums, both (folds, seeds, columns).

    The intervals of ``mean_intervals``; n counts folds in which the whole is not zero. NaN if that is at most one.
    """
    folds, seeds, columns = part.shape
    both = _ordered(np.concatenate([part, whole], axis=2))
    units = (_by_unit(both[..., columns:]) > 0).any(axis=1).sum(axis=0)
    few = _students(both[..., :columns], both[..., columns:], SHARES)
    if (units < FEW).all():
        return few
    sums = _draws(folds, seeds) @ both.reshape(folds * seeds, 2 * columns)
    return _with_few(units, few, ratio(sums[:, :columns], sums[:, columns:]))


def _by_unit(values: NDArray[Any]) -> NDArray[Any]:
    """Values (folds, seeds, columns) as (units, values of a unit, columns); the units of one fold are its seeds."""
    return values if len(values) > 1 else np.moveaxis(values, 0, 1)


def _students(part: Values, whole: Values, bounds: Bounds) -> tuple[Values, Values]:
    """The ends of Student's intervals of sums over sums, both (folds, seeds, columns); NaN with fewer than two units.

    The standard error is that of a ratio (Cochran 1977, Sampling Techniques, section 6.3), which for units of equal
    size is that of the mean of their means.
    """
    parts, wholes = _by_unit(part).sum(axis=1), _by_unit(whole).sum(axis=1)  # (units, columns)
    total = wholes.sum(axis=0)
    center, n = ratio(parts.sum(axis=0), total), (wholes > 0).sum(axis=0)
    squares = ((parts - center * wholes) ** 2).sum(axis=0)
    error = ratio(np.sqrt(ratio(n * squares, n - 1)), total)
    reach = stdtrit(np.maximum(n - 1, 1), (1 + CONFIDENCE) / 2) * error
    return np.clip(center - reach, *bounds), np.clip(center + reach, *bounds)


def _with_few(units: NDArray[Any], few: tuple[Values, Values], resampled: Values) -> tuple[Values, Values]:
    """The ends of ``resampled`` (resamples, columns), replaced by those of ``few`` in columns with few units."""
    ordered, tail = np.sort(resampled.T, axis=1), tail_beyond(units)  # NaN sorts last
    low, high = quantile(ordered, tail), quantile(ordered, 1 - tail)
    return np.where(units < FEW, few[0], low), np.where(units < FEW, few[1], high)


def tail_beyond(units: NDArray[Any]) -> Values:
    """The share of resamples beyond either end of the interval; a single unit is treated as two."""
    n = np.maximum(units, 2)
    ends = stdtrit(n - 1, (1 + CONFIDENCE) / 2) * np.sqrt(n / (n - 1))
    return np.asarray(ndtr(-ends))


def quantile(ordered: Values, share: Values) -> Values:
    """A quantile of each row of sorted values with NaN last, by linear interpolation."""
    place = share * ((~np.isnan(ordered)).sum(axis=1) - 1)
    below = np.floor(place).clip(min=0).astype(np.intp)
    rows, above = np.arange(len(ordered)), np.ceil(place).clip(min=0).astype(np.intp)
    low, high = ordered[rows, below], ordered[rows, above]
    return np.asarray(low + (place - below) * (high - low))


@lru_cache(maxsize=4)
def _draws(folds: int, seeds: int) -> Values:
    """How often each run is drawn, (RESAMPLES, folds * seeds); if a fold is drawn k times, so are its seeds."""
    random = np.random.default_rng(_SEED)
    fold_draws = random.multinomial(folds, np.full(folds, 1 / folds), size=RESAMPLES)  # (R, folds)
    drawn = random.multinomial(fold_draws * seeds, np.full(seeds, 1 / seeds)) if seeds > 1 else fold_draws
    draws = drawn.reshape(RESAMPLES, folds * seeds).astype(np.float64)
    draws.setflags(write=False)
    return draws


def _ordered(values: Values) -> Values:
    """Sort the seeds of each fold, then the folds, by their values, so that results do not depend on their numbers."""
    order = np.lexsort(np.moveaxis(values, -1, 0))  # (folds, seeds)
    within = np.take_along_axis(values, order[:, :, np.newaxis], axis=1)
    return within[np.lexsort(within.reshape(len(values), -1).T)]
