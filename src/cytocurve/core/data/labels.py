"""Label tables: parsing them, and everything that can be wrong with them."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cytocurve.core.data.spelling import same_form, spelled, without_zeros
from cytocurve.text import counted, did_you_mean, first_few, some

REQUIRED = ("image", "label")
OPTIONAL = ("patient", "annotator", "fold")
"""``fold`` is the official fold of a dataset whose authors define folds."""

_OTHER_SEPARATORS = {";": "';'", "\t": "tabs", "|": "'|'"}
"""Field separators of spreadsheets in locales with a decimal comma, and of other tools."""

_STATED_SEPARATOR = re.compile(r"\s*sep=.[ \t]*(?=\r?\n|\r)")
"""A first line that tells a spreadsheet the separator, and is no row."""

_QUOTED = re.compile(r'"[^"]*"')

SHOWN = 10
"""The number of malformed lines that a message lists."""

_CONTROL = r"[\x00-\x1f\x7f]"


@dataclass(frozen=True)
class Table:
    """A table as strings, an empty cell as ``""``; ``left_out`` says in phrases what was dropped or stripped."""

    frame: pd.DataFrame
    left_out: tuple[str, ...]


def parse(text: str) -> pd.DataFrame:
    """The rows of a CSV table as strings; see ``read``."""
    return read(text).frame


def read(text: str) -> Table:
    """A CSV table without empty rows and columns, see ``tidy``; raises ``ValueError`` naming the malformed lines."""
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(
            f"line {line} contains NUL characters: the file is damaged, or in UTF-16 or UTF-32: save it as CSV UTF-8"
        )
    text = _STATED_SEPARATOR.sub("", text, count=1) if _STATED_SEPARATOR.match(text) else text
    header_line = _QUOTED.sub("", text.lstrip().partition("\n")[0])
    for mark, name in _OTHER_SEPARATORS.items():
        if mark in header_line and "," not in header_line:
            raise ValueError(f"its fields are separated by {name}: save it with commas")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
    filled = [(line, row) for line, row in lines if any(map(str.strip, row))]
    width = len(filled[0][1]) if filled else 0
    ragged = [f"{len(row)} in line {line}" for line, row in filled if len(row) < width or any(row[width:])]
    if ragged:
        raise ValueError(
            f"every line must have the {width} fields of the first one; there are {first_few(ragged, SHOWN)}"
        )
    return tidy([row for _, row in lines])


def tidy(rows: Sequence[Sequence[str]]) -> Table:
    """A table from rows of cells, the first nonempty one being the header.

    Whitespace around cells, empty rows and columns without a name are dropped; rows may be shorter than the header.
    """
    stripped = [[cell.strip() for cell in row] for row in rows]
    filled = [row for row in stripped if any(row)]
    header, *body = filled or [[]]
    named = [number for number, name in enumerate(header) if name]
    cells = [[row[number] if number < len(row) else "" for number in named] for row in body]
    nameless = [number for number in range(max(map(len, filled), default=0)) if number not in set(named)]
    values = {number: sum(number < len(row) and row[number] != "" for row in body) for number in nameless}
    empty = sum(count == 0 for count in values.values())
    blanks = sum(cell.strip() != cell for row in rows if any(map(str.strip, row)) for cell in row)
    left_out = [
        counted(len(rows) - len(filled), "empty row") if len(rows) > len(filled) else "",
        counted(empty, "empty column") if empty else "",
        *(f"column {number + 1}, which has no name ({counted(n, 'value')})" for number, n in values.items() if n),
        f"whitespace around {counted(blanks, 'cell')}" if blanks else "",
    ]
    frame = pd.DataFrame(cells, columns=[header[number] for number in named], dtype="str")
    return Table(frame, tuple(phrase for phrase in left_out if phrase))


OF_IMAGES = ("image", "duplicate_of", "near_duplicate_of", "near")
"""Columns with names of images."""


def aligned(table: pd.DataFrame, images: Iterable[str]) -> pd.DataFrame:
    """A table whose image names are in the Unicode form that the images have, and all other texts composed (NFC)."""
    name_of = {same_form(name): name for name in images}

    def in_one_form(value: str, column: str) -> str:
        composed = same_form(value)
        return name_of.get(composed, value) if column in OF_IMAGES else composed

    table = table.copy()
    for number, column in enumerate(table.columns):  # by number, since a user's table may have two of one name
        cells = table.iloc[:, number]
        values = [in_one_form(cell, column) if isinstance(cell, str) else cell for cell in cells]
        table.isetitem(number, pd.Series(values, index=table.index, dtype=cells.dtype).array)
    return table


def problems(images: Collection[str], tables: Mapping[str, pd.DataFrame], known: Collection[str] | None) -> list[str]:
    """One line per problem in the label tables of these images; none if they can be used.

    ``tables`` maps a table's name, which the lines begin with, to its rows: ``image, label`` and, where known,
    ``patient``. An empty label means unlabeled. ``known`` are the labels that may occur; None allows any.
    """
    lines = []
    sound = {}
    for name, table in tables.items():
        wrong = [f"{name}: {line}" for line in _columns(table)]
        if not wrong:
            sound[name] = table = table.fillna("").astype("str")
            wrong = [f"{name}: {line}" for line in (*_rows(table, set(images)), *_labels(table, known))]
        lines += wrong
    return lines + _properties(sound)


def _columns(table: pd.DataFrame) -> list[str]:
    columns = list(table.columns)
    there = f"the columns are: {', '.join(map(str, columns)) or 'none'}"
    lines = [f"column {column!r} is missing; {there}" for column in REQUIRED if column not in columns]
    twice = [column for column in (*REQUIRED, *OPTIONAL) if columns.count(column) > 1]
    return lines + [f"column {column!r} occurs twice; {there}" for column in twice]


def _rows(table: pd.DataFrame, images: Collection[str]) -> list[str]:
    """Images with several rows or none, rows without an image, surrounding whitespace and control characters."""
    counts = Counter(table["image"])
    lines = [f"{image}: {count} rows for one image" for image, count in sorted(counts.items()) if count > 1]
    unknown = sorted(set(counts) - set(images))
    alike = _alike(images, unknown)
    lines += [f"{image or '(empty)'}: a row for an image that does not exist{alike[image]}" for image in unknown]
    lines += [f"{image}: an image without a row" for image in sorted(set(images) - set(counts))]
    columns = [column for column in (*REQUIRED, *OPTIONAL) if column in table]
    for column in columns:
        blank = table[column].str.strip() != table[column]
        cells = table.loc[blank, ["image", column]].itertuples(index=False, name=None)
        lines += [f"{image}: {column} {value!r} begins or ends with whitespace" for image, value in cells]
        # A carriage return would end the line of a CSV table that is written with it.
        hidden = table[column].str.contains(_CONTROL) & ~blank
        cells = table.loc[hidden, ["image", column]].itertuples(index=False, name=None)
        lines += [f"{image}: {column} {value!r} has control characters" for image, value in cells]
    return lines


def _alike(images: Collection[str], unknown: Collection[str]) -> dict[str, str]:
    """The images that unknown names are spelled like, in words; empty where there are none."""
    names: dict[str, list[str]] = {}
    for image in sorted(images) if unknown else ():
        names.setdefault(without_zeros(image), []).append(repr(image))
    found = {name: names.get(without_zeros(name), []) for name in unknown}
    return {name: f"; spelled otherwise: {some(alike, 3)}" if alike else "" for name, alike in found.items()}


def _labels(table: pd.DataFrame, known: Collection[str] | None) -> list[str]:
    """Labels that the dataset does not define, and a table without any label."""
    labelled = table[table["label"] != ""]
    if labelled.empty:
        return ["no image has a label"]
    if known is None:
        return [f"{line}: differ only in spelling; use one of them" for line in spelled("classes", labelled["label"])]
    unknown = {label: did_you_mean(label, sorted(known)) for label in set(labelled["label"]) - set(known)}
    return [
        f"{image}: unknown class {label!r}{unknown[label]}"
        for image, label in zip(labelled["image"], labelled["label"], strict=True)
        if label in unknown
    ]


def _properties(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Images with different patients or folds in two tables or rows."""
    lines = []
    for column in ("patient", "fold"):
        values_of: dict[str, dict[str, str]] = {}
        for name, table in tables.items():
            for image, value in _values(column, table):
                values_of.setdefault(image, {}).setdefault(value, name)
        lines += [
            f"{image}: one image with several {column}s: "
            + ", ".join(f"{value!r} in {name}" for value, name in values.items())
            for image, values in sorted(values_of.items())
            if len(values) > 1
        ]
    return lines


def known(column: str, tables: Iterable[pd.DataFrame]) -> dict[str, str]:
    """The ``patient`` or ``fold`` of each image for which one of these valid tables has it."""
    return {image: value for table in tables for image, value in _values(column, table)}


def _values(column: str, table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    if column in table:
        rows = table[table[column].fillna("") != ""]
        yield from zip(rows["image"], rows[column], strict=True)


def class_counts(labels: Iterable[str]) -> dict[str, int]:
    """Number of images of each label, sorted by label; the empty label is excluded."""
    return dict(sorted(Counter(label for label in labels if label).items()))
