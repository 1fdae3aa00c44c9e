"""What a class's threshold trades: ROC and precision-recall curves, averaged over runs on a common grid.

A class is asked for against all others by its probability. A run's curve is undefined where its test images lack what
the curve counts, or the run cannot be judged; such runs are counted.
"""

from dataclasses import dataclass

import numpy as np

from cytocurve.core import defined
from cytocurve.core.bootstrap import mean_intervals
from cytocurve.core.defined import Values, ratio
from cytocurve.core.predictions import Indices, Predictions

GRID: Values = np.arange(101) / 100
"""Where curves are averaged. Quotients, since 30 / 100 is the float of 3 / 10 and a sum of steps is not."""

BAND_RESAMPLES = 1_000
"""Of the bootstrap's, for each of the 101 points of a band."""


@dataclass(frozen=True, eq=False)
class AveragedCurve:
    """The ``mean`` curve over ``grid``, both (101,), of ``n`` runs, with a 95 % band ``low`` to ``high``.

    The band holds the mean curve at one point of the grid, not the whole curve at once; intervals as in
    ``mean_intervals``. ``area`` (R,) is each run's own, not read off the grid, and NaN for the ``undefined`` runs;
    ``share`` is the class's share of all test images.
    """

    grid: Values
    mean: Values
    low: Values
    high: Values
    area: Values
    area_mean: float
    area_sd: float
    share: float
    n: int
    undefined: int


def roc(predictions: Predictions, number: int) -> AveragedCurve:
    """The true-positive over the false-positive rate of the class of that number.

    Vertical averaging (Fawcett 2006, Pattern Recognition Letters 27:861-874, section 8.1, algorithm 3): each run's
    curve is read at fixed false-positive rates, at the top of a step, straight between points. The area is the
    trapezoids', which counts equal probabilities half. Undefined without images of the class or without others.
    """
    hits, alarms, starts = _points(predictions, number)
    run = np.repeat(np.arange(predictions.runs), np.diff(starts))
    positive, negative = _totals(predictions, number)
    true, false = ratio(hits, positive[run]), ratio(alarms, negative[run])
    width = np.diff(false, prepend=0.0)
    width[starts[:-1]] = 0.0
    area = np.bincount(run, width * (true + np.r_[0.0, true[:-1]]) / 2, minlength=predictions.runs)
    usable = predictions.defined & (positive > 0) & (negative > 0)
    values = np.full((predictions.runs, len(GRID)), np.nan)
    for each in np.flatnonzero(usable):
        rows = slice(starts[each], starts[each + 1])
        values[each] = np.interp(GRID, false[rows], true[rows])
    return _averaged(predictions, values, np.where(usable, area, np.nan), _share(positive, negative))


def precision_recall(predictions: Predictions, number: int) -> AveragedCurve:
    """The precision over the recall of the class of that number.

    A run's precision at a recall is that of the highest threshold that reaches it: a step, since straight lines
    between points of this plane promise what no threshold gives (Davis & Goadrich 2006, ICML, section 4). The area is
    the average precision, the sum of the steps. Undefined without images of the class.
    """
    hits, alarms, starts = _points(predictions, number)
    positive, negative = _totals(predictions, number)
    usable = predictions.defined & (positive > 0)
    values, area = np.full((predictions.runs, len(GRID)), np.nan), np.full(predictions.runs, np.nan)
    for each in np.flatnonzero(usable):
        rows = slice(starts[each], starts[each + 1])
        rise = np.diff(hits[rows], prepend=0)
        steps = rise > 0
        found = hits[rows][steps]
        precision = found / (found + alarms[rows][steps])
        area[each] = rise[steps] @ precision / positive[each]
        values[each] = precision[np.searchsorted(found / positive[each], GRID)]
    return _averaged(predictions, values, area, _share(positive, negative))


def _points(predictions: Predictions, number: int) -> tuple[Indices, Indices, Indices]:
    """Hits and false alarms at every threshold of every run, (points,), falling from above all probabilities.

    ``starts`` (R + 1,) is the first point of each run. Images of equal probability pass the threshold together.
    """
    score = predictions.probabilities[:, number]
    order = np.lexsort((-score, predictions.run))
    score, right = score[order], predictions.labels[order] == number
    before = predictions.starts[predictions.run]  # the first row of each row's run
    passed = np.arange(1, len(score) + 1) - before
    hits = np.cumsum(right) - np.r_[0, np.cumsum(right)][before]
    last = np.ones(len(score), dtype=np.bool_)
    last[:-1] = (score[1:] != score[:-1]) | (np.diff(predictions.run) > 0)
    starts = np.searchsorted(predictions.run[last], np.arange(predictions.runs + 1))
    hits, passed = (np.insert(counts[last], starts[:-1], 0) for counts in (hits, passed))
    return hits, passed - hits, starts + np.arange(predictions.runs + 1)


def _totals(predictions: Predictions, number: int) -> tuple[Indices, Indices]:
    """The images of the class and the other images of each run, (R,)."""
    right = predictions.labels == number
    counts = [np.bincount(predictions.run[rows], minlength=predictions.runs) for rows in (right, ~right)]
    return counts[0], counts[1]


def _share(positive: Indices, negative: Indices) -> float:
    return float(ratio(positive.sum(), positive.sum() + negative.sum()))


def _averaged(predictions: Predictions, values: Values, area: Values, share: float) -> AveragedCurve:
    low, high = mean_intervals(predictions.table(values), BAND_RESAMPLES)
    n = int((~np.isnan(area)).sum())
    return AveragedCurve(
        grid=GRID,
        mean=defined.mean(values),
        low=low,
        high=high,
        area=area,
        area_mean=float(defined.mean(area)),
        area_sd=float(defined.sd(area)),
        share=share,
        n=n,
        undefined=predictions.runs - n,
    )
