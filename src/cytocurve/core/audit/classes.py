"""Checks of classes and patients: classes too small for the folds, single-class patients, unknown patients."""

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender, share
from cytocurve.text import counted


def members(split: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The distinct images of a split, with their ``class`` name and all columns of the catalog."""
    named = split.drop_duplicates("image")[["image", "label"]].rename(columns={"label": "class"})
    columns = images.columns.difference(["class"])
    return named.merge(images[columns], on="image", validate="one_to_one").sort_values("image", ignore_index=True)


def small_classes(given: pd.DataFrame, folds: int, labels: str) -> Finding:
    """Classes of the task with fewer images than folds, or, if all patients are known, fewer patients than folds."""
    counts = given.groupby("class").agg(images=("image", "size"), patients=("patient", "nunique"))
    few = counts["images"] < folds
    if given["patient"].notna().all():
        few |= counts["patients"] < folds
    offenders: list[Offender] = [
        {"class": str(name), "images": int(row["images"]), "patients": int(row["patients"])}
        for name, row in counts[few].iterrows()
    ]
    sentence = (
        f"Label version {labels}: {counted(len(offenders), 'class', 'classes')} of the task "
        f"{'has' if len(offenders) == 1 else 'have'} fewer images or patients than there are folds ({folds}), so some "
        "test folds lack the class or represent it by a single patient."
    )
    numbers = {"classes": len(offenders), "of": len(counts), "folds": folds}
    return Finding("small-classes", "warning", sentence, numbers, offenders, labels)


def one_class_patients(given: pd.DataFrame, labels: str) -> Finding | None:
    """Patients with several images, all of one class: recognizing the patient is enough to predict the class.

    None if no patient is known. Patients with a single image trivially have one class and are excluded.
    """
    known = given[given["patient"].notna()]
    if known.empty:
        return None
    patients = known.groupby("patient").agg(
        images=("image", "size"), classes=("class", "nunique"), first=("class", "first")
    )
    several = patients[patients["images"] > 1]
    one_class = several[several["classes"] == 1]
    offenders: list[Offender] = [
        {"patient": str(name), "class": str(row["first"]), "images": int(row["images"])}
        for name, row in one_class.iterrows()
    ]
    sentence = (
        f"Label version {labels}: {len(one_class):,} of {counted(len(several), 'patient')} with several images "
        f"{'has' if len(one_class) == 1 else 'have'} images of only one class, so a network may learn to recognize "
        "the patient instead of the class."
    )
    numbers = {
        "patients": len(one_class),
        "of": len(several),
        "share": share(len(one_class), len(several)),
        "images": int(one_class["images"].sum()),
        "share_of_images": share(one_class["images"].sum(), len(given)),
        "patients_with_one_image": len(patients) - len(several),
    }
    return Finding("one-class-patients", "warning", sentence, numbers, offenders, labels)


def without_patient(images: pd.DataFrame) -> Finding:
    """Images of the catalog whose patient is unknown."""
    unknown = images.loc[images["patient"].isna(), "image"]
    sentence = (
        f"The patient is unknown for {len(unknown):,} of {counted(len(images), 'image')}, so it cannot be checked "
        "whether they share a patient across training and test."
    )
    numbers = {"images": len(unknown), "of": len(images), "share": share(len(unknown), len(images))}
    return Finding("without-patient", "warning", sentence, numbers, [{"image": image} for image in unknown])


def withdrawn(catalog: pd.DataFrame) -> Finding:
    """Records withdrawn from the dataset, the reasons, and remaining images with the same pixels."""
    gone, kept = (catalog[catalog["withdrawn"].notna() == out] for out in (True, False))
    copies = kept[kept["pixel_sha256"].isin(gone["pixel_sha256"])]
    same = copies.groupby("pixel_sha256")["image"].apply(list).to_dict()
    offenders: list[Offender] = [
        {"image": image, "reason": str(reason)} | ({"still there as": same[pixels]} if pixels in same else {})
        for image, reason, pixels in zip(gone["image"], gone["withdrawn"], gone["pixel_sha256"], strict=True)
    ]
    sentence = f"{counted(len(gone), 'record')} withdrawn; no split contains {'it' if len(gone) == 1 else 'them'}." + (
        f" However, {counted(len(copies), 'image')} with the same pixels "
        f"{'remains' if len(copies) == 1 else 'remain'} in the dataset."
        if len(copies)
        else ""
    )
    numbers = {"records": len(gone), "still_there": len(copies)}
    return Finding("withdrawn", "warning" if len(copies) else "note", sentence, numbers, offenders)
