"""Checks for images that occur more than once in a dataset, and for their labels and patients."""

from collections.abc import Iterator

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender
from cytocurve.text import counted


def near_groups(images: pd.DataFrame) -> pd.Series:
    """The group of near-identical pictures that each image belongs to, named after the group's first image."""
    return images["near_duplicate_of"].fillna(images["image"])


def identical(images: pd.DataFrame) -> list[Finding]:
    """Groups of byte-identical, pixel-identical and near-identical images of the catalog.

    Each group is reported once, under the strictest criterion that all of its images meet: pictures with equal pixels
    are listed as pixel-identical if their files differ.
    """
    bytes_, pixels, near = images["sha256"], images["pixel_sha256"], near_groups(images)
    return [
        _identical("byte-identical", "are the same file, byte for byte", images, bytes_, None),
        _identical("pixel-identical", "have the same pixels in different files", images, pixels, bytes_),
        _identical("near-identical", "show nearly the same picture, maybe rotated or mirrored", images, near, pixels),
    ]


def _identical(name: str, what: str, images: pd.DataFrame, groups: pd.Series, stricter: pd.Series | None) -> Finding:
    names = [members["image"].tolist() for _, members in _several(images, groups, stricter)]
    offenders: list[Offender] = [{"images": members} for members in names]
    affected = sum(map(len, names))
    sentence = f"{affected:,} images in {counted(len(offenders), 'group')}: the images of a group {what}."
    numbers = {"groups": len(offenders), "images": affected, "surplus": affected - len(offenders)}
    return Finding(name, "duplicate", sentence, numbers, offenders)


def _several(
    images: pd.DataFrame, groups: pd.Series, differing: pd.Series | None = None
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Groups of two or more images in which ``differing``, if given, has more than one value."""
    large = groups.groupby(groups).transform("size") > 1
    if differing is not None:
        large &= differing.groupby(groups).transform("nunique") > 1
    yield from images[large].groupby(groups[large], sort=False)


def conflicts(images: pd.DataFrame, labels: str) -> Finding:
    """Identical and near-identical images to which a label version gives different labels."""
    labeled = images[images[labels].notna()]
    offenders: list[Offender] = [
        {
            "images": members["image"].tolist(),
            "labels": members[labels].tolist(),
            "alike": "same pixels" if members["pixel_sha256"].nunique() == 1 else "near-identical",
        }
        for _, members in _several(labeled, near_groups(labeled), labeled[labels])
    ]
    same = len([offender for offender in offenders if offender["alike"] == "same pixels"])
    sentence = (
        f"Label version {labels}: {counted(len(offenders), 'group')} of identical or near-identical images "
        f"{'has' if len(offenders) == 1 else 'have'} different labels; in {same} of them, the pixels are equal."
    )
    numbers = {"groups": len(offenders), "same_pixels": same}
    return Finding("conflicting-labels", "warning", sentence, numbers, offenders, labels)


def shared_pictures(images: pd.DataFrame) -> Finding | None:
    """The same or near-identical picture under two patients, who may be one person; None if no patient is known."""
    known = images[images["patient"].notna()]
    if known.empty:
        return None
    shared = [members for _, members in _several(known, near_groups(known), known["patient"])]
    offenders: list[Offender] = [
        {"patients": sorted(set(members["patient"])), "images": members["image"].tolist()} for members in shared
    ]
    patients = {patient for members in shared for patient in members["patient"]}
    sentence = (
        f"{counted(len(offenders), 'picture')} {'belongs' if len(offenders) == 1 else 'belong'} to more than one "
        f"patient: some of these {counted(len(patients), 'patient')} may be the same person, and a split by patient "
        "may separate them."
    )
    numbers = {"pictures": len(offenders), "patients": len(patients)}
    return Finding("picture-of-two-patients", "warning", sentence, numbers, offenders)
