"""Tables from users, as CSV or spreadsheet."""

import warnings
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries
from openpyxl.xml.functions import iterparse

from cytocurve.core.data import labels
from cytocurve.core.data.labels import Table
from cytocurve.core.data.spreadsheets import unescaped
from cytocurve.errors import InputError
from cytocurve.text import counted, first_few

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
    """The rows of a CSV file or a workbook as strings; see ``read``."""
    return read(path).frame


def read(path: Path) -> Table:
    """Read a CSV file or the first sheet of a workbook as strings; an empty cell is ``""``.

    The first nonempty row is the header. Surrounding whitespace, empty rows and columns without a name are dropped.
    In a workbook, whole numbers have no decimals, and a day is written as in ``2024-03-01``. Raises ``InputError``
    with the reason if the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: not a table suffix", next_step=f"use one of {', '.join(SUFFIXES)}")
    try:
        table = _workbook(path) if suffix in SPREADSHEETS else labels.read(path.read_bytes().decode("utf-8-sig"))
        return Table(table.frame.map(unescaped).astype("str"), table.left_out)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8, byte {error.start}", next_step=NEXT_STEP) from error
    except Exception as error:  # openpyxl raises nearly anything for damaged files
        raise InputError(f"{path}: cannot be used as a table: {error}", next_step=NEXT_STEP) from error


def _workbook(path: Path) -> Table:
    """The first sheet; raises ``ValueError`` for cells without a usable value, ``InputError`` for merged ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and drop-down lists, which do not affect values
        with (
            closing(load_workbook(path, read_only=True, data_only=True)) as values,
            closing(load_workbook(path, read_only=True)) as formulas,
        ):
            if not values.worksheets:
                raise ValueError("it has no sheet with cells")
            first, *others = (sheet.title for sheet in values.worksheets)
            cells = list(values.worksheets[0].iter_rows())
            unusable = _unusable(cells, formulas.worksheets[0].iter_rows())
            filled = {cell.coordinate for row in cells for cell in row if cell.value is not None}
            merged = [each for each in _merged(values.worksheets[0]) if each.partition(":")[0] in filled]
            rows = [[_text(cell.value) for cell in row] for row in cells]
            days = sum(isinstance(cell.value, date) for row in cells for cell in row)
    if unusable:
        raise ValueError(f"sheet {first!r}: {first_few(unusable, labels.SHOWN)}")
    if merged:
        raise InputError(
            f"{path}: sheet {first!r} has merged cells, of which only the first has a value:",
            merged,
            next_step="unmerge these cells, and fill in each of them",
        )
    table = labels.tidy(rows)
    left_out = [f"{counted(len(others), 'further sheet')} ({first_few(others, labels.SHOWN)})"] if others else []
    left_out += [f"the format of {counted(days, 'date')}, read as year-month-day"] if days else []
    return Table(table.frame, (*table.left_out, *left_out))


def _merged(sheet: Any) -> list[str]:
    """The ranges of merged cells, such as ``B2:B6``, which openpyxl does not read from a sheet that it streams."""
    ranges = []
    with closing(sheet._get_source()) as source:
        for _, element in iterparse(source):
            if element.tag.endswith("}mergeCell"):
                ranges.append(str(element.get("ref")))
            elif element.tag.endswith("}row"):
                element.clear()
    return sorted(ranges, key=range_boundaries)


def _unusable(values: Iterable[Sequence[Any]], formulas: Iterable[Sequence[Any]]) -> list[str]:
    """Cells with an error, and formulas whose value the program that wrote the workbook did not store."""
    return [
        f"cell {cell.coordinate} is the error {cell.value}"
        if cell.data_type == "e"
        else f"cell {formula.coordinate} has a formula without a stored value"
        for row, written in zip(values, formulas, strict=False)
        for cell, formula in zip(row, written, strict=False)
        if cell.data_type == "e" or (formula.data_type == "f" and cell.value is None)
    ]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).upper()  # as spreadsheets show it, and write it to CSV
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return "" if cell is None else str(cell)
