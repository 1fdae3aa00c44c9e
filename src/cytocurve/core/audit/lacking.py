"""Official folds that lack a class in their test, validation or training images."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender
from cytocurve.core.data.assignment import OFFICIAL
from cytocurve.text import counted, first_few

SUBSETS = ("test", "validation", "train")

SHOWN = 10
"""Number of folds that a sentence names."""


@dataclass(frozen=True)
class LackingFold:
    """A fold whose images of a subset lack classes; ``fold`` is its official name."""

    fold: str
    subset: str
    classes: tuple[str, ...]

    @property
    def described(self) -> str:
        """The fold and what it lacks, in words."""
        return f"{self.fold}: no {', no '.join(self.classes)}"


def lacking(split: pd.DataFrame) -> list[LackingFold]:
    """The official folds that lack a class, by subset and name; none for folds that were drawn."""
    if OFFICIAL not in split:
        return []
    names = sorted(split["label"].unique())
    found = split.groupby(["subset", OFFICIAL])["label"].unique()
    return [
        LackingFold(str(fold), subset, tuple(name for name in names if name not in found.loc[(subset, fold)]))
        for subset in SUBSETS
        for fold in sorted(split[OFFICIAL].unique())
        if (subset, fold) in found.index and len(found.loc[(subset, fold)]) < len(names)
    ]


def finding(found: Sequence[LackingFold], folds: int, binary: bool, labels: str) -> Finding:
    """The official folds that lack a class, and what that does to their scores."""
    offenders: list[Offender] = [
        {"fold": fold.fold, "images": fold.subset, "without": list(fold.classes)} for fold in found
    ]
    by_subset = {subset: [fold for fold in found if fold.subset == subset] for subset in SUBSETS}
    scores = (
        "there, ROC-AUC and other scores that need both classes are undefined, left out of the means, and counted"
        if binary
        else "there, averages over classes cover the other classes only"
    )
    stopping = "there, early stopping does not see the class"
    learning = "their networks cannot learn it, so their scores say nothing about a study with that class"
    meanings = {"test": scores, "validation": stopping, "train": learning}
    parts = [
        f"{counted(len(there), 'official fold')} of {folds} without {_images(subset)} images of a class "
        f"({first_few([fold.described for fold in there], SHOWN)}): {meanings[subset]}"
        for subset, there in by_subset.items()
        if there
    ]
    sentence = f"Label version {labels}: {'. '.join(parts)}."
    numbers = {subset: len(there) for subset, there in by_subset.items()}
    return Finding("folds-without-class", "warning", sentence, numbers, offenders, labels)


def _images(subset: str) -> str:
    return "training" if subset == "train" else subset
