"""``cytocurve compare``: compare arms of this study, of other commits and of the tracking store."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.answers import ComparedArm, ComparisonAnswer, NotComparable, PairComparison, SeedComparison, build
from cytocurve.core.comparison import AREA, ScoredArm, compare_paired, compare_seeds
from cytocurve.core.statistics.curves import areas
from cytocurve.core.statistics.metrics import METRICS
from cytocurve.errors import InputError
from cytocurve.evaluation.compared import arms_to_compare
from cytocurve.text import check_known


def compare(
    project: ProjectPaths,
    names: Sequence[str] = (),
    metric: str = "roc_auc",
    at: Sequence[str] = (),
    judge: str | None = None,
    independent: bool = False,
) -> ComparisonAnswer:
    """Compare every pair of these arms, by default of all arms of the study.

    ``at`` lists training sizes or ``area``, by default all; ``judge`` is a label version that scores all arms;
    ``independent`` compares seeds instead of folds. Raises ``InputError``, ``ServiceError``.
    """
    if unknown := check_known("metric", [metric], list(METRICS)):
        raise InputError(unknown[0], hint=f"Metrics: {', '.join(METRICS)}")
    arms = arms_to_compare(project, names, metric, judge)
    _check_sizes(arms, at)
    paired, refused = ([], []) if independent else compare_paired(arms, at or None)
    by_seed, seeds_refused = compare_seeds(arms, at or None) if independent else ([], [])
    return ComparisonAnswer(
        metric=metric,
        arms=tuple(_compared(arm) for arm in arms),
        independent=independent,
        comparisons=tuple(build(PairComparison, **vars(row), metric=metric) for row in paired),
        seed_comparisons=tuple(build(SeedComparison, **vars(row), metric=metric) for row in by_seed),
        not_comparable=tuple(build(NotComparable, **vars(pair)) for pair in (*refused, *seeds_refused)),
        on_page=None if any(":" in name for name in names) else _on_page(project.params()),
    )


def _on_page(params: Params) -> int:
    """The number of comparisons on the page: pairs of arms of a label version, at every size and on the area."""
    pairs = sum(a.labels == b.labels for a, b in combinations(params.arms, 2))
    return pairs * (len(params.sizes) + (len(params.sizes) > 1))


def _check_sizes(arms: Sequence[ScoredArm], at: Sequence[str]) -> None:
    known = sorted({size for arm in arms for size in arm.sizes})
    unknown = check_known("size", at, [*map(str, known), AREA])
    if unknown:
        raise InputError("No arm has results for these sizes:", unknown, f"Sizes: {', '.join(map(str, known))}, {AREA}")


def _compared(arm: ScoredArm) -> ComparedArm:
    scores = arm.scores(arm.seeds, arm.sizes)
    means = {str(size): _mean(scores[:, :, i]) for i, size in enumerate(arm.sizes)}
    return build(
        ComparedArm,
        name=arm.name,
        labels=arm.labels,
        folds=len(arm.folds),
        seeds=arm.seeds,
        means=means | {AREA: _mean(areas(scores, arm.sizes))},
    )


def _mean(scores: Any) -> float:
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")
