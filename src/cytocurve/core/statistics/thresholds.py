"""ROC and precision-recall curves per class, averaged over runs on a common grid.

Each class is scored against all others by its probability. A run's curve is undefined if its test images lack the
required classes or the run cannot be scored; such runs are counted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.bootstrap import SHARES, mean_intervals
from cytocurve.core.statistics.predictions import Indices, Predictions
from cytocurve.core.statistics.values import Values

GRID: Values = np.arange(101) / 100
"""The grid that curves are averaged on. Computed by division, so that 30 / 100 equals 3 / 10 exactly."""

BAND_RESAMPLES = 1_000
"""Bootstrap resamples for each of the 101 points of a band."""

Read = Callable[[Indices, Indices], tuple[Values, float] | None]
"""Maps a run's hits and false alarms at decreasing thresholds, (points,), to its curve on the grid and its area."""


@dataclass(frozen=True, eq=False)
class AveragedCurve:
    """The ``mean`` curve over ``grid``, both (101,), of ``n`` runs, with a 95 % band ``low`` to ``high``.

    The band is pointwise, not simultaneous for the whole curve; intervals as in ``mean_intervals``. ``area`` (R,) is
    each run's exact area, not computed from the grid, and NaN for the ``undefined`` runs; ``prevalence`` is the class's
    share of all test images.
    """

    grid: Values
    mean: Values
    low: Values
    high: Values
    area: Values
    area_mean: float
    area_sd: float
    prevalence: float
    n: int
    undefined: int


def roc(predictions: Predictions, number: int) -> AveragedCurve:
    """The ROC curve of a class, by its number: true-positive rate against false-positive rate.

    Vertical averaging (Fawcett 2006, Pattern Recognition Letters 27:861-874, section 8.1, algorithm 3): each run's
    curve is evaluated at fixed false-positive rates, at the top of vertical steps, by linear interpolation. The area is
    trapezoidal, so ties count half. Undefined without images of the class or without others.
    """
    return _averaged(predictions, number, _roc)


def precision_recall(predictions: Predictions, number: int) -> AveragedCurve:
    """The precision-recall curve of a class, by its number.

    A run's precision at a given recall is that of the highest threshold that reaches it: a step function, since linear
    interpolation between points is overly optimistic here (Davis & Goadrich 2006, ICML, section 4). The area is the
    average precision, the sum over the steps. Undefined without images of the class.
    """
    return _averaged(predictions, number, _precision_recall)


def _roc(hits: Indices, alarms: Indices) -> tuple[Values, float] | None:
    if not hits[-1] or not alarms[-1]:
        return None
    true, false = hits / hits[-1], alarms / alarms[-1]
    return np.interp(GRID, false, true), float(np.trapezoid(true, false))


def _precision_recall(hits: Indices, alarms: Indices) -> tuple[Values, float] | None:
    if not hits[-1]:
        return None
    rise = np.diff(hits, prepend=0)
    steps = rise > 0
    precision, recall = hits[steps] / (hits + alarms)[steps], hits[steps] / hits[-1]
    return precision[np.searchsorted(recall, GRID)], float(rise[steps] @ precision / hits[-1])


def _averaged(predictions: Predictions, number: int, read: Read) -> AveragedCurve:
    hits, alarms, starts = _points(predictions, number)
    values, area = np.full((predictions.runs, len(GRID)), np.nan), np.full(predictions.runs, np.nan)
    for run in np.flatnonzero(predictions.defined):
        points = slice(starts[run], starts[run + 1])
        curve_and_area = read(hits[points], alarms[points])
        if curve_and_area is not None:
            values[run], area[run] = curve_and_area
    low, high = mean_intervals(predictions.table(values), BAND_RESAMPLES, SHARES)
    n = int((~np.isnan(area)).sum())
    return AveragedCurve(
        grid=GRID,
        mean=defined.mean(values),
        low=low,
        high=high,
        area=area,
        area_mean=float(defined.mean(area)),
        area_sd=float(defined.sd(area)),
        prevalence=float(defined.mean((predictions.labels == number).astype(np.float64))),
        n=n,
        undefined=predictions.runs - n,
    )


def _points(predictions: Predictions, number: int) -> tuple[Indices, Indices, Indices]:
    """Hits and false alarms at every threshold of every run, (points,), from above the largest probability downward.

    ``starts`` (R + 1,) is the first point of each run. Images with equal probabilities pass the threshold together.
    """
    run = predictions.run
    score = predictions.probabilities[:, number]
    order = np.lexsort((-score, run))
    score, before = score[order], predictions.starts[run]  # the first row of each row's run
    cumulative = np.r_[0, np.cumsum(predictions.labels[order] == number)]
    hits, passed = cumulative[1:] - cumulative[before], np.arange(1, len(score) + 1) - before
    last = np.ones(len(score), dtype=np.bool_)
    last[:-1] = (score[1:] != score[:-1]) | (run[1:] != run[:-1])
    starts = np.searchsorted(run[last], np.arange(predictions.runs + 1))
    hits, passed = (np.insert(counts[last], starts[:-1], 0) for counts in (hits, passed))
    return hits, passed - hits, starts + np.arange(predictions.runs + 1)
