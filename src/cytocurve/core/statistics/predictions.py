"""The predictions of one arm at one training size, and averages of per-run values over folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.values import Values

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Spread:
    """The mean of a value over ``n`` folds with its ``sd`` (ddof 1); arrays of the same shape as the value.

    The runs of a fold are averaged first. Runs whose value is undefined are excluded and counted in ``undefined``.
    """

    mean: Values
    sd: Values
    n: NDArray[np.intp]
    undefined: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Predictions:
    """The runs' predictions for their test images: ``labels`` (N,) class indices and ``probabilities`` (N, classes).

    Rows are grouped by run: ``run`` (N,) is the non-decreasing index into ``fold`` and ``seed``, both (R,).
    ``subject`` (N,) is the patient's number, -1 if unknown; None if no patient is known.
    """

    labels: Indices
    probabilities: Values
    run: Indices
    fold: NDArray[np.int64]
    seed: NDArray[np.int64]
    subject: Indices | None = None

    @classmethod
    def of(
        cls,
        labels: NDArray[Any],
        probabilities: NDArray[Any],
        run: NDArray[Any],
        fold: Sequence[int],
        seed: Sequence[int],
        subject: NDArray[Any] | None = None,
    ) -> "Predictions":
        """The predictions, from rows in any order; raises ``ValueError`` for duplicate runs."""
        if len(set(zip(fold, seed, strict=True))) < len(fold):
            raise ValueError("duplicate runs: each fold and seed may occur only once in the predictions of a size")
        order = np.argsort(run, kind="stable")
        return cls(
            np.asarray(labels, dtype=np.intp)[order],
            np.asarray(probabilities, dtype=np.float64)[order],
            np.asarray(run, dtype=np.intp)[order],
            np.asarray(fold, dtype=np.int64),
            np.asarray(seed, dtype=np.int64),
            None if subject is None else np.asarray(subject, dtype=np.intp)[order],
        )

    @property
    def runs(self) -> int:
        """The number of runs."""
        return len(self.fold)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.probabilities.shape[1])

    @cached_property
    def starts(self) -> Indices:
        """The first row of each run, followed by the number of rows, (R + 1,)."""
        return np.searchsorted(self.run, np.arange(self.runs + 1))

    @cached_property
    def defined(self) -> NDArray[np.bool_]:
        """Which runs can be scored, (R,): those with test images and only finite probabilities."""
        finite = np.isfinite(self.probabilities).all(axis=1)
        diverged = np.bincount(self.run[~finite], minlength=self.runs) > 0
        return np.asarray(~diverged & (np.diff(self.starts) > 0))

    def table(self, values: Values) -> Values:
        """The runs' values, (R, …), as (folds, seeds, …); NaN if there is no run."""
        folds, fold = np.unique(self.fold, return_inverse=True)
        seeds, seed = np.unique(self.seed, return_inverse=True)
        table = np.full((len(folds), len(seeds), *values.shape[1:]), np.nan)
        table[fold, seed] = values
        return table

    def over_folds(self, values: Values) -> Spread:
        """The spread of the runs' values, (R, …), over folds; undefined values are NaN."""
        folds = defined.mean(self.table(values), axis=1)
        n = (~np.isnan(folds)).sum(axis=0)
        return Spread(defined.mean(folds), defined.sd(folds), np.asarray(n), np.asarray(np.isnan(values).sum(axis=0)))
