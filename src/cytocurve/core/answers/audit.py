"""The outcome of the data audit, as ``reports/audit.json`` has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cytocurve.core.answers.details import ClassName
from cytocurve.core.answers.serialization import Number
from cytocurve.core.audit.finding import Severity

Detail = str | int | float | list[str] | list[int]
"""One detail of an offender: a name and its value."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found: a sentence, numbers, and the first of its ``offenders_in_all`` offenders."""

    id: str
    labels: str | None
    severity: Severity
    sentence: str
    numbers: Mapping[str, int | Number]
    offenders_in_all: int
    offenders: tuple[Mapping[str, Detail], ...]


@dataclass(frozen=True)
class PassedCheck:
    """A check without findings, and the label version that it examined."""

    id: str
    labels: str | None


@dataclass(frozen=True, kw_only=True)
class WorstClass:
    """The class that a feature alone separates best."""

    class_name: ClassName
    roc_auc: Number
    ci_low: Number
    ci_high: Number
    above_chance: bool


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """How well a feature alone separates the classes."""

    feature: str
    roc_auc: Number
    ci_low: Number
    ci_high: Number
    above_chance: bool
    worst: WorstClass


@dataclass(frozen=True, kw_only=True)
class ImageSize:
    """The images of one size by class; ``different`` where their shares are unlike those of the other sizes."""

    size: str
    images: int
    classes: Mapping[str, int]
    distance: Number
    different: bool


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All findings, most severe first, with the tables behind them by label version."""

    dataset: str
    task: str
    labels: tuple[str, ...]
    images: int
    counts: Mapping[Severity, int]
    offenders_at_most: int
    findings: tuple[Finding, ...]
    passed: tuple[PassedCheck, ...]
    shortcuts: Mapping[str, tuple[Shortcut, ...]]
    sizes: Mapping[str, tuple[ImageSize, ...]]
