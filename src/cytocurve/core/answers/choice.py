"""The arm that was chosen, and what its choice does to its score."""

from collections.abc import Mapping
from dataclasses import dataclass

from cytocurve.core.answers.curves import Summary
from cytocurve.core.answers.serialization import Number


@dataclass(frozen=True)
class Choice:
    """The choice of an arm by validation images at the largest size.

    ``score`` is the score of choosing and training: each fold's test score is that of the arm which images outside of
    its test fold choose (``core.statistics.choice``); ``optimism`` is the mean test score of the chosen arm minus that
    of ``score``. ``folds`` counts in how many folds each candidate is chosen, and ``without`` the folds of which every
    validation image is a test image, so that there is no such choice.
    """

    score: Summary
    optimism: Number
    folds: Mapping[str, int]
    without: int
