"""Images that cannot judge a model, because it has seen them, their like, or others of their patient."""

import pandas as pd

SAME, ALIKE, PATIENT = "same pixels", "nearly the same picture", "same patient"
"""In this order: an image has the first of these that applies."""


def overlap(images: pd.DataFrame, seen: pd.DataFrame, same_dataset: bool) -> dict[str, tuple[str, str]]:
    """For each of the images that overlaps with those seen: the reason, and the image or patient seen.

    Both tables have ``image``, ``pixel_sha256``, ``like`` (a name that near-identical pictures of both tables share)
    and ``patient``, None if unknown. Patients are compared within a dataset only: elsewhere, the same number may be
    another person.
    """
    found: dict[str, tuple[str, str]] = {}
    columns = {SAME: "pixel_sha256", ALIKE: "like"} | ({PATIENT: "patient"} if same_dataset else {})
    for reason, column in columns.items():
        known = seen.dropna(subset=[column]).drop_duplicates(column).set_index(column)["image"]
        for image, value in zip(images["image"], images[column], strict=True):
            if image not in found and value in known.index:
                found[image] = (reason, str(value) if reason == PATIENT else str(known[value]))
    return found
