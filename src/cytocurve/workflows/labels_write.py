"""``cytocurve labels import`` and ``merge``: create label versions, completely or not at all."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels
from cytocurve.core.data.spelling import same_form
from cytocurve.core.statistics import agreement
from cytocurve.errors import InputError
from cytocurve.files import exclusive
from cytocurve.ingest.tables import read
from cytocurve.stores.dvc import track_data
from cytocurve.study.dataset import (
    check_version,
    dataset_folder,
    images_below,
    known_classes,
    labels_csv,
    write_labels,
)
from cytocurve.text import counted, did_you_mean
from cytocurve.workflows.labels import (
    Tables,
    VersionCounts,
    chosen_versions,
    overview,
    refuse,
    versions_of,
)

CORRECTIONS = ("corrected", "new_label")
"""Columns of a reviewed list that take precedence over ``label`` where they are filled."""


@dataclass(frozen=True)
class ImportOutcome:
    """A label version made from a list: its counts, and the number of rows in the list.

    ``changed`` counts the rows whose label differs from the base version (None without one); ``new_classes`` occur in
    no other version; ``left_out`` says what was dropped or stripped when the list was read. ``already`` is true if the
    version existed with the same content, as after an interrupted call.
    """

    dataset: str
    version: str
    counts: VersionCounts
    rows: int
    changed: int | None
    new_classes: list[str]
    left_out: list[str]
    already: bool = False

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON; the counts are merged into its other keys."""
        own = {"version": self.version, "rows": self.rows, "changed": self.changed, "new_classes": self.new_classes}
        own |= {"left_out": self.left_out, "already": self.already}
        return {"dataset": self.dataset, **asdict(self.counts), **own}


@dataclass(frozen=True)
class MergeOutcome:
    """A label version merged from others: its counts, and the number of images by kind of vote.

    ``already`` is true if the version existed with the same content, as after an interrupted call.
    """

    dataset: str
    version: str
    counts: VersionCounts
    merged: list[str]
    votes: dict[str, int]
    already: bool = False

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON; the counts are merged into its other keys."""
        own = {"version": self.version, "merged": self.merged, "votes": self.votes, "already": self.already}
        return {"dataset": self.dataset, **asdict(self.counts), **own}


def import_version(
    project: ProjectPaths,
    file: Path,
    name: str,
    annotator: str,
    base: str | None = None,
    new_classes: Sequence[str] = (),
    dataset: str | None = None,
) -> ImportOutcome:
    """Write a list as a label version with ``write_list`` and track it with DVC."""
    dataset = project.params().dataset if dataset is None else dataset
    project.params()  # fail early: DVC cannot record data next to an unreadable params.yaml
    outcome = write_list(project, dataset, file, name, annotator, base, new_classes)
    track_data(project)
    return outcome


def merge_versions(
    project: ProjectPaths, versions: Sequence[str], name: str, dataset: str | None = None
) -> MergeOutcome:
    """Write the consensus of several versions with ``write_consensus`` and track it with DVC."""
    dataset = project.params().dataset if dataset is None else dataset
    project.params()  # fail early: DVC cannot record data next to an unreadable params.yaml
    outcome = write_consensus(project, dataset, versions, name)
    track_data(project)
    return outcome


def write_list(
    project: ProjectPaths,
    dataset: str,
    file: Path,
    name: str,
    annotator: str,
    base: str | None = None,
    new_classes: Sequence[str] = (),
) -> ImportOutcome:
    """Write the list in ``file`` as the label version ``name``, attributing its rows to ``annotator``.

    Images missing from the list keep their label and annotator from the version ``base``; without ``base``, every
    image needs a row. With ``base``, a list with one of the columns ``CORRECTIONS`` contributes only the rows where it
    is filled, since the other rows of a ranking were not reviewed. Labels that no other version has must be among
    ``new_classes``. Raises one ``InputError`` that lists every problem, before anything is written.
    """
    folder = _folder(project, dataset, name)
    if not annotator.strip():
        raise InputError("--annotator: must not be blank")
    with exclusive(project.files_lock):
        return _write_list(project, folder, file, name, annotator, base, new_classes)


def _write_list(
    project: ProjectPaths,
    folder: Path,
    file: Path,
    name: str,
    annotator: str,
    base: str | None,
    new_classes: Sequence[str],
) -> ImportOutcome:
    tables = _other_versions(project, folder, name, [base])
    sheet = read(file)
    images, _ = images_below(folder / "images", folder.name)
    rows = _rows(labels.aligned(sheet.frame, images), file, corrected_only=base is not None)
    kept = (
        chosen_versions(tables, [base])[base]
        if base is not None
        else pd.DataFrame(columns=[*labels.REQUIRED, "annotator"], dtype="str")
    )
    kept = kept[~kept["image"].isin(rows["image"])].reindex(columns=[*labels.REQUIRED, "annotator"], fill_value="")
    known = {label for other in tables.values() for label in other["label"] if label}
    if known and known_classes(folder / "dataset.yaml", "dataset.yaml")[0] is None:
        _refuse_new(rows, known | set(map(same_form, new_classes)), file)
    table = pd.concat([rows.assign(annotator=same_form(annotator.strip())), kept], ignore_index=True)
    already = _write(
        folder,
        name,
        table,
        tables,
        file.as_posix(),
        "" if base is not None else " For a partial list: --base VERSION.",
    )
    counts = overview({name: table})[name]
    before = dict(zip(tables[base]["image"], tables[base]["label"], strict=True)) if base is not None else {}
    different = sum(before.get(image, "") != label for image, label in zip(rows["image"], rows["label"], strict=True))
    return ImportOutcome(
        dataset=folder.name,
        version=name,
        counts=counts,
        rows=len(rows),
        changed=None if base is None else different,
        new_classes=[label for label in counts.classes if label not in known],
        left_out=list(sheet.left_out),
        already=already,
    )


def _refuse_new(rows: pd.DataFrame, known: Collection[str], file: Path) -> None:
    """Treat a label that no other version has as a typo, unless it is declared as a new class."""
    given = Counter(label for label in rows["label"] if label)
    new = sorted(label for label in given if label not in known)
    refuse(
        f"{file}: no other label version has these classes:",
        [f"{label!r}: {counted(given[label], 'row')}{did_you_mean(label, sorted(known))}" for label in new],
        next_step="correct them, or declare each new class: --new-class NAME",
    )


def write_consensus(project: ProjectPaths, dataset: str, names: Sequence[str], name: str) -> MergeOutcome:
    """Write the consensus of several versions as the version ``name``.

    Each image gets its most frequent label. Ties go to the version listed first; a version that leaves an image
    unlabeled has no vote on it.
    """
    folder = _folder(project, dataset, name)
    with exclusive(project.files_lock):
        return _write_consensus(project, folder, names, name)


def _write_consensus(project: ProjectPaths, folder: Path, names: Sequence[str], name: str) -> MergeOutcome:
    tables = _other_versions(project, folder, name, names)
    chosen = chosen_versions(tables, names)
    if len(chosen) < 2:
        raise InputError("a consensus needs at least two label versions", hint=f"Label versions: {', '.join(tables)}")
    merged = agreement.consensus({version: table["label"].tolist() for version, table in chosen.items()})
    voters = f"consensus of {' '.join(names)}"
    table = pd.DataFrame(
        {
            "image": next(iter(chosen.values()))["image"],
            "label": [label for label, _ in merged],
            "annotator": [voters if label else "" for label, _ in merged],
        }
    )
    already = _write(folder, name, table, tables, name, "")
    votes = Counter(how for _, how in merged)
    return MergeOutcome(
        dataset=folder.name,
        version=name,
        counts=overview({name: table})[name],
        merged=list(names),
        votes={how: votes[how] for how in agreement.VOTES},
        already=already,
    )


def _folder(project: ProjectPaths, dataset: str, name: str) -> Path:
    """The dataset's folder; raises ``InputError`` if a label version cannot have this name."""
    folder = dataset_folder(project, dataset, "dataset")
    try:
        check_version(name)
    except ValueError as error:
        raise InputError(f"--as {name}: {error}") from None
    return folder


def _other_versions(project: ProjectPaths, folder: Path, name: str, sources: Sequence[str | None]) -> Tables:
    """The versions of the dataset, except the one with this name: a repeated call finds its own.

    Raises ``InputError`` if that one would be derived from itself.
    """
    path = folder / "labels" / f"{name}.csv"
    if name in sources and path.exists():
        raise _taken(path)
    if all(path.stem == name for path in (folder / "labels").glob("*.csv")):
        return {}
    return {version: table for version, table in versions_of(project, folder.name).items() if version != name}


def _rows(sheet: pd.DataFrame, file: Path, corrected_only: bool) -> pd.DataFrame:
    """Image and label of each row of a list, or of its corrected rows, corrections applied; raises ``InputError``."""
    columns = list(sheet.columns)
    wrong = [f"column {column!r} is missing" for column in labels.REQUIRED if column not in columns]
    wrong += [f"column {c!r} occurs twice" for c in (*labels.REQUIRED, *CORRECTIONS) if columns.count(c) > 1]
    if not wrong and sheet.empty:
        wrong = ["no rows after the header"]
    refuse(f"{file}: this list cannot be used:", wrong, f"Its columns: {', '.join(columns) or 'none'}")
    label = sheet["label"]
    filled = [sheet[column] for column in CORRECTIONS if column in columns]
    if len(filled) == len(CORRECTIONS):
        differ = (filled[0] != "") & (filled[1] != "") & (filled[0] != filled[1])
        both = zip(sheet["image"][differ], filled[0][differ], filled[1][differ], strict=True)
        wrong = [f"{image}: {CORRECTIONS[0]} {a!r}, {CORRECTIONS[1]} {b!r}" for image, a, b in both]
        refuse(f"{file}: these images have two corrections:", wrong, next_step="clear one of the two columns")
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
            f"{file}: none of the rows has a correction",
            next_step=f"fill in {' or '.join(CORRECTIONS)}, including for labels that you confirm",
        )
    return rows


def _write(folder: Path, name: str, table: pd.DataFrame, tables: Tables, shown: str, hint: str) -> bool:
    """Check a new version against the dataset's images, classes and other versions, then write it.

    Returns whether it existed with the same content; raises ``InputError`` if it exists with another one.
    """
    known, unknown = known_classes(folder / "dataset.yaml", f"data/{folder.name}/dataset.yaml")
    images, wrong = images_below(folder / "images", f"data/{folder.name}/images")
    for column in ("patient", "fold"):
        values = labels.known(column, tables.values())
        if values:
            table = table.assign(**{column: [values.get(image, "") for image in table["image"]]})
    wrong += [*unknown, *labels.problems(images, {shown: table}, known)]
    classes = f" Classes of {folder.name}: {', '.join(sorted(known))}." if known else ""
    refuse(f"{shown}: these labels cannot be used:", wrong, next_step=f"correct these problems.{hint}{classes}")
    path = folder / "labels" / f"{name}.csv"
    if not path.exists() and not path.is_symlink():
        write_labels(path, table)
        return False
    if path.is_file() and path.read_bytes() == labels_csv(table).encode():
        return True
    raise _taken(path)


def _taken(path: Path) -> InputError:
    return InputError(
        f"{path} already exists with other content, and label versions are never overwritten",
        next_step="choose another name with --as",
    )
