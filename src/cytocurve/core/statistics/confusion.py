"""Which classes are taken for which: confusion matrices, and precision and sensitivity a class, over folds.

An image is given to the class of its largest probability, the first of equals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.predictions import Indices, Predictions, Spread
from cytocurve.core.statistics.values import Values, ratio


@dataclass(frozen=True, eq=False)
class Confusion:
    """Percent of each true class (row) that is given to each class (column), with the ``sd`` over folds by n - 1.

    Both (classes, classes). Of each true class, (classes,): ``images`` that were tested, ``n`` folds that have some,
    and ``undefined`` runs without.
    """

    percent: Values
    sd: Values
    images: Indices
    n: Indices
    undefined: Indices


@dataclass(frozen=True, eq=False)
class ClassWise:
    """Precision and sensitivity of each class, (classes,), and its ``images``.

    Precision is undefined in a run that gives no image to the class, sensitivity in one without images of it.
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
    """Precision and sensitivity a class with their spread over folds (Matek et al. 2019, equations 1 and 3, table 1).

    The table's ± is the deviation by n, ours by n - 1, and it takes an undefined precision for zero.
    """
    counts = _counts(predictions)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return ClassWise(
        images=_images(predictions),
        precision=predictions.over_folds(ratio(hits, counts.sum(axis=1))),
        sensitivity=predictions.over_folds(ratio(hits, counts.sum(axis=2))),
    )


def _counts(predictions: Predictions) -> NDArray[np.float64]:
    """Images by run, true class and given class, (R, classes, classes); NaN in runs that cannot be judged."""
    classes = predictions.classes
    place = (predictions.run * classes + predictions.labels) * classes + predictions.probabilities.argmax(axis=1)
    counts = np.bincount(place, minlength=predictions.runs * classes**2).astype(np.float64)
    counts = counts.reshape(predictions.runs, classes, classes)
    counts[~predictions.defined] = np.nan
    return counts


def _images(predictions: Predictions) -> Indices:
    """The test images of each class, (classes,): those of one run a fold, since the runs of a fold share them."""
    _, first = np.unique(predictions.fold, return_index=True)
    return np.bincount(predictions.labels[np.isin(predictions.run, first)], minlength=predictions.classes)
