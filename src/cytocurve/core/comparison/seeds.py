"""Comparison of arms over independent seeds on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.comparison.arms import ScoredArm, why_not
from cytocurve.core.comparison.pairs import ALPHA, NotComparable, Verdict, by_place, common, each_pair, verdict
from cytocurve.core.comparison.significance import holm, rank_sum
from cytocurve.core.statistics.values import Values


@dataclass(frozen=True)
class SeedComparison:
    """Arm a against arm b by scores over independent seeds, each the mean over ``folds`` folds; sd with ddof 1.

    ``p_mann_whitney`` is one-sided: the alternative is that a scores higher than b when retrained on the same images.
    """

    a: str
    b: str
    at: str
    folds: int
    mean_a: float
    sd_a: float
    seeds_a: int
    mean_b: float
    sd_b: float
    seeds_b: int
    p_mann_whitney: float
    p_mann_whitney_holm: float
    verdict: Verdict


def compare_seeds(
    arms: Sequence[ScoredArm], at: Sequence[str] | None = None
) -> tuple[list[SeedComparison], list[NotComparable]]:
    """All pairs of arms by the one-sided Mann-Whitney U test over seeds; the alternative is that the first is better.

    A seed's score is its mean over folds, excluding folds in which a score of either arm is undefined. ``at`` lists
    training sizes and ``AREA``; the default is all common sizes and the area.
    """
    rows, refused = each_pair(arms, _why_not, lambda a, b: _compare(a, b, at))
    adjusted = holm([row.p_mann_whitney for row in rows])
    judged = [
        replace(row, p_mann_whitney_holm=p, verdict=verdict(p, 1.0)) for row, p in zip(rows, adjusted, strict=True)
    ]
    return judged, refused


def _why_not(a: ScoredArm, b: ScoredArm) -> str | None:
    if reason := why_not(a, b):
        return reason
    if 1 / comb(len(a.seeds) + len(b.seeds), len(a.seeds)) > ALPHA:
        return (
            f"With {len(a.seeds)} and {len(b.seeds)} seeds, no difference could reach the 5 % level; use at least 3 "
            "seeds per arm."
        )
    return None


def _compare(a: ScoredArm, b: ScoredArm, at: Sequence[str] | None) -> list[SeedComparison]:
    sizes = common(a.sizes, b.sizes)
    first, second = (by_place(sizes, arm.scores(arm.seeds, sizes), at) for arm in (a, b))
    return [_at_place(a.name, b.name, place, first[place], second[place]) for place in first]


def _at_place(a: str, b: str, place: str, first: Values, second: Values) -> SeedComparison:
    whole = np.asarray(np.isfinite(np.hstack([first, second])).all(axis=1))
    one, other = _over(first, whole), _over(second, whole)
    return SeedComparison(
        a=a,
        b=b,
        at=place,
        folds=int(whole.sum()),
        mean_a=float(one.mean()),
        sd_a=_sd(one),
        seeds_a=len(one),
        mean_b=float(other.mean()),
        sd_b=_sd(other),
        seeds_b=len(other),
        p_mann_whitney=rank_sum(one, other),
        p_mann_whitney_holm=float("nan"),
        verdict=verdict(float("nan"), 0.0),
    )


def _over(scores: Values, folds: NDArray[np.bool_]) -> Values:
    """Each seed's mean over the selected folds, NaN if there are none."""
    return np.asarray(scores[folds].mean(axis=0)) if folds.any() else np.full(scores.shape[1], np.nan)


def _sd(values: Values) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
