"""Confusion matrices, and precision and sensitivity per class, over folds.

An image is assigned to the class with the largest probability; ties go to the first class.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.metrics import precisions
from cytocurve.core.statistics.predictions import Indices, Predictions, Spread
from cytocurve.core.statistics.values import Values, ratio


@dataclass(frozen=True, eq=False)
class Confusion:
    """Percent of each true class (row) assigned to each class (column), with ``sd`` over folds (ddof 1).

    Both are (classes, classes). For each true class, (classes,): ``images`` is the number of test images, ``n`` the
    number of folds that contain the class, and ``undefined`` the number of runs without it.
    """

    percent: Values
    sd: Values
    images: Indices
    n: Indices
    undefined: Indices


@dataclass(frozen=True, eq=False)
class ClassWise:
    """Precision and sensitivity of each class, (classes,), and its ``images``.

    Precision is that of ``metrics.precisions``; sensitivity is undefined in runs without images of the class.
    """

    images: Indices
    precision: Spread
    sensitivity: Spread


def confusion(predictions: Predictions) -> Confusion:
    """The confusion matrix of every run in percent of the true class, averaged over folds as in ``Spread``."""
    counts = _counts(predictions)
    over = predictions.over_folds(100 * ratio(counts, counts.sum(axis=2, keepdims=True)))
    return Confusion(over.mean, over.sd, _images(predictions), over.n[:, 0], over.undefined[:, 0])


def class_wise(predictions: Predictions) -> ClassWise:
    """Precision and sensitivity per class with their spread over folds (Matek et al. 2019, equations 1 and 3, table 1).

    Unlike that table, standard deviations are computed with ddof 1.
    """
    counts = _counts(predictions)
    hits, occurring = np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=2)
    return ClassWise(
        images=_images(predictions),
        precision=predictions.over_folds(precisions(hits, occurring, counts.sum(axis=1))),
        sensitivity=predictions.over_folds(ratio(hits, occurring)),
    )


def _counts(predictions: Predictions) -> NDArray[np.float64]:
    """Images by run, true class and assigned class, (R, classes, classes); NaN for runs that cannot be scored."""
    classes = predictions.classes
    place = (predictions.run * classes + predictions.labels) * classes + predictions.probabilities.argmax(axis=1)
    counts = np.bincount(place, minlength=predictions.runs * classes**2).astype(np.float64)
    counts = counts.reshape(predictions.runs, classes, classes)
    counts[~predictions.defined] = np.nan
    return counts


def _images(predictions: Predictions) -> Indices:
    """The number of test images of each class, (classes,), from one run per fold, since runs of a fold share them."""
    _, first = np.unique(predictions.fold, return_index=True)
    return np.bincount(predictions.labels[np.isin(predictions.run, first)], minlength=predictions.classes)
