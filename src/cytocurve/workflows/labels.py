"""``cytocurve labels``: label versions of a dataset counted, compared, brought in and merged."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from cytocurve import datasets
from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.core.data.taxonomy import CELL_TYPES
from cytocurve.core.statistics import agreement
from cytocurve.core.statistics.agreement import Share
from cytocurve.errors import InputError
from cytocurve.ingest.spreadsheets import read_sheet
from cytocurve.study.dataset import (
    check_version,
    dataset_folder,
    images_below,
    known_classes,
    label_tables,
    write_labels,
)
from cytocurve.text import check_known, did_you_mean

CORRECTIONS = ("corrected", "new_label")
"""Columns of a reviewed list that win over ``label`` where they are filled."""

Tables = Mapping[str, pd.DataFrame]


def versions_of(project: ProjectPaths, dataset: str, root: Path | None = None) -> Tables:
    """The label versions of ``data/<dataset>``, or of the upstream folder ``root`` by that dataset's label files alone.

    Every table has a row for each image that any of them has, sorted by image; an unlabelled image has an empty label.
    Raises one ``InputError`` that lists everything wrong with them.
    """
    if root is not None:
        known, tables, wrong = _upstream(dataset, root)
    else:
        folder = dataset_folder(project, dataset, "dataset")
        known, tables, wrong = _here(project, folder)
    images = {image for table in tables.values() if "image" in table for image in table["image"]}
    wrong += labels.problems(images, tables, known)
    _refuse(
        f"{root or f'data/{dataset}'}: these label versions cannot be used:", wrong, next_step="correct what is listed."
    )
    return {Path(name).name.removesuffix(".csv"): _sorted(table) for name, table in tables.items()}


def _upstream(dataset: str, root: Path) -> tuple[frozenset[str] | None, Tables, list[str]]:
    readers = {name: found for name in datasets.names() if (found := datasets.load(name)).tables}
    if dataset not in readers:
        raise InputError(
            f"--root: dataset {dataset!r} has no label files that can be read without its images"
            f"{did_you_mean(dataset, list(readers))}",
            hint=f"Datasets that have: {', '.join(readers)}.",
            next_step="--dataset NAME, or cytocurve data add and no --root",
        )
    read = readers[dataset].tables
    assert read is not None
    return readers[dataset].classes, read(root), []


def _here(project: ProjectPaths, folder: Path) -> tuple[frozenset[str] | None, Tables, list[str]]:
    """Known classes, the readable tables by their files' names, and a line for each thing wrong so far."""
    shown = folder.relative_to(project.root).as_posix()
    tables, unread = label_tables(folder / "labels", f"{shown}/labels")
    known, unknown = known_classes(folder / "dataset.yaml", f"{shown}/dataset.yaml")
    sound = {f"{shown}/labels/{version}.csv": table for version, table in tables.items() if table is not None}
    return known, sound, [*unread, *unknown]


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.fillna("").sort_values("image", ignore_index=True)


def _refuse(problem: str, wrong: Sequence[str], hint: str = "", next_step: str = "") -> None:
    if wrong:
        raise InputError(problem, wrong, hint, next_step)


def _chosen(tables: Tables, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The versions of these names; raises ``InputError`` listing those unknown or named twice."""
    wrong = check_known("label version", names, list(tables))
    wrong += [f"label version {name!r} is named twice" for name, count in Counter(names).items() if count > 1]
    _refuse("these label versions cannot be compared:", wrong, f"Label versions there: {', '.join(tables)}")
    return {name: tables[name] for name in names}


def overview(tables: Tables) -> dict[str, Any]:
    """Counts of each version: images a class, unlabelled ones, and images of each annotator.

    ``not_assignable`` are the unlabelled images that an annotator has looked at.
    """
    figures: dict[str, Any] = {}
    for version, table in tables.items():
        who = table["annotator"] if "annotator" in table else pd.Series("", index=table.index)
        empty = table["label"] == ""
        figures[version] = {
            "images": len(table),
            "labelled": int((~empty).sum()),
            "unlabelled": int(empty.sum()),
            "not_assignable": int((empty & (who != "")).sum()),
            "classes": labels.class_counts(table["label"]),
            "annotators": labels.class_counts(who),
        }
    return figures


def difference(tables: Tables, first: str, second: str) -> dict[str, Any]:
    """What changed from one version to another.

    ``confusion`` counts labels of ``first`` by labels of ``second`` on images labelled in both, ``changed`` lists the
    images with other labels, ``only_in`` those that one of the two leaves unlabelled.
    """
    before, after = (table["label"].tolist() for table in _chosen(tables, [first, second]).values())
    names, counts = agreement.confusion(before, after)
    rows = list(zip(tables[first]["image"], before, after, strict=True))
    return {
        "versions": [first, second],
        "images": int(counts.sum()),
        "agreeing": int(counts.trace()),
        "confusion": {a: dict(zip(names, row, strict=True)) for a, row in zip(names, counts.tolist(), strict=True)},
        "changed": [{"image": image, "from": a, "to": b} for image, a, b in rows if a and b and a != b],
        "only_in": {
            first: [image for image, a, b in rows if a and not b],
            second: [image for image, a, b in rows if b and not a],
        },
    }


def agreements(tables: Tables, reference: str, others: Sequence[str]) -> dict[str, Any]:
    """Agreement of each other version with the reference, which is taken for the truth, on images labelled in both.

    Intervals are of 95 %: of kappa by Fleiss, Cohen & Everitt 1969, of shares by Wilson 1927. Raises ``InputError``
    listing the versions that share no labelled image with the reference.
    """
    chosen = _chosen(tables, [reference, *others])
    truth = chosen.pop(reference)
    apart = [name for name, table in chosen.items() if not ((truth["label"] != "") & (table["label"] != "")).any()]
    _refuse(
        f"no image is labelled both in {reference!r} and in", apart, next_step="compare others: cytocurve labels list"
    )
    return {
        "reference": reference,
        "versions": {name: _agreement(truth, table) for name, table in chosen.items()},
    }


def _agreement(truth: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any]:
    names, counts = agreement.confusion(truth["label"].tolist(), table["label"].tolist())
    seen = (table["annotator"] != "") if "annotator" in table else pd.Series(False, index=table.index)
    return {
        "images": int(counts.sum()),
        "not_assignable": int((seen & (table["label"] == "") & (truth["label"] != "")).sum()),
        "kappa": asdict(agreement.cohen_kappa(counts)),
        "tasks": {
            task: dict(zip(("sensitivity", "specificity"), map(_share, scores), strict=True))
            for task, positive in agreement.binary_tasks(names).items()
            for scores in [agreement.binary(names, counts, positive)]
        },
        "unknown_to_the_taxonomy": sorted(set(names) - set(CELL_TYPES)),
        "classes": {
            name: {"precision": _share(precision), "sensitivity": _share(sensitivity)}
            for name, (precision, sensitivity) in agreement.by_class(names, counts).items()
        },
    }


def _share(score: Share) -> dict[str, Any]:
    return asdict(score.estimate) | {"hits": score.hits, "total": score.total}


def bring_in(
    project: ProjectPaths,
    dataset: str,
    file: Path,
    name: str,
    annotator: str,
    base: str | None = None,
    new_classes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the list in ``file`` as the label version ``name``, its rows those of ``annotator``; returns counts.

    Images that the list does not name keep label and annotator of the version ``base``; without one, each needs a row.
    With ``base``, a list that has one of ``CORRECTIONS`` names only the images where it is filled: the others of a
    ranking were not looked at. Labels that no other version has must be among ``new_classes``.
    Raises one ``InputError`` that lists everything wrong, before anything is written.
    """
    folder, tables = _place(project, dataset, name)
    if not annotator.strip():
        raise InputError("--annotator: a name is expected, got a blank one")
    rows = _rows(file, corrected_only=base is not None)
    kept = _chosen(tables, [base])[base] if base else pd.DataFrame(columns=[*labels.REQUIRED, "annotator"], dtype="str")
    kept = kept[~kept["image"].isin(rows["image"])].reindex(columns=[*labels.REQUIRED, "annotator"], fill_value="")
    known = {label for other in tables.values() for label in other["label"] if label}
    if known and _here(project, folder)[0] is None:
        _refuse_new(rows, known | set(new_classes), file)
    table = pd.concat([rows.assign(annotator=annotator.strip()), kept], ignore_index=True)
    _write(project, folder, name, table, tables, file.as_posix(), "" if base else " Only some images: --base VERSION.")
    figures: dict[str, Any] = overview({name: table})[name]
    before = dict(zip(tables[base]["image"], tables[base]["label"], strict=True)) if base else {}
    return figures | {
        "version": name,
        "rows": len(rows),
        "changed": sum(
            before.get(image, "") != label for image, label in zip(rows["image"], rows["label"], strict=True)
        )
        if base
        else None,
        "new_classes": [label for label in figures["classes"] if label not in known],
    }


def _refuse_new(rows: pd.DataFrame, known: Collection[str], file: Path) -> None:
    """Where a dataset leaves its classes open, a label that no other version has is a slip, unless it is stated."""
    given = Counter(label for label in rows["label"] if label)
    new = sorted(label for label in given if label not in known)
    _refuse(
        f"{file}: no other label version has these classes:",
        [f"{label!r}: {given[label]} rows{did_you_mean(label, sorted(known))}" for label in new],
        next_step="correct them, or state each new class: --new-class NAME",
    )


def merge(project: ProjectPaths, dataset: str, names: Sequence[str], name: str) -> dict[str, Any]:
    """Write the consensus of several versions as the version ``name``; returns counts, ``votes`` by how it came about.

    The label that most of the versions give; ties go to the version named first, an unlabelled image does not vote.
    """
    folder, tables = _place(project, dataset, name)
    chosen = _chosen(tables, names)
    if len(chosen) < 2:
        raise InputError("two label versions or more are needed for a consensus", hint=f"There: {', '.join(tables)}")
    merged = agreement.consensus({version: table["label"].tolist() for version, table in chosen.items()})
    voters = f"consensus of {' '.join(names)}"
    table = pd.DataFrame(
        {
            "image": next(iter(chosen.values()))["image"],
            "label": [label for label, _ in merged],
            "annotator": [voters if label else "" for label, _ in merged],
        }
    )
    _write(project, folder, name, table, tables, name, "")
    counts = Counter(how for _, how in merged)
    votes = {how: counts[how] for how in agreement.VOTES}
    figures: dict[str, Any] = overview({name: table})[name]
    return figures | {"version": name, "merged": list(names), "votes": votes}


def _place(project: ProjectPaths, dataset: str, name: str) -> tuple[Path, Tables]:
    """The dataset's folder and its versions; raises ``InputError`` where none of this name can be added."""
    folder = dataset_folder(project, dataset, "dataset")
    path = folder / "labels" / f"{name}.csv"
    try:
        check_version(name)
    except ValueError as error:
        raise InputError(f"--as {name}: {error}") from None
    _refuse_taken(path)
    return folder, versions_of(project, dataset) if any((folder / "labels").glob("*.csv")) else {}


def _refuse_taken(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputError(
            f"{path} is already there, and a label version is never overwritten", next_step="--as ANOTHER_NAME"
        )


def _rows(file: Path, corrected_only: bool) -> pd.DataFrame:
    """Image and label of each row of a list, or of its corrected rows, corrections applied; raises ``InputError``."""
    sheet = read_sheet(file)
    columns = list(sheet.columns)
    wrong = [f"column {column!r} is missing" for column in labels.REQUIRED if column not in columns]
    wrong += [f"column {c!r} stands twice" for c in (*labels.REQUIRED, *CORRECTIONS) if columns.count(c) > 1]
    if not wrong and sheet.empty:
        wrong = ["no row below its header"]
    _refuse(f"{file}: this list cannot be used:", wrong, f"Its columns are: {', '.join(columns) or 'none'}")
    label = sheet["label"]
    filled = [sheet[column] for column in CORRECTIONS if column in columns]
    if len(filled) == len(CORRECTIONS):
        differ = (filled[0] != "") & (filled[1] != "") & (filled[0] != filled[1])
        both = zip(sheet["image"][differ], filled[0][differ], filled[1][differ], strict=True)
        wrong = [f"{image}: {CORRECTIONS[0]} {a!r}, {CORRECTIONS[1]} {b!r}" for image, a, b in both]
        _refuse(f"{file}: these images have two corrections:", wrong, next_step="leave one of the two columns empty.")
    for correction in filled:
        label = label.where(correction == "", correction)
    rows = pd.DataFrame({"image": sheet["image"], "label": label}, dtype="str")
    if not filled or not corrected_only:
        return rows
    corrected = pd.Series(False, index=sheet.index)
    for correction in filled:
        corrected |= correction != ""
    rows = rows[corrected]
    if rows.empty:
        raise InputError(
            f"{file}: no row has a correction",
            next_step=f"fill {' or '.join(CORRECTIONS)}; a label that you confirm is written there too.",
        )
    return rows


def _write(
    project: ProjectPaths, folder: Path, name: str, table: pd.DataFrame, tables: Tables, shown: str, hint: str
) -> None:
    """Check a new version against the dataset's images, classes and other versions, and write it."""
    known, _, _ = _here(project, folder)
    images, wrong = images_below(folder / "images", f"data/{folder.name}/images")
    for column in ("patient", "fold"):
        values = labels.known(column, tables.values())
        if values:
            table = table.assign(**{column: [values.get(image, "") for image in table["image"]]})
    wrong += labels.problems(images, {shown: table}, known)
    classes = f" Classes of {folder.name}: {', '.join(sorted(known))}." if known else ""
    _refuse(f"{shown}: these labels cannot be used:", wrong, next_step=f"correct what is listed.{hint}{classes}")
    path = folder / "labels" / f"{name}.csv"
    lock = project.root / "build" / "labels.lock"
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):  # two calls at once may both have found the name free
        _refuse_taken(path)
        write_labels(path, table)
