"""What an arm's learning curve says about larger training sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cytocurve.core.answers.serialization import Number, rounded, to_json
from cytocurve.core.planner.records import Verdict


@dataclass(frozen=True)
class ObservedMean:
    """The observed mean score of a training size."""

    size: int
    mean: Number


@dataclass(frozen=True)
class ForecastPoint:
    """The forecast of the mean score at a size with its 90 % interval."""

    size: int
    median: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class NextImages:
    """The expected gain from ``images`` more images, with a 90 % interval."""

    images: int
    size: int
    gain: Number
    low: Number
    high: Number


@dataclass(frozen=True)
class Target:
    """The size that a target needs, with its 90 % interval; see ``core.planner.records.Target``."""

    target: float
    verdict: Verdict
    size: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class FamilyWeight:
    """A family of curves and its share in the forecast."""

    name: str
    weight: Number
    formula: str


@dataclass(frozen=True)
class Backtest:
    """A forecast of a size from smaller ones, and the mean observed there."""

    shown: int
    size: int
    forecast: Number
    low: Number
    high: Number
    truth: Number
    covered: bool


@dataclass(frozen=True, kw_only=True)
class ArmPlan:
    """The forecast of one arm by a metric, or the reason why there is none (``refusal``)."""

    metric: str
    refusal: str | None
    largest: int
    horizon: int
    observed: tuple[ObservedMean, ...]
    forecast: tuple[ForecastPoint, ...]
    next: tuple[NextImages, ...]
    targets: tuple[Target, ...]
    families: tuple[FamilyWeight, ...]
    backtest: tuple[Backtest, ...]


@dataclass(frozen=True)
class PlannedArm:
    """The forecast of one arm, and what the requested target needs."""

    plan: ArmPlan
    required: Target


@dataclass(frozen=True)
class PlanAnswer:
    """The training images that every arm needs to reach ``target``, in addition to ``validation_images`` per run.

    ``unbalanced`` lists, by arm, the training sizes for which a class has too few images.
    """

    target: float
    metric: str
    validation_images: Number
    arms: Mapping[str, PlannedArm]
    unbalanced: Mapping[str, tuple[int, ...]]

    def to_json(self) -> dict[str, Any]:
        """The answer as ``cytocurve plan --json`` prints it: ``required`` among the fields of each plan."""
        arms = {name: to_json(arm.plan) | {"required": to_json(arm.required)} for name, arm in self.arms.items()}
        arms = {name: arm | {"unbalanced": list(self.unbalanced.get(name, ()))} for name, arm in arms.items()}
        given = {"target": self.target, "metric": self.metric, "validation_images": rounded(self.validation_images)}
        return given | {"arms": arms}
