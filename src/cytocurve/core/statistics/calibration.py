"""Calibration of probabilities: Brier score, expected calibration error, reliability."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.bootstrap import ratio_intervals
from cytocurve.core.statistics.predictions import Indices, Predictions, Spread
from cytocurve.core.statistics.proportions import wilson
from cytocurve.core.statistics.values import Values, ratio

BINS = 10


@dataclass(frozen=True, eq=False)
class Calibration:
    """``brier`` over folds, ``ece`` over seeds (so its ``n`` counts seeds), and the reliability in ten equal bins.

    A bin, (bins,), contains the probabilities above ``low`` up to ``high``: ``predicted`` is their mean and
    ``observed`` the share that came true, with a 95 % interval from ``observed_low`` to ``observed_high``, all NaN in
    empty bins. ``images`` counts predictions, so each image counts once per run.

    The interval is the wider of two: that of ``ratio_intervals`` over folds, since predictions of one network go wrong
    together, and Wilson's for the images of the bin, each counted once, which has a width where all came true.
    """

    brier: Spread
    ece: Spread
    low: Values
    high: Values
    predicted: Values
    observed: Values
    observed_low: Values
    observed_high: Values
    images: Indices


def calibration(predictions: Predictions) -> Calibration:
    """How well the probabilities agree with the outcomes.

    The Brier score is the mean squared difference from the outcomes, summed over classes, 0 to 2 (Brier 1950). With
    two classes it is half of that, which equals the score of the positive class, 0 to 1. Lower is better.

    With two classes, bins are over the probability of the positive one; with more, over the largest probability and
    whether that class is correct. The expected calibration error is the mean absolute difference between predicted
    and observed, weighted by images (Guo et al. 2017, ICML, equation 3). Noise in small bins inflates it, so the test
    images of all folds of a seed are pooled; even so, it is above zero for perfectly calibrated probabilities.
    """
    used = predictions.defined[predictions.run]
    seeds, seed = np.unique(predictions.seed, return_inverse=True)
    probability, outcome = _judged(predictions)
    bins = np.searchsorted(np.arange(1, BINS) / BINS, probability[used])
    group = seed[predictions.run[used]] * BINS + bins
    counts, predicted, observed = (
        np.bincount(group, weights, minlength=len(seeds) * BINS).reshape(len(seeds), BINS)
        for weights in (None, probability[used], outcome[used])
    )
    low, high = _intervals(predictions, used, bins, outcome[used])
    errors = ratio(np.abs(predicted - observed).sum(axis=1), counts.sum(axis=1))
    return Calibration(
        brier=predictions.over_folds(_brier(predictions)),
        ece=Spread(
            defined.mean(errors),
            defined.sd(errors),
            np.asarray((~np.isnan(errors)).sum()),
            np.asarray((~predictions.defined).sum()),
        ),
        low=np.arange(BINS) / BINS,
        high=np.arange(1, BINS + 1) / BINS,
        predicted=ratio(predicted.sum(axis=0), counts.sum(axis=0)),
        observed=ratio(observed.sum(axis=0), counts.sum(axis=0)),
        observed_low=low,
        observed_high=high,
        images=counts.sum(axis=0).astype(np.intp),
    )


def _intervals(
    predictions: Predictions, used: NDArray[np.bool_], bins: Indices, outcome: Values
) -> tuple[Values, Values]:
    """The ends of the intervals of the share that came true in each bin, each (bins,)."""
    place, shape = predictions.run[used] * BINS + bins, (predictions.runs, BINS)
    true, counts = (
        np.bincount(place, weights, minlength=predictions.runs * BINS).astype(np.float64).reshape(shape)
        for weights in (outcome, None)
    )
    tables = (np.nan_to_num(predictions.table(values)) for values in (true, counts))
    low, high = ratio_intervals(*tables)
    seeds = len(np.unique(predictions.seed))
    shares, images = ratio(true.sum(axis=0), counts.sum(axis=0)), np.ceil(counts.sum(axis=0) / seeds)
    for number in np.flatnonzero(images):
        below, above = wilson(float(shares[number]), int(images[number]))
        low[number], high[number] = np.fmin(low[number], below), np.fmax(high[number], above)  # NaN: a single run
    return low, high


def _judged(predictions: Predictions) -> tuple[Values, Values]:
    """The probability that is evaluated, and whether it came true (0 or 1), each (N,)."""
    probabilities, labels = predictions.probabilities, predictions.labels
    if predictions.classes == 2:
        return probabilities[:, 1], labels.astype(np.float64)
    return probabilities.max(axis=1), (probabilities.argmax(axis=1) == labels).astype(np.float64)


def _brier(predictions: Predictions) -> Values:
    outcomes = predictions.labels[:, np.newaxis] == np.arange(predictions.classes)
    squares = ((predictions.probabilities - outcomes) ** 2).sum(axis=1)
    totals = np.bincount(predictions.run, squares, minlength=predictions.runs)
    score = ratio(totals, np.diff(predictions.starts)) / (2 if predictions.classes == 2 else 1)
    return np.where(predictions.defined, score, np.nan)
