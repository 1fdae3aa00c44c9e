"""Classes and patients: classes too small for the folds, patients that give the class away, unknown patients."""

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender, share
from cytocurve.text import counted


def members(split: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The images of a split, each once, with their ``class`` by name and all columns of the catalog."""
    named = split.drop_duplicates("image")[["image", "label"]].rename(columns={"label": "class"})
    columns = images.columns.difference(["class"])
    return named.merge(images[columns], on="image", validate="one_to_one").sort_values("image", ignore_index=True)


def small_classes(given: pd.DataFrame, folds: int, labels: str) -> Finding:
    """Classes of the task with fewer images, or fewer patients where all are known, than folds."""
    counts = given.groupby("class").agg(images=("image", "size"), patients=("patient", "nunique"))
    few = counts["images"] < folds
    if given["patient"].notna().all():
        few |= counts["patients"] < folds
    found: list[Offender] = [
        {"class": str(name), "images": int(row["images"]), "patients": int(row["patients"])}
        for name, row in counts[few].iterrows()
    ]
    sentence = (
        f"Label version {labels}: {counted(len(found), 'class', 'classes')} of the task "
        f"{'has' if len(found) == 1 else 'have'} fewer images or patients than the {folds} folds, so that some test "
        "folds lack the class or one patient speaks for it."
    )
    numbers = {"classes": len(found), "of": len(counts), "folds": folds}
    return Finding("small-classes", "warning", sentence, numbers, found, labels)


def one_class_patients(given: pd.DataFrame, labels: str) -> Finding | None:
    """Patients all of whose images, two or more, carry one class: what a network knows of them gives the class away.

    None where no patient is known. Patients with one image are left out, since that carries one class in any case.
    """
    known = given[given["patient"].notna()]
    if known.empty:
        return None
    patients = known.groupby("patient").agg(
        images=("image", "size"), classes=("class", "nunique"), first=("class", "first")
    )
    several = patients[patients["images"] > 1]
    alike = several[several["classes"] == 1]
    found: list[Offender] = [
        {"patient": str(name), "class": str(row["first"]), "images": int(row["images"])}
        for name, row in alike.iterrows()
    ]
    sentence = (
        f"Label version {labels}: {len(alike):,} of {counted(len(several), 'patient')} with several images "
        f"{'carries' if len(alike) == 1 else 'carry'} one class only, so that the class may be learnt from the patient."
    )
    numbers = {
        "patients": len(alike),
        "of": len(several),
        "share": share(len(alike), len(several)),
        "images": int(alike["images"].sum()),
        "share_of_images": share(alike["images"].sum(), len(given)),
        "patients_with_one_image": len(patients) - len(several),
    }
    return Finding("one-class-patients", "warning", sentence, numbers, found, labels)


def without_patient(images: pd.DataFrame) -> Finding:
    """Images of the catalog whose patient is not known."""
    unknown = images.loc[images["patient"].isna(), "image"]
    sentence = (
        f"The patient of {len(unknown):,} of {counted(len(images), 'image')} is not known: whether the cells of one "
        "patient stand in training and test cannot be checked for them."
    )
    numbers = {"images": len(unknown), "of": len(images), "share": share(len(unknown), len(images))}
    return Finding("without-patient", "warning", sentence, numbers, [{"image": image} for image in unknown])


def withdrawn(catalog: pd.DataFrame) -> Finding:
    """Records of the catalog that were taken out of the dataset, the reasons, and the same pictures that stayed."""
    gone, there = (catalog[catalog["withdrawn"].notna() == out] for out in (True, False))
    stayed = there[there["pixel_sha256"].isin(gone["pixel_sha256"])]
    same = stayed.groupby("pixel_sha256")["image"].apply(list).to_dict()
    found: list[Offender] = [
        {"image": image, "reason": str(reason)} | ({"still there as": same[pixels]} if pixels in same else {})
        for image, reason, pixels in zip(gone["image"], gone["withdrawn"], gone["pixel_sha256"], strict=True)
    ]
    sentence = f"{counted(len(gone), 'record')} withdrawn; no split holds {'it' if len(gone) == 1 else 'them'}." + (
        f" But {counted(len(stayed), 'image')} of the same pixels stayed." if len(stayed) else ""
    )
    numbers = {"records": len(gone), "still_there": len(stayed)}
    return Finding("withdrawn", "warning" if len(stayed) else "note", sentence, numbers, found)
