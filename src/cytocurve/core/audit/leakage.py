"""Leakage: a patient or a picture on more than one side of a fold, in the study's folds and in a dataset's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytocurve.core.audit.duplicates import near_groups
from cytocurve.core.audit.finding import Finding, Offender, Severity, share
from cytocurve.text import counted

SUBSETS = ("train", "validation", "test")

EXAMPLES = 3
"""Images that are named for each side of a torn patient or picture."""


@dataclass(frozen=True)
class Grouping:
    """What must not be torn: ``of`` maps an image's name to its group, which is called ``one``, several ``many``."""

    name: str
    one: str
    many: str
    of: pd.Series


def groupings(images: pd.DataFrame) -> Iterator[Grouping]:
    """Patients, where any is known, pictures, and near-identical pictures that differ, of the catalog's images."""
    by_name = images.set_index("image", drop=False)
    if by_name["patient"].notna().any():
        yield Grouping("patient", "patient", "patients", by_name["patient"].dropna())
    yield Grouping("picture", "picture", "pictures", by_name["pixel_sha256"])
    near = near_groups(by_name)
    differ = by_name["pixel_sha256"].groupby(near).transform("nunique") > 1
    yield Grouping(
        "near-identical", "group of near-identical pictures", "groups of near-identical pictures", near[differ]
    )


def across_subsets(split: pd.DataFrame, grouping: Grouping, labels: str) -> Finding:
    """Groups on more than one side (training, validation, test) of any fold of a split.

    Training means all images that a fold leaves to train, whatever the training sizes take of them. The number
    ``test_images`` counts test images whose group may also be trained on, over all folds.
    """
    rows = split.assign(group=split["image"].map(grouping.of)).dropna(subset="group")
    counts = rows.groupby(["group", "fold", "subset"]).size().unstack(fill_value=0)
    sides = counts.reindex(columns=list(SUBSETS), fill_value=0)
    torn = sides[(sides > 0).sum(axis=1) > 1]
    tested = int((split["subset"] == "test").sum())
    exposed = int(torn.loc[torn["train"] > 0, "test"].sum())
    folds: dict[str, list[int]] = {}
    for group, fold in torn.index:
        folds.setdefault(group, []).append(int(fold))
    sentence = (
        f"Label version {labels}: {counted(len(folds), grouping.one, grouping.many)} "
        f"{'stands' if len(folds) == 1 else 'stand'} on more than one side (training, validation, test) of a fold; "
        f"{exposed:,} of {counted(tested, 'test image')} may be affected by training."
    )
    numbers = {
        "groups": len(folds),
        "folds": len({fold for given in folds.values() for fold in given}),
        "test_images": exposed,
        "test_share": share(exposed, tested),
    }
    offenders = list(_torn(rows, torn, folds, grouping))
    return Finding(f"{grouping.name}-leak", "leakage", sentence, numbers, offenders, labels)


def _torn(
    rows: pd.DataFrame, torn: pd.DataFrame, folds: dict[str, list[int]], grouping: Grouping
) -> Iterator[Offender]:
    """Each torn group, the folds that tear it, and examples by name from the first that trains and tests on it."""
    both = torn[(torn["train"] > 0) & (torn["test"] > 0)]
    shown = {group: where[0] for group, where in folds.items()}
    shown |= {group: int(fold) for group, fold in reversed(both.index.tolist())}
    examples = rows[rows["fold"] == rows["group"].map(shown)].groupby(["group", "subset"])["image"]
    named = {key: images.tolist()[:EXAMPLES] for key, images in examples}
    for group, where in folds.items():
        offender: dict[str, Any] = {"patient": group} if grouping.name == "patient" else {}
        sides = {subset: named[group, subset] for subset in SUBSETS if (group, subset) in named}
        yield offender | {"folds": where, "example_fold": shown[group]} | sides


def across_official_folds(images: pd.DataFrame, grouping: Grouping, used: bool) -> Finding:
    """Groups with images in several of the dataset's own folds: leakage where the study uses these, else a warning."""
    rows = images.assign(group=images["image"].map(grouping.of)).dropna(subset=["group", "fold"])
    torn = rows[rows.groupby("group")["fold"].transform("nunique") > 1]
    offenders = list(_official(torn, grouping))
    severity: Severity = "leakage" if used else "warning"
    sentence = (
        f"The dataset's own folds leak: {counted(len(offenders), grouping.one, grouping.many)} "
        f"{'stands' if len(offenders) == 1 else 'stand'} in more than one of them, with {counted(len(torn), 'image')}"
        + ("." if used else "; this study draws its own folds.")
    )
    numbers = {"groups": len(offenders), "images": len(torn), "share": share(len(torn), len(rows))}
    return Finding(f"official-folds-{grouping.name}-leak", severity, sentence, numbers, offenders)


def _official(torn: pd.DataFrame, grouping: Grouping) -> Iterator[Offender]:
    for group, members in torn.groupby("group"):
        examples = members.groupby("fold", sort=False).head(EXAMPLES) if grouping.name == "patient" else members
        named = {"patient": str(group)} if grouping.name == "patient" else {}
        yield named | {"folds": sorted(set(members["fold"])), "images": examples["image"].tolist()}
