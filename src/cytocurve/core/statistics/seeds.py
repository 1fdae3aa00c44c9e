"""How much a result depends on the seed: one value per seed, averaged over its folds."""

from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics import values as defined
from cytocurve.core.statistics.curves import Curve


@dataclass(frozen=True)
class OverSeeds:
    """The minimum, mean, ``sd`` (ddof 1) and maximum score over ``n`` seeds; NaN if too few seeds have a score.

    A seed's score is the mean over its folds; runs without a defined score are excluded and counted in ``undefined``.
    """

    min: float
    mean: float
    sd: float
    max: float
    n: int
    undefined: int


def over_seeds(curve: Curve) -> dict[int, OverSeeds]:
    """The spread over seeds at each size, as in table 2 of Prellberg & Kramer 2019 for one fold."""
    values = defined.mean(curve.scores)  # (seeds, sizes)
    undefined = (curve.ran & np.isnan(curve.scores)).sum(axis=(0, 1))
    return {
        size: _spread(values[:, i][~np.isnan(values[:, i])], int(undefined[i]))
        for i, size in enumerate(curve.sizes.tolist())
    }


def _spread(values: defined.Values, undefined: int) -> OverSeeds:
    least, most = (float(values.min()), float(values.max())) if len(values) else (float("nan"), float("nan"))
    return OverSeeds(least, float(defined.mean(values)), float(defined.sd(values)), most, len(values), undefined)
