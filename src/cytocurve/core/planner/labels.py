"""The labels that a training size takes: those to train and to validate, by class, and the patients they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cytocurve.core.statistics.values import Values


@dataclass(frozen=True)
class LabelCounts:
    """Labeled images to train and to validate; ``classes`` (of both) may be empty, ``patients`` unknown."""

    training: int
    validation: int
    classes: Mapping[str, int]
    patients: int | None

    @property
    def total(self) -> int:
        """All labeled images."""
        return self.training + self.validation


@dataclass(frozen=True)
class LabelNeeds:
    """What the folds of a study use, all means over folds.

    ``validation`` is the number of validation images, ``by_class`` (classes,) is theirs by class. ``training`` (n + 1,
    classes) are the classes of the first 0 to n training images, and ``patients`` (n + 1,) the patients of these and
    of the validation images.
    """

    validation: float
    classes: tuple[str, ...] = ()
    by_class: Values = field(default_factory=lambda: np.empty(0))
    training: Values = field(default_factory=lambda: np.empty((1, 0)))
    patients: Values | None = None

    @classmethod
    def of(cls, split: pd.DataFrame, patients: Mapping[str, str]) -> "LabelNeeds":
        """The needs of a split; ``patients`` maps images to patients and is used only if it has every image."""
        names = tuple(sorted(split["label"].unique()))
        train = split[split["subset"] == "train"].sort_values("rank")
        validation = split[split["subset"] == "validation"]
        fewest = int(train.groupby("fold").size().min())
        known = bool(split["image"].isin(list(patients)).all())
        training, seen, validated = [], [], []
        for fold, images in train.groupby("fold"):
            beside = validation[validation["fold"] == fold]
            first = images.head(fewest)
            training.append(_cumulative(first["label"].to_numpy()[:, None] == np.array(names)))
            validated.append((beside["label"].to_numpy()[:, None] == np.array(names)).sum(axis=0))
            if known:
                seen.append(_patients([patients[i] for i in first["image"]], {patients[i] for i in beside["image"]}))
        by_class = np.mean(validated, axis=0)
        return cls(
            float(by_class.sum()), names, by_class, np.mean(training, axis=0), np.mean(seen, axis=0) if known else None
        )

    def at(self, size: int) -> LabelCounts:
        """The labels of a training size; beyond the images of the study, in its proportions."""
        validation = round(self.validation)
        known = min(size, len(self.training) - 1)
        if not self.classes or not known:
            return LabelCounts(size, validation, {}, None)
        counts = _whole(self.training[known] * size / known + self.by_class, size + validation)
        patients = None
        if self.patients is not None:
            patients = round(float(self.patients[known] * (size + self.validation) / (known + self.validation)))
        return LabelCounts(size, validation, dict(zip(self.classes, counts, strict=True)), patients)


def _cumulative(hits: Values) -> Values:
    """Cumulative sums (n + 1, classes), from zero."""
    return np.vstack([np.zeros((1, hits.shape[1])), np.cumsum(hits, axis=0)])


def _patients(training: list[str], validation: set[str]) -> list[int]:
    """The number of patients of the validation images and the first 0 to n training images."""
    seen, counts = set(validation), [len(validation)]
    for patient in training:
        seen.add(patient)
        counts.append(len(seen))
    return counts


def _whole(shares: Values, total: int) -> list[int]:
    """Whole numbers that sum to ``total`` and are closest to these shares of it (largest remainders)."""
    exact = shares * total / shares.sum()
    counts = np.floor(exact).astype(int)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: total - counts.sum()]] += 1
    return [int(count) for count in counts]
