"""Paired comparison of arms over shared folds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cytocurve.core.comparison.arms import ScoredArm, why_not
from cytocurve.core.comparison.pairs import NotComparable, Verdict, by_place, common, each_pair, verdict
from cytocurve.core.comparison.significance import corrected_signed_rank, corrected_t, fold_ratio, holm
from cytocurve.core.statistics.values import Values, mean


@dataclass(frozen=True)
class Comparison:
    """Arm a minus arm b at one training size or for the area; NaN where undefined.

    ``difference`` is the mean over ``folds`` folds, each averaged over ``seeds`` seeds, from a total of ``n`` pairs of
    runs, with the 95 % interval of the corrected t-test. ``_holm`` values are adjusted for all requested comparisons,
    and ``verdict`` is based on ``p_t_holm``.
    """

    a: str
    b: str
    at: str
    difference: float
    ci_low: float
    ci_high: float
    n: int
    folds: int
    seeds: int
    p_t: float
    p_t_holm: float
    p_wilcoxon: float
    p_wilcoxon_holm: float
    verdict: Verdict


def compare_paired(
    arms: Sequence[ScoredArm], at: Sequence[str] | None = None
) -> tuple[list[Comparison], list[NotComparable]]:
    """All pairs of arms, the first minus the second, paired by fold and seed; sorted by pair, then by place.

    ``at`` lists training sizes and ``AREA``; the default is all common sizes and the area. Seeds that both arms have
    are first averaged within a fold: they share its images, so only folds count as observations. Pairs of runs with an
    undefined score are excluded.
    """
    rows, refused = each_pair(arms, _why_not, lambda a, b: _compare(a, b, at))
    adjusted = zip(holm([row.p_t for row in rows]), holm([row.p_wilcoxon for row in rows]), strict=True)
    judged = [
        replace(row, p_t_holm=t, p_wilcoxon_holm=rank, verdict=verdict(t, row.difference))
        for row, (t, rank) in zip(rows, adjusted, strict=True)
    ]
    return judged, refused


def _why_not(a: ScoredArm, b: ScoredArm) -> str | None:
    if reason := why_not(a, b):
        return reason
    if not common(a.seeds, b.seeds):
        return "They have no seed in common; compare them as independent seeds."
    return None


def _compare(a: ScoredArm, b: ScoredArm, at: Sequence[str] | None) -> list[Comparison]:
    seeds, sizes = common(a.seeds, b.seeds), common(a.sizes, b.sizes)
    differences = a.scores(seeds, sizes) - b.scores(seeds, sizes)
    ratio = fold_ratio(len(a.folds))
    return [
        _at_place(a.name, b.name, place, values, ratio) for place, values in by_place(sizes, differences, at).items()
    ]


def _at_place(a: str, b: str, place: str, differences: Values, ratio: float) -> Comparison:
    folds = mean(differences, axis=1)
    test = corrected_t(folds, ratio)
    return Comparison(
        a=a,
        b=b,
        at=place,
        difference=test.mean,
        ci_low=test.ci_low,
        ci_high=test.ci_high,
        n=int(np.count_nonzero(~np.isnan(differences))),
        folds=int(np.count_nonzero(~np.isnan(folds))),
        seeds=differences.shape[1],
        p_t=test.p,
        p_t_holm=float("nan"),
        p_wilcoxon=corrected_signed_rank(folds, ratio),
        p_wilcoxon_holm=float("nan"),
        verdict=verdict(float("nan"), test.mean),
    )
