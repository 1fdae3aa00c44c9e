"""``cytocurve data withdraw``: remove a patient from a dataset, and record what was removed."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.core.data.spelling import same_form
from cytocurve.errors import InputError
from cytocurve.files import exclusive, sha256, write_text
from cytocurve.stores.dvc import track_data
from cytocurve.study.dataset import WITHDRAWN, dataset_folder, images_below, label_tables, read_catalog, write_labels
from cytocurve.text import check_known, some
from cytocurve.training.preparation import drop_prepared

KEPT = ("image", "pixel_sha256", "patient", "fold", "duplicate_of", "near_duplicate_of")
"""Catalog columns kept in the record besides the labels, so that the other images stay in their folds."""


@dataclass(frozen=True)
class WithdrawOutcome:
    """The withdrawn images of a patient, ``identical`` ones under other names, and the date and reason.

    ``near_identical_that_stay`` were kept. If the patient had already been withdrawn, ``already`` is true, and
    ``reason`` and ``date`` come from the record; ``not_recorded`` is a reason that was stated now and differs.
    """

    dataset: str
    patient: str
    reason: str
    date: str
    images: list[str]
    identical: list[str]
    near_identical_that_stay: list[str]
    already: bool
    not_recorded: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)


def withdraw(project: ProjectPaths, patient: str, reason: str, dataset: str | None = None) -> WithdrawOutcome:
    """Remove a patient with ``remove_patient`` and track the change with DVC."""
    dataset = project.params().dataset if dataset is None else dataset
    outcome = remove_patient(project, dataset, patient, reason, datetime.now(UTC).date())
    track_data(project)
    return outcome


def remove_patient(project: ProjectPaths, dataset: str, patient: str, reason: str, today: date) -> WithdrawOutcome:
    """Delete a patient's images and label rows from ``data/<dataset>``, and record them in its ``withdrawn.csv``.

    Images with the same pixels under other names are removed too; near-identical ones are kept. The record is written
    first, so that rerunning an interrupted call completes it. Raises ``InputError`` for an unknown patient, an empty
    reason, or a catalog that does not match the current data.
    """
    folder = dataset_folder(project, dataset, "dataset")
    if not reason.strip():
        raise InputError("--reason: must not be blank")
    with exclusive(project.files_lock):  # a second withdrawal must see the record of the first
        return _remove_patient(project, folder, same_form(patient), " ".join(reason.split()), today)


def _remove_patient(project: ProjectPaths, folder: Path, patient: str, reason: str, today: date) -> WithdrawOutcome:
    images, _ = images_below(folder / "images", f"data/{folder.name}/images")
    tables = _tables(folder, images)
    record = _recorded(folder, images)
    named = {image for image, owner in labels.known("patient", tables.values()).items() if owner == patient}
    already = not named - set(record["image"])
    if not already:
        catalog = _catalog(project, folder, named, tables, images)
        new = _record(catalog, named, [*tables]).assign(reason=reason, date=today.isoformat())
        record = pd.concat([record, new[~new["image"].isin(record["image"])]], ignore_index=True)
        write_text(folder / WITHDRAWN, record.to_csv(index=False, lineterminator="\n"))
    elif not (record["patient"] == patient).any():
        raise _unknown(patient, tables)
    _remove(folder, set(record["image"]), tables)
    for folder in (project.pixels, project.features):  # the next sweep rebuilds them without these images
        drop_prepared(folder)
    return _outcome(record, folder.name, patient, already, reason)


def _tables(folder: Path, images: Collection[str]) -> dict[str, pd.DataFrame]:
    """The label tables by version; raises ``InputError`` listing those that cannot be read."""
    tables, wrong = label_tables(folder / "labels", f"data/{folder.name}/labels", images)
    if wrong:
        raise InputError(
            "These label versions cannot be used:", wrong, next_step="correct them, then rerun this command"
        )
    return {version: table for version, table in tables.items() if table is not None}


def _recorded(folder: Path, images: Collection[str]) -> pd.DataFrame:
    path = folder / WITHDRAWN
    if not path.is_file():
        return pd.DataFrame(columns=[*KEPT, "near"], dtype="str")
    try:
        record = labels.aligned(labels.parse(path.read_bytes().decode("utf-8-sig")), images)
        missing = [column for column in (*KEPT, "near", "reason", "date") if column not in record]
        if missing:
            raise ValueError(f"these columns are missing: {', '.join(missing)}")
    except ValueError as error:
        raise InputError(
            f"data/{folder.name}/{WITHDRAWN}: this record of withdrawals cannot be used: {error}",
            next_step="restore the recorded version with dvc checkout data, then rerun this command",
        ) from error
    return record.mask(record == "")


def _unknown(patient: str, tables: dict[str, pd.DataFrame]) -> InputError:
    known = sorted(set(labels.known("patient", tables.values()).values()))
    return InputError(
        check_known("patient", [patient], known)[0],
        hint=f"Patients: {some(known)}" if known else "No label version of this dataset has patients.",
    )


def _catalog(
    project: ProjectPaths,
    folder: Path,
    named: set[str],
    tables: Mapping[str, pd.DataFrame],
    here: Mapping[str, Path],
) -> pd.DataFrame:
    """The catalog, if it matches the dataset's current images and label versions; raises ``InputError`` otherwise."""
    make_catalog = f"dataset: {folder.name} in params.yaml, then dvc repro catalog"
    catalog = read_catalog(project, folder.name, make_catalog)
    known = dict(zip(catalog["image"], catalog["sha256"], strict=True))
    lacking = sorted((named | here.keys()) - known.keys())
    lacking += [version for version in tables if version not in catalog]
    changed = sorted(name for name in here.keys() & known.keys() if sha256(here[name]) != known[name])
    lacking += [f"{name}, in its current version" for name in changed]
    if lacking:
        raise InputError(
            f"build/catalog.parquet does not match the current data/{folder.name}; it lacks",
            lacking,
            next_step=f"{make_catalog}, then rerun this command",
        )
    return catalog


def _record(catalog: pd.DataFrame, named: set[str], versions: list[str]) -> pd.DataFrame:
    """The record of the removed images; ``near`` names a near-identical image that is kept.

    The group is renamed to that image, so that it stays together.
    """
    pixels = catalog.loc[catalog["image"].isin(named), "pixel_sha256"]
    removed = catalog["pixel_sha256"].isin(pixels)
    group = catalog["near_duplicate_of"].fillna(catalog["image"])
    new_names = catalog[~removed].groupby(group[~removed])["image"].first()
    record = catalog.loc[removed, [*KEPT, *versions]].copy()
    unlabeled = {version: record[version].isna() for version in versions}
    record["unlabelled_in"] = [
        " ".join(version for version in versions if unlabeled[version][row]) or None for row in record.index
    ]
    record["near"] = group[removed].map(new_names)
    record["near_duplicate_of"] = record["near"].fillna(record["near_duplicate_of"])
    return record


def _remove(folder: Path, names: set[str], tables: dict[str, pd.DataFrame]) -> None:
    for version, table in tables.items():
        kept = table[~table["image"].isin(names)]
        if len(kept) < len(table):
            write_labels(folder / "labels" / f"{version}.csv", kept)
    for name in sorted(names):
        (folder / "images" / name).unlink(missing_ok=True)


def _outcome(record: pd.DataFrame, dataset: str, patient: str, already: bool, stated: str) -> WithdrawOutcome:
    own = record[record["patient"] == patient]
    reason = own["reason"].iloc[-1]
    twins = record[record["pixel_sha256"].isin(own["pixel_sha256"]) & (record["patient"] != patient)]
    return WithdrawOutcome(
        dataset=dataset,
        patient=patient,
        reason=reason,
        date=own["date"].iloc[-1],
        images=own["image"].tolist(),
        identical=twins["image"].tolist(),
        near_identical_that_stay=sorted(own["near"].dropna().unique()),
        already=already,
        not_recorded=stated if stated != reason else None,
    )
