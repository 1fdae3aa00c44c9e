"""``cytocurve labels list``, ``diff`` and ``agreement``: count and compare label versions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytocurve import datasets
from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.core.data.spelling import same_form
from cytocurve.core.data.taxonomy import CELL_TYPES
from cytocurve.core.statistics import agreement
from cytocurve.core.statistics.agreement import Estimate, Share
from cytocurve.errors import InputError
from cytocurve.study.dataset import dataset_folder, images_below, known_classes, label_tables
from cytocurve.text import check_known, did_you_mean

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class VersionCounts:
    """Counts of a label version: images per class and per annotator.

    ``not_assignable`` counts the unlabeled images that an annotator has reviewed.
    """

    images: int
    labelled: int
    unlabelled: int
    not_assignable: int
    classes: dict[str, int]
    annotators: dict[str, int]


@dataclass(frozen=True)
class VersionList:
    """Counts of each label version of a dataset."""

    dataset: str
    versions: dict[str, VersionCounts]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class LabelChange:
    """An image with different labels in two versions."""

    image: str
    before: str
    after: str


@dataclass(frozen=True)
class LabelDiff:
    """What changed from one label version to another.

    ``confusion`` cross-tabulates the labels of images labeled in both, first version by second; ``only_in`` lists the
    images that the other version leaves unlabeled.
    """

    dataset: str
    versions: tuple[str, str]
    images: int
    agreeing: int
    confusion: dict[str, dict[str, int]]
    changed: list[LabelChange]
    only_in: dict[str, list[str]]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON; the labels of a change are named ``from`` and ``to``."""
        changed = [{"image": change.image, "from": change.before, "to": change.after} for change in self.changed]
        return asdict(self) | {"versions": list(self.versions), "changed": changed}


@dataclass(frozen=True)
class ShareWithInterval:
    """A proportion, ``hits`` of ``total``, with its 95 % interval; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    total: int


@dataclass(frozen=True)
class TaskAgreement:
    """Agreement on a binary task."""

    sensitivity: ShareWithInterval
    specificity: ShareWithInterval


@dataclass(frozen=True)
class ClassAgreement:
    """Agreement on one class."""

    precision: ShareWithInterval
    sensitivity: ShareWithInterval


@dataclass(frozen=True)
class VersionAgreement:
    """Agreement of a version with the reference on the images labeled in both.

    ``not_assignable`` counts images labeled in the reference that an annotator of the version left unlabeled.
    """

    images: int
    not_assignable: int
    kappa: Estimate
    tasks: dict[str, TaskAgreement]
    unknown_to_the_taxonomy: list[str]
    classes: dict[str, ClassAgreement]


@dataclass(frozen=True)
class Agreement:
    """Agreement of label versions with a reference."""

    dataset: str
    reference: str
    versions: dict[str, VersionAgreement]

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return asdict(self)


def list_versions(project: ProjectPaths, dataset: str | None = None, root: Path | None = None) -> VersionList:
    """Count the labels of each version of a dataset, by default that of ``params.yaml``; see ``versions_of``."""
    dataset = project.params().dataset if dataset is None else dataset
    return VersionList(dataset, overview(versions_of(project, dataset, root)))


def diff(
    project: ProjectPaths, first: str, second: str, dataset: str | None = None, root: Path | None = None
) -> LabelDiff:
    """Compare two label versions of a dataset image by image; see ``versions_of``."""
    dataset = project.params().dataset if dataset is None else dataset
    return difference(dataset, versions_of(project, dataset, root), first, second)


def agreement_with(
    project: ProjectPaths,
    reference: str,
    others: Sequence[str],
    dataset: str | None = None,
    root: Path | None = None,
) -> Agreement:
    """Score label versions of a dataset against a reference; see ``agreements`` and ``versions_of``."""
    dataset = project.params().dataset if dataset is None else dataset
    return Agreement(dataset, reference, agreements(versions_of(project, dataset, root), reference, others))


def versions_of(project: ProjectPaths, dataset: str, root: Path | None = None) -> Tables:
    """The label versions of ``data/<dataset>``, or those in the label files of the upstream folder ``root``.

    Every table has one row per image that occurs in any of them, sorted by image; an unlabeled image has an empty
    label. Raises one ``InputError`` that lists every problem.
    """
    if root is not None:
        known, tables, wrong = _upstream(dataset, root)
    else:
        folder = dataset_folder(project, dataset, "dataset")
        known, tables, wrong = tables_here(project, folder)
    tables = _in_one_form(tables)
    images = {image for table in tables.values() if "image" in table for image in table["image"]}
    wrong += labels.problems(images, tables, known)
    refuse(
        f"{root or f'data/{dataset}'}: these label versions cannot be used:", wrong, next_step="correct these problems"
    )
    return {Path(name).name.removesuffix(".csv"): _sorted(table) for name, table in tables.items()}


def _upstream(dataset: str, root: Path) -> tuple[frozenset[str] | None, Tables, list[str]]:
    readers = {name: reader for name in datasets.names() if (reader := datasets.load(name)).tables}
    if dataset not in readers:
        raise InputError(
            f"--root: dataset {dataset!r} has no label files that can be read without its images"
            f"{did_you_mean(dataset, list(readers))}",
            hint=f"Datasets with such files: {', '.join(readers)}.",
            next_step="choose one with --dataset NAME, or run cytocurve data add and omit --root",
        )
    read = readers[dataset].tables
    assert read is not None
    try:
        return readers[dataset].classes, read(root), []
    except OSError as error:
        raise InputError(f"{root}: cannot be read: {error.strerror or error}") from error


def tables_here(project: ProjectPaths, folder: Path) -> tuple[frozenset[str] | None, Tables, list[str]]:
    """Known classes, the readable tables by file name, and one line per problem."""
    shown = folder.relative_to(project.root).as_posix()
    images, _ = images_below(folder / "images", f"{shown}/images")
    tables, unread = label_tables(folder / "labels", f"{shown}/labels", images)
    known, unknown = known_classes(folder / "dataset.yaml", f"{shown}/dataset.yaml")
    readable = {f"{shown}/labels/{version}.csv": table for version, table in tables.items() if table is not None}
    return known, readable, [*unread, *unknown]


def _in_one_form(tables: Tables) -> Tables:
    """The tables with the names that the first of them has for images that several of them have."""
    names: dict[str, str] = {}
    for table in tables.values():
        for image in table["image"].dropna() if list(table.columns).count("image") == 1 else ():
            names.setdefault(same_form(image), image)
    return {version: labels.aligned(table, names.values()) for version, table in tables.items()}


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.fillna("").sort_values("image", ignore_index=True)


def refuse(problem: str, wrong: Sequence[str], hint: str = "", next_step: str = "") -> None:
    """Raise an ``InputError`` if there are any problems."""
    if wrong:
        raise InputError(problem, wrong, hint, next_step)


def chosen_versions(tables: Tables, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The versions with these names; raises ``InputError`` listing unknown and repeated names."""
    wrong = check_known("label version", names, list(tables))
    wrong += [f"label version {name!r} is listed twice" for name, count in Counter(names).items() if count > 1]
    refuse("these label versions cannot be compared:", wrong, f"Label versions: {', '.join(tables)}")
    return {name: tables[name] for name in names}


def overview(tables: Tables) -> dict[str, VersionCounts]:
    """Counts of each version."""
    return {version: _version_counts(table) for version, table in tables.items()}


def _version_counts(table: pd.DataFrame) -> VersionCounts:
    annotators = table["annotator"] if "annotator" in table else pd.Series("", index=table.index)
    empty = table["label"] == ""
    return VersionCounts(
        images=len(table),
        labelled=int((~empty).sum()),
        unlabelled=int(empty.sum()),
        not_assignable=int((empty & (annotators != "")).sum()),
        classes=labels.class_counts(table["label"]),
        annotators=labels.class_counts(annotators),
    )


def difference(dataset: str, tables: Tables, first: str, second: str) -> LabelDiff:
    """What changed from one version to another."""
    before, after = (table["label"].tolist() for table in chosen_versions(tables, [first, second]).values())
    names, counts = agreement.confusion(before, after)
    rows = list(zip(tables[first]["image"], before, after, strict=True))
    return LabelDiff(
        dataset=dataset,
        versions=(first, second),
        images=int(counts.sum()),
        agreeing=int(counts.trace()),
        confusion={a: dict(zip(names, row, strict=True)) for a, row in zip(names, counts.tolist(), strict=True)},
        changed=[LabelChange(image, a, b) for image, a, b in rows if a and b and a != b],
        only_in={
            first: [image for image, a, b in rows if a and not b],
            second: [image for image, a, b in rows if b and not a],
        },
    )


def agreements(tables: Tables, reference: str, others: Sequence[str]) -> dict[str, VersionAgreement]:
    """Agreement of other versions with the reference, which is taken as the truth, on images labeled in both.

    95 % intervals: Fleiss, Cohen & Everitt 1969 for kappa, Wilson 1927 for proportions. Raises ``InputError`` listing
    the versions that share no labeled image with the reference.
    """
    chosen = chosen_versions(tables, [reference, *others])
    truth = chosen.pop(reference)
    disjoint = [name for name, table in chosen.items() if not ((truth["label"] != "") & (table["label"] != "")).any()]
    refuse(
        f"no image is labeled both in {reference!r} and in",
        disjoint,
        next_step="choose other versions: cytocurve labels list",
    )
    return {name: _agreement(truth, table) for name, table in chosen.items()}


def _agreement(truth: pd.DataFrame, table: pd.DataFrame) -> VersionAgreement:
    names, counts = agreement.confusion(truth["label"].tolist(), table["label"].tolist())
    reviewed = (table["annotator"] != "") if "annotator" in table else pd.Series(False, index=table.index)
    tasks = agreement.binary_tasks(names)
    return VersionAgreement(
        images=int(counts.sum()),
        not_assignable=int((reviewed & (table["label"] == "") & (truth["label"] != "")).sum()),
        kappa=agreement.cohen_kappa(counts),
        tasks={
            task: TaskAgreement(*map(_share, agreement.binary(names, counts, positive)))
            for task, positive in tasks.items()
        },
        unknown_to_the_taxonomy=sorted(set(names) - set(CELL_TYPES)),
        classes={
            name: ClassAgreement(_share(precision), _share(sensitivity))
            for name, (precision, sensitivity) in agreement.by_class(names, counts).items()
        },
    )


def _share(score: Share) -> ShareWithInterval:
    return ShareWithInterval(**asdict(score.estimate), hits=score.hits, total=score.total)
