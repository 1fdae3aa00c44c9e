"""Scores by patient: how well each one's cells are recognised, and whether the cells together tell the class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.bootstrap import mean_intervals
from cytocurve.core.statistics.predictions import Indices, Predictions
from cytocurve.core.statistics.values import Values, ratio


@dataclass(frozen=True)
class Share:
    """The mean over ``n`` subjects, its ``sd`` over subjects by n - 1, and a 95 % interval over subjects and seeds."""

    mean: float
    sd: float
    ci_low: float
    ci_high: float
    n: int


@dataclass(frozen=True, eq=False)
class Subjects:
    """The tested subjects, (P,): their numbers, and of each the ``images``, ``label``, ``right`` and ``diagnosed``.

    ``right`` is the share of the subject's images given to their class, ``diagnosed`` the share of seeds whose mean
    probabilities over all images of the subject are largest for its class. A subject whose images are of several
    classes has the label -1 and no diagnosis. ``accuracy`` and ``diagnosis`` average the two over subjects.
    ``unknown`` predictions are of no known subject; ``undefined`` runs cannot be judged; both are left out.
    """

    subject: Indices
    label: Indices
    images: Indices
    right: Values
    diagnosed: Values
    accuracy: Share
    diagnosis: Share
    unknown: int
    undefined: int


def subjects(predictions: Predictions) -> Subjects | None:
    """The scores by subject, as figure 3 of Prellberg & Kramer 2019 shows the accuracy; None where none is known.

    A seed's images of a subject are taken from all of its folds: where folds are drawn by image, from networks that
    trained on others of its images. Every subject counts the same, however many images it has.
    """
    if predictions.subject is None or not (predictions.subject >= 0).any():
        return None
    known = predictions.subject >= 0
    used = known & predictions.defined[predictions.run]
    names, subject = np.unique(predictions.subject[used], return_inverse=True)
    seeds, seed = np.unique(predictions.seed, return_inverse=True)
    shape = (len(names), len(seeds), predictions.classes)
    group = subject * len(seeds) + seed[predictions.run[used]]
    labels, probabilities = predictions.labels[used], predictions.probabilities[used]
    occurring = _sums(labels[:, np.newaxis] == np.arange(shape[2]), group, shape)
    images = occurring.sum(axis=2)  # (P, seeds)
    right = ratio(
        _sums((probabilities.argmax(axis=1) == labels)[:, np.newaxis], group, (*shape[:2], 1))[..., 0], images
    )
    of_one = (occurring.sum(axis=1) > 0).sum(axis=1) == 1
    label = np.where(of_one, occurring.sum(axis=1).argmax(axis=1), -1)
    told = _sums(probabilities, group, shape).argmax(axis=2) == label[:, np.newaxis]
    diagnosed = np.where(of_one[:, np.newaxis] & (images > 0), told, np.nan)
    return Subjects(
        subject=names,
        label=label,
        images=images.max(axis=1).astype(np.intp),
        right=defined.mean(right, axis=1),
        diagnosed=defined.mean(diagnosed, axis=1),
        accuracy=_share(right),
        diagnosis=_share(diagnosed),
        unknown=int((~known).sum()),
        undefined=int((~predictions.defined).sum()),
    )


def _sums(values: NDArray[np.generic], group: Indices, shape: tuple[int, int, int]) -> Values:
    """The columns of values (rows, columns), summed by group, in a shape (subjects, seeds, columns)."""
    groups = shape[0] * shape[1]
    sums = [np.bincount(group, column, minlength=groups).astype(np.float64) for column in values.T]
    return np.stack(sums, axis=1).reshape(shape)


def _share(values: Values) -> Share:
    """The share of values (P, seeds), NaN where undefined."""
    by_subject = defined.mean(values, axis=1)
    low, high = mean_intervals(values[:, :, np.newaxis])
    n = int((~np.isnan(by_subject)).sum())
    return Share(float(defined.mean(by_subject)), float(defined.sd(by_subject)), float(low[0]), float(high[0]), n)
