"""An inventory (``path,bytes,sha256``) audited before the images are available: which files are byte-identical."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cytocurve.text import counted

COLUMNS = ("path", "bytes", "sha256")

Record = tuple[str | None, str | None]
"""The patient and the official fold of a file, None where unknown."""

_BYTES = re.compile(r"[0-9]{1,18}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """A file of an inventory; ``sha256`` in lower-case hex."""

    line: int
    path: str
    bytes: str
    sha256: str


@dataclass(frozen=True)
class Pair:
    """Two byte-identical files and what is known about each."""

    paths: tuple[str, str]
    sha256: str
    patients: Record
    folds: Record

    @property
    def across_folds(self) -> bool:
        """Whether the two lie in different official folds; False if a fold is unknown."""
        return None not in self.folds and self.folds[0] != self.folds[1]

    @property
    def subjects(self) -> tuple[str, str] | None:
        """The two patients, sorted, if both are known and differ."""
        one, other = self.patients
        return None if one is None or other is None or one == other else (min(one, other), max(one, other))


def parse(text: str) -> tuple[list[Entry], list[str]]:
    """The files of an inventory in CSV, and a line per problem; other columns are ignored."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        wrong = [
            f"line 1: column {name!r} occurs {_times(header.count(name))}"
            for name in COLUMNS
            if header.count(name) != 1
        ]
        rows = [] if wrong else [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        return [], [f"line {reader.line_num}: {error}"]
    if wrong:
        return [], [f"{line}; the columns are: {', '.join(header) or 'none'}" for line in wrong]
    at = [header.index(name) for name in COLUMNS]
    wrong = [
        f"line {line}: {counted(len(row), 'field')} instead of {len(header)}"
        for line, row in rows
        if len(row) != len(header)
    ]
    full = [(line, row) for line, row in rows if len(row) == len(header)]
    entries = [Entry(line, row[at[0]], row[at[1]], row[at[2]].lower()) for line, row in full]
    return entries, [*wrong, *_problems(entries)] if rows else ["no files"]


def _times(count: int) -> str:
    return "nowhere" if count == 0 else f"{count} times"


def _problems(entries: Sequence[Entry]) -> Iterator[str]:
    lines: dict[str, int] = {}
    sizes: dict[str, Entry] = {}
    for entry in entries:
        at = f"line {entry.line}: "
        if not entry.path.strip():
            yield f"{at}no path"
        elif entry.path in lines:
            yield f"{at}{entry.path} is already in line {lines[entry.path]}"
        lines.setdefault(entry.path, entry.line)
        if not _BYTES.fullmatch(entry.bytes):
            yield f"{at}bytes: a non-negative integer is expected, got {entry.bytes!r}"
        if not _SHA256.fullmatch(entry.sha256):
            yield f"{at}sha256: 64 hexadecimal digits are expected, got {len(entry.sha256)}: {entry.sha256!r}"
        elif (first := sizes.setdefault(entry.sha256, entry)).bytes != entry.bytes:
            yield f"{at}{entry.bytes} bytes, but line {first.line} with the same sha256 has {first.bytes}"


def pairs(entries: Sequence[Entry], record_of: Callable[[str], Record] | None = None) -> list[Pair]:
    """All pairs of byte-identical files, sorted by path.

    A pair is the first file of a group of byte-identical files, by path, with each of the later ones: a group of n
    files gives n - 1 pairs, the number of redundant files, and is across folds if one of its pairs is.
    """
    groups: dict[str, list[str]] = {}
    for entry in sorted(entries, key=lambda entry: entry.path):
        groups.setdefault(entry.sha256, []).append(entry.path)
    return [_pair(paths[0], later, sha256, record_of) for sha256, paths in groups.items() for later in paths[1:]]


def _pair(one: str, other: str, sha256: str, record_of: Callable[[str], Record] | None) -> Pair:
    first, second = (record_of(path) if record_of else (None, None) for path in (one, other))
    return Pair((one, other), sha256, (first[0], second[0]), (first[1], second[1]))


def figures(entries: Sequence[Entry], found: Sequence[Pair]) -> dict[str, Any]:
    """Counts, the subjects of the pairs (most frequent first), and all pairs, as JSON."""
    subjects = Counter(pair.subjects for pair in found if pair.subjects)
    across = Counter(pair.subjects for pair in found if pair.subjects and pair.across_folds)
    return {
        "files": len(entries),
        "byte_identical_pairs": len(found),
        "pairs_across_folds": sum(pair.across_folds for pair in found),
        "pairs_of_one_patient": sum(None not in pair.patients and pair.subjects is None for pair in found),
        "pairs_of_unknown_patients": sum(None in pair.patients for pair in found),
        "subject_pairs": [
            {"patients": list(two), "pairs": count, "across_folds": across[two]}
            for two, count in sorted(subjects.items(), key=lambda item: (-item[1], item[0]))
        ],
        "pairs": [
            {
                "paths": list(pair.paths),
                "sha256": pair.sha256,
                "patients": list(pair.patients),
                "folds": list(pair.folds),
                "across_folds": pair.across_folds,
            }
            for pair in found
        ],
    }
