"""What would settle an open comparison: how many more test images, folds or seeds would show the difference."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytocurve.core.comparison.significance import Sampling, fold_ratio, satterthwaite
from cytocurve.core.statistics.values import Values, mean

POWER = 0.8
"""The probability with which the difference is to be found."""

MOST = 100
"""How many times the present images are considered, and how many seeds."""


@dataclass(frozen=True)
class Settling:
    """Totals that would show the observed difference with 80 % power, if it is real and all else stays the same.

    ``images`` test images (patients if ``by_patient``) instead of ``images_now``, or ``folds``, or ``seeds``. None
    where that alone would not do: for images, not within 100 times the present number; for folds, not while every
    class has two images in every fold; for seeds, also if there is a single one, which does not tell what seeds add.
    Where nothing alone would do, ``images_together`` in ``folds_together`` folds of the present size would; None if
    that takes more than 100 times the present number, or something alone would do.
    """

    images: int | None
    images_now: int
    by_patient: bool
    folds: int | None
    seeds: int | None
    images_together: int | None = None
    folds_together: int | None = None


@dataclass(frozen=True)
class Evidence:
    """What a comparison tells about its own precision.

    The mean ``difference`` over ``folds`` folds; ``between``, the variance of folds around it; ``images``, the variance
    of the mean over test images; ``retraining``, the variance between the ``seeds`` seeds of a fold, NaN with one
    seed; ``units`` independent images or patients, and ``rarest`` of the rarest class.
    """

    difference: float
    folds: int
    between: float
    images: Sampling
    seeds: int
    retraining: float
    units: int
    rarest: int
    by_patient: bool

    @classmethod
    def of(
        cls,
        differences: Values,
        images: Sampling,
        classes: NDArray[np.intp],
        units: NDArray[np.intp],
        by_patient: bool,
    ) -> "Evidence":
        """From differences (folds, seeds), at least two folds of them defined, and the images' classes and units."""
        by_fold = mean(differences, axis=1)
        defined = by_fold[~np.isnan(by_fold)]
        whole = differences[~np.isnan(differences).any(axis=1)]
        seeds = differences.shape[1]
        return cls(
            difference=float(defined.mean()),
            folds=len(defined),
            between=float(defined.var(ddof=1)),
            images=images,
            seeds=seeds,
            retraining=float(whole.var(axis=1, ddof=1).mean()) if seeds > 1 and len(whole) else float("nan"),
            units=len(np.unique(units)),
            rarest=min(len(np.unique(units[classes == number])) for number in np.unique(classes).tolist()),
            by_patient=by_patient,
        )


def settling(evidence: Evidence, level: float) -> Settling | None:
    """The images, folds or seeds with which the test over images and folds would find the difference at a level.

    The variance between folds is split into the share of the test images, which falls with their number, and the rest,
    which differs between trainings and falls with the number of folds and, as far as seeds of a fold differ, of seeds.
    None for a difference of zero, or with fewer than three folds.
    """
    if evidence.difference == 0 or evidence.folds < 3 or np.isnan(evidence.images.variance):
        return None

    def enough(images: float = 1.0, folds: int = evidence.folds, seeds: int = evidence.seeds) -> bool:
        return _power(evidence, level, images, folds, seeds) >= POWER

    def folds_of(number: int) -> int:
        return evidence.folds * number // evidence.units

    units, most = evidence.units, MOST * evidence.units
    can_retrain = evidence.seeds > 1 and not np.isnan(evidence.retraining)
    images = _first(lambda number: enough(images=number / units), units + 1, most)
    folds = _first(lambda number: enough(folds=number), evidence.folds + 1, evidence.rarest // 2)
    seeds = _first(lambda number: enough(seeds=number), evidence.seeds + 1, MOST) if can_retrain else None
    together = None
    if images is None and folds is None and seeds is None:
        together = _first(lambda number: enough(images=number / units, folds=folds_of(number)), units + 1, most)
    return Settling(
        images=images,
        images_now=units,
        by_patient=evidence.by_patient,
        folds=folds,
        seeds=seeds,
        images_together=together,
        folds_together=None if together is None else folds_of(together),
    )


def _power(evidence: Evidence, level: float, images: float, folds: int, seeds: int) -> float:
    """The power with ``images`` times the test images, and these numbers of folds and seeds."""
    of_images = evidence.images.variance / images
    training = max(evidence.between - evidence.folds * evidence.images.variance, 0.0)
    if seeds > evidence.seeds:
        training = max(training - evidence.retraining * (1 / evidence.seeds - 1 / seeds), 0.0)
    parts = np.array([training / folds + of_images, folds * fold_ratio(folds) * of_images])
    freedom = satterthwaite(parts, np.array([folds - 1, evidence.images.freedom * images]))
    error = float(np.sqrt(parts.sum()))
    return float(special.ndtr(abs(evidence.difference) / error + special.stdtrit(freedom, level / 2)))


def _first(enough: Callable[[int], bool], low: int, high: int) -> int | None:
    """The smallest number from ``low`` to ``high`` that is enough, if larger ones are too; None if there is none."""
    if low > high or not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
