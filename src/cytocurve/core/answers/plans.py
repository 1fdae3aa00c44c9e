"""What an arm's learning curve says about larger training sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cytocurve.core.answers.serialization import Number, Vector, rounded, to_json
from cytocurve.core.planner.records import CautionKind, Start, Verdict


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
class Labels:
    """The labeled images of a training size: to train, to validate, and both, by class and in patients.

    ``classes`` is empty if the split is not known; ``patients`` is None unless the patient of every image is.
    """

    training: int
    validation: int
    total: int
    classes: Mapping[str, int]
    patients: int | None


@dataclass(frozen=True)
class Target:
    """The sizes that reach a target with a probability of 50 % (``size``), 10 % (``low``) and 90 % (``high``).

    See ``core.planner.records.Target``. ``chances`` are the probabilities at the sizes of the arm's forecast;
    ``labels`` are those of ``high``, or else of ``size``, rounded to two significant digits.
    """

    target: float
    verdict: Verdict
    size: int | None
    low: int | None
    high: int | None
    chances: Vector = ()
    labels: Labels | None = None

    @property
    def decided(self) -> bool:
        """Whether this is an answer: a size with both ends of its range, or out of reach."""
        return self.verdict == "beyond" or self.high is not None


@dataclass(frozen=True)
class Caution:
    """What makes a forecast doubtful, and the factor by which it widens all intervals."""

    kind: CautionKind
    sentence: str
    widens: Number


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
    """The forecast of one arm by a metric, or the reason why there is none (``refusal``), and then no ``start``."""

    metric: str
    refusal: str | None
    largest: int
    horizon: int
    observed: tuple[ObservedMean, ...]
    forecast: tuple[ForecastPoint, ...]
    next: tuple[NextImages, ...]
    targets: tuple[Target, ...]
    start: Start | None
    cautions: tuple[Caution, ...]
    families: tuple[FamilyWeight, ...]
    backtest: tuple[Backtest, ...]


@dataclass(frozen=True)
class PlannedArm:
    """The forecast of one arm, and what the requested target needs, or else the one that its plan starts with.

    ``required`` is None if no target was requested and there is no forecast.
    """

    plan: ArmPlan
    required: Target | None


@dataclass(frozen=True)
class PlanAnswer:
    """The training images that every arm needs to reach ``target``, in addition to ``validation_images`` per run.

    ``target`` is None if each arm answers the one that its plan starts with. ``unbalanced`` lists, by arm, the training
    sizes for which a class has too few images.
    """

    target: float | None
    metric: str
    validation_images: Number
    arms: Mapping[str, PlannedArm]
    unbalanced: Mapping[str, tuple[int, ...]]

    def to_json(self) -> dict[str, Any]:
        """The answer as ``cytocurve plan --json`` prints it: ``required`` among the fields of each plan."""
        arms = {
            name: to_json(arm.plan) | {"required": arm.required and to_json(arm.required)}
            for name, arm in self.arms.items()
        }
        arms = {name: arm | {"unbalanced": list(self.unbalanced.get(name, ()))} for name, arm in arms.items()}
        given = {"target": self.target, "metric": self.metric, "validation_images": rounded(self.validation_images)}
        return given | {"arms": arms}
