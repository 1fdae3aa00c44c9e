"""Tables from users, as CSV or spreadsheet."""

import warnings
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import load_workbook

from cytocurve.core.data import labels
from cytocurve.core.data.spreadsheets import unescaped
from cytocurve.errors import InputError

SPREADSHEETS = (".xlsx", ".xlsm")
SUFFIXES = (".csv", *SPREADSHEETS)

NEXT_STEP = "save it as CSV (UTF-8, comma-separated) or XLSX"


def tables_in(folder: Path) -> list[Path]:
    """The tables directly in a folder, sorted, excluding hidden files and Excel's lock files (``~$``)."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~$")) and path.is_file()
    )


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file or the first sheet of a workbook as strings; an empty cell is ``""``.

    The first nonempty row is the header. Surrounding whitespace, empty rows and columns without a name are dropped, and
    whole numbers in a workbook have no decimals. Raises ``InputError`` with the reason if the
    file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: not a table suffix", next_step=f"use one of {', '.join(SUFFIXES)}")
    try:
        return _table(_workbook_rows(path) if suffix in SPREADSHEETS else _csv_rows(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8, byte {error.start}", next_step=NEXT_STEP) from error
    except Exception as error:  # openpyxl raises nearly anything for damaged files
        raise InputError(f"{path}: cannot be used as a table: {error}", next_step=NEXT_STEP) from error


def _table(rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Build a table from stripped cells; rows may be shorter than the header."""
    header, *filled = [row for row in rows if any(row)] or [[]]
    named = [number for number, name in enumerate(header) if name]
    cells = [[unescaped(row[number]) if number < len(row) else "" for number in named] for row in filled]
    return pd.DataFrame(cells, columns=[header[number] for number in named], dtype="str")


def _csv_rows(path: Path) -> list[list[str]]:
    table = labels.parse(path.read_bytes().decode("utf-8-sig"))
    return [[cell.strip() for cell in row] for row in [list(table.columns), *table.to_numpy().tolist()]]


def _workbook_rows(path: Path) -> list[list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and drop-down lists, which do not affect values
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            return [[_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()
