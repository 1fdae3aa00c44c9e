"""Saturation: from which training size on more images stop to pay, and what is known about the sizes below it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, takewhile

import numpy as np

from cytocurve.core.statistics.bootstrap import CONFIDENCE, mean_intervals
from cytocurve.core.statistics.curves import MARGIN, Curve, Gain, gain

_ROUNDING = 1e-9
"""A rise of exactly the margin may end up above it by the rounding of the subtraction."""


@dataclass(frozen=True)
class Saturation:
    """Where a curve is saturated, ``size``, and where it only looks so, ``gain_not_shown_beyond``; None if nowhere.

    ``size`` is a statement: from it on, no larger size is better by more than ``margin``, with this confidence.
    ``gain_not_shown_beyond`` is the lack of one: beyond it no gain above the margin was shown, which noise makes easy.
    ``missed`` says of each size but the largest, with this confidence and by itself, how much the best larger one is
    better at most, whatever the margin; ``gain`` is that of the largest size over ``size``.
    """

    size: int | None
    gain_not_shown_beyond: int | None
    margin: float
    confidence: float
    missed: Mapping[int, float]
    gain: Gain | None


def saturation(curve: Curve, margin: float = MARGIN) -> Saturation:
    """The smallest size from which on no larger one is better by more than ``margin``, with 95 % confidence.

    Gains score(m) - score(n) are paired by fold and seed, with intervals as in ``mean_intervals``. ``missed[n]``
    is the highest upper end of the gains of all m > n, and ``size`` the smallest n such that ``missed`` is at most the
    margin at n and at every size between n and the largest: a test of non-inferiority. No correction for the number of
    sizes is due. At one n all gains have to be below the margin, an intersection-union test (Berger 1982, Technometrics
    24:295-300), and sizes are tested from the largest down, each only where all before it passed, a fixed sequence
    (Maurer, Hothorn & Lehmacher 1995): the chance of any wrong statement is that of one interval's upper end. That end
    is the one that ``gain`` shows: where a gain is just above the margin the statement is made in 4 % of simulated
    studies of 5 folds, 2 % of 10, 3 % of 20, and in 9, 9 and 10 % without the sequence (``bench/intervals.py``).

    ``gain_not_shown_beyond`` is the smallest n such that the lower ends of all gains beyond it are at most the margin.
    Undefined gains fulfil neither, and with one size there is nothing to say.
    """
    highest, lowest = _bounds(curve)
    last = int(curve.sizes[-1])
    enough = list(takewhile(lambda size: highest[size] <= margin + _ROUNDING, sorted(highest, reverse=True)))
    unshown = [size for size, bound in lowest.items() if bound <= margin + _ROUNDING]
    size = enough[-1] if enough else None
    return Saturation(
        size=size,
        gain_not_shown_beyond=min(unshown, default=None),
        margin=margin,
        confidence=CONFIDENCE,
        missed=highest,
        gain=gain(curve, size, last) if size is not None else None,
    )


def _bounds(curve: Curve) -> tuple[dict[int, float], dict[int, float]]:
    """By size, the highest upper and the highest lower end of the gains of all larger sizes."""
    pairs = np.array(list(combinations(range(len(curve.sizes)), 2)), dtype=np.intp).reshape(-1, 2).T
    if not pairs.size:
        return {}, {}
    low, high = mean_intervals(curve.scores[:, :, pairs[1]] - curve.scores[:, :, pairs[0]])
    places = {size: pairs[0] == i for i, size in enumerate(curve.sizes[:-1].tolist())}
    highest, lowest = ({size: float(ends[place].max()) for size, place in places.items()} for ends in (high, low))
    return highest, lowest
