"""How much each test image contributes to a score: the basis of the score's sampling error over images.

A contribution is the centered influence of an image on the score of one network, scaled so that the variance of the
score over new images, given the network, is about the sum of the squared contributions.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics.metrics import METRICS, Labels, Probabilities
from cytocurve.core.statistics.values import Values


def contributions(metric: str, labels: Labels, probabilities: Probabilities) -> Values:
    """Each image's contribution, (images,), to a metric of probabilities (images, classes) against labels (images,).

    With m images in its class, the contribution of image i is (m - 1) / m times the score without i, subtracted from
    its mean over the class: a jackknife stratified by class (Efron & Tibshirani 1993, chapter 11). For ROC-AUC these
    are the structural components of DeLong et al. 1988, centered and divided by m. NaN if the score is undefined, if a
    class has a single image, or if the metric depends on a threshold that is chosen by the images (``METRICS`` whose
    name contains ``_at_``), for which the jackknife fails.
    """
    counts = np.bincount(labels, minlength=probabilities.shape[1]) if len(labels) else np.zeros(1, dtype=np.intp)
    if metric not in _WITHOUT or (counts == 1).any() or not len(labels) or not np.isfinite(probabilities).all():
        return np.full(len(labels), np.nan)
    without = _WITHOUT[metric](labels, probabilities)
    images = counts[labels]
    means = np.bincount(labels, without, minlength=len(counts))[labels] / images
    return np.asarray((images - 1) / images * (means - without))


def _areas_without(labels: Labels, probabilities: Probabilities) -> Values:
    """The ROC-AUC without each image, up to a constant by class: removing an image of m changes the mean by 1/(m-1)."""
    present = np.unique(labels)
    classes = [1] if probabilities.shape[1] == 2 else present.tolist()
    if len(present) < 2:
        return np.full(len(labels), np.nan)
    total = np.zeros(len(labels))
    for number in classes:
        inside = labels == number
        placed = _placements(probabilities[:, number], inside)
        size = np.where(inside, inside.sum(), (~inside).sum())
        total -= (placed - placed[inside].mean()) / (size - 1)
    return total / len(classes)


def _placements(scores: Probabilities, inside: NDArray[np.bool_]) -> Values:
    """For each image inside, the share of those outside that score lower; outside, of those inside that score higher.

    Ties count half.
    """
    placed = np.empty(len(scores))
    for mine, others, above in ((inside, ~inside, True), (~inside, inside, False)):
        ordered = np.sort(scores[others])
        lower = sum(np.searchsorted(ordered, scores[mine], side=side) for side in ("left", "right")) / (
            2 * len(ordered)
        )
        placed[mine] = lower if above else 1 - lower
    return placed


def _counted_without(metric: str) -> Callable[[Labels, Probabilities], Values]:
    """The metric without each image, computed once for each combination of label and assigned class."""

    def without(labels: Labels, probabilities: Probabilities) -> Values:
        cells = labels * probabilities.shape[1] + probabilities.argmax(axis=1)
        _, first, cell = np.unique(cells, return_index=True, return_inverse=True)
        score = METRICS[metric]
        scores = [score(np.delete(labels, i), np.delete(probabilities, i, axis=0)) for i in first.tolist()]
        return np.array(scores)[cell]

    return without


_WITHOUT: Mapping[str, Callable[[Labels, Probabilities], Values]] = {"roc_auc": _areas_without} | {
    name: _counted_without(name) for name in METRICS if name != "roc_auc" and "_at_" not in name
}
