"""``cytocurve data withdraw``: remove a patient from a dataset, and keep a record of what was removed."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.errors import InputError
from cytocurve.files import sha256, write_text
from cytocurve.stores.dvc import track_data
from cytocurve.study.dataset import WITHDRAWN, dataset_folder, images_below, label_tables, read_catalog, write_labels
from cytocurve.text import check_known

KEPT = ("image", "pixel_sha256", "patient", "fold", "duplicate_of", "near_duplicate_of")
"""Catalog columns kept in the record, besides the labels: enough to leave the other images in their folds."""


@dataclass(frozen=True)
class WithdrawOutcome:
    """What was withdrawn: the patient's images, ``identical`` ones under other names, and when and why.

    ``near_identical_that_stay`` were kept. For a patient who had been withdrawn before, ``already`` is true, and
    ``reason`` and ``date`` are those of the record.
    """

    dataset: str
    patient: str
    reason: str
    date: str
    images: list[str]
    identical: list[str]
    near_identical_that_stay: list[str]
    already: bool

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)


def withdraw(project: ProjectPaths, patient: str, reason: str, dataset: str | None = None) -> WithdrawOutcome:
    """Remove a patient as ``remove_patient`` does, and let DVC track the change."""
    outcome = remove_patient(project, dataset or project.params().dataset, patient, reason, datetime.now(UTC).date())
    track_data(project.root)
    return outcome


def remove_patient(project: ProjectPaths, dataset: str, patient: str, reason: str, today: date) -> WithdrawOutcome:
    """Delete a patient's images and label rows from ``data/<dataset>``, and record them in its ``withdrawn.csv``.

    Pictures with the same pixels under other names are removed too; near-identical ones stay. The record is written
    first: after a kill, the same call finishes what it began. Raises ``InputError`` for an unknown patient, an empty
    reason, or a catalog that does not match the present data.
    """
    folder = dataset_folder(project, dataset, "dataset")
    if not reason.strip():
        raise InputError("--reason: the record of a withdrawal needs a reason")
    tables = _tables(folder)
    begun = _recorded(folder)
    named = {image for image, given in labels.known("patient", tables.values()).items() if given == patient}
    already = not named - set(begun["image"])
    if not already:
        catalog = _catalog(project, folder, named, tables)
        record = _record(catalog, named, [*tables]).assign(reason=" ".join(reason.split()), date=today.isoformat())
        begun = pd.concat([begun, record[~record["image"].isin(begun["image"])]], ignore_index=True)
        write_text(folder / WITHDRAWN, begun.to_csv(index=False, lineterminator="\n"))
    elif not (begun["patient"] == patient).any():
        raise _unknown(patient, tables)
    _remove(folder, set(begun["image"]), tables)
    return _outcome(begun, dataset, patient, already)


def _tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The label tables by version; raises ``InputError`` listing those that cannot be read."""
    tables, wrong = label_tables(folder / "labels", f"data/{folder.name}/labels")
    if wrong:
        raise InputError(
            "These label versions cannot be used:", wrong, next_step="correct them, then rerun this command."
        )
    return {version: table for version, table in tables.items() if table is not None}


def _recorded(folder: Path) -> pd.DataFrame:
    path = folder / WITHDRAWN
    if not path.is_file():
        return pd.DataFrame(columns=[*KEPT, "near"], dtype="str")
    try:
        record = labels.parse(path.read_bytes().decode("utf-8-sig"))
        missing = [column for column in (*KEPT, "near", "reason", "date") if column not in record]
        if missing:
            raise ValueError(f"these columns are missing: {', '.join(missing)}")
    except ValueError as error:
        raise InputError(
            f"data/{folder.name}/{WITHDRAWN}: the record of withdrawals cannot be used: {error}",
            next_step="dvc checkout data restores the recorded version; then rerun this command.",
        ) from error
    return record.mask(record == "")


def _unknown(patient: str, tables: dict[str, pd.DataFrame]) -> InputError:
    known = sorted(set(labels.known("patient", tables.values()).values()))
    return InputError(
        check_known("patient", [patient], known)[0],
        hint=f"Patients: {', '.join(known)}" if known else "No label version of this dataset has patients.",
    )


def _catalog(project: ProjectPaths, folder: Path, named: set[str], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The catalog, if it was made from the dataset's present images and label versions; raises ``InputError``."""
    make = f"dataset: {folder.name} in params.yaml, then dvc repro catalog"
    catalog = read_catalog(project, folder.name, make)
    here, _ = images_below(folder / "images", f"data/{folder.name}/images")
    known = dict(zip(catalog["image"], catalog["sha256"], strict=True))
    lacking = sorted((named | here.keys()) - known.keys())
    lacking += [version for version in tables if version not in catalog]
    changed = sorted(name for name in here.keys() & known.keys() if sha256(here[name]) != known[name])
    lacking += [f"{name}, in its present version" for name in changed]
    if lacking:
        raise InputError(
            f"build/catalog.parquet does not match the present data/{folder.name}; it lacks",
            lacking,
            next_step=f"{make}, then rerun this command",
        )
    return catalog


def _record(catalog: pd.DataFrame, named: set[str], versions: list[str]) -> pd.DataFrame:
    """The record of the images that are removed; ``near`` names a near-identical picture that stays.

    That picture takes over the name of the group, so that the group stays together.
    """
    pixels = catalog.loc[catalog["image"].isin(named), "pixel_sha256"]
    leaves = catalog["pixel_sha256"].isin(pixels)
    group = catalog["near_duplicate_of"].fillna(catalog["image"])
    heirs = catalog[~leaves].groupby(group[~leaves])["image"].first()
    record = catalog.loc[leaves, [*KEPT, *versions]].copy()
    without = {version: record[version].isna() for version in versions}
    record["unlabelled_in"] = [
        " ".join(version for version in versions if without[version][row]) or None for row in record.index
    ]
    record["near"] = group[leaves].map(heirs)
    record["near_duplicate_of"] = record["near"].fillna(record["near_duplicate_of"])
    return record


def _remove(folder: Path, names: set[str], tables: dict[str, pd.DataFrame]) -> None:
    for version, table in tables.items():
        kept = table[~table["image"].isin(names)]
        if len(kept) < len(table):
            write_labels(folder / "labels" / f"{version}.csv", kept)
    for name in sorted(names):
        (folder / "images" / name).unlink(missing_ok=True)


def _outcome(record: pd.DataFrame, dataset: str, patient: str, already: bool) -> WithdrawOutcome:
    own = record[record["patient"] == patient]
    twins = record[record["pixel_sha256"].isin(own["pixel_sha256"]) & (record["patient"] != patient)]
    return WithdrawOutcome(
        dataset=dataset,
        patient=patient,
        reason=own["reason"].iloc[-1],
        date=own["date"].iloc[-1],
        images=own["image"].tolist(),
        identical=twins["image"].tolist(),
        near_identical_that_stay=sorted(own["near"].dropna().unique()),
        already=already,
    )
