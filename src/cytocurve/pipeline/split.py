"""Stage ``split``: the catalog's images of a task, in folds with nested training sets, for each label version."""

from typing import Any

import pandas as pd

from cytocurve.config import Params, Project
from cytocurve.core.splits import balanced_sample, cross_validation
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
    """
    if labels not in catalog.columns:
        raise InputError(f"build/catalog.parquet: no label version {labels!r}", hint="Next: dvc repro catalog")
    kept = catalog[catalog["duplicate_of"].isna() & catalog[labels].notna()]
    task = params.task_of({str(label): int(count) for label, count in kept[labels].value_counts().items()})
    images = kept[kept[labels].isin(task.members.keys())].sort_values("image", ignore_index=True)
    images["class"] = images[labels].map(task.members)
    check_classes(images, task, params, labels)
    if params.sample_per_class is not None:
        chosen = balanced_sample(
            images["pixel_sha256"].tolist(), images["class"].tolist(), images[labels].tolist(),
            params.sample_per_class, params.split_seed,
        )  # fmt: skip
        images = images.iloc[chosen].reset_index(drop=True)
        check_classes(images, task, params, labels)
    images["label"] = images["class"].map(dict(enumerate(task.classes)))
    return _folds(images, params)


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


def _folds(images: pd.DataFrame, params: Params) -> pd.DataFrame:
    folds = cross_validation(images["pixel_sha256"].tolist(), images["class"].tolist(), params.folds, params.split_seed)
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
