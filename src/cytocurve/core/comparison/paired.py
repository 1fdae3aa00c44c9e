"""Arms compared by the folds that they share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.comparison.arms import ScoredArm, why_not
from cytocurve.core.comparison.pairs import NotComparable, Verdict, by_place, common, each_pair, verdict
from cytocurve.core.comparison.significance import corrected_signed_rank, corrected_t, fold_ratio, holm

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Arm a less arm b at one training size or on the area, NaN where undefined.

    ``difference`` is the mean over ``folds`` folds of a fold's mean over ``seeds`` seeds, of ``n`` pairs of runs in
    all, with the 95 % interval of the corrected t-test. ``_holm`` are adjusted for all comparisons asked for, and
    ``verdict`` goes by ``p_t_holm``.
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
    """Every pair of arms, the first named less the second, paired by fold and seed; by pair, then by place.

    ``at`` are training sizes and ``AREA``; all common sizes and the area by default. Seeds that both arms have take
    part, and are averaged within a fold first: they share its images, so that the folds alone are counted as
    observations. A score that is undefined in either arm leaves its pair out.
    """
    found, refused = each_pair(arms, _why_not, lambda a, b: _of_pair(a, b, at))
    adjusted = zip(holm([each.p_t for each in found]), holm([each.p_wilcoxon for each in found]), strict=True)
    told = [
        replace(each, p_t_holm=t, p_wilcoxon_holm=rank, verdict=verdict(t, each.difference))
        for each, (t, rank) in zip(found, adjusted, strict=True)
    ]
    return told, refused


def _why_not(a: ScoredArm, b: ScoredArm) -> str | None:
    if reason := why_not(a, b):
        return reason
    if not common(a.seeds, b.seeds):
        return "They have no seed in common: compare them as independent seeds."
    return None


def _of_pair(a: ScoredArm, b: ScoredArm, at: Sequence[str] | None) -> list[Comparison]:
    seeds, sizes = common(a.seeds, b.seeds), common(a.sizes, b.sizes)
    differences = a.scores(seeds, sizes) - b.scores(seeds, sizes)
    ratio = fold_ratio(len(a.folds))
    return [
        _at_place(a.name, b.name, place, values, ratio) for place, values in by_place(sizes, differences, at).items()
    ]


def _at_place(a: str, b: str, place: str, differences: Values, ratio: float) -> Comparison:
    folds = _means(differences)
    found = corrected_t(folds, ratio)
    return Comparison(
        a=a,
        b=b,
        at=place,
        difference=found.mean,
        ci_low=found.ci_low,
        ci_high=found.ci_high,
        n=int(np.count_nonzero(~np.isnan(differences))),
        folds=int(np.count_nonzero(~np.isnan(folds))),
        seeds=differences.shape[1],
        p_t=found.p,
        p_t_holm=float("nan"),
        p_wilcoxon=corrected_signed_rank(folds, ratio),
        p_wilcoxon_holm=float("nan"),
        verdict=verdict(float("nan"), found.mean),
    )


def _means(differences: Values) -> Values:
    """The mean over the seeds of each fold (folds,), of those that are defined."""
    defined = ~np.isnan(differences)
    counts = defined.sum(axis=1)
    totals = np.where(defined, differences, 0.0).sum(axis=1)
    return np.asarray(np.divide(totals, counts, out=np.full(len(counts), np.nan), where=counts > 0))
