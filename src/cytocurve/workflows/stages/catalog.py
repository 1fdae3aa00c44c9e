"""Stage ``catalog``: decode all images, check all labels, find duplicates."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytocurve.config import ProjectPaths
from cytocurve.core.data import labels, similarity
from cytocurve.datasets import Progress
from cytocurve.errors import InputError
from cytocurve.ingest.fingerprints import Fingerprint, fingerprint
from cytocurve.ingest.scanning import bombs_refused, refusal
from cytocurve.stores.documents import write_json
from cytocurve.stores.tables import write_parquet
from cytocurve.study.dataset import COLUMNS, WITHDRAWN, dataset_folder, images_below, known_classes, label_files
from cytocurve.text import check_known

_THREADS = min(os.cpu_count() or 1, 8)


@dataclass(frozen=True)
class CatalogReport:
    """Counts of a catalog, and its duplicates as pairs of the first image and a later one.

    Byte-identical images are also pixel-identical. ``kept`` counts the distinct images. ``conflicts`` lists, by label
    version, groups of pixel-identical images with different labels (image -> label). ``left_out`` says, by label
    version, what was dropped or stripped when its table was read.
    """

    dataset: str
    images: int
    kept: int
    near_identical: int
    withdrawn: int
    byte_identical: int
    pixel_identical: int
    byte_identical_pairs: list[list[str]]
    pixel_identical_pairs: list[list[str]]
    conflicts: dict[str, list[dict[str, str]]]
    classes: dict[str, dict[str, int]]
    unlabelled: dict[str, int]
    left_out: dict[str, list[str]]

    def to_json(self) -> dict[str, Any]:
        """The contents of ``build/catalog.json``, without its checksum."""
        return asdict(self)


def catalog(project: ProjectPaths, progress: Progress) -> CatalogReport:
    """Write ``build/catalog.parquet`` and the report ``build/catalog.json``, which is returned.

    The table has one row per image, sorted by name: ``COLUMNS`` and one column per label version, null where
    unlabeled; ``duplicate_of`` is the first image with the same pixels. Raises one ``InputError``, before anything is
    written, that lists every damaged image and every problem with the labels.
    """
    params = project.params()
    folder = dataset_folder(project, params.dataset)
    shown = folder.relative_to(project.root).as_posix()
    images, wrong = images_below(folder / "images", f"{shown}/images")
    files, unread = label_files(folder / "labels", f"{shown}/labels", images)
    known, unknown = known_classes(folder / "dataset.yaml", f"{shown}/dataset.yaml")
    tables = {version: file.frame for version, file in files.items() if file}
    missing = check_known("params.yaml: labels: label version", params.labels, [*files])
    versions = {f"{shown}/labels/{version}.csv": table for version, table in tables.items()}
    prints, broken = fingerprints(images, f"{shown}/images", progress)
    gone, unusable = _withdrawn(folder / WITHDRAWN, list(files), images, f"{shown}/{WITHDRAWN}")
    wrong += [*broken, *unknown, *unread, *unusable, *missing, *labels.problems(images, versions, known)]
    if wrong:
        again = f"then rm -r {shown} (this deletes imported label versions) and rerun cytocurve data add. "
        raise InputError(
            f"{shown}: these images or labels cannot be used:",
            wrong,
            (f"Damaged images: repair or remove them in the source, {again}" if broken else "")
            + f"Label versions: {', '.join(files) or 'none'} (params.yaml: labels). "
            "An empty label leaves an image unlabeled.",
            "correct these problems, then dvc repro",
        )
    frame = _frame(prints, tables, gone)
    report = _report(params.dataset, frame, {version: file.left_out for version, file in files.items() if file})
    write_parquet(project.catalog, frame)
    write_json(project.catalog.with_suffix(".json"), report.to_json())
    return report


def fingerprints(
    images: Mapping[str, Path], shown: str, progress: Progress
) -> tuple[dict[str, Fingerprint], list[str]]:
    """The fingerprints of all images, and one line per image without one; Pillow and hashlib release the GIL."""
    prints, broken = {}, []
    with bombs_refused(), ThreadPoolExecutor(_THREADS) as pool:
        for done, (name, result) in enumerate(zip(images, pool.map(_fingerprint, images.values()), strict=True), 1):
            if isinstance(result, Fingerprint):
                prints[name] = result
            else:
                broken.append(f"{shown}/{name}: {result}")
            progress(done, len(images))
    return prints, broken


def _fingerprint(path: Path) -> Fingerprint | str:
    """An image's fingerprint, or why it has none."""
    try:
        return refusal(path) or fingerprint(path)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    except ValueError as error:
        return str(error)


def _frame(prints: Mapping[str, Fingerprint], tables: Mapping[str, pd.DataFrame], gone: pd.DataFrame) -> pd.DataFrame:
    names = list(prints)
    frame = pd.DataFrame([_row(name, image) for name, image in prints.items()])
    frame["duplicate_of"] = _others(names, frame.groupby("pixel_sha256")["image"].transform("first"))
    pairs = similarity.near_identical(np.stack([image.thumbnail for image in prints.values()]))
    first = similarity.first_of_group(len(names), pairs)
    frame["near_duplicate_of"] = _others(names, pd.Series([names[i] for i in first]))
    for column in ("withdrawn", "unlabelled_in"):
        frame[column] = pd.Series([None] * len(frame), dtype="str")
    for column in ("patient", "fold"):
        known = labels.known(column, tables.values())
        frame[column] = pd.Series([known.get(name) for name in names], dtype="str")
    for version, table in tables.items():
        label_of = dict(zip(table["image"], table["label"], strict=True))
        frame[version] = pd.Series([label_of[name] or None for name in names], dtype="str")
    return pd.concat([frame, gone]).reindex(columns=[*COLUMNS, *tables]).sort_values("image", ignore_index=True)


def _row(name: str, image: Fingerprint) -> dict[str, Any]:
    row = {
        column: getattr(image, column) for column in ("sha256", "pixel_sha256", "phash", "width", "height", "format")
    }
    for color, mean, background in zip(("red", "green", "blue"), image.color, image.background, strict=True):
        row |= {color: round(mean, 3), f"background_{color}": background}
    return {"image": name, **row}


def _others(names: Sequence[str], first: pd.Series) -> pd.Series:
    """The first image of each image's group, null for the first image itself."""
    return pd.Series(first.where(first != pd.Series(names)), dtype="str")


def _withdrawn(
    path: Path, versions: Sequence[str], images: Collection[str], shown: str
) -> tuple[pd.DataFrame, list[str]]:
    """The withdrawn records as rows of the catalog, and one line per problem in their file."""
    if not path.is_file():
        return pd.DataFrame(), []
    try:
        table = labels.aligned(labels.parse(path.read_bytes().decode("utf-8-sig")), images)
    except (OSError, ValueError) as error:
        return pd.DataFrame(), [f"{shown}: {error}"]
    missing = [column for column in ("image", "pixel_sha256", "reason") if column not in table]
    if missing:
        return pd.DataFrame(), [f"{shown}: column {column!r} is missing" for column in missing]
    remaining = sorted(set(table["image"]) & set(images))
    if remaining:
        return pd.DataFrame(), [
            f"{shown}: {name} is withdrawn but still present: rerun cytocurve data withdraw" for name in remaining
        ]
    wanted = {"image", "pixel_sha256", "patient", "fold", "duplicate_of", "near_duplicate_of", "unlabelled_in"}
    rows = table[[column for column in table if column in wanted or column in versions]]
    rows = rows.astype("object").where(rows != "", None).assign(withdrawn=table["reason"])
    return rows, []


def _report(dataset: str, frame: pd.DataFrame, versions: Mapping[str, Sequence[str]]) -> CatalogReport:
    withdrawn = int(frame["withdrawn"].notna().sum())
    frame = frame[frame["withdrawn"].isna()]
    pairs = {kind: _pairs(frame, column) for kind, column in (("byte", "sha256"), ("pixel", "pixel_sha256"))}
    return CatalogReport(
        dataset=dataset,
        images=len(frame),
        kept=int(frame["duplicate_of"].isna().sum()),
        near_identical=int(frame["near_duplicate_of"].notna().sum()),
        withdrawn=withdrawn,
        byte_identical=len(pairs["byte"]),
        pixel_identical=len(pairs["pixel"]),
        byte_identical_pairs=pairs["byte"],
        pixel_identical_pairs=pairs["pixel"],
        conflicts={version: _conflicts(frame, version) for version in versions},
        classes={version: labels.class_counts(frame[version].dropna()) for version in versions},
        unlabelled={version: int(frame[version].isna().sum()) for version in versions},
        left_out={version: list(phrases) for version, phrases in versions.items() if phrases},
    )


def _pairs(frame: pd.DataFrame, column: str) -> list[list[str]]:
    first = frame.groupby(column)["image"].transform("first")
    later = first != frame["image"]
    return [list(pair) for pair in zip(first[later], frame["image"][later], strict=True)]


def _conflicts(frame: pd.DataFrame, version: str) -> list[dict[str, str]]:
    """Groups of images with the same pixels and different labels: image -> label."""
    labelled = frame[frame[version].notna()]
    several = labelled.groupby("pixel_sha256")[version].transform("nunique") > 1
    groups = labelled[several].groupby("pixel_sha256", sort=False)
    return [dict(zip(group["image"], group[version], strict=True)) for _, group in groups]
