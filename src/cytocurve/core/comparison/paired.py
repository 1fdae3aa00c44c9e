"""Paired comparison of arms over shared folds and test images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cytocurve.core.comparison.arms import ScoredArm, why_not
from cytocurve.core.comparison.pairs import (
    ALPHA,
    NotComparable,
    Verdict,
    by_place,
    common,
    each_pair,
    verdict,
)
from cytocurve.core.comparison.settling import Evidence, Settling, settling
from cytocurve.core.comparison.significance import (
    UNKNOWN,
    Sampling,
    corrected_signed_rank,
    corrected_t,
    fold_ratio,
    holm,
    images_and_folds,
    sampling,
)
from cytocurve.core.statistics.values import Values, mean

Test = Literal["images_and_folds", "folds"]
"""The test behind a verdict: over images and folds or, where no variance over images is known, over folds alone."""


@dataclass(frozen=True)
class Comparison:
    """Arm b minus arm a at one training size or for the area; NaN where undefined.

    ``difference`` is the mean over ``folds`` folds, each averaged over ``seeds`` seeds, from a total of ``n`` pairs of
    runs. ``p`` and the 95 % interval are those of ``test``: ``images_and_folds`` or, where it is undefined because the
    images' predictions are unknown or too few, the corrected t-test over folds. Which of the two it is depends on the
    data that exist, never on their values. ``p_t`` with its own interval and ``p_wilcoxon`` are the corrected tests
    over folds, for reference. ``_holm`` values are adjusted for all requested comparisons, and ``verdict`` is based on
    ``p_holm``. ``settling`` estimates what would show the difference; None if it is shown or cannot be estimated.
    """

    a: str
    b: str
    at: str
    difference: float
    ci_low: float
    ci_high: float
    test: Test
    n: int
    folds: int
    seeds: int
    p: float
    p_holm: float
    p_t: float
    p_t_holm: float
    ci_t_low: float
    ci_t_high: float
    p_wilcoxon: float
    p_wilcoxon_holm: float
    verdict: Verdict
    settling: Settling | None


def compare_paired(
    arms: Sequence[ScoredArm], at: Sequence[str] | None = None
) -> tuple[list[Comparison], list[NotComparable]]:
    """All pairs of arms, the second minus the first, paired by image, fold and seed; sorted by pair, then by place.

    ``at`` lists training sizes and ``AREA``; the default is all common sizes and the area. Seeds that both arms have
    are first averaged within a fold: they share its images, so only images and folds count as observations. Pairs of
    runs with an undefined score are excluded.
    """
    found, refused = each_pair(arms, _why_not, lambda a, b: _compare(a, b, at))
    rows = [row for row, _ in found]
    names = ("p", "p_t", "p_wilcoxon")
    adjusted = [holm([getattr(row, name) for row in rows]) for name in names]
    level = ALPHA / max(1, sum(not np.isnan(row.p) for row in rows))
    judged = []
    for (row, evidence), p, t, rank in zip(found, *adjusted, strict=True):
        outcome = verdict(p, -row.difference)
        needed = settling(evidence, level) if evidence and outcome == "not_shown" else None
        judged.append(replace(row, p_holm=p, p_t_holm=t, p_wilcoxon_holm=rank, verdict=outcome, settling=needed))
    return judged, refused


def _why_not(a: ScoredArm, b: ScoredArm) -> str | None:
    if reason := why_not(a, b):
        return reason
    if not common(a.seeds, b.seeds):
        return "They have no seed in common; compare them as independent seeds."
    return None


def _compare(a: ScoredArm, b: ScoredArm, at: Sequence[str] | None) -> list[tuple[Comparison, Evidence | None]]:
    seeds, sizes = common(a.seeds, b.seeds), common(a.sizes, b.sizes)
    differences = by_place(sizes, b.scores(seeds, sizes) - a.scores(seeds, sizes), at)
    first, second = (arm.contributions(seeds, sizes) for arm in (a, b))
    images = {} if first is None or second is None else by_place(sizes, second - first, at)
    return [_at_place(a, b, place, values, images.get(place)) for place, values in differences.items()]


def _at_place(
    a: ScoredArm, b: ScoredArm, place: str, differences: Values, contributions: Values | None
) -> tuple[Comparison, Evidence | None]:
    folds, ratio = mean(differences, axis=1), fold_ratio(len(a.folds))
    by_folds = corrected_t(folds, ratio)
    variance = _sampling(a, contributions, int(np.count_nonzero(~np.isnan(folds))))
    mixed = images_and_folds(folds, variance, ratio)
    test: Test = "folds" if np.isnan(variance.variance) else "images_and_folds"
    primary = by_folds if test == "folds" else mixed
    row = Comparison(
        a=a.name,
        b=b.name,
        at=place,
        difference=primary.mean,
        ci_low=primary.ci_low,
        ci_high=primary.ci_high,
        test=test,
        n=int(np.count_nonzero(~np.isnan(differences))),
        folds=int(np.count_nonzero(~np.isnan(folds))),
        seeds=differences.shape[1],
        p=primary.p,
        p_holm=float("nan"),
        p_t=by_folds.p,
        p_t_holm=float("nan"),
        ci_t_low=by_folds.ci_low,
        ci_t_high=by_folds.ci_high,
        p_wilcoxon=corrected_signed_rank(folds, ratio),
        p_wilcoxon_holm=float("nan"),
        verdict="not_shown",
        settling=None,
    )
    if np.isnan(primary.p) or test == "folds" or a.images is None:
        return row, None
    return row, Evidence.of(differences, variance, a.images.classes, a.images.units, a.images.by_patient)


def _sampling(arm: ScoredArm, contributions: Values | None, folds: int) -> Sampling:
    """The variance over images of contributions (images, seeds); seeds are averaged.

    Unknown unless the contributions are those of as many folds as have a defined difference.
    """
    if arm.images is None or contributions is None:
        return UNKNOWN
    averaged = mean(contributions, axis=1)
    if len(np.unique(arm.images.folds[~np.isnan(averaged)])) != folds:
        return UNKNOWN
    return sampling(averaged, arm.images.folds, arm.images.classes, arm.images.units)
