"""What datasets share: tables in CSV or XLSX files, and the images that a table names."""

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from cytocurve.core.data import labels
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import bombs_refused, unusable

SUFFIXES = (".csv", ".xlsx")


def tables_in(folder: Path) -> list[Path]:
    """The CSV and XLSX files directly in a folder, sorted; hidden ones and Excel's lock files (``~$``) are none."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~$")) and path.is_file()
    )


def read_table(path: Path) -> pd.DataFrame:
    """The table in a CSV file, or on the first sheet of an XLSX file, as strings; an empty field is ``""``.

    Raises ``InputError`` where it cannot be read.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: not a table by its suffix", next_step=f"give one of {', '.join(SUFFIXES)}.")
    try:
        return _sheet(path) if path.suffix.lower() == ".xlsx" else labels.parse(path.read_bytes().decode("utf-8-sig"))
    except Exception as error:  # openpyxl lets through whatever its parts raise at a damaged file
        raise InputError(
            f"{path}: the table cannot be read: {error}",
            next_step="save it as CSV (UTF-8, fields between commas) or as XLSX.",
        ) from error


def _sheet(path: Path) -> pd.DataFrame:
    """The first sheet without empty rows and columns; its first row is the header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and rules that openpyxl does not read
        cells = pd.read_excel(path, header=None, dtype=str, na_filter=False, engine="openpyxl")
    filled = cells != ""
    header, *rows = cells.loc[filled.any(axis=1), filled.any(axis=0)].to_numpy().tolist() or [[]]
    return pd.DataFrame(rows, columns=header, dtype="str")


def named_images(folder: Path, values: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The images that a table names by their paths below a folder, and a line for each that cannot be used.

    Names are the paths in plain form, in the order of the table; a name that stands twice is one of the lines.
    """
    images, wrong = {}, []
    with bombs_refused():
        for row, value in enumerate(values, start=1):
            name = plain(value)
            reason = _reason(folder, value)
            if reason:
                wrong.append(f"{value!r}: {reason}" if value else f"row {row}: {reason}")
            else:
                images[name] = folder / name
    times = Counter(plain(value) for value in values if value)
    return images, wrong + [f"{name!r}: {count} rows for one image" for name, count in times.items() if count > 1]


def plain(value: str) -> str:
    """A path without ``.`` and doubled ``/``."""
    return PurePosixPath(value).as_posix()


def _reason(folder: Path, value: str) -> str:
    """Why a path in a table names no usable image of the folder; empty if it does."""
    if not value:
        return "no image is named"
    if not value.isprintable():
        return "its name has control characters"
    if ".." in PurePosixPath(value).parts or PurePosixPath(value).is_absolute():
        return f"not a path below {folder}"
    path = folder / value
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return f"leads out of {folder}"
        return unusable(path, folder) if path.exists() else "no such file"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
