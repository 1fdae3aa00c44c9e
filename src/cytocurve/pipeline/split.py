"""Stage ``split``: the catalog's images of a task, in folds with nested training sets, for each label version."""

from dataclasses import replace
from typing import Any

import pandas as pd

from cytocurve.config import Params, Project
from cytocurve.core.splits import (
    Fold,
    balanced_sample,
    by_whole_groups,
    cross_validation,
    grouped_cross_validation,
    joined,
    predefined,
)
from cytocurve.core.taxonomy import Task
from cytocurve.errors import InputError
from cytocurve.stores.tables import read_parquet, write_parquet
from cytocurve.study.plan import check_arms, check_sizes

FEWEST_IMAGES_A_CLASS = 3
"""One to test, one to validate, one to train."""


def split(project: Project) -> dict[str, Any]:
    """Write ``build/split/<labels>.parquet`` for each label version; returns counts of images, folds and classes.

    Raises ``InputError``, before anything is written, where the study asks for more than the images give.
    """
    params = project.params()
    check_arms(params)
    catalog = read_parquet(project.catalog, "dvc repro catalog")
    tables = {labels: split_labels(catalog, params, labels) for labels in params.labels}
    for labels, table in tables.items():
        write_parquet(project.split(labels), table)
    return {labels: summary(table) for labels, table in tables.items()}


def split_labels(catalog: pd.DataFrame, params: Params, labels: str) -> pd.DataFrame:
    """A row an image, fold and subset: ``fold, subset, rank, image, pixel_sha256, label, class``.

    ``rank`` is the position in the subset; a training set of size n is the rows of ``train`` with rank below n.
    Withdrawn images keep their place until the folds are drawn and then leave it empty, so that a run that had not
    seen them stays the same run.
    """
    if labels not in catalog.columns:
        raise InputError(f"build/catalog.parquet: no label version {labels!r}", hint="Next: dvc repro catalog")
    usable = catalog[labels].notna()
    if params.duplicates != "group":
        usable &= catalog["duplicate_of"].isna()
    if params.split == "predefined":
        usable &= catalog["fold"].notna()
    kept = catalog[usable]
    present = kept.loc[kept["withdrawn"].isna(), labels]
    task = params.task_of({str(label): int(count) for label, count in present.value_counts().items()})
    images = kept[kept[labels].isin(task.members.keys())].sort_values("image", ignore_index=True)
    images["class"] = images[labels].map(task.members)
    if params.sample_per_class is not None:
        chosen = balanced_sample(
            images["pixel_sha256"].tolist(), images["class"].tolist(), images[labels].tolist(),
            params.sample_per_class, params.split_seed,
        )  # fmt: skip
        images = images.iloc[chosen].reset_index(drop=True)
    check_classes(images[images["withdrawn"].isna()], task, params, labels)
    images["label"] = images["class"].map(dict(enumerate(task.classes)))
    return _table(images, _drawn(images, params), params)


def _drawn(images: pd.DataFrame, params: Params) -> list[Fold]:
    """The folds that ``params`` asks for; raises ``InputError`` where patients or official folds are lacking."""
    identities, classes = images["pixel_sha256"].tolist(), images["class"].tolist()
    groups = _groups(images, params)
    if params.split == "predefined":
        folds = predefined(identities, classes, images["fold"].tolist(), params.split_seed)
        if len(folds) != params.folds:
            counts = images["fold"].value_counts().sort_index()
            raise InputError(
                f"folds: {params.folds} are asked for, but split: predefined has {len(folds)}:",
                [f"{name}: {count} images" for name, count in counts.items()],
                f"Next: folds: {len(folds)} in params.yaml",
            )
    elif len(set(groups)) == len(groups):
        folds = cross_validation(identities, classes, params.folds, params.split_seed)
    else:
        _check_groups(images, groups, params)
        folds = grouped_cross_validation(identities, classes, groups, params.folds, params.split_seed)
    if params.grow_by == "patients":
        _check_patients(images)
        patients = images["patient"].tolist()
        folds = [replace(fold, train=by_whole_groups(fold.train, classes, patients)) for fold in folds]
    return folds


def _groups(images: pd.DataFrame, params: Params) -> list[str]:
    """What must not be torn: patients, near-identical pictures, both or nothing, as ``params`` asks."""
    groupings = []
    if params.split == "patient":
        _check_patients(images)
        groupings.append(images["patient"].tolist())
    if params.duplicates == "group":
        groupings += [images["pixel_sha256"].tolist(), images["near_duplicate_of"].fillna(images["image"]).tolist()]
    return joined(
        [f"{identity} {image}" for identity, image in zip(images["pixel_sha256"], images["image"], strict=True)],
        *groupings,
    )


def _check_patients(images: pd.DataFrame) -> None:
    unknown = images.loc[images["patient"].isna(), "image"].tolist()
    if unknown:
        raise InputError(
            "split: patient and grow_by: patients need the patient of every image of the task; these have none:",
            unknown,
            "Next: state the patients in the label tables' column patient, or split: stratified and grow_by: images.",
        )


def _check_groups(images: pd.DataFrame, groups: list[str], params: Params) -> None:
    """A test fold needs each class, so each class needs as many groups as there are folds."""
    found = images.assign(group=groups).groupby("label")["group"].nunique()
    short = [f"{label}: {count}" for label, count in found.items() if count < params.folds]
    if short:
        what = "patients" if params.split == "patient" else "groups of images"
        raise InputError(
            f"folds: {params.folds} folds need at least {params.folds} {what} of each class; there are only",
            short,
            "Lower folds in params.yaml, or split: stratified.",
        )


def check_classes(images: pd.DataFrame, task: Task, params: Params, labels: str) -> None:
    """Raise ``InputError`` listing the task's classes with too few images; a binary test fold needs both classes."""
    least = params.folds if task.binary else FEWEST_IMAGES_A_CLASS
    counts = images["class"].value_counts()
    short = [f"{name}: {counts.get(i, 0)} images" for i, name in enumerate(task.classes) if counts.get(i, 0) < least]
    if short or len(task.classes) < 2:
        raise InputError(
            f"task {task.name!r} on label version {labels!r} with {params.folds} folds needs two classes or more, "
            f"and at least {least} images a class; too few:",
            short or [f"{len(task.classes)} classes"],
            "Lower folds in params.yaml, add labelled images, or state the task by its classes. Labels here: "
            + ", ".join(sorted(images[labels].unique())),
        )


def _table(images: pd.DataFrame, folds: list[Fold], params: Params) -> pd.DataFrame:
    there = images["withdrawn"].isna().to_numpy()
    folds = [Fold(*(rows[there[rows]] for rows in (fold.test, fold.validation, fold.train))) for fold in folds]
    check_sizes(params.sizes, min(len(fold.train) for fold in folds))
    parts = []
    for number, fold in enumerate(folds):
        for subset, rows in (("train", fold.train), ("validation", fold.validation), ("test", fold.test)):
            part = images.loc[rows, ["image", "pixel_sha256", "label", "class"]].reset_index(drop=True)
            part.insert(0, "rank", range(len(rows)))
            part.insert(0, "subset", subset)
            part.insert(0, "fold", number)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Counts of a split: images, folds, images a class, and the least number of training images of a fold."""
    tested = table[table["subset"] == "test"]
    train = table[table["subset"] == "train"].groupby("fold").size()
    return {
        "images": len(tested),
        "folds": int(tested["fold"].nunique()),
        "classes": {str(name): int(count) for name, count in sorted(tested["label"].value_counts().items())},
        "training_images": int(train.min()),
    }
