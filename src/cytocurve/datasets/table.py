"""Your own images, listed in a table with labels and, where known, patients, official folds and annotators.

PATH is a CSV or XLSX file, or a folder that contains exactly one. Its columns are ``image``, a path relative to the
table's folder; ``label`` (label version ``table``), or a column ``label:<version>`` for each of several versions; and
``patient``, ``fold`` and ``annotator`` where known.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cytocurve.core.data import labels
from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.listed_images import listed_images, plain_path
from cytocurve.ingest.scanning import advice
from cytocurve.ingest.tables import SUFFIXES, read_table, tables_in

VERSION = "table"
"""The label version of the column ``label``."""

_NAMED = "label:"
_COLUMNS = ("image", "label", f"{_NAMED}<version>", *labels.OPTIONAL)


def read(path: Path) -> Listing:
    """List the images in a table; unused columns are in ``skipped``.

    Raises ``InputError`` listing invalid columns, or every path that is outside the table's folder, is not an image or
    occurs twice.
    """
    file = _file(path)
    frame, versions = _checked(file)
    images, wrong = listed_images(file.parent, list(frame["image"]))
    if wrong:
        raise InputError(
            f"{file}: these images cannot be used:",
            wrong,
            next_step=advice({name: reason for name, _, reason in (line.rpartition("': ") for line in wrong)})
            or f"list each image once, by its path relative to {file.parent}, with '/'",
        )
    used = {"image", *versions.values(), *labels.OPTIONAL}
    skipped = {
        f"{file.name}, column {column!r}": f"not one of {', '.join(_COLUMNS)}" for column in frame if column not in used
    }
    return Listing(dict(sorted(images.items())), _split(frame, versions), skipped)


def tables(path: Path) -> Mapping[str, pd.DataFrame]:
    """The label versions of a table, without checking its images; raises ``InputError`` for invalid columns."""
    return _split(*_checked(_file(path)))


def _file(path: Path) -> Path:
    """The table at this path, or the only table in this folder."""
    next_step = "pass a table with the columns image and label, or a folder that contains one"
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder", next_step=next_step)
    files = tables_in(path)
    if len(files) != 1:
        problem = "several tables in this folder:" if files else f"no table ({', '.join(SUFFIXES)}) in this folder"
        raise InputError(f"{path}: {problem}", [file.name for file in files], next_step=next_step)
    return files[0]


def _checked(file: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read and check a table; returns it with the column of each label version."""
    frame = read_table(file)
    columns = [str(column) for column in frame.columns]
    versions = {
        VERSION if column == "label" else column.removeprefix(_NAMED): column
        for column in columns
        if column == "label" or column.startswith(_NAMED)
    }
    wrong = ["column 'image' is missing"] if "image" not in columns else []
    wrong += [] if versions else [f"a column 'label' or '{_NAMED}<version>' is missing"]
    wrong += [f"column {column!r} occurs twice" for column in dict.fromkeys(columns) if columns.count(column) > 1]
    wrong += [
        f"column {column!r}: {version!r} cannot be a label version's name (letters, digits, '_' and '.')"
        for version, column in versions.items()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.]*", version)
    ]
    if {"label", f"{_NAMED}{VERSION}"} <= set(columns):
        wrong.append(f"columns 'label' and '{_NAMED}{VERSION}' are the same label version")
    if wrong:
        raise InputError(
            f"{file}: the columns cannot be used:",
            wrong,
            f"Columns: {', '.join(columns) or 'none'}. Known: {', '.join(_COLUMNS)}",
        )
    return frame, versions


def _split(frame: pd.DataFrame, versions: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """One table per label version."""
    shared = frame[[column for column in labels.OPTIONAL if column in frame]]
    names = [plain_path(value) for value in frame["image"]]
    return {
        version: pd.DataFrame({"image": names, "label": frame[column]}).join(shared)
        for version, column in versions.items()
    }


DATASET = Dataset(
    name="table",
    title="Table: your own images, listed in a CSV or XLSX file with labels and patients",
    licence="as its owner states",
    citation="none",
    url="your own images",
    classes=None,
    read=read,
    tables=tables,
)
