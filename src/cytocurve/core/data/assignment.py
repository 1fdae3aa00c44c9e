"""From a catalog to a study's splits: which images are included, and the fold, subset and rank of each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pandas as pd

from cytocurve.core.data.spelling import canonical
from cytocurve.core.data.splits import (
    Fold,
    balanced_sample,
    by_whole_groups,
    cross_validation,
    grouped_cross_validation,
    holdout,
    joined,
    predefined,
)
from cytocurve.core.data.taxonomy import Task
from cytocurve.errors import InputError
from cytocurve.text import counted

MIN_IMAGES_PER_CLASS = 3
"""One each for test, validation and training."""

OFFICIAL = "official_fold"
"""The column of a split with the names that the dataset's authors gave to the folds."""


class SplitRules(Protocol):
    """What a study says about its splits, as in ``params.yaml``."""

    @property
    def dataset(self) -> str:
        """The dataset's name."""

    @property
    def task(self) -> str | Mapping[str, Any]:
        """A named task, or the labels of each class."""

    @property
    def labels(self) -> list[str]:
        """The label versions; folds are drawn by the first."""

    @property
    def sample_per_class(self) -> int | None:
        """Images per class to draw before splitting; None for all."""

    @property
    def folds(self) -> int:
        """The number of folds."""

    @property
    def sizes(self) -> list[int]:
        """The training sizes."""

    @property
    def split(self) -> str:
        """``stratified``, ``patient`` or ``predefined``."""

    @property
    def split_seed(self) -> int:
        """The seed of the draw."""

    @property
    def holdout(self) -> float | None:
        """The share of the images that is locked away; None for none."""

    @property
    def grow_by(self) -> str:
        """``images`` or ``patients``."""

    @property
    def duplicates(self) -> str:
        """``drop``, ``group`` or ``fail``."""

    def task_of(self, counts: Mapping[str, int]) -> Task:
        """The task on a label version with these counts of images per label; raises ``InputError``."""


def split_versions(catalog: pd.DataFrame, rules: SplitRules) -> dict[str, pd.DataFrame]:
    """Each label version's split, one row per image, fold and subset.

    Columns: ``fold, subset, rank, image, pixel_sha256, label, class``, and ``OFFICIAL`` for predefined folds.
    ``rank`` is the position in the subset; a training set of size n is the rows of ``train`` with rank below n. All
    versions of a study share images, folds and order, so that they can be compared in pairs: the images that are part
    of the task in every version, drawn by the labels of the first; only ``label`` and ``class`` differ. Withdrawn
    images keep their place until the folds are drawn and then leave it empty, so that a run that had not used them
    stays the same run.
    """
    first = rules.labels[0]
    kept = usable(without_holdout(catalog, rules), rules)
    tasks, part = shared(kept, rules)
    images = kept[part].sort_values("image", ignore_index=True)
    images["class"] = images[first].map(tasks[first].members)
    if rules.sample_per_class is not None:
        chosen = balanced_sample(
            images["pixel_sha256"].tolist(), images["class"].tolist(), images[first].tolist(),
            rules.sample_per_class, rules.split_seed,
        )  # fmt: skip
        images = images.iloc[chosen].reset_index(drop=True)
    for labels, task in tasks.items():
        there = images[images["withdrawn"].isna()]
        check_classes(there.assign(**{"class": there[labels].map(task.members)}), task, rules, labels)
    images["label"] = images["class"].map(dict(enumerate(tasks[first].classes)))
    folds = _without_withdrawn(images, _drawn(images, rules))
    check_sizes(rules.sizes, min(len(fold.train) for fold in folds))
    tables = {labels: _table(images, folds, labels, task) for labels, task in tasks.items()}
    if rules.split == "predefined":
        names = dict(enumerate(sorted(set(images["fold"]))))
        return {labels: table.assign(**{OFFICIAL: table["fold"].map(names)}) for labels, table in tables.items()}
    _check_test_folds(tables, tasks)
    return tables


def without_holdout(catalog: pd.DataFrame, rules: SplitRules) -> pd.DataFrame:
    """The catalog without the images that are locked away: all that a study may read."""
    return catalog[~catalog["image"].isin(locked_away(catalog, rules)["image"])] if rules.holdout else catalog


def locked_away(catalog: pd.DataFrame, rules: SplitRules) -> pd.DataFrame:
    """The catalog's rows that ``holdout`` locks away, sorted by image, with the ``class`` (a name) of each.

    Patients, where known, and pictures with (nearly) the same pixels are kept together; withdrawn
    images keep their place in the draw, so that a withdrawal changes nothing for the others. Raises ``InputError`` if
    classes are left without an image.
    """
    kept = usable(catalog, rules)
    tasks, part = shared(kept, rules)
    task = tasks[rules.labels[0]]
    images = kept[part].sort_values("image", ignore_index=True)
    classes = images[rules.labels[0]].map(task.members)
    groups = joined(
        images["pixel_sha256"].tolist(),
        ["" if pd.isna(patient) else canonical(patient) for patient in images["patient"]],
        images["near_duplicate_of"].fillna(images["image"]).tolist(),
    )
    chosen = holdout(classes.tolist(), groups, rules.holdout or 0.0, rules.split_seed)
    locked = images.assign(**{"class": classes.map(dict(enumerate(task.classes)))}).iloc[chosen]
    there = locked[locked["withdrawn"].isna()]
    lacking = [name for name in task.classes if name not in set(there["class"])]
    if rules.holdout and lacking and (task.binary or len(task.classes) - len(lacking) < 2):
        raise InputError(
            f"holdout: no image of these classes can be locked away with a share of {rules.holdout:g}, since patients "
            "and equal pictures stay together:",
            lacking,
            next_step="in params.yaml: a larger holdout, at most 0.5, or holdout: null and validation with --dataset",
        )
    return locked.reset_index(drop=True)


def usable(catalog: pd.DataFrame, rules: SplitRules) -> pd.DataFrame:
    """The catalog's rows that can be part of a study, whatever their labels."""
    absent = [f"{labels!r}" for labels in rules.labels if labels not in catalog.columns]
    if absent:
        raise InputError("build/catalog.parquet lacks these label versions:", absent, next_step="dvc repro catalog")
    usable = pd.Series(True, index=catalog.index)
    if rules.duplicates != "group":
        usable &= catalog["duplicate_of"].isna()
    if rules.split == "predefined":
        if catalog["fold"].isna().all():
            raise InputError(
                f"split: predefined needs official folds; dataset {rules.dataset!r} has none",
                next_step="in params.yaml: split: patient or split: stratified. Or add a column fold to the labels",
            )
        usable &= catalog["fold"].notna()
    return catalog[usable]


def shared(kept: pd.DataFrame, rules: SplitRules) -> tuple[dict[str, Task], "pd.Series[bool]"]:
    """The task on each label version, and which images are part of it in all of them.

    A task that depends on counts counts only these images, so it is derived repeatedly until no image drops out.
    Withdrawn images keep a place in the draw if they had one: by the first version, and by the other versions that
    existed at the time.
    """
    here = kept["withdrawn"].isna()
    known = {str(label): 0 for labels in rules.labels for label in kept.loc[here, labels].dropna().unique()}
    part = here & kept[rules.labels].notna().all(axis=1)
    while True:
        tasks = {labels: _task(kept.loc[part, labels], rules, known) for labels in rules.labels}
        still = part.copy()
        for labels, task in tasks.items():
            still &= kept[labels].isin(task.members.keys())
        if still.equals(part):
            break
        part = still
    first, *others = rules.labels
    placed = ~here & kept[first].isin(tasks[first].members.keys())
    for labels in others:
        without = pd.Series([labels in found.split() for found in kept["unlabelled_in"].fillna("")], index=kept.index)
        placed &= (kept[labels].isna() & ~without) | kept[labels].isin(tasks[labels].members.keys())
    return tasks, part | placed


def _task(given: "pd.Series[str]", rules: SplitRules, known: dict[str, int]) -> Task:
    """The task on these labels; a task defined by its classes may name any label of the study's versions."""
    counts = {str(label): int(count) for label, count in given.value_counts().items()}
    return rules.task_of(counts if isinstance(rules.task, str) else known | counts)


def _check_test_folds(tables: Mapping[str, pd.DataFrame], tasks: Mapping[str, Task]) -> None:
    """A binary test fold needs both classes; the labels of later versions may lack one.

    Official folds are taken as they are: the audit reports those that lack a class.
    """
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


def _drawn(images: pd.DataFrame, rules: SplitRules) -> list[Fold]:
    """The folds that ``rules`` requests; raises ``InputError`` if patients or official folds are missing."""
    identities, classes = images["pixel_sha256"].tolist(), images["class"].tolist()
    groups = _groups(images, rules)
    if rules.split == "predefined":
        folds = predefined(identities, classes, images["fold"].tolist(), rules.split_seed)
        if len(folds) != rules.folds:
            counts = images["fold"].value_counts().sort_index()
            raise InputError(
                f"folds: {rules.folds} requested, but split: predefined defines {len(folds)}:",
                [f"{name}: {counted(count, 'image')}" for name, count in counts.items()],
                next_step=f"folds: {len(folds)} in params.yaml",
            )
    elif len(set(groups)) == len(groups):
        folds = cross_validation(identities, classes, rules.folds, rules.split_seed)
    else:
        _check_groups(images, groups, rules)
        folds = grouped_cross_validation(identities, classes, groups, rules.folds, rules.split_seed)
    if rules.grow_by == "patients":
        _check_patients(images)
        patients = images["patient"].tolist()
        folds = [replace(fold, train=by_whole_groups(fold.train, classes, patients)) for fold in folds]
    return folds


def _groups(images: pd.DataFrame, rules: SplitRules) -> list[str]:
    """What must stay together: patients, near-identical pictures, both or nothing, as ``rules`` requests."""
    groupings = []
    if rules.split == "patient":
        _check_patients(images)
        groupings.append(images["patient"].tolist())
    if rules.duplicates == "group":
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


def _check_groups(images: pd.DataFrame, groups: list[str], rules: SplitRules) -> None:
    """A test fold needs each class, so each class needs as many groups as there are folds."""
    there = images.assign(group=groups)[images["withdrawn"].isna()]
    found = there.groupby("label")["group"].nunique()
    short = [f"{label}: {count}" for label, count in found.items() if count < rules.folds]
    if short:
        what = "patients" if rules.split == "patient" else "groups of images"
        raise InputError(
            f"folds: {rules.folds} folds need at least {rules.folds} {what} per class; there are only",
            short,
            "Lower folds in params.yaml, or split: stratified.",
        )


def check_classes(images: pd.DataFrame, task: Task, rules: SplitRules, labels: str) -> None:
    """Raise ``InputError`` listing the task's classes with too few images.

    A binary test fold needs both classes, unless it is an official one.
    """
    least = rules.folds if task.binary and rules.split != "predefined" else MIN_IMAGES_PER_CLASS
    counts = images["class"].value_counts()
    totals = {name: int(counts.get(i, 0)) for i, name in enumerate(task.classes)}
    short = [f"{name}: {counted(total, 'image')}" for name, total in totals.items() if total < least]
    if short or len(task.classes) < 2:
        raise InputError(
            f"task {task.name!r} on label version {labels!r} with {rules.folds} folds needs at least two classes "
            f"with {least} images each; too few:",
            short or [counted(len(task.classes), "class", "classes")],
            ("Add" if rules.split == "predefined" else "Lower folds in params.yaml, add")
            + " labeled images, or define the task by its classes. Labels: "
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


def check_sizes(sizes: Sequence[int], available: int) -> None:
    """Raise ``InputError`` listing the training sizes that are larger than the images left for training."""
    too_large = [str(size) for size in sizes if size > available]
    if too_large:
        raise InputError(
            f"sizes: a fold leaves {counted(available, 'image')} for training; these sizes need more:",
            too_large,
            "Lower sizes in params.yaml, or add images.",
        )
