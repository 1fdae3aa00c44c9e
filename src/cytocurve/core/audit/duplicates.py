"""Images that are in a dataset several times, and what their labels and patients say of them."""

from collections.abc import Iterator

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender
from cytocurve.text import counted


def near_groups(images: pd.DataFrame) -> pd.Series:
    """The group of near-identical pictures of each image of the catalog, called by its first image."""
    return images["near_duplicate_of"].fillna(images["image"])


def identical(images: pd.DataFrame) -> list[Finding]:
    """Groups of byte-identical, pixel-identical and near-identical images of the catalog.

    A group stands in one finding only, the strictest that holds for all of its images: pictures of equal pixels are
    listed as pixel-identical where their files differ.
    """
    bytes_, pixels, near = images["sha256"], images["pixel_sha256"], near_groups(images)
    return [
        _identical("byte-identical", "byte for byte the same file", images, bytes_, None),
        _identical("pixel-identical", "the same picture in files that differ", images, pixels, bytes_),
        _identical("near-identical", "nearly the same picture (turned or mirrored ones too)", images, near, pixels),
    ]


def _identical(name: str, what: str, images: pd.DataFrame, groups: pd.Series, stricter: pd.Series | None) -> Finding:
    names = [members["image"].tolist() for _, members in _several(images, groups, stricter)]
    found: list[Offender] = [{"images": members} for members in names]
    affected = sum(map(len, names))
    sentence = f"{counted(len(found), 'group')} of images, {affected:,} in all, each {what}."
    numbers = {"groups": len(found), "images": affected, "surplus": affected - len(found)}
    return Finding(name, "duplicate", sentence, numbers, found)


def _several(
    images: pd.DataFrame, groups: pd.Series, differing: pd.Series | None = None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Groups of two images or more in which ``differing``, where given, has more than one value."""
    large = groups.groupby(groups).transform("size") > 1
    if differing is not None:
        large &= differing.groupby(groups).transform("nunique") > 1
    yield from images[large].groupby(groups[large], sort=False)


def conflicts(images: pd.DataFrame, labels: str) -> Finding:
    """Identical and near-identical images to which a label version gives different labels."""
    labelled = images[images[labels].notna()]
    found: list[Offender] = [
        {
            "images": members["image"].tolist(),
            "labels": members[labels].tolist(),
            "alike": "same pixels" if members["pixel_sha256"].nunique() == 1 else "near-identical",
        }
        for _, members in _several(labelled, near_groups(labelled), labelled[labels])
    ]
    same = len([offender for offender in found if offender["alike"] == "same pixels"])
    sentence = (
        f"Label version {labels}: {counted(len(found), 'group')} of identical or near-identical images "
        f"{'has' if len(found) == 1 else 'have'} different labels; in {same} of them the pixels are the same."
    )
    return Finding(
        "conflicting-labels", "warning", sentence, {"groups": len(found), "same_pixels": same}, found, labels
    )


def shared_pictures(images: pd.DataFrame) -> Finding | None:
    """The same or near-identical picture under two patients, who may be one; None where no patient is known."""
    known = images[images["patient"].notna()]
    if known.empty:
        return None
    shared = [members for _, members in _several(known, near_groups(known), known["patient"])]
    found: list[Offender] = [
        {"patients": sorted(set(members["patient"])), "images": members["image"].tolist()} for members in shared
    ]
    patients = {patient for members in shared for patient in members["patient"]}
    sentence = (
        f"{counted(len(found), 'picture')} {'stands' if len(found) == 1 else 'stand'} under more than one patient: "
        f"{counted(len(patients), 'patient')} may be fewer people, and a split by patient may tear them apart."
    )
    numbers = {"pictures": len(found), "patients": len(patients)}
    return Finding("picture-of-two-patients", "warning", sentence, numbers, found)
