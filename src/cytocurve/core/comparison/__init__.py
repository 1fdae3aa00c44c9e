"""Whether one arm is better than another: differences paired by fold and seed, with tests that hold in folds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.comparison.arms import ScoredArm, Tested, tested_digest, why_not
from cytocurve.core.comparison.significance import (
    corrected_signed_rank,
    corrected_t,
    fold_ratio,
    holm,
    rank_sum,
)

__all__ = [
    "AREA", "Comparison", "Comparisons", "NotComparable", "ScoredArm", "SeedComparison", "Tested", "areas",
    "compare_paired", "compare_seeds", "tested_digest",
]  # fmt: skip

Values = NDArray[np.float64]
Found = TypeVar("Found")

AREA = "area"
"""Where a comparison is of the area under the learning curve, not of one training size."""

ALPHA = 0.05
"""The level at which a difference counts as shown, all comparisons asked for taken together."""

BETTER_A, BETTER_B, NOT_SHOWN = "a is better", "b is better", "no difference shown"


@dataclass(frozen=True)
class Comparison:
    """Arm a less arm b at one training size or on the area, NaN where undefined.

    ``difference`` is the mean over ``folds`` folds of a fold's mean over seeds, of ``n`` pairs of runs in all, with the
    95 % interval of the corrected t-test. ``_holm`` are adjusted for all comparisons asked for, and ``verdict`` goes
    by ``p_t_holm``.
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
    verdict: str


@dataclass(frozen=True)
class SeedComparison:
    """Arm a against arm b by scores over independent seeds, each the mean over its folds; sd by n - 1.

    ``p_mann_whitney`` is one-sided: that a scores higher than b on these very images when it is trained again.
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
    verdict: str


@dataclass(frozen=True)
class NotComparable:
    """A pair of arms that cannot be compared, and why."""

    a: str
    b: str
    reason: str


@dataclass(frozen=True)
class Comparisons:
    """All comparisons asked for, by pair and then by size, and the pairs that cannot be compared."""

    paired: list[Comparison]
    seeds: list[SeedComparison]
    not_comparable: list[NotComparable]


def compare_paired(arms: Sequence[ScoredArm], at: Sequence[str] | None = None) -> Comparisons:
    """Every pair of arms, the first named less the second, paired by fold and seed.

    ``at`` are training sizes and ``AREA``; all common sizes and the area by default. Seeds that both arms have take
    part, and are averaged within a fold first: they share its images, so that the folds alone are counted as
    observations. A score that is undefined in either arm leaves its pair out.
    """

    def paired(a: ScoredArm, b: ScoredArm) -> list[Comparison]:
        seeds = sorted(set(a.seeds) & set(b.seeds))
        differences = _at(a, b, at, lambda arm, sizes: arm.scores(seeds, sizes))
        return [_paired(a, b, where, one - other) for where, (one, other) in differences.items()]

    found, refused = _pairs(arms, paired, _why_not_paired)
    adjusted_t, adjusted_w = holm([each.p_t for each in found]), holm([each.p_wilcoxon for each in found])
    told = [
        replace(each, p_t_holm=t, p_wilcoxon_holm=w, verdict=_verdict(t, each.difference))
        for each, t, w in zip(found, adjusted_t, adjusted_w, strict=True)
    ]
    return Comparisons(told, [], refused)


def compare_seeds(arms: Sequence[ScoredArm], at: Sequence[str] | None = None) -> Comparisons:
    """Every pair of arms by the one-sided Mann-Whitney U test over seeds, that the first named is better.

    A seed's score is its mean over the folds, without those where a score of either arm is undefined. ``at`` is as in
    ``compare``.
    """

    def unpaired(a: ScoredArm, b: ScoredArm) -> list[SeedComparison]:
        scores = _at(a, b, at, lambda arm, sizes: arm.scores(arm.seeds, sizes))
        return [_unpaired(a, b, where, one, other) for where, (one, other) in scores.items()]

    found, refused = _pairs(arms, unpaired, why_not)
    adjusted = holm([each.p_mann_whitney for each in found])
    told = [
        replace(each, p_mann_whitney_holm=p, verdict=_verdict(p, 1.0)) for each, p in zip(found, adjusted, strict=True)
    ]
    return Comparisons([], told, refused)


def areas(scores: Values, sizes: Sequence[int]) -> Values:
    """The area under each learning curve, (…,) of scores (…, sizes), on the score's own scale.

    The trapezoidal rule over the logarithm of the training size, divided by the range of that logarithm; NaN where a
    score is undefined, and where there are fewer than two sizes.
    """
    if len(sizes) < 2:
        return np.full(scores.shape[:-1], np.nan)
    steps = np.log(np.asarray(sizes, dtype=np.float64))
    return np.asarray(np.trapezoid(scores, steps, axis=-1) / (steps[-1] - steps[0]))


def _pairs(
    arms: Sequence[ScoredArm],
    found_of: Callable[[ScoredArm, ScoredArm], list[Found]],
    reason_of: Callable[[ScoredArm, ScoredArm], str | None],
) -> tuple[list[Found], list[NotComparable]]:
    """What is found of every pair that can be compared, and the reasons of those that cannot."""
    found: list[Found] = []
    refused = []
    for a, b in combinations(arms, 2):
        if reason := reason_of(a, b):
            refused.append(NotComparable(a.name, b.name, reason))
        else:
            found += found_of(a, b)
    return found, refused


def _why_not_paired(a: ScoredArm, b: ScoredArm) -> str | None:
    if reason := why_not(a, b):
        return reason
    if not set(a.seeds) & set(b.seeds):
        return "They have no seed in common: compare them as independent seeds."
    return None


def _at(
    a: ScoredArm, b: ScoredArm, at: Sequence[str] | None, scores_of: Callable[[ScoredArm, Sequence[int]], Values]
) -> dict[str, tuple[Values, Values]]:
    """Both arms' scores (folds, seeds) at each size and on the area that is asked for, of those that both have."""
    sizes = sorted(set(a.sizes) & set(b.sizes))
    tables = [scores_of(arm, sizes) for arm in (a, b)]
    each = {str(size): (tables[0][:, :, i], tables[1][:, :, i]) for i, size in enumerate(sizes)}
    if len(sizes) > 1:
        each[AREA] = (areas(tables[0], sizes), areas(tables[1], sizes))
    return {where: pair for where, pair in each.items() if at is None or where in at}


def _paired(a: ScoredArm, b: ScoredArm, at: str, differences: Values) -> Comparison:
    folds = _means(differences)
    ratio = fold_ratio(len(a.folds))
    found = corrected_t(folds, ratio)
    return Comparison(
        a=a.name,
        b=b.name,
        at=at,
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
        verdict=NOT_SHOWN,
    )


def _unpaired(a: ScoredArm, b: ScoredArm, at: str, first: Values, second: Values) -> SeedComparison:
    whole = ~np.isnan(np.hstack([first, second])).any(axis=1)
    one, other = (
        scores[whole].mean(axis=0) if whole.any() else np.full(scores.shape[1], np.nan) for scores in (first, second)
    )
    return SeedComparison(
        a=a.name,
        b=b.name,
        at=at,
        folds=int(whole.sum()),
        mean_a=float(one.mean()),
        sd_a=_sd(one),
        seeds_a=len(one),
        mean_b=float(other.mean()),
        sd_b=_sd(other),
        seeds_b=len(other),
        p_mann_whitney=rank_sum(one, other),
        p_mann_whitney_holm=float("nan"),
        verdict=NOT_SHOWN,
    )


def _sd(values: Values) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def _means(differences: Values) -> Values:
    """The mean over the seeds of each fold (folds,), of those that are defined."""
    defined = ~np.isnan(differences)
    counts = defined.sum(axis=1)
    totals = np.where(defined, differences, 0.0).sum(axis=1)
    return np.asarray(np.divide(totals, counts, out=np.full(len(counts), np.nan), where=counts > 0))


def _verdict(p: float, difference: float) -> str:
    if not p <= ALPHA:
        return NOT_SHOWN
    return BETTER_A if difference > 0 else BETTER_B
