"""Scores by patient: how well each patient's cells are classified, and whether together they give the right class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.bootstrap import SHARES, mean_intervals
from cytocurve.core.statistics.predictions import Indices, Predictions
from cytocurve.core.statistics.proportions import wilson
from cytocurve.core.statistics.values import Values, ratio


@dataclass(frozen=True)
class Share:
    """The mean over ``n`` subjects, ``sd`` over subjects (ddof 1), and the mean's 95 % interval.

    The interval is Wilson's (1927) for diagnoses, of which each is right or wrong, and wherever all subjects have the
    same value: resampling them would give an interval without width. Other values lie within 0 to 1 and so vary less
    than such a proportion. For other accuracies, it is that of ``mean_intervals``, with
    subjects in place of folds.
    """

    mean: float
    sd: float
    ci_low: float
    ci_high: float
    n: int


@dataclass(frozen=True, eq=False)
class Subjects:
    """The tested subjects, (P,): their numbers, and for each the ``images``, ``label``, ``right`` and ``diagnosed``.

    ``right`` is the share of the subject's images that are classified correctly, ``diagnosed`` the share of seeds for
    which the mean probability over all images of the subject is largest for its class. Subjects with images of several
    classes have the label -1 and no diagnosis. ``accuracy`` and ``diagnosis`` average the two over subjects.
    ``unknown`` counts predictions without a known subject, ``undefined`` runs that cannot be scored; both are excluded.
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
    """The scores by subject, as in figure 3 of Prellberg & Kramer 2019 for accuracy; None if no subject is known.

    For each seed, the images of a subject are pooled over all folds; if folds are drawn by image, the networks may have
    trained on other images of the same subject. All subjects have equal weight, however many images they have.
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
    one_class = (occurring.sum(axis=1) > 0).sum(axis=1) == 1
    label = np.where(one_class, occurring.sum(axis=1).argmax(axis=1), -1)
    correct = _sums(probabilities, group, shape).argmax(axis=2) == label[:, np.newaxis]
    diagnosed = np.where(one_class[:, np.newaxis] & (images > 0), correct, np.nan)
    return Subjects(
        subject=names,
        label=label,
        images=images.max(axis=1).astype(np.intp),
        right=defined.mean(right, axis=1),
        diagnosed=defined.mean(diagnosed, axis=1),
        accuracy=_share(right, proportion=False),
        diagnosis=_share(diagnosed, proportion=True),
        unknown=int((~known).sum()),
        undefined=int((~predictions.defined).sum()),
    )


def _sums(values: NDArray[np.generic], group: Indices, shape: tuple[int, int, int]) -> Values:
    """The columns of values (rows, columns) summed by group, with the shape (subjects, seeds, columns)."""
    groups = shape[0] * shape[1]
    sums = [np.bincount(group, column, minlength=groups).astype(np.float64) for column in values.T]
    return np.stack(sums, axis=1).reshape(shape)


def _share(values: Values, proportion: bool) -> Share:
    """The share summarizing values (P, seeds), NaN where undefined; a ``proportion`` is of right and wrong subjects."""
    by_subject = defined.mean(values, axis=1)
    n = int((~np.isnan(by_subject)).sum())
    center, sd = float(defined.mean(by_subject)), float(defined.sd(by_subject))
    if n and (proportion or not sd > 0):
        low, high = wilson(center, n)
    else:
        low, high = (float(end[0]) for end in mean_intervals(values[:, :, np.newaxis], bounds=SHARES))
    return Share(center, sd, low, high, n)
