"""The validation of a registered model on images that it has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass

from cytocurve.core.answers.details import ClassName, ReliabilityBin
from cytocurve.core.answers.serialization import Number


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; None where undefined."""

    value: Number
    ci_low: Number
    ci_high: Number


@dataclass(frozen=True, kw_only=True)
class ValidatedClass:
    """The images of a class, and how well the model tells it from the others."""

    class_name: ClassName
    images: int
    patients: int | None
    sensitivity: Interval
    precision: Interval
    roc_auc: Interval


@dataclass(frozen=True, kw_only=True)
class WrongImage:
    """An image whose class is not the one with the largest probability, ``probability``."""

    image: str
    label: str
    class_name: ClassName
    predicted: str
    probability: Number
    probabilities: Mapping[str, Number]


@dataclass(frozen=True)
class LeftOut:
    """Images of the dataset that were not scored, each with a detail, such as the image it equals; empty if none."""

    reason: str
    images: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How often a holdout has been looked at.

    ``look`` counts the looks at these very images, this one included; ``other_looks`` those at other draws that had
    ``images_seen_then`` of these images. ``images_used`` of the images were part of ``runs_using`` finished runs of
    the ledger, as they are after a change of ``holdout`` or ``split_seed``.
    """

    look: int
    other_looks: int
    images_seen_then: int
    runs_using: int
    images_used: int


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The scores of a registered model version on a dataset or on the holdout.

    ``scores``, ``study`` and ``differences`` are by metric: those of the ensemble on these images, those of the
    study's single networks out of fold, and the former minus the latter; the last two are empty if the version does
    not have the study's scores, ``differences`` also if classes are missing. ``corrected`` says whether the study's
    score by the leading ``metric`` is corrected for the choice of the arm. Intervals are over patients, or over images
    where no patient is known (``patients`` is None); images without a patient count as patients of their own. ``data``
    is the SHA-256 over the images' pixels and classes. ``confusion`` counts images by class (rows) and predicted
    class. ``worst`` are the most confident of the ``errors``.
    """

    model: str
    version: int
    aliases: tuple[str, ...]
    arm: str
    dataset: str
    labels: str
    holdout: bool
    data: str
    images: int
    patients: int | None
    without_patient: int
    classes: tuple[str, ...]
    metric: str
    metrics: Mapping[str, str]
    scores: Mapping[str, Interval]
    study: Mapping[str, Interval]
    differences: Mapping[str, Interval]
    corrected: bool
    by_class: tuple[ValidatedClass, ...]
    confusion: tuple[tuple[int, ...], ...]
    brier: Interval
    ece: Number
    bins: tuple[ReliabilityBin, ...]
    errors: int
    worst: tuple[WrongImage, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    freshness: Freshness | None

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{'holdout' if self.holdout else self.dataset}-{self.labels}-v{self.version}"
