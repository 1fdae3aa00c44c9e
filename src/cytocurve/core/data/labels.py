"""Label tables: reading them, and everything that can be wrong with them."""

import csv
import difflib
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import pandas as pd

REQUIRED = ("image", "label")
OPTIONAL = ("patient", "annotator", "fold")
"""``fold`` is the official fold of a dataset whose authors give some."""

_OTHER_SEPARATORS = {";": "';'", "\t": "tabs"}
"""What spreadsheets write between fields where a comma is the decimal mark, and elsewhere."""

_CONTROL = r"[\x00-\x1f\x7f]"


def parse(text: str) -> pd.DataFrame:
    """A CSV table as strings, an empty field as ``""``; raises ``ValueError`` naming every line that does not fit."""
    header_line = text.partition("\n")[0]
    for mark, name in _OTHER_SEPARATORS.items():
        if mark in header_line and "," not in header_line:
            raise ValueError(f"its fields are separated by {name}: save it with commas")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
    ragged = [f"{len(row)} in line {line}" for line, row in rows if len(row) != len(header)]
    if ragged:
        raise ValueError(
            f"every line must have the {len(header)} fields of the first one; there are {', '.join(ragged)}"
        )
    return pd.DataFrame([row for _, row in rows], columns=header, dtype="str")


def problems(images: Collection[str], tables: Mapping[str, pd.DataFrame], known: Collection[str] | None) -> list[str]:
    """One line for each thing that is wrong with the label tables of these images; none if they can be used.

    ``tables`` maps a table's name, which the lines begin with, to its rows: ``image, label`` and, where known,
    ``patient``. An empty label means unlabelled. ``known`` are the labels that may occur; None leaves them open.
    """
    lines = []
    sound = {}
    for name, table in tables.items():
        wrong = [f"{name}: {line}" for line in _columns(table)]
        if not wrong:
            sound[name] = table = table.fillna("")
            wrong = [f"{name}: {line}" for line in (*_rows(table, set(images)), *_labels(table, known))]
        lines += wrong
    return lines + _properties(sound)


def _columns(table: pd.DataFrame) -> list[str]:
    columns = list(table.columns)
    there = f"the columns are: {', '.join(map(str, columns)) or 'none'}"
    lines = [f"column {column!r} is missing; {there}" for column in REQUIRED if column not in columns]
    twice = [column for column in (*REQUIRED, *OPTIONAL) if columns.count(column) > 1]
    return lines + [f"column {column!r} stands twice; {there}" for column in twice]


def _rows(table: pd.DataFrame, images: Collection[str]) -> list[str]:
    """Images with several rows or none, rows without an image, blanks and control characters that nobody sees."""
    counts = Counter(table["image"])
    lines = [f"{image}: {count} rows for one image" for image, count in sorted(counts.items()) if count > 1]
    lines += [
        f"{image or '(empty)'}: a row for an image that is not there" for image in sorted(set(counts) - set(images))
    ]
    lines += [f"{image}: an image without a row" for image in sorted(set(images) - set(counts))]
    columns = [column for column in (*REQUIRED, *OPTIONAL) if column in table]
    for column in columns:
        blank = table[column].str.strip() != table[column]
        cells = table.loc[blank, ["image", column]].itertuples(index=False, name=None)
        lines += [f"{image}: {column} {value!r} begins or ends with a blank" for image, value in cells]
        # A carriage return would end the line of a CSV table that is written with it.
        hidden = table[column].str.contains(_CONTROL) & ~blank
        cells = table.loc[hidden, ["image", column]].itertuples(index=False, name=None)
        lines += [f"{image}: {column} {value!r} has control characters" for image, value in cells]
    return lines


def _labels(table: pd.DataFrame, known: Collection[str] | None) -> list[str]:
    """Labels that the dataset does not have, and a table without any."""
    labelled = table[table["label"] != ""]
    if labelled.empty:
        return ["no image has a label"]
    if known is None:
        return []
    unknown = {label: _nearest(label, known) for label in set(labelled["label"]) - set(known)}
    return [
        f"{image}: unknown class {label!r}{unknown[label]}"
        for image, label in zip(labelled["image"], labelled["label"], strict=True)
        if label in unknown
    ]


def _nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` with the known name that is most like this one, or nothing where none is."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _properties(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Images of which two tables, or two rows, know different patients or folds."""
    lines = []
    for column in ("patient", "fold"):
        said: dict[str, dict[str, str]] = {}
        for name, table in tables.items():
            for image, value in _values(column, table):
                said.setdefault(image, {}).setdefault(value, name)
        lines += [
            f"{image}: one image of several {column}s: "
            + ", ".join(f"{value!r} in {name}" for value, name in values.items())
            for image, values in sorted(said.items())
            if len(values) > 1
        ]
    return lines


def known(column: str, tables: Iterable[pd.DataFrame]) -> dict[str, str]:
    """The ``patient`` or ``fold`` of each image of which any of these sound tables knows it."""
    return {image: value for table in tables for image, value in _values(column, table)}


def _values(column: str, table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    if column in table:
        rows = table[table[column].fillna("") != ""]
        yield from zip(rows["image"], rows[column], strict=True)


def class_counts(labels: Iterable[str]) -> dict[str, int]:
    """Number of images of each label, sorted by label; the empty label is left out."""
    return dict(sorted(Counter(label for label in labels if label).items()))
