"""Scores of class probabilities against known classes; higher is better for all of them.

Probabilities have the shape (images, classes), labels (images,) are class indices, and an image is assigned to the
class with the largest probability; ties go to the first class. With two classes, the second is positive, and
sensitivity, specificity, precision and ROC-AUC refer to it; with more, they are macro averages, one class against the
rest, over the classes that occur among the labels. A score is NaN if it is undefined: a zero denominator, no images,
or a non-finite probability.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.values import Values, ratio

Labels = NDArray[np.integer[Any]]
Probabilities = NDArray[np.floating[Any]]


class _Counts(NamedTuple):
    """Images per class, each (classes,): correctly assigned to it, belonging to it, assigned to it; and all images."""

    hits: NDArray[np.intp]
    occurring: NDArray[np.intp]
    given: NDArray[np.intp]
    total: int


def score(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    """Every metric of these predictions, in the order of ``METRICS``."""
    if not len(labels) or not np.isfinite(probabilities).all():
        return dict.fromkeys(METRICS, float("nan"))
    return {name: metric(labels, probabilities) for name, metric in METRICS.items()}


def roc_auc(labels: Labels, probabilities: Probabilities) -> float:
    """The probability that an image of the class gets a higher probability than another image; ties count half.

    The area under the ROC curve as the Mann-Whitney statistic (Hanley & McNeil 1982).
    """
    return _by_class(_area, labels, probabilities)


def f1(labels: Labels, probabilities: Probabilities) -> float:
    """The mean of the F1 scores of the classes that occur."""
    values = _f1_scores(_count(labels, probabilities))
    return float(values[np.unique(labels)].mean())


def f1_weighted(labels: Labels, probabilities: Probabilities) -> float:
    """The mean of the classes' F1 scores, weighted by their numbers of images."""
    counts = _count(labels, probabilities)
    present = counts.occurring > 0
    return float(np.average(_f1_scores(counts)[present], weights=counts.occurring[present]))


def accuracy(labels: Labels, probabilities: Probabilities) -> float:
    """The share of images assigned to their true class."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def sensitivity(labels: Labels, probabilities: Probabilities) -> float:
    """The share of a class's images that are assigned to it."""
    counts = _count(labels, probabilities)
    return _over_classes(ratio(counts.hits, counts.occurring), labels)


def specificity(labels: Labels, probabilities: Probabilities) -> float:
    """The share of other classes' images that are not assigned to the class."""
    counts = _count(labels, probabilities)
    others = counts.total - counts.occurring
    return _over_classes(ratio(others - (counts.given - counts.hits), others), labels)


def precision(labels: Labels, probabilities: Probabilities) -> float:
    """The share of images assigned to a class that belong to it, as in ``precisions``."""
    counts = _count(labels, probabilities)
    return _over_classes(precisions(counts.hits, counts.occurring, counts.given), labels)


def precisions(hits: NDArray[Any], occurring: NDArray[Any], given: NDArray[Any]) -> Values:
    """Precision from numbers of images that are correctly assigned to a class, belong to it, and are assigned to it.

    As in F1, it is 0 for a class that occurs but that no image is assigned to.
    """
    return np.where((given == 0) & (occurring > 0), 0.0, ratio(hits, given))


def sensitivity_at(specificity: float) -> Callable[[Labels, Probabilities], float]:
    """The largest sensitivity of a threshold whose specificity is at least as given; an operating point of the ROC."""

    def metric(labels: Labels, probabilities: Probabilities) -> float:
        return _by_class(lambda inside, outside: _beyond(inside, outside, specificity), labels, probabilities)

    return metric


def specificity_at(sensitivity: float) -> Callable[[Labels, Probabilities], float]:
    """The largest specificity of a threshold whose sensitivity is at least as given; an operating point of the ROC."""

    def metric(labels: Labels, probabilities: Probabilities) -> float:
        return _by_class(lambda inside, outside: _beyond(-outside, -inside, sensitivity), labels, probabilities)

    return metric


METRICS: Mapping[str, Callable[[Labels, Probabilities], float]] = {
    "roc_auc": roc_auc,
    "f1": f1,
    "f1_weighted": f1_weighted,
    "accuracy": accuracy,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "precision": precision,
    "sensitivity_at_specificity_90": sensitivity_at(0.90),
    "sensitivity_at_specificity_95": sensitivity_at(0.95),
    "specificity_at_sensitivity_90": specificity_at(0.90),
    "specificity_at_sensitivity_95": specificity_at(0.95),
}


def _count(labels: Labels, probabilities: Probabilities) -> _Counts:
    given, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    return _Counts(
        hits=np.bincount(labels[labels == given], minlength=classes),
        occurring=np.bincount(labels, minlength=classes),
        given=np.bincount(given, minlength=classes),
        total=len(labels),
    )


def _by_class(
    compare: Callable[[Probabilities, Probabilities], float], labels: Labels, probabilities: Probabilities
) -> float:
    """A comparison of the probabilities of a class's images with those of the others, over classes."""
    columns = enumerate(probabilities.T)
    return _over_classes(np.array([compare(column[labels == n], column[labels != n]) for n, column in columns]), labels)


def _beyond(free: Probabilities, bound: Probabilities, share: float) -> float:
    """The share of ``free`` above the lowest cut that has at least ``share`` of ``bound`` at or below it."""
    if not len(free) or not len(bound):
        return float("nan")
    above = int((1 - share) * len(bound) + 1e-9)
    return float(np.mean(free > np.sort(bound)[len(bound) - 1 - above]))


def _area(positive: Probabilities, negative: Probabilities) -> float:
    if not len(positive) or not len(negative):
        return float("nan")
    ordered = np.sort(negative)
    below = (
        np.searchsorted(ordered, positive, side="left").sum() + np.searchsorted(ordered, positive, side="right").sum()
    )
    return float(below / (2 * len(positive) * len(negative)))


def _f1_scores(counts: _Counts) -> Values:
    return ratio(2 * counts.hits, counts.occurring + counts.given)


def _over_classes(values: Values, labels: Labels) -> float:
    return float(values[1] if len(values) == 2 else values[np.unique(labels)].mean())
