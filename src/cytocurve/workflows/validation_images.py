"""Which images of a dataset can judge a registered model, and why the others cannot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.answers import LeftOut
from cytocurve.core.data import labels as label_tables
from cytocurve.core.data.mapping import classes_of
from cytocurve.core.data.overlap import ALIKE, PATIENT, SAME, overlap
from cytocurve.core.data.similarity import first_of_group, near_identical
from cytocurve.core.data.spelling import canonical
from cytocurve.errors import InputError
from cytocurve.ingest.fingerprints import Fingerprint
from cytocurve.progress import Observer
from cytocurve.stores.ledger import Ledger
from cytocurve.stores.tracking.registry import Version
from cytocurve.study.dataset import dataset_folder, images_below, label_files, read_catalog
from cytocurve.study.looks import SHORT
from cytocurve.text import check_known, counted
from cytocurve.workflows.stages.catalog import fingerprints

SEEN = {
    SAME: "with the same pixels as an image that the model has seen",
    ALIKE: "with nearly the same picture as one that the model has seen",
    PATIENT: "of a patient whose images the model has seen",
}
LOCKED = "locked away as holdout, or like an image or of a patient of it"


@dataclass(frozen=True)
class Request:
    """The images to judge a version by: those of a dataset by a label version, or, of the study's, the ``held`` ones.

    ``held`` are the images of the study's present holdout, ``locked`` the shortened identities of those that the
    version's own study had locked away; ``labels`` is None for the only label version, or the model's.
    """

    version: Version
    classes: tuple[str, ...]
    dataset: str
    labels: str | None
    held: frozenset[str]
    locked: frozenset[str]
    holdout: bool


@dataclass(frozen=True)
class Chosen:
    """The images to score, ``image, label, class, patient, pixel_sha256``, their files, and those left out."""

    table: pd.DataFrame
    files: Mapping[str, Path]
    labels: str
    left_out: tuple[LeftOut, ...]


def chosen_images(project: ProjectPaths, params: Params, wanted: Request, ledger: Ledger, observer: Observer) -> Chosen:
    """The images that can judge the version; raises ``InputError`` if they cannot be read, or none or few are left."""
    catalog = read_catalog(project)
    seen = _seen(ledger, catalog, wanted.version)
    table, files, labels = _labeled(project, wanted)
    if wanted.holdout:
        table = table[table["image"].isin(wanted.held)]
    left_out: list[LeftOut] = []
    table = _without(table, table["label"].isna(), "without a label", left_out)
    class_of = classes_of(table["label"].unique(), wanted.classes, params.task, params.rare)
    for label in sorted(set(table["label"]) - set(class_of)):
        table = _without(table, table["label"] == label, f"labeled {label!r}, which is no class of the task", left_out)
    table = table.assign(**{"class": table["label"].map(class_of)})
    _check_rest(table, wanted, labels, left_out)
    own = params.dataset == wanted.dataset
    prints = _prints(files, table["image"], wanted.dataset, observer)
    table = table.assign(pixel_sha256=[prints[image].pixel_sha256 for image in table["image"]])
    known = pd.concat([seen, _locked(catalog, wanted).assign(held=True)])
    table = _alike_in_catalog(table, catalog) if own else table
    if not own:
        table, known = _alike_by_eye(project, params.dataset, table, known, prints, observer)
    first = table.groupby("pixel_sha256")["image"].transform("first")
    twins = dict(zip(table["image"], first, strict=True))
    table = _without(
        table, table["image"] != first, "with the same pixels as another image of the dataset", left_out, twins
    )
    for of_holdout in (False, True) if not wanted.holdout else (False,):
        rows = known[known["held"] == of_holdout]
        found = overlap(table, rows, own)
        for kind, reason in SEEN.items():
            its = {image: other for image, (why, other) in found.items() if why == kind}
            table = _without(table, table["image"].isin(its), LOCKED if of_holdout else reason, left_out, its)
    if not wanted.holdout:  # of those that have left the dataset, only the identities are known
        table = _without(table, table["pixel_sha256"].str[:SHORT].isin(wanted.locked), LOCKED, left_out)
    _check_rest(table, wanted, labels, left_out)
    columns = ["image", "label", "class", "patient", "pixel_sha256"]
    return Chosen(table[columns].reset_index(drop=True), files, labels, tuple(left_out))


def _without(
    table: pd.DataFrame,
    gone: "pd.Series[bool]",
    reason: str,
    left_out: list[LeftOut],
    details: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The other rows; those that are gone are added to ``left_out``."""
    if gone.any():
        images = table.loc[gone, "image"]
        left_out.append(LeftOut(reason, {image: (details or {}).get(image, "") for image in images}))
    return table[~gone]


def _check_rest(table: pd.DataFrame, wanted: Request, labels: str, left_out: Sequence[LeftOut]) -> None:
    """Raise ``InputError`` unless images of two classes are left."""
    counts = table["class"].value_counts() if "class" in table else pd.Series(dtype=int)
    if len(counts) >= 2:
        return
    what = "the holdout" if wanted.holdout else f"data/{wanted.dataset}"
    raise InputError(
        f"{what} has images of fewer than two classes that can judge {wanted.version.name}, version "
        f"{wanted.version.number}, by label version {labels!r}:",
        [
            *(f"class {name}: {counted(int(counts.get(name, 0)), 'image')}" for name in wanted.classes),
            *(f"left out: {counted(len(its.images), 'image')} {its.reason}" for its in left_out),
        ],
        next_step="validate on images of other patients, with labels that the task has",
    )


def _seen(ledger: Ledger, catalog: pd.DataFrame, version: Version) -> pd.DataFrame:
    """What the version's networks have seen, from their runs in the ledger, as ``overlap`` compares it.

    All sides of a run count: the test images of one network have trained or stopped another.
    """
    runs = {key: ledger.get(key) for key in version.members}
    if missing := [key for key, run in runs.items() if run is None]:
        raise InputError(
            f"The ledger lacks these runs of {version.name}, version {version.number}, or they are damaged, so that "
            "the images that the model has seen are unknown:",
            missing,
            next_step="set CYTOCURVE_LEDGER to the ledger that has them, or cytocurve sweep",
        )
    identities = {bytes(row).hex() for run in runs.values() if run for rows in run.images.values() for row in rows}
    rows = _comparable(catalog[catalog["pixel_sha256"].isin(identities)])
    gone = sorted(identities - set(rows["pixel_sha256"]))
    nameless = pd.DataFrame({"image": "an image that is no longer in the dataset", "pixel_sha256": gone})
    return pd.concat([rows, nameless.assign(like=None, patient=None, present=False)]).assign(held=False)


def _locked(catalog: pd.DataFrame, wanted: Request) -> pd.DataFrame:
    """The images of the present holdout and of the version's own, as ``overlap`` compares them."""
    own = catalog["pixel_sha256"].str[:SHORT]
    return _comparable(catalog[catalog["image"].isin(wanted.held) | own.isin(wanted.locked)])


def _comparable(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the catalog as ``overlap`` compares them; ``present`` says whether the file is there."""
    return pd.DataFrame(
        {
            "image": rows["image"],
            "pixel_sha256": rows["pixel_sha256"],
            "like": rows["near_duplicate_of"].fillna(rows["image"]),
            "patient": rows["patient"].map(canonical, na_action="ignore"),
            "present": rows["withdrawn"].isna(),
        }
    )


def _labeled(project: ProjectPaths, wanted: Request) -> tuple[pd.DataFrame, dict[str, Path], str]:
    """All images of the dataset, ``image, label, patient``, their files, and the name of the label version."""
    folder = dataset_folder(project, wanted.dataset, "--dataset")
    shown = folder.relative_to(project.root).as_posix()
    files, wrong = images_below(folder / "images", f"{shown}/images")
    versions, unread = label_files(folder / "labels", f"{shown}/labels", files)
    labels = _label_version(list(versions), wanted, shown)
    tables = {version: file.frame for version, file in versions.items() if file}
    wrong += unread
    if labels in tables:
        wrong += label_tables.problems(files, {f"{shown}/labels/{labels}.csv": tables[labels]}, None)
    if wrong:
        raise InputError(f"{shown}: these images or labels cannot be used:", wrong)
    given = tables[labels].set_index("image")["label"]
    patients = label_tables.known("patient", tables.values())
    frame = pd.DataFrame({"image": list(files)}, dtype="object")
    frame["label"] = frame["image"].map(given).replace("", None)
    frame["patient"] = [canonical(patients[image]) if image in patients else None for image in files]
    return frame, files, labels


def _label_version(versions: Sequence[str], wanted: Request, shown: str) -> str:
    """The label version asked for, the only one, or the one that the model was trained on."""
    usual = wanted.version.tags.get("cytocurve.labels", "")
    labels = wanted.labels or (versions[0] if len(versions) == 1 else usual)
    if labels in versions or not versions:
        return labels
    problem = f"{shown} has several label versions"
    if wanted.labels:
        problem = check_known("--labels: label version", [labels], versions)[0]
    raise InputError(problem, hint=f"Label versions: {', '.join(versions)}", next_step="--labels VERSION")


def _prints(
    files: Mapping[str, Path], images: Iterable[str], dataset: str, observer: Observer
) -> dict[str, Fingerprint]:
    """The fingerprints of these images; raises ``InputError`` listing those that cannot be decoded."""
    shown = f"data/{dataset}/images"
    found, broken = fingerprints({image: files[image] for image in images}, shown, observer.task(dataset, "images"))
    if broken:
        raise InputError("These images cannot be used:", broken)
    return found


def _alike_in_catalog(table: pd.DataFrame, catalog: pd.DataFrame) -> pd.DataFrame:
    """The study's own images with their groups of near-identical pictures; raises ``InputError`` if they changed."""
    rows = catalog.set_index("image")
    pixels = table["image"].map(rows["pixel_sha256"])
    if changed := table.loc[pixels != table["pixel_sha256"], "image"].tolist():
        raise InputError("These images have changed since they were cataloged:", changed, next_step="dvc repro")
    return table.assign(like=table["image"].map(rows["near_duplicate_of"]).fillna(table["image"]))


def _alike_by_eye(
    project: ProjectPaths,
    dataset: str,
    table: pd.DataFrame,
    known: pd.DataFrame,
    prints: Mapping[str, Fingerprint],
    observer: Observer,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with the groups of near-identical pictures that they share; ``dataset`` is the study's."""
    there = known[known["present"]].drop_duplicates("image")
    folder = project.data / dataset / "images"
    others = _prints({image: folder / image for image in there["image"]}, there["image"], dataset, observer)
    pictures = [*(prints[image].thumbnail for image in table["image"]), *(its.thumbnail for its in others.values())]
    group = first_of_group(len(pictures), near_identical(np.stack(pictures))).tolist()
    like_of = dict(zip(others, group[len(table) :], strict=True))
    return table.assign(like=group[: len(table)]), known.assign(like=known["image"].map(like_of))
