"""How much a result depends on the seed: one value per seed, over all of its folds."""

from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.curves import Curve


@dataclass(frozen=True)
class OverSeeds:
    """The least, mean, ``sd`` (by n - 1) and greatest score of ``n`` seeds; NaN where fewer seeds than needed have one.

    A seed's score is the mean over its folds; ``undefined`` runs have none and are left out of that mean.
    """

    min: float
    mean: float
    sd: float
    max: float
    n: int
    undefined: int


def over_seeds(curve: Curve) -> dict[int, OverSeeds]:
    """The spread over seeds at each size, as table 2 of Prellberg & Kramer 2019 has it for one fold."""
    values = defined.mean(curve.scores)  # (seeds, sizes)
    undefined = (curve.ran & np.isnan(curve.scores)).sum(axis=(0, 1))
    return {
        size: _spread(values[:, i][~np.isnan(values[:, i])], int(undefined[i]))
        for i, size in enumerate(curve.sizes.tolist())
    }


def _spread(values: defined.Values, undefined: int) -> OverSeeds:
    least, most = (float(values.min()), float(values.max())) if len(values) else (float("nan"), float("nan"))
    return OverSeeds(least, float(defined.mean(values)), float(defined.sd(values)), most, len(values), undefined)
