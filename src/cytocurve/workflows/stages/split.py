"""Stage ``split``: the catalog's images of a task in folds with nested training sets, per label version."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from cytocurve.config import Params, ProjectPaths
from cytocurve.core.data.splits import (
    Fold,
    balanced_sample,
    by_whole_groups,
    cross_validation,
    grouped_cross_validation,
    joined,
    predefined,
)
from cytocurve.core.data.taxonomy import Task
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.stores.tables import write_parquet
from cytocurve.study.dataset import read_catalog
from cytocurve.study.design import check_arms, check_sizes, split_settings

MIN_IMAGES_PER_CLASS = 3
"""One each for test, validation and training."""


@dataclass(frozen=True)
class Excluded:
    """Labelled images of a version, duplicates aside, that are excluded from the study.

    ``unlabelled_in`` and ``outside_task_in`` count them by the versions in which they have no label, or one that is in
    no class of the task; an image may be counted under several.
    """

    images: int
    unlabelled_in: dict[str, int]
    outside_task_in: dict[str, int]


@dataclass(frozen=True)
class SplitSummary:
    """Counts of a split: images, folds, images per class in total and per test fold, and excluded images.

    ``training_images`` is the size of the smallest training set of a fold. ``test_folds`` shows how even the classes
    are, which patients and groups can prevent.
    """

    images: int
    folds: int
    classes: dict[str, int]
    test_folds: list[dict[str, int]]
    training_images: int
    left_out: Excluded

    def to_json(self) -> dict[str, Any]:
        """The summary as JSON."""
        return asdict(self)


def split(project: ProjectPaths) -> dict[str, SplitSummary]:
    """Write ``build/split/<labels>.parquet`` for each label version; returns a summary of each.

    Raises ``InputError``, before anything is written, if the study needs more than the images provide.
    """
    params = project.params()
    check_arms(params)
    catalog = read_catalog(project)
    tables = split_versions(catalog, params)
    for labels, table in tables.items():
        write_parquet(project.split(labels), table)
    write_text(project.split_settings, json.dumps(split_settings(params), indent=1, ensure_ascii=False) + "\n")
    without = left_out(catalog, params)
    return {labels: summary(table, without[labels]) for labels, table in tables.items()}


def split_versions(catalog: pd.DataFrame, params: Params) -> dict[str, pd.DataFrame]:
    """Each label version's split, one row per image, fold and subset.

    Columns: ``fold, subset, rank, image, pixel_sha256, label, class``.
    ``rank`` is the position in the subset; a training set of size n is the rows of ``train`` with rank below n. All
    versions of a study share images, folds and order, so that they can be compared in pairs: the images that are part
    of the task in every version, drawn by the labels of the first; only ``label`` and ``class`` differ. Withdrawn
    images keep their place until the folds are drawn and then leave it empty, so that a run that had not used them
    stays the same run.
    """
    first = params.labels[0]
    kept = _usable(catalog, params)
    tasks, part = _shared(kept, params)
    images = kept[part].sort_values("image", ignore_index=True)
    images["class"] = images[first].map(tasks[first].members)
    if params.sample_per_class is not None:
        chosen = balanced_sample(
            images["pixel_sha256"].tolist(), images["class"].tolist(), images[first].tolist(),
            params.sample_per_class, params.split_seed,
        )  # fmt: skip
        images = images.iloc[chosen].reset_index(drop=True)
    for labels, task in tasks.items():
        there = images[images["withdrawn"].isna()]
        check_classes(there.assign(**{"class": there[labels].map(task.members)}), task, params, labels)
    images["label"] = images["class"].map(dict(enumerate(tasks[first].classes)))
    folds = _without_withdrawn(images, _drawn(images, params))
    check_sizes(params.sizes, min(len(fold.train) for fold in folds))
    tables = {labels: _table(images, folds, labels, task) for labels, task in tasks.items()}
    _check_test_folds(tables, tasks)
    return tables


def _usable(catalog: pd.DataFrame, params: Params) -> pd.DataFrame:
    """The catalog's rows that can be part of a study, whatever their labels."""
    absent = [f"{labels!r}" for labels in params.labels if labels not in catalog.columns]
    if absent:
        raise InputError("build/catalog.parquet lacks these label versions:", absent, next_step="dvc repro catalog")
    usable = pd.Series(True, index=catalog.index)
    if params.duplicates != "group":
        usable &= catalog["duplicate_of"].isna()
    if params.split == "predefined":
        if catalog["fold"].isna().all():
            raise InputError(
                f"split: predefined needs official folds; dataset {params.dataset!r} has none",
                next_step="in params.yaml: split: patient or split: stratified. Or add a column fold to the labels",
            )
        usable &= catalog["fold"].notna()
    return catalog[usable]


def _shared(kept: pd.DataFrame, params: Params) -> tuple[dict[str, Task], "pd.Series[bool]"]:
    """The task on each label version, and which images are part of it in all of them.

    A task that depends on counts counts these images alone, so it is derived repeatedly until no image drops out.
    Withdrawn images keep a place in the draw if they had one: by the first version, and by the other versions that
    existed at the time.
    """
    here = kept["withdrawn"].isna()
    known = {str(label): 0 for labels in params.labels for label in kept.loc[here, labels].dropna().unique()}
    part = here & kept[params.labels].notna().all(axis=1)
    while True:
        tasks = {labels: _task(kept.loc[part, labels], params, known) for labels in params.labels}
        still = part.copy()
        for labels, task in tasks.items():
            still &= kept[labels].isin(task.members.keys())
        if still.equals(part):
            break
        part = still
    first, *others = params.labels
    placed = ~here & kept[first].isin(tasks[first].members.keys())
    for labels in others:
        without = pd.Series([labels in found.split() for found in kept["unlabelled_in"].fillna("")], index=kept.index)
        placed &= (kept[labels].isna() & ~without) | kept[labels].isin(tasks[labels].members.keys())
    return tasks, part | placed


def _task(given: "pd.Series[str]", params: Params, known: dict[str, int]) -> Task:
    """The task on these labels; a task defined by its classes may name any label of the study's versions."""
    counts = {str(label): int(count) for label, count in given.value_counts().items()}
    return params.task_of(counts if isinstance(params.task, str) else known | counts)


def left_out(catalog: pd.DataFrame, params: Params) -> dict[str, Excluded]:
    """For each label version, the labelled images that are excluded from the study, and why."""
    kept = _usable(catalog, params)
    kept = kept[kept["withdrawn"].isna()]
    tasks, part = _shared(kept, params)
    out = {}
    for labels in params.labels:
        without = kept[~part & kept[labels].notna()]
        unlabelled = {other: int(without[other].isna().sum()) for other in params.labels}
        outside = {
            other: int((without[other].notna() & ~without[other].isin(task.members.keys())).sum())
            for other, task in tasks.items()
        }
        out[labels] = Excluded(
            images=len(without),
            unlabelled_in={other: count for other, count in unlabelled.items() if count},
            outside_task_in={other: count for other, count in outside.items() if count},
        )
    return out


def _check_test_folds(tables: Mapping[str, pd.DataFrame], tasks: Mapping[str, Task]) -> None:
    """A binary test fold needs both classes; official folds, and the later versions' labels, may lack one."""
    lacking = []
    for labels in tables:
        tested = tables[labels][tables[labels]["subset"] == "test"]
        for fold, found in tested.groupby("fold")["label"].unique().items() if tasks[labels].binary else ():
            lacking += [f"{labels}: fold {fold}: no {name}" for name in tasks[labels].classes if name not in found]
    if lacking:
        raise InputError(
            f"These test folds lack a class (all label versions share the folds of {next(iter(tables))!r}):",
            lacking,
            next_step="in params.yaml: fewer folds, another split, another version first in labels, or only one",
        )


def _drawn(images: pd.DataFrame, params: Params) -> list[Fold]:
    """The folds that ``params`` requests; raises ``InputError`` if patients or official folds are missing."""
    identities, classes = images["pixel_sha256"].tolist(), images["class"].tolist()
    groups = _groups(images, params)
    if params.split == "predefined":
        folds = predefined(identities, classes, images["fold"].tolist(), params.split_seed)
        if len(folds) != params.folds:
            counts = images["fold"].value_counts().sort_index()
            raise InputError(
                f"folds: {params.folds} requested, but split: predefined defines {len(folds)}:",
                [f"{name}: {count} images" for name, count in counts.items()],
                next_step=f"folds: {len(folds)} in params.yaml",
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
    """What must stay together: patients, near-identical pictures, both or nothing, as ``params`` requests."""
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
            unknown if len(unknown) < len(images) else [f"all {len(images)} images"],
            next_step="add patients with cytocurve data add table, column patient; "
            "or use split: stratified and grow_by: images",
        )


def _check_groups(images: pd.DataFrame, groups: list[str], params: Params) -> None:
    """A test fold needs each class, so each class needs as many groups as there are folds."""
    there = images.assign(group=groups)[images["withdrawn"].isna()]
    found = there.groupby("label")["group"].nunique()
    short = [f"{label}: {count}" for label, count in found.items() if count < params.folds]
    if short:
        what = "patients" if params.split == "patient" else "groups of images"
        raise InputError(
            f"folds: {params.folds} folds need at least {params.folds} {what} per class; there are only",
            short,
            "Lower folds in params.yaml, or split: stratified.",
        )


def check_classes(images: pd.DataFrame, task: Task, params: Params, labels: str) -> None:
    """Raise ``InputError`` listing the task's classes with too few images; a binary test fold needs both classes."""
    least = params.folds if task.binary else MIN_IMAGES_PER_CLASS
    counts = images["class"].value_counts()
    short = [f"{name}: {counts.get(i, 0)} images" for i, name in enumerate(task.classes) if counts.get(i, 0) < least]
    if short or len(task.classes) < 2:
        raise InputError(
            f"task {task.name!r} on label version {labels!r} with {params.folds} folds needs at least two classes "
            f"with {least} images each; too few:",
            short or [f"{len(task.classes)} classes"],
            "Lower folds in params.yaml, add labelled images, or define the task by its classes. Labels: "
            + ", ".join(sorted(images[labels].unique())),
        )


def _without_withdrawn(images: pd.DataFrame, folds: list[Fold]) -> list[Fold]:
    there = images["withdrawn"].isna().to_numpy()
    return [Fold(*(rows[there[rows]] for rows in (fold.test, fold.validation, fold.train))) for fold in folds]


def _table(images: pd.DataFrame, folds: list[Fold], labels: str, task: Task) -> pd.DataFrame:
    names = dict(enumerate(task.classes))
    parts = []
    for number, fold in enumerate(folds):
        for subset, rows in (("train", fold.train), ("validation", fold.validation), ("test", fold.test)):
            part = images.loc[rows, ["image", "pixel_sha256"]].reset_index(drop=True)
            classes = images.loc[rows, labels].map(task.members).reset_index(drop=True)
            part["label"] = classes.map(names)
            part["class"] = classes
            part.insert(0, "rank", range(len(rows)))
            part.insert(0, "subset", subset)
            part.insert(0, "fold", number)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def summary(table: pd.DataFrame, excluded: Excluded) -> SplitSummary:
    """Summarize a split."""
    tested = table[table["subset"] == "test"]
    train = table[table["subset"] == "train"].groupby("fold").size()
    return SplitSummary(
        images=len(tested),
        folds=int(tested["fold"].nunique()),
        classes={str(name): int(count) for name, count in sorted(tested["label"].value_counts().items())},
        test_folds=[
            {str(name): int(count) for name, count in sorted(fold["label"].value_counts().items())}
            for _, fold in tested.groupby("fold")
        ],
        training_images=int(train.min()),
        left_out=excluded,
    )
