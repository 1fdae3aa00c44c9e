"""The chosen arm, and how the choice affects its score."""

from collections.abc import Mapping
from dataclasses import dataclass

from cytocurve.core.answers.curves import Summary
from cytocurve.core.answers.serialization import Number


@dataclass(frozen=True)
class Choice:
    """The choice of an arm by validation images at the largest size.

    ``score`` is the score of choosing and training: each fold's test score is that of the arm chosen by images outside
    its test fold (``core.statistics.choice``); ``optimism`` is the mean test score of the chosen arm minus that of
    ``score``. ``folds`` counts in how many folds each candidate is chosen, and ``without`` the folds that have no such
    choice because every validation image is also a test image.
    """

    score: Summary
    optimism: Number
    folds: Mapping[str, int]
    without: int
