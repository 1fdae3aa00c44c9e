"""Whether arms differ, pair by pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cytocurve.core.answers.curves import Summary
from cytocurve.core.answers.serialization import Number, PValue, rounded, to_json
from cytocurve.core.comparison.paired import Test
from cytocurve.core.comparison.pairs import Verdict
from cytocurve.core.comparison.settling import Settling

PUBLISHED: Mapping[Verdict, str] = {
    "a_better": "a is better",
    "b_better": "b is better",
    "not_shown": "no difference shown",
}
"""Verdicts as ``reports/metrics.json`` and ``cytocurve compare --json`` name them."""


@dataclass(frozen=True, kw_only=True)
class PairComparison:
    """Arm ``b`` minus arm ``a`` at a training size or on the area; see ``core.comparison.Comparison``."""

    a: str
    b: str
    at: str
    difference: Number
    ci_low: Number
    ci_high: Number
    test: Test
    n: int
    folds: int
    seeds: int
    p: PValue
    p_holm: PValue
    p_t: PValue
    p_t_holm: PValue
    ci_t_low: Number
    ci_t_high: Number
    p_wilcoxon: PValue
    p_wilcoxon_holm: PValue
    verdict: Verdict
    settling: Settling | None
    metric: str

    def published(self) -> dict[str, Any]:
        """The comparison in JSON with the verdict as ``PUBLISHED``."""
        return to_json(self) | {"verdict": PUBLISHED[self.verdict]}

    def tracked(self) -> dict[str, Any]:
        """The comparison in ``reports/metrics.json``, whose fields stay the same so that commits can be compared.

        There, the difference is ``a`` minus ``b`` and the interval that of the corrected t-test; the verdict is the
        same as everywhere.
        """
        return {
            "a": self.a,
            "b": self.b,
            "at": self.at,
            "difference": _negated(self.difference),
            "ci_low": _negated(self.ci_t_high),
            "ci_high": _negated(self.ci_t_low),
            "n": self.n,
            "folds": self.folds,
            "seeds": self.seeds,
            "p_t": rounded(self.p_t),
            "p_t_holm": rounded(self.p_t_holm),
            "p_wilcoxon": rounded(self.p_wilcoxon),
            "p_wilcoxon_holm": rounded(self.p_wilcoxon_holm),
            "verdict": PUBLISHED[self.verdict],
            "metric": self.metric,
        }


def _negated(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


@dataclass(frozen=True, kw_only=True)
class SeedComparison:
    """Arm ``a`` against arm ``b`` over independent seeds; see ``core.comparison.SeedComparison``."""

    a: str
    b: str
    at: str
    folds: int
    mean_a: Number
    sd_a: Number
    seeds_a: int
    mean_b: Number
    sd_b: Number
    seeds_b: int
    p_mann_whitney: PValue
    p_mann_whitney_holm: PValue
    verdict: Verdict
    metric: str

    def published(self) -> dict[str, Any]:
        """The comparison in JSON with the verdict as ``PUBLISHED``."""
        return to_json(self) | {"verdict": PUBLISHED[self.verdict]}


@dataclass(frozen=True)
class NotComparable:
    """A pair of arms that cannot be compared, and why."""

    a: str
    b: str
    reason: str


@dataclass(frozen=True)
class ComparedArm:
    """A compared arm, with its mean score by training size and for the area."""

    name: str
    labels: str
    folds: int
    seeds: tuple[int, ...]
    means: Mapping[str, Number]


@dataclass(frozen=True)
class ComparisonAnswer:
    """All pairs of some arms by a metric: paired by fold and seed, or over ``independent`` seeds.

    ``on_page`` is the number of comparisons that the study's page makes, None if arms of other sources are among these.
    """

    metric: str
    arms: tuple[ComparedArm, ...]
    independent: bool
    comparisons: tuple[PairComparison, ...]
    seed_comparisons: tuple[SeedComparison, ...]
    not_comparable: tuple[NotComparable, ...]
    on_page: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The answer as printed by ``cytocurve compare --json``, including the kind of comparison."""
        rows = self.seed_comparisons if self.independent else self.comparisons
        return {
            "metric": self.metric,
            "arms": [to_json(arm) for arm in self.arms],
            "seed_comparisons" if self.independent else "comparisons": [row.published() for row in rows],
            "not_comparable": [to_json(pair) for pair in self.not_comparable],
        }


@dataclass(frozen=True)
class Relabelling:
    """The gain of an arm over the same arm under another label version; see ``core.statistics.relabelling``.

    ``differences`` are by training size.
    """

    arm: str
    other: str
    judge: str
    metric: str
    images: int
    changed: int
    differences: Mapping[int, Summary]
