"""What the predictions of an arm say at one training size: thresholds, errors, patients, calibration, examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cytocurve.core.answers.serialization import Number, Vector

ClassName = Annotated[str, Field(alias="class")]
"""Called ``class`` in JSON, which Python reserves."""


@dataclass(frozen=True, kw_only=True)
class RocCurve:
    """The mean ROC curve of a class, with its area under the curve."""

    size: int
    grid: Vector
    mean: Vector
    low: Vector
    high: Vector
    auc_mean: Number
    auc_sd: Number
    prevalence: Number
    n: int
    undefined: int


@dataclass(frozen=True, kw_only=True)
class PrecisionRecallCurve:
    """The mean precision-recall curve of a class, with its average precision."""

    size: int
    grid: Vector
    mean: Vector
    low: Vector
    high: Vector
    ap_mean: Number
    ap_sd: Number
    prevalence: Number
    n: int
    undefined: int


@dataclass(frozen=True)
class Confusion:
    """Percent of each true class (row) assigned to each class (column), averaged over folds."""

    size: int
    percent: tuple[Vector, ...]
    sd: tuple[Vector, ...]
    images: tuple[int, ...]
    n: tuple[int, ...]
    undefined: tuple[int, ...]


@dataclass(frozen=True)
class Spread:
    """A mean with its standard deviation over ``n`` units."""

    mean: Number
    sd: Number
    n: int
    undefined: int


@dataclass(frozen=True)
class ClassScores:
    """Precision and sensitivity of one class, and its test images."""

    class_name: ClassName
    images: int
    precision: Spread
    sensitivity: Spread


@dataclass(frozen=True)
class ClassWise:
    """The scores of every class at one training size."""

    size: int
    rows: tuple[ClassScores, ...]


@dataclass(frozen=True)
class PatientShare:
    """A share averaged over ``n`` patients, with its 95 % interval."""

    mean: Number
    sd: Number
    ci_low: Number
    ci_high: Number
    n: int


@dataclass(frozen=True)
class PatientScores:
    """Scores by patient at one training size; ``unknown`` counts predictions without a known patient."""

    size: int
    subjects: int
    accuracy: PatientShare
    diagnosis: PatientShare
    unknown: int
    undefined: int


@dataclass(frozen=True)
class ReliabilityBin:
    """Probabilities above ``low`` up to ``high``: their mean, and how often they came true, with a 95 % interval."""

    low: Number
    high: Number
    predicted: Number
    observed: Number
    images: int
    observed_low: Number = None
    observed_high: Number = None


@dataclass(frozen=True)
class Calibration:
    """Brier score, expected calibration error and reliability at one training size."""

    size: int
    brier: Spread
    ece: Spread
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A test image with the mean probabilities of its ``runs``; ``probability`` is that of its class."""

    image: str
    label: str
    class_name: ClassName
    predicted: str
    probability: Number
    probabilities: Mapping[str, Number]
    runs: int
