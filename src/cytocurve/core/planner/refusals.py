"""When the planner refuses to forecast, and why."""

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.forecasting import FEWEST, forecast
from cytocurve.core.planner.outlook import HALF
from cytocurve.core.statistics.curves import MARGIN
from cytocurve.core.statistics.values import Values
from cytocurve.text import counted

FEWEST_FOLDS = 3
FEWEST_SIZES = FEWEST + 1
"""Enough to forecast the largest size from the others, so that every plan can be backtested."""

WIDEST = 0.2
"""The widest useful 90 % interval at twice the largest size, as a share of the metric's range."""


def reason(evidence: Evidence) -> str | None:
    """Why there is no forecast, as a sentence, or None."""
    return _thin(evidence) or _level(evidence) or _vague(evidence)


def _thin(evidence: Evidence) -> str | None:
    """Why there is too little data for a forecast, or None."""
    folds, sizes = len(evidence.folds), evidence.sizes
    if folds < FEWEST_FOLDS:
        return f"A forecast needs scores from at least {FEWEST_FOLDS} folds; there are {folds}."
    if len(sizes) < FEWEST_SIZES:
        return f"A forecast needs at least {FEWEST_SIZES} training sizes; there are {len(sizes)}."
    missing = sizes[evidence.defined < FEWEST_FOLDS].tolist()
    if missing:
        return (
            f"The score is undefined in all but {counted(int(evidence.defined.min()), 'fold')} at {_listed(missing)} "
            f"images; a forecast needs at least {FEWEST_FOLDS} folds at every size."
        )
    return None


def _level(evidence: Evidence) -> str | None:
    """Why there is no trend to extrapolate, or None.

    Based on the rise of a straight line in log n, bootstrapped over folds, with 95 % confidence: the curve falls if
    the rise over all sizes is below 0 or the last two doublings lose more than the margin; a rise is not shown if
    the interval of the rise over all sizes includes 0.
    """
    sizes, curves = evidence.sizes, evidence.replicates()
    first, last = evidence.means[[0, -1]]
    low, high = _rise(sizes, curves)
    if high < 0:
        return (
            f"The curve falls from {first:.3f} at {sizes[0]} images to {last:.3f} at {sizes[-1]}, "
            "so there is no improvement to extrapolate."
        )
    if low <= 0:
        return (
            f"A rise is not shown: the mean is {first:.3f} at {sizes[0]} images and {last:.3f} at {sizes[-1]}; with "
            f"{len(evidence.folds)} folds, a rise of the whole curve could be chance, so there is none to extrapolate."
        )
    start = min(int(np.searchsorted(sizes, sizes[-1] / 4)), len(sizes) - 3)
    if _rise(sizes[start:], curves[:, start:])[1] < -MARGIN * (evidence.upper - evidence.lower):
        return (
            f"The curve falls after {sizes[start]} images, from {evidence.means[start]:.3f} to {last:.3f} at "
            f"{sizes[-1]}, so there is no improvement to extrapolate."
        )
    return None


def _vague(evidence: Evidence) -> str | None:
    """Why the forecast at twice the largest size is too uncertain to be useful, or None."""
    double = forecast(evidence, np.array([2 * evidence.largest]))
    ends = (float(double.mean[0] + sign * HALF * double.scale[0]) for sign in (-1, 1))
    low, high = (min(max(end, evidence.lower), evidence.upper) for end in ends)
    if high - low <= WIDEST * (evidence.upper - evidence.lower):
        return None
    return (
        f"The forecast is too uncertain to be useful: the curve families and the folds disagree, and at "
        f"{2 * evidence.largest} images the score could be anywhere from {low:.2f} to {high:.2f}."
    )


def _rise(sizes: NDArray[np.int64], curves: Values) -> tuple[float, float]:
    """The interval (5 % and 95 %) of the rise of a straight line in log n over these sizes."""
    log = np.log(sizes) - np.log(sizes).mean()
    rises = curves[1:] @ log / (log @ log) * (log[-1] - log[0])
    low, high = np.quantile(rises, (0.05, 0.95))
    return float(low), float(high)


def _listed(sizes: list[int]) -> str:
    return ", ".join(map(str, sizes))
