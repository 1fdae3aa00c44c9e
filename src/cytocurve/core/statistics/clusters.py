"""Scores of one model on images of several patients, with intervals that treat the patients as the sample.

The cells of a patient resemble each other, so that hundreds of them tell less than as many patients would: patients are
resampled, not images (Field & Welsh 2007, JRSS B 69:369-390).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics.bootstrap import quantile, tail_beyond
from cytocurve.core.statistics.metrics import Labels, Probabilities
from cytocurve.core.statistics.proportions import wilson
from cytocurve.core.statistics.values import Values

RESAMPLES = 2000
LEAST = 5
"""The least number of clusters for an interval: from fewer, one cannot tell how much clusters differ."""
LEAST_DEFINED = 0.9
"""The share of resamples in which a score must be defined for it to have an interval."""
_SEED = 20_190_419

Statistic = Callable[[Labels, Probabilities], Mapping[str, float]]


@dataclass(frozen=True)
class Units:
    """The ``count`` of clusters that a score rests on, and how many of equal size they are worth, ``effective``."""

    count: int
    effective: float

    @classmethod
    def of(cls, images: Sequence[int]) -> "Units":
        """The units that clusters with these numbers of images are (Kish 1965); those without images do not count."""
        sizes = np.asarray(images, np.float64)
        return cls(int((sizes > 0).sum()), float(sizes.sum() ** 2 / (sizes**2).sum()) if sizes.any() else 0.0)


@dataclass(frozen=True)
class Estimate:
    """A score and its 95 % interval; NaN where undefined."""

    value: float
    ci_low: float
    ci_high: float


def estimates(
    labels: Labels,
    probabilities: Probabilities,
    clusters: Sequence[int],
    statistic: Statistic,
    units: Mapping[str, Units],
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Every score that ``statistic`` gives, with the interval of a bootstrap over clusters (numbers from 0).

    ``units`` are the clusters that a score rests on, by its name: percentile intervals are widened to match Student's
    with as many of equal size, as in ``mean_intervals``. They end where Wilson's for a share of so many clusters ends,
    which no score between 0 and 1 exceeds (for ROC-AUC, Birnbaum & Klose 1957). If all resamples agree, the interval is
    Wilson's: a resample cannot show an error that did not occur. There is none for fewer than ``LEAST`` clusters, nor
    if the score is undefined in more than a tenth of the resamples.
    """
    observed = statistic(labels, probabilities)
    drawn = _resampled(labels, probabilities, np.asarray(clusters), statistic, list(observed), resamples)
    return {
        name: Estimate(value, *_interval(value, np.sort(drawn[name]), units[name])) for name, value in observed.items()
    }


def _resampled(
    labels: Labels,
    probabilities: Probabilities,
    clusters: Labels,
    statistic: Statistic,
    names: Sequence[str],
    resamples: int,
) -> dict[str, Values]:
    """Each score in each resample, (resamples,)."""
    count = int(clusters.max(initial=-1)) + 1
    if count < LEAST:
        return {name: np.full(1, np.nan) for name in names}
    random, order = np.random.default_rng(_SEED), np.argsort(clusters, kind="stable")
    table = np.empty((resamples, len(names)))
    for number in range(resamples):
        times = random.multinomial(count, np.full(count, 1 / count))
        rows = np.repeat(order, times[clusters[order]])
        scores = statistic(labels[rows], probabilities[rows])
        table[number] = [scores[name] for name in names]
    return dict(zip(names, table.T, strict=True))


def _interval(value: float, ordered: Values, units: Units) -> tuple[float, float]:
    """The ends of the interval from sorted resamples, NaN last."""
    nan = float("nan")
    if units.count < LEAST or np.isnan(value) or np.mean(~np.isnan(ordered)) < LEAST_DEFINED:
        return nan, nan
    tail = tail_beyond(np.array([units.effective]))
    low, high = (float(quantile(ordered[np.newaxis], at)[0]) for at in (tail, 1 - tail))
    lowest, highest = wilson(value, units.effective)
    return (max(low, lowest), min(high, highest)) if high > low else (lowest, highest)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """The difference of two independent scores, with the interval of Zou & Donner (2008, Stat. Med. 27:1693-1702).

    It recovers the variance near each end from the two intervals, which need not be symmetric.
    """
    value = one.value - other.value
    low = np.hypot(one.value - one.ci_low, other.ci_high - other.value)
    high = np.hypot(one.ci_high - one.value, other.value - other.ci_low)
    return Estimate(value, float(value - low), float(value + high))
