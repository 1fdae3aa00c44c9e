"""What all comparisons share: the pairs of arms, the places where they are compared, and the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.comparison.arms import ScoredArm
from cytocurve.core.statistics.curves import areas

Values = NDArray[np.float64]
Found = TypeVar("Found")

AREA = "area"
"""Where a comparison is of the area under the learning curve, not of one training size."""

ALPHA = 0.05
"""The level at which a difference counts as shown, over all requested comparisons together."""

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
    found_of: Callable[[ScoredArm, ScoredArm], list[Found]],
) -> tuple[list[Found], list[NotComparable]]:
    """What is found of every pair that can be compared, and the reasons of those that cannot."""
    found: list[Found] = []
    refused = []
    for a, b in combinations(arms, 2):
        reason = reason_of(a, b)
        there = [] if reason else found_of(a, b)
        found += there
        if not there:
            refused.append(NotComparable(a.name, b.name, reason or "They share none of the requested sizes."))
    return found, refused


def by_place(sizes: Sequence[int], scores: Values, at: Sequence[str] | None) -> dict[str, Values]:
    """The scores (folds, seeds) at each size and on the area, or at those of ``at``, of (folds, seeds, sizes)."""
    places = {str(size): scores[:, :, i] for i, size in enumerate(sizes)}
    if len(sizes) > 1:
        places[AREA] = areas(scores, sizes)
    return {place: values for place, values in places.items() if at is None or place in at}


def common(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """What both have, increasing."""
    return sorted(set(first) & set(second))


def verdict(p: float, difference: float) -> Verdict:
    """The verdict on an adjusted p and the sign of a difference a - b."""
    if not p <= ALPHA:
        return "not_shown"
    return "a_better" if difference > 0 else "b_better"
