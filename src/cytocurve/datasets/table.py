"""Your own images, listed in a table with labels and, where known, patients, official folds and annotators.

PATH is a CSV or XLSX file, or a folder that contains exactly one. Its columns are ``image``, a path relative to the
table's folder; ``label`` (label version ``table``), or a column ``label:<version>`` for each of several versions; and
``patient``, ``fold`` and ``annotator`` where known. If images have several rows, one per annotator, each annotator is a
label version, named after them.
"""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cytocurve.core.data import labels
from cytocurve.core.data.spelling import spelled
from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.listed_images import listed_images, plain_path
from cytocurve.ingest.scanning import advice
from cytocurve.ingest.tables import SUFFIXES, tables_in
from cytocurve.ingest.tables import read as read_sheet

VERSION = "table"
"""The label version of the column ``label``."""

_NAMED = "label:"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9_.]{0,99}"
_COLUMNS = ("image", "label", f"{_NAMED}<version>", *labels.OPTIONAL)


def read(path: Path) -> Listing:
    """List the images in a table; unused columns and what was left out are in ``skipped``.

    Raises ``InputError`` listing invalid columns, names that differ only in spelling, or every path that is outside
    the table's folder, is not an image or occurs twice.
    """
    file = _file(path)
    sheet, versions = _checked(file)
    frame, by_annotator = sheet.frame, _versions_by_annotator(sheet.frame, versions)
    values = frame["image"].drop_duplicates() if by_annotator else frame["image"]
    images, wrong = listed_images(file.parent, list(values))
    if wrong:
        raise InputError(
            f"{file}: these images cannot be used:",
            wrong,
            _repeated(frame),
            advice({name: reason for name, _, reason in (line.rpartition("': ") for line in wrong)})
            or f"list each image once, by its path relative to {file.parent}, with '/'",
        )
    used = {"image", *versions.values(), *labels.OPTIONAL}
    skipped = {
        f"{file.name}, column {column!r}": f"not one of {', '.join(_COLUMNS)}" for column in frame if column not in used
    }
    skipped |= {f"{file.name}, {phrase}": "does not count" for phrase in sheet.left_out}
    return Listing(dict(sorted(images.items())), _split(frame, versions), skipped, _notes(by_annotator))


def tables(path: Path) -> Mapping[str, pd.DataFrame]:
    """The label versions of a table, without checking its images; raises ``InputError`` for invalid columns."""
    sheet, versions = _checked(_file(path))
    return _split(sheet.frame, versions)


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


def _checked(file: Path) -> tuple[labels.Table, dict[str, str]]:
    """Read and check a table; returns it with the column of each label version."""
    sheet = read_sheet(file)
    frame = sheet.frame
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
        f"column {column!r}: {version!r} cannot be a label version's name (up to 100 letters, digits, '_' and '.')"
        for version, column in versions.items()
        if not re.fullmatch(_VERSION, version)
    ]
    if {"label", f"{_NAMED}{VERSION}"} <= set(columns):
        wrong.append(f"columns 'label' and '{_NAMED}{VERSION}' are the same label version")
    if not wrong and frame.empty:
        wrong.append("there are no rows below them")
    if wrong:
        raise InputError(
            f"{file}: the columns cannot be used:",
            wrong,
            f"Columns: {', '.join(columns) or 'none'}. Known: {', '.join(_COLUMNS)}",
        )
    _check_spelling(file, frame, versions)
    return sheet, versions


def _check_spelling(file: Path, frame: pd.DataFrame, versions: Mapping[str, str]) -> None:
    """Raise ``InputError`` listing the patients, folds, annotators and classes that differ only in spelling."""
    classes = pd.concat([frame[column] for column in versions.values()])
    wrong = spelled("label", classes)
    wrong += [line for column in labels.OPTIONAL if column in frame for line in spelled(column, frame[column])]
    if wrong:
        raise InputError(
            f"{file}: these values differ only in spelling and would count as different:",
            wrong,
            "Case, whitespace, leading zeros and Unicode forms do not distinguish names. A spreadsheet drops the "
            "zeros of 001 unless the cell is text.",
            "use one spelling of each in the table; give different people or classes clearly different names",
        )


def _notes(by_annotator: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """That a table with several rows per image was taken apart, and by whom each version is."""
    if not by_annotator:
        return {}
    several = len({column for column, _ in by_annotator.values()}) > 1
    versions = [
        f"{name} by {annotator}" + (f" ({column})" if several else "")
        for name, (column, annotator) in by_annotator.items()
    ]
    return {"images have several rows, one per annotator, so that each annotator is a label version": versions}


def _repeated(frame: pd.DataFrame) -> str:
    """How to list several labels of an image, if images occur in several rows."""
    if not frame["image"].map(plain_path).duplicated().any():
        return ""
    return (
        "If several people labeled an image: one row per image and person, with the person in the column annotator "
        f"and each person at most once per image; or one row per image and a column {_NAMED}<version> for each person."
    )


def _versions_by_annotator(frame: pd.DataFrame, versions: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The label column and annotator of each version of a table with several rows per image, one per annotator.

    Empty if the table has one row per image, an annotator is missing or has several rows for one image, or their
    names do not give the versions distinct names.
    """
    names = frame["image"].map(plain_path)
    if "annotator" not in frame or not names.duplicated().any() or (frame["annotator"] == "").any():
        return {}
    if pd.DataFrame({"image": names, "annotator": frame["annotator"]}).duplicated().any():
        return {}
    annotators = sorted(set(frame["annotator"]))
    named = [
        (
            _version_named(annotator) if column == "label" else f"{version}_{_version_named(annotator)}",
            column,
            annotator,
        )
        for version, column in versions.items()
        for annotator in annotators
    ]
    distinct = {name: (column, annotator) for name, column, annotator in named if re.fullmatch(_VERSION, name)}
    return distinct if len(distinct) == len(named) else {}


def _version_named(annotator: str) -> str:
    """A label version's name made from the annotator's: ``Dr. Zoë A`` gives ``Dr._Zoe_A``."""
    plain = unicodedata.normalize("NFKD", annotator).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.]+", "_", plain).strip("_.")


def _split(frame: pd.DataFrame, versions: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """One table per label version, or per label version and annotator if each has separate rows."""
    given = frame.assign(image=frame["image"].map(plain_path))
    by_annotator = _versions_by_annotator(frame, versions)
    if by_annotator:
        return {name: _of_annotator(given, column, annotator) for name, (column, annotator) in by_annotator.items()}
    shared = given[[column for column in labels.OPTIONAL if column in given]]
    return {
        version: pd.DataFrame({"image": given["image"], "label": given[column]}, dtype="str").join(shared)
        for version, column in versions.items()
    }


def _of_annotator(given: pd.DataFrame, column: str, annotator: str) -> pd.DataFrame:
    """An annotator's labels: a row per image of the table, unlabeled and unattributed if the annotator has none."""
    own = given[given["annotator"] == annotator]
    others = given[~given["image"].isin(own["image"])].drop_duplicates("image").assign(annotator="", **{column: ""})
    rows = pd.concat([own, others], ignore_index=True)
    table = pd.DataFrame({"image": rows["image"], "label": rows[column]}, dtype="str")
    return table.join(rows[[name for name in labels.OPTIONAL if name in rows]])


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
