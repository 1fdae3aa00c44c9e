"""Shared by all comparisons: the pairs of arms, the places at which they are compared, and the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeVar

from cytocurve.core.comparison.arms import ScoredArm
from cytocurve.core.statistics.curves import areas
from cytocurve.core.statistics.values import Values

Row = TypeVar("Row")

AREA = "area"
"""The place of a comparison of areas under the learning curve, instead of one training size."""

ALPHA = 0.05
"""The family-wise significance level, over all requested comparisons."""

Verdict = Literal["a_better", "b_better", "not_shown"]
"""Whether a difference is shown; ``not_shown`` does not mean that the arms are equal."""


@dataclass(frozen=True)
class NotComparable:
    """A pair of arms that cannot be compared, and why."""

    a: str
    b: str
    reason: str


def each_pair(
    arms: Sequence[ScoredArm],
    reason_of: Callable[[ScoredArm, ScoredArm], str | None],
    compare: Callable[[ScoredArm, ScoredArm], list[Row]],
) -> tuple[list[Row], list[NotComparable]]:
    """The comparisons of all pairs that can be compared, and the pairs that cannot, with the reasons."""
    rows: list[Row] = []
    refused = []
    for a, b in combinations(arms, 2):
        reason = reason_of(a, b)
        compared = [] if reason else compare(a, b)
        rows += compared
        if not compared:
            refused.append(NotComparable(a.name, b.name, reason or "They share none of the requested sizes."))
    return rows, refused


def by_place(sizes: Sequence[int], scores: Values, at: Sequence[str] | None) -> dict[str, Values]:
    """The scores (folds, seeds) at each size and for the area, or only at ``at``, from scores (folds, seeds, sizes)."""
    places = {str(size): scores[:, :, i] for i, size in enumerate(sizes)}
    if len(sizes) > 1:
        places[AREA] = areas(scores, sizes)
    return {place: values for place, values in places.items() if at is None or place in at}


def common(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """The common elements, increasing."""
    return sorted(set(first) & set(second))


def verdict(p: float, difference: float) -> Verdict:
    """The verdict from an adjusted p-value and the sign of a difference a - b."""
    if not p <= ALPHA:
        return "not_shown"
    return "a_better" if difference > 0 else "b_better"
