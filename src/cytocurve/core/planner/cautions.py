"""What makes a forecast doubtful: curves that dip or rise late, and back-tests that failed; and what follows from it.

About 15 % of real learning curves are ill-behaved (Yan et al. 2025, LCDB 1.1): they fall in places, or their gains per
doubling grow. The families of the forecast do neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from cytocurve.core.planner.evidence import Evidence
from cytocurve.core.planner.records import Caution, Trial
from cytocurve.core.statistics.curves import MARGIN
from cytocurve.core.statistics.values import Values, mean

DIP_WIDENS = 1.5
"""How much a dip widens intervals: they cover as often as those of other curves of the tuning half of LCDB."""

HOPELESS = 3.0
"""A back-test that missed by more than this many half-widths of its interval leaves no forecast."""

_ALPHA = 0.05


@dataclass(frozen=True)
class Dip:
    """The largest fall of the observed mean, from one size to a larger one, that chance does not explain."""

    first: int
    second: int
    before: float
    after: float


def found(evidence: Evidence, trials: Sequence[Trial]) -> list[Caution]:
    """Everything that makes a forecast from this evidence doubtful, each with the factor by which it widens."""
    cautions = []
    if fall := dip(evidence):
        cautions.append(
            Caution(
                "dip",
                f"The curve dips: from {fall.before:.3f} with {fall.first} images to {fall.after:.3f} with "
                f"{fall.second}, more than chance explains. The forecast assumes that more images do no harm, so all "
                f"intervals are {DIP_WIDENS:g} times as wide.",
                DIP_WIDENS,
            )
        )
    if rises_late(evidence):
        cautions.append(
            Caution(
                "late_riser",
                "The curve rises late: its gains per doubling still grow. Where they continue to grow, "
                "the forecast is too low and fewer images are needed.",
                1.0,
            )
        )
    failed = [trial for trial in trials if not trial.covered]
    if failed:
        worst = max(failed, key=lambda trial: trial.missed)
        factor = worst.missed
        cautions.append(
            Caution(
                "backtest",
                f"A back-test failed: from sizes up to {worst.shown}, {worst.forecast:.3f} ({worst.low:.3f} to "
                f"{worst.high:.3f}) was predicted at {worst.size} images, and {worst.truth:.3f} was observed. All "
                f"intervals are {factor:.1f} times as wide, so that it would have held.",
                factor,
            )
        )
    return cautions


def hopeless(trials: Sequence[Trial]) -> str | None:
    """Why failed back-tests leave no forecast, or None."""
    worst = max(trials, key=lambda trial: trial.missed, default=None)
    if worst is None or worst.missed <= HOPELESS:
        return None
    return (
        f"Forecasts of this curve fail: from sizes up to {worst.shown}, {worst.forecast:.3f} ({worst.low:.3f} to "
        f"{worst.high:.3f}) was predicted at {worst.size} images, but {worst.truth:.3f} was observed."
    )


def dip(evidence: Evidence) -> Dip | None:
    """The largest significant fall: paired t-tests over folds at 5 %, Bonferroni-corrected for all pairs of sizes.

    A fall counts if it is above ``MARGIN``, as a share of the metric's range.
    """
    sizes, folds = evidence.sizes, evidence.folds
    first, second = np.triu_indices(len(sizes), 1)
    falls = folds[:, first] - folds[:, second]  # (folds, pairs)
    counts = (~np.isnan(falls)).sum(axis=0)
    usable = counts >= 3
    if not usable.any():
        return None
    first, second, falls, counts = first[usable], second[usable], falls[:, usable], counts[usable]
    means, errors = mean(falls), np.nanstd(falls, axis=0, ddof=1) / np.sqrt(counts)
    least = means - special.stdtrit(counts - 1, 1 - _ALPHA / len(usable)) * errors
    means = np.where((least > 0) & (means > MARGIN * (evidence.upper - evidence.lower)), means, -np.inf)
    worst = int(means.argmax())
    if not np.isfinite(means[worst]):
        return None
    one, two = int(first[worst]), int(second[worst])
    return Dip(int(sizes[one]), int(sizes[two]), float(evidence.means[one]), float(evidence.means[two]))


def rises_late(evidence: Evidence) -> bool:
    """Whether the gain per doubling is larger in the upper half of log n than in the lower, with 95 % confidence.

    Both are slopes of straight lines in log n over at least three sizes, bootstrapped over folds; the upper one must
    be above ``MARGIN`` per doubling, as a share of the metric's range.
    """
    x, curves = np.log2(evidence.sizes / evidence.largest), evidence.replicates()
    middle = int(np.clip(np.abs(x - x[0] / 2).argmin(), 2, len(x) - 3))
    lower, upper = _slopes(x[: middle + 1], curves[:, : middle + 1]), _slopes(x[middle:], curves[:, middle:])
    grows = bool(np.quantile((upper - lower)[1:], _ALPHA) > 0)
    return grows and bool(upper[0] > MARGIN * (evidence.upper - evidence.lower))


def _slopes(x: Values, curves: Values) -> Values:
    """The slopes of straight lines through curves (curves, sizes)."""
    centred = x - x.mean()
    return np.asarray(curves @ centred / (centred @ centred))
