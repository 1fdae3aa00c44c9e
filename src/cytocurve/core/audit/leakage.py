"""Leakage: patients or pictures on more than one side of a fold, in the study's folds or in the dataset's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytocurve.core.audit.duplicates import near_groups
from cytocurve.core.audit.finding import Finding, Offender, Severity, share
from cytocurve.core.data.spelling import canonical, spellings
from cytocurve.text import counted

SUBSETS = ("train", "validation", "test")

EXAMPLES = 3
"""Example images listed per side for each patient or picture that is split."""


@dataclass(frozen=True)
class Grouping:
    """Images that must stay on one side: ``group_of`` maps image names to groups; ``one`` and ``many`` are the noun."""

    name: str
    one: str
    many: str
    group_of: pd.Series


def groupings(images: pd.DataFrame) -> Iterator[Grouping]:
    """Groupings of the catalog's images: by patient (if any is known), by picture, and by near-identical picture."""
    by_name = images.set_index("image", drop=False)
    if by_name["patient"].notna().any():
        patients = by_name["patient"].dropna()
        yield Grouping("patient", "patient", "patients", patients)
        if spellings(patients.unique()):
            one, many = "patient in several spellings", "patients in several spellings"
            several = {name for group in spellings(patients.unique()) for name in group}
            yield Grouping("patient-spelling", one, many, patients[patients.isin(several)].map(canonical))
    yield Grouping("picture", "picture", "pictures", by_name["pixel_sha256"])
    near = near_groups(by_name)
    differ = by_name["pixel_sha256"].groupby(near).transform("nunique") > 1
    yield Grouping(
        "near-identical", "group of near-identical pictures", "groups of near-identical pictures", near[differ]
    )


def across_subsets(split: pd.DataFrame, grouping: Grouping, labels: str) -> Finding:
    """Groups on more than one side (training, validation, test) of any fold of a split.

    The training side is all images that a fold leaves for training, whether or not a training size uses them.
    ``test_images`` counts the test images, over all folds, whose group may also be trained on.
    """
    rows = split.assign(group=split["image"].map(grouping.group_of)).dropna(subset="group")
    counts = rows.groupby(["group", "fold", "subset"]).size().unstack(fill_value=0)
    sides = counts.reindex(columns=list(SUBSETS), fill_value=0)
    divided = sides[(sides > 0).sum(axis=1) > 1]
    tested = int((split["subset"] == "test").sum())
    exposed = int(divided.loc[divided["train"] > 0, "test"].sum())
    folds: dict[str, list[int]] = {}
    for group, fold in divided.index:
        folds.setdefault(group, []).append(int(fold))
    sentence = (
        f"Label version {labels}: {counted(len(folds), grouping.one, grouping.many)} "
        f"{'is' if len(folds) == 1 else 'are'} on more than one side (training, validation, test) of a fold; "
        f"{exposed:,} of {counted(tested, 'test image')} may also be represented in the training data."
    )
    numbers = {
        "groups": len(folds),
        "folds": len({fold for affected in folds.values() for fold in affected}),
        "test_images": exposed,
        "test_share": share(exposed, tested),
    }
    offenders = list(_divided(rows, divided, folds, grouping))
    return Finding(f"{grouping.name}-leak", "leakage", sentence, numbers, offenders, labels)


def _divided(
    rows: pd.DataFrame, divided: pd.DataFrame, folds: dict[str, list[int]], grouping: Grouping
) -> Iterator[Offender]:
    """Each split group, the affected folds, and example images from the first that trains and tests on the group."""
    both = divided[(divided["train"] > 0) & (divided["test"] > 0)]
    shown = {group: where[0] for group, where in folds.items()}
    shown |= {group: int(fold) for group, fold in reversed(both.index.tolist())}
    examples = rows[rows["fold"] == rows["group"].map(shown)].groupby(["group", "subset"])["image"]
    named = {key: images.tolist()[:EXAMPLES] for key, images in examples}
    for group, where in folds.items():
        offender: dict[str, Any] = {"patient": group} if grouping.name == "patient" else {}
        sides = {subset: named[group, subset] for subset in SUBSETS if (group, subset) in named}
        yield offender | {"folds": where, "example_fold": shown[group]} | sides


def across_official_folds(images: pd.DataFrame, grouping: Grouping, used: bool) -> Finding:
    """Groups with images in several of the dataset's own folds: leakage if the study uses those, else a warning."""
    rows = images.assign(group=images["image"].map(grouping.group_of)).dropna(subset=["group", "fold"])
    divided = rows[rows.groupby("group")["fold"].transform("nunique") > 1]
    offenders = list(_official(divided, grouping))
    severity: Severity = "leakage" if used else "warning"
    sentence = (
        f"The dataset's own folds leak: {counted(len(offenders), grouping.one, grouping.many)} "
        f"{'is' if len(offenders) == 1 else 'are'} in more than one of them, with {counted(len(divided), 'image')}"
        + ("." if used else "; this study does not use them.")
    )
    numbers = {"groups": len(offenders), "images": len(divided), "share": share(len(divided), len(rows))}
    return Finding(f"official-folds-{grouping.name}-leak", severity, sentence, numbers, offenders)


def _official(divided: pd.DataFrame, grouping: Grouping) -> Iterator[Offender]:
    for group, members in divided.groupby("group"):
        examples = members.groupby("fold", sort=False).head(EXAMPLES) if grouping.name == "patient" else members
        named = {"patient": str(group)} if grouping.name == "patient" else {}
        yield named | {"folds": sorted(set(members["fold"])), "images": examples["image"].tolist()}
