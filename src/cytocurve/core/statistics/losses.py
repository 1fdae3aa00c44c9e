"""Losses of an arm's runs at one training size: by epoch, and of the weights that were kept.

The loss is the mean cross-entropy per image, -log p of the true class: 0 for certainty that is right, and without an
upper end. In training, the images of an epoch are augmented and the weights change from batch to batch, so the training
loss of an epoch is not exactly that of the weights at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.predictions import Indices, Predictions
from cytocurve.core.statistics.values import Values

EPOCHS_SHOWN = 100
"""The largest number of epochs at which curves are given."""

FLOOR = 1e-7
"""The smallest probability that a loss takes into account, as in Keras."""


@dataclass(frozen=True, eq=False)
class Course:
    """The median over runs with quartiles, each (epochs,)."""

    median: Values
    q1: Values
    q3: Values


@dataclass(frozen=True, eq=False)
class LossCurves:
    """Training and validation loss over ``epoch`` (E,), counted from 1, of the runs that still train at it.

    They end where fewer than half of the ``runs`` still train, so that they are not those of a few long runs.
    ``kept`` (R,) is the epoch of the lowest validation loss of each run, and ``training_kept`` and ``validation_kept``
    (R,) the losses at it; NaN for runs without a finite validation loss.
    """

    epoch: Indices
    training: Course
    validation: Course
    runs: int
    kept: Values
    training_kept: Values
    validation_kept: Values


def loss_curves(losses: Sequence[tuple[Sequence[float], Sequence[float]]]) -> LossCurves:
    """The curves of runs, given as training and validation losses per epoch."""
    training, validation = (_table([run[kind] for run in losses]) for kind in (0, 1))
    lengths = np.array([len(run[0]) for run in losses])
    last = int(np.sort(lengths)[::-1][(len(lengths) - 1) // 2])
    epoch = np.unique(np.linspace(1, last, min(last, EPOCHS_SHOWN)).round()).astype(np.intp)
    finite = np.where(np.isfinite(validation), validation, np.inf)
    place, diverged = finite.argmin(axis=1), np.isinf(finite).all(axis=1)
    rows = np.arange(len(losses))
    return LossCurves(
        epoch=epoch,
        training=_course(training[:, epoch - 1]),
        validation=_course(validation[:, epoch - 1]),
        runs=len(losses),
        kept=np.where(diverged, np.nan, place + 1.0),
        training_kept=np.where(diverged, np.nan, training[rows, place]),
        validation_kept=np.where(diverged, np.nan, validation[rows, place]),
    )


def cross_entropy(predictions: Predictions) -> Values:
    """The mean loss of each run's images, (R,); NaN for runs that cannot be scored."""
    of_true = predictions.probabilities[np.arange(len(predictions.labels)), predictions.labels]
    loss = -np.log(np.clip(of_true, FLOOR, 1))
    total = np.bincount(predictions.run, loss, minlength=predictions.runs)
    return np.where(predictions.defined, defined.ratio(total, np.diff(predictions.starts)), np.nan)


def _table(losses: Sequence[Sequence[float]]) -> Values:
    """Losses (runs, epochs); NaN after a run's last epoch and where a loss is not finite."""
    table = np.full((len(losses), max(map(len, losses))), np.nan)
    for row, run in zip(table, losses, strict=True):
        row[: len(run)] = run
    return np.where(np.isfinite(table), table, np.nan)


def _course(values: Values) -> Course:
    some = ~np.isnan(values).all(axis=0)
    quartiles = np.full((3, values.shape[1]), np.nan)
    if some.any():
        quartiles[:, some] = np.nanquantile(values[:, some], (0.25, 0.5, 0.75), axis=0)
    return Course(quartiles[1], quartiles[0], quartiles[2])
