"""A dataset in ``data/``: its folder, images, label versions and classes."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from cytocurve import datasets
from cytocurve.config import LONGEST_NAME, Name, ProjectPaths
from cytocurve.core.data import labels
from cytocurve.core.data.spelling import same_files, same_form
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.ingest.scanning import files_below, why_not_data
from cytocurve.stores.documents import read_json
from cytocurve.stores.tables import read_parquet
from cytocurve.text import check_known
from cytocurve.yaml_files import read_yaml

COLUMNS = (
    "image", "sha256", "pixel_sha256", "phash", "width", "height", "patient", "duplicate_of", "near_duplicate_of",
    "fold", "withdrawn", "unlabelled_in", "format",
    "red", "green", "blue", "background_red", "background_green", "background_blue",
)  # fmt: skip
"""Columns of the catalog before those of the label versions.

``unlabelled_in`` lists the versions, separated by spaces, in which a withdrawn image was unlabeled.
"""

RESERVED = ("class", "date", "group", "label", "near", "reason")
"""Columns used in a split or in the record of withdrawn images, which cannot name a label version."""

ORIGIN = ("loader", "title", "licence", "citation", "url")
"""The entries of a ``dataset.yaml``."""

WITHDRAWN = "withdrawn.csv"
"""The record of withdrawals in a dataset's folder."""


def dataset_folder(project: ProjectPaths, name: str, stated: str = "params.yaml: dataset") -> Path:
    """The folder ``data/<name>``; raises ``InputError`` naming the source of the name and the existing datasets."""
    present = local_datasets(project)
    if name in present:
        return project.data / name
    command = f"cytocurve data add {name if name in datasets.names() else f'NAME PATH --as {_name_or_blank(name)}'}"
    if not project.data.is_dir():
        raise InputError("data/ does not exist yet", next_step=f"make repro, or {command}")
    raise InputError(
        f"data/{name} does not exist",
        check_known(stated, [name], present),
        hint=f"Existing datasets: {', '.join(present) or 'none'}.",
        next_step=command,
    )


def local_datasets(project: ProjectPaths) -> list[str]:
    """The names of the datasets in ``data/``, sorted."""
    folders = project.data.iterdir() if project.data.is_dir() else ()
    return sorted(path.name for path in folders if path.is_dir() and not why_not_data(path.name))


def _name_or_blank(name: str) -> str:
    """The name, if a dataset can have it."""
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError:
        return "DATASET"


def images_below(folder: Path, shown: str) -> tuple[dict[str, Path], list[str]]:
    """The files of images by sorted name, see ``files_below``, and one line per problem."""
    files = files_below(folder)
    images = {name: path for name, path in files.items() if _readable(name) == name}
    wrong = [f"{shown}/{_readable(name)}: its name is not valid UTF-8" for name in files if _readable(name) != name]
    wrong += [f"{shown}: {line}" for line in same_files(images)]
    return images, wrong if images else [*wrong, f"{shown}: no images"]


def withdrawn_images(project: ProjectPaths, dataset: str) -> frozenset[str]:
    """The names of the images that were withdrawn from a dataset, in one Unicode form.

    Raises ``InputError`` if the record of withdrawals cannot be read.
    """
    path = project.data / dataset / WITHDRAWN
    if not path.is_file():
        return frozenset()
    try:
        return frozenset(map(same_form, labels.parse(path.read_bytes().decode("utf-8-sig"))["image"]))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: this record of withdrawals cannot be used: {error}",
            next_step="restore the recorded version with dvc checkout data",
        ) from error


def read_catalog(project: ProjectPaths, dataset: str = "", next_step: str = "dvc repro catalog") -> pd.DataFrame:
    """The catalog of a dataset, by default the study's.

    Raises ``InputError`` if it is missing, damaged, of another dataset, or lacks columns of this version of cytocurve.
    """
    wanted = dataset or project.params().dataset
    if not project.catalog.is_file():
        dataset_folder(project, wanted, "dataset")
    table = read_parquet(project.catalog, next_step)
    about = project.catalog.with_suffix(".json")
    made_of = read_json(about, next_step).get("dataset") if about.is_file() else wanted
    if made_of != wanted:
        raise InputError(f"{project.catalog} is of dataset {made_of!r}, not of {wanted!r}", next_step=next_step)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(
            f"{project.catalog}: made by another version of cytocurve; it lacks the columns",
            missing,
            next_step=f"remove it, then {next_step}",
        )
    return table


def _readable(name: str) -> str:
    return os.fsencode(name).decode(errors="replace")


def label_tables(folder: Path, shown: str, images: Collection[str]) -> tuple[dict[str, pd.DataFrame | None], list[str]]:
    """Label tables by version, None for unreadable ones, and one line per problem; see ``label_files``."""
    files, wrong = label_files(folder, shown, images)
    return {version: table.frame if table else None for version, table in files.items()}, wrong


def label_files(folder: Path, shown: str, images: Collection[str]) -> tuple[dict[str, labels.Table | None], list[str]]:
    """Label tables by version with what was left out of them, None for unreadable ones, and one line per problem.

    The tables are ``aligned`` with the names of these images.
    """
    tables: dict[str, labels.Table | None] = {}
    wrong = []
    for path in sorted(path for path in folder.glob("*.csv") if not path.name.startswith(".")):
        tables[path.stem] = None
        try:
            check_version(path.stem)
            table = labels.read(path.read_bytes().decode("utf-8-sig"))
            tables[path.stem] = labels.Table(labels.aligned(table.frame, images), table.left_out)
        except UnicodeDecodeError as error:
            wrong.append(f"{shown}/{path.name}: not UTF-8, byte {error.start}: save it as CSV UTF-8")
        except OSError as error:
            wrong.append(f"{shown}/{path.name}: cannot be read: {error.strerror}")
        except ValueError as error:
            wrong.append(f"{shown}/{path.name}: {error}")
    return tables, wrong if tables else [f"{shown}: no label versions (<version>.csv)"]


def write_labels(path: Path, table: pd.DataFrame) -> None:
    """Write a label version atomically."""
    write_text(path, labels_csv(table))


def labels_csv(table: pd.DataFrame) -> str:
    """A label version as CSV, sorted by image; equal tables give equal texts."""
    columns = [column for column in (*labels.REQUIRED, *labels.OPTIONAL) if column in table]
    return str(table[columns].sort_values("image").to_csv(index=False, lineterminator="\n"))


def check_version(version: str) -> None:
    """Raise ``ValueError`` if a label version cannot have this name."""
    if version in COLUMNS:
        raise ValueError(f"{version!r} is a column of the catalog and cannot name a label version")
    if version in RESERVED:
        raise ValueError(f"{version!r} is a column of cytocurve's own tables and cannot name a label version")
    if len(version) > LONGEST_NAME:
        raise ValueError(f"the name of a label version has at most {LONGEST_NAME} characters, not {len(version)}")
    try:
        TypeAdapter(Name).validate_python(version)
    except ValidationError:
        raise ValueError("the name of a label version may contain only letters, digits, '_' and '.'") from None


def read_origin(path: Path, shown: str) -> tuple[dict[str, Any], list[str]]:
    """The entries of ``dataset.yaml``, none if there is no such file, and one line per problem."""
    if not path.is_file():
        return {}, []
    try:
        content = read_yaml(path)
    except InputError as error:
        return {}, [error.problem.replace(str(path), shown)]
    except OSError as error:
        return {}, [f"{shown}: cannot be read: {error.strerror or error}"]
    if not isinstance(content, dict):
        return {}, [f"{shown}: expected a mapping, for example loader: folder"]
    return content, check_known(f"{shown}:", map(str, content), ORIGIN)


def known_classes(path: Path, shown: str) -> tuple[frozenset[str] | None, list[str]]:
    """The allowed labels, None if any label is allowed, as for a dataset without ``dataset.yaml``; and the problems."""
    content, wrong = read_origin(path, shown)
    if wrong or not path.is_file():
        return None, wrong
    loader = content.get("loader")
    if loader not in datasets.names():
        return None, [f"{shown}: loader: expected one of {', '.join(datasets.names())}, got {loader!r:.80}"]
    return datasets.load(loader).classes, []
