"""All answers of a study in one record, the content of ``reports/answers.json``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cytocurve.core.answers import serialization
from cytocurve.core.answers.audit import Audit
from cytocurve.core.answers.choice import Choice
from cytocurve.core.answers.comparisons import NotComparable, PairComparison, Relabelling
from cytocurve.core.answers.curves import Curves, Saturation, SizeOverSeeds, Summary
from cytocurve.core.answers.details import (
    Calibration,
    ClassWise,
    Confusion,
    Example,
    PatientScores,
    PrecisionRecallCurve,
    RocCurve,
)
from cytocurve.core.answers.plans import ArmPlan
from cytocurve.core.answers.serialization import Number

FORMAT = 4
"""The format of ``reports/answers.json``; other formats are rejected, since the page needs every field."""

Split = Literal["stratified", "patient", "predefined"]
"""How folds were drawn: by image, by patient, or by the dataset's authors."""


@dataclass(frozen=True)
class Limits:
    """What limits the validity of the scores: the images' origin, labels beyond the training set, and the folds.

    ``validation_images`` is the mean number per run; ``title`` is that of the dataset, where it is known.
    """

    split: Split
    validation_images: Number
    title: str | None


@dataclass(frozen=True)
class Provenance:
    """The data (DVC hash), the number of runs, the SHA-256 over their keys, and the packages behind the scores."""

    data: str | None
    runs: int
    run_keys: str
    packages: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ArmAnswers:
    """The answers of one arm; lists have an entry per training size, curves by threshold are by class."""

    architecture: str
    augmentation: str
    labels: str
    classes: tuple[str, ...]
    curves: Curves
    area: Mapping[str, Summary]
    saturation: Saturation
    questions: Mapping[str, Curves]
    roc: Mapping[str, tuple[RocCurve, ...]]
    precision_recall: Mapping[str, tuple[PrecisionRecallCurve, ...]]
    confusion: tuple[Confusion, ...]
    class_wise: tuple[ClassWise, ...]
    over_seeds: tuple[SizeOverSeeds, ...]
    subjects: tuple[PatientScores, ...] | None
    calibration: tuple[Calibration, ...]
    examples: tuple[Example, ...]
    plan: ArmPlan


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers of a study.

    ``metric`` is the leading metric, ``metrics`` maps every metric to its title, ``positive`` is the positive class of
    a binary task, ``versions`` are the label versions in order, ``chosen`` is the arm chosen on validation images, and
    ``choice`` is how this affects its score, None if there was only one candidate.
    """

    dataset: str
    task: str
    classes: tuple[str, ...]
    positive: str | None
    metric: str
    metrics: Mapping[str, str]
    sizes: tuple[int, ...]
    folds: int
    seeds: tuple[int, ...]
    versions: tuple[str, ...]
    chosen: str
    choice: Choice | None
    limits: Limits
    arms: Mapping[str, ArmAnswers]
    comparisons: tuple[PairComparison, ...]
    not_comparable: tuple[NotComparable, ...]
    relabellings: tuple[Relabelling, ...]
    audit: Audit | None
    provenance: Provenance

    @property
    def best(self) -> ArmAnswers:
        """The answers of the chosen arm."""
        return self.arms[self.chosen]

    @property
    def title(self) -> str:
        """The title of the leading metric."""
        return self.metrics[self.metric]

    def to_json(self) -> dict[str, Any]:
        """The answers as the contents of ``reports/answers.json``."""
        return {"format": FORMAT, **serialization.to_json(self)}

    @classmethod
    def from_json(cls, value: Any) -> "Answers":
        """The answers that ``to_json`` wrote.

        Raises ``ValueError`` for another format, and naming every field that is missing or does not fit.
        """
        number = value.get("format") if isinstance(value, Mapping) else None
        if number != FORMAT:
            raise ValueError(f"expected answers of format {FORMAT}, got {number}")
        return serialization.from_json(cls, value)
