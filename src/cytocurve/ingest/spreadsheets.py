"""Tables that people hand in, as CSV or as a spreadsheet."""

import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import load_workbook

from cytocurve.core.data import labels
from cytocurve.errors import InputError

SPREADSHEETS = (".xlsx", ".xlsm")


def read_sheet(path: Path) -> pd.DataFrame:
    """The rows of a CSV file, or of the first sheet of an XLSX file, as strings, an empty cell as ``""``.

    Blanks around a value are cut off, as spreadsheets hide them. Raises ``InputError`` with the reason where the file
    cannot be read, and listing the lines that do not fit.
    """
    try:
        table = _workbook(path) if path.suffix.lower() in SPREADSHEETS else _csv(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8, byte {error.start}: save it as CSV UTF-8, or as XLSX") from error
    except Exception as error:  # openpyxl lets through whatever its parts raise at a damaged or unusual file
        raise InputError(f"{path}: cannot be used: {error}") from error
    return table.apply(lambda column: column.str.strip()) if len(table) else table


def _csv(path: Path) -> pd.DataFrame:
    return labels.parse(path.read_bytes().decode("utf-8-sig"))


def _workbook(path: Path) -> pd.DataFrame:
    """The first sheet up to its last filled row; the first row names the columns, those without a name are left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and drop-down lists that a reader of values does not need
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            rows = [[_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    header, *rows = rows or [[]]
    named = [number for number, name in enumerate(header) if name]
    cells = [[row[number] if number < len(row) else "" for number in named] for row in rows if any(row)]
    return pd.DataFrame(cells, columns=[header[number] for number in named], dtype="str")


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()
