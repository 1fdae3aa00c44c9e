"""Whether one arm is better than another: paired differences, with tests that are valid for cross-validation."""

from cytocurve.core.comparison.arms import ScoredArm, ScoredImages, ScoredOn, digest_of_tests
from cytocurve.core.comparison.paired import Comparison, compare_paired
from cytocurve.core.comparison.pairs import AREA, NotComparable
from cytocurve.core.comparison.seeds import SeedComparison, compare_seeds

__all__ = [
    "AREA", "Comparison", "NotComparable", "ScoredArm", "ScoredImages", "ScoredOn", "SeedComparison", "compare_paired",
    "compare_seeds", "digest_of_tests",
]  # fmt: skip
