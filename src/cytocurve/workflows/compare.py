"""``cytocurve compare``: whether arms differ, of this study, of other commits and of the tracking store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cytocurve.config import ProjectPaths
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
) -> dict[str, Any]:
    """Every pair of these arms, of all arms of the study if none is named.

    ``at`` are training sizes and ``area``, all by default; ``judge`` is a label version that scores all arms;
    ``independent`` compares seeds instead of folds. The result has the ``arms`` with their mean scores, the
    ``comparisons`` or ``seed_comparisons``, and the pairs ``not_comparable``. Raises ``InputError``, ``ServiceError``.
    """
    if unknown := check_known("metric", [metric], list(METRICS)):
        raise InputError(unknown[0], hint=f"Metrics: {', '.join(METRICS)}")
    arms = arms_to_compare(project, names, metric, judge)
    _check_sizes(arms, at)
    found, refused = (compare_seeds if independent else compare_paired)(arms, at or None)
    return {
        "metric": metric,
        "arms": [_told(arm) for arm in arms],
        "seed_comparisons" if independent else "comparisons": [
            {**_plain(asdict(each)), "metric": metric} for each in found
        ],
        "not_comparable": [asdict(each) for each in refused],
    }


def _check_sizes(arms: Sequence[ScoredArm], at: Sequence[str]) -> None:
    known = sorted({size for arm in arms for size in arm.sizes})
    unknown = check_known("size", at, [*map(str, known), AREA])
    if unknown:
        raise InputError("No arm has results of these sizes:", unknown, f"Sizes: {', '.join(map(str, known))}, {AREA}")


def _told(arm: ScoredArm) -> dict[str, Any]:
    scores = arm.scores(arm.seeds, arm.sizes)
    means = {str(size): _mean(scores[:, :, i]) for i, size in enumerate(arm.sizes)}
    return {
        "name": arm.name,
        "labels": arm.labels,
        "folds": len(arm.folds),
        "seeds": arm.seeds,
        "means": _plain(means | {AREA: _mean(areas(scores, arm.sizes))}),
    }


def _mean(scores: Any) -> float:
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else float("nan")


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers rounded to six places, None where undefined."""
    return {
        name: (None if value != value else round(value, 6)) if isinstance(value, float) else value
        for name, value in figures.items()
    }
