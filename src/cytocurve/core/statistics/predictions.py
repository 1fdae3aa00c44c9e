"""The predictions of one arm at one training size, and how a figure of its runs is averaged over folds."""

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
    """The mean of a figure over ``n`` folds with its ``sd`` by n - 1; arrays of one shape, that of the figure.

    The runs of a fold are averaged first. ``undefined`` runs have no defined figure and are left out of their fold.
    """

    mean: Values
    sd: Values
    n: NDArray[np.intp]
    undefined: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the runs say of their test images: ``labels`` (N,) class indices and ``probabilities`` (N, classes).

    Rows of a run lie together: ``run`` (N,) never falls and numbers the runs, whose ``fold`` and ``seed`` are (R,).
    ``subject`` (N,) numbers the patients, -1 where one is not known; None where none is.
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
        """These predictions, rows in any order; raises ``ValueError`` where a fold and seed is there twice."""
        if len(set(zip(fold, seed, strict=True))) < len(fold):
            raise ValueError("a fold and seed may occur once in the predictions of a size; some run is there twice")
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
        """The first row of each run, and the number of rows, (R + 1,)."""
        return np.searchsorted(self.run, np.arange(self.runs + 1))

    @cached_property
    def defined(self) -> NDArray[np.bool_]:
        """Which runs can be judged, (R,): they have test images, and only finite probabilities."""
        finite = np.isfinite(self.probabilities).all(axis=1)
        diverged = np.bincount(self.run[~finite], minlength=self.runs) > 0
        return np.asarray(~diverged & (np.diff(self.starts) > 0))

    def table(self, values: Values) -> Values:
        """Values of the runs, (R, …), as (folds, seeds, …); NaN where there is no run."""
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
