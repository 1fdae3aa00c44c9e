"""Label tables: parsing them, and everything that can be wrong with them."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cytocurve.core.data.spelling import same_form, spelled
from cytocurve.text import counted, did_you_mean, first_few

REQUIRED = ("image", "label")
OPTIONAL = ("patient", "annotator", "fold")
"""``fold`` is the official fold of a dataset whose authors define folds."""

_OTHER_SEPARATORS = {";": "';'", "\t": "tabs"}
"""Field separators of spreadsheets in locales with a decimal comma, and of other tools."""

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
        raise ValueError(f"line {line} contains NUL bytes: the file is damaged, or not a CSV table")
    header_line = text.partition("\n")[0]
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


def aligned(table: pd.DataFrame, images: Iterable[str]) -> pd.DataFrame:
    """A table whose image names are in the Unicode form that the images have."""
    if list(table.columns).count("image") != 1:
        return table
    name_of = {same_form(name): name for name in images}
    return table.assign(image=[name_of.get(same_form(name), name) for name in table["image"]])


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
    lines += [
        f"{image or '(empty)'}: a row for an image that does not exist" for image in sorted(set(counts) - set(images))
    ]
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
