"""``cytocurve audit --inventory``: audit a list of files before the images are downloaded."""

import gzip
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cytocurve import datasets
from cytocurve.core.data import inventory as core
from cytocurve.datasets import RecordOf
from cytocurve.errors import InputError
from cytocurve.text import check_known

UNPACKED_LIMIT = 64 * 2**20
"""The maximum size of an unpacked inventory in bytes, about 400,000 images."""


@dataclass(frozen=True)
class InventoryPair:
    """Two byte-identical files; patients and folds are None where the paths do not contain them."""

    paths: list[str]
    sha256: str
    patients: list[str | None]
    folds: list[str | None]
    across_folds: bool


@dataclass(frozen=True)
class SubjectPairs:
    """Two patients who share byte-identical files, and the number of such pairs."""

    patients: list[str]
    pairs: int
    across_folds: int


@dataclass(frozen=True)
class InventoryAudit:
    """The byte-identical pairs of an inventory, and the patients concerned, most frequent first."""

    files: int
    byte_identical_pairs: int
    pairs_across_folds: int
    pairs_of_one_patient: int
    pairs_of_unknown_patients: int
    subject_pairs: list[SubjectPairs]
    pairs: list[InventoryPair]

    def to_json(self) -> dict[str, Any]:
        """The audit as JSON."""
        return asdict(self)


def audit_inventory(file: Path, dataset: str | None) -> InventoryAudit:
    """Find the byte-identical pairs in an inventory, with patients and folds from the dataset's paths.

    The inventory is CSV, gzipped or not. Raises ``InputError`` listing every offending line, or the datasets whose
    paths contain patients and folds.
    """
    record_of = _record_of(dataset) if dataset else None
    entries, wrong = core.parse(_text(file))
    if wrong:
        raise InputError(
            f"{file}: this inventory cannot be used:",
            wrong,
            hint="Expected: CSV with the columns path, bytes and sha256, one line per file.",
            next_step="correct these lines",
        )
    counts = core.figures(entries, core.pairs(entries, record_of))
    subjects = [SubjectPairs(**row) for row in counts.pop("subject_pairs")]
    pairs = [InventoryPair(**row) for row in counts.pop("pairs")]
    return InventoryAudit(**counts, subject_pairs=subjects, pairs=pairs)


def _record_of(name: str) -> RecordOf:
    wrong = check_known("dataset", [name], datasets.names())
    if wrong:
        raise InputError(wrong[0], hint=f"Known: {', '.join(datasets.names())}")
    record_of = datasets.load(name).record_of
    if record_of is None:
        known = [other for other in datasets.names() if datasets.load(other).record_of]
        raise InputError(
            f"dataset {name!r}: its paths contain neither patients nor official folds",
            hint=f"Datasets whose paths do: {', '.join(known) or 'none'}.",
            next_step="omit --dataset",
        )
    return record_of


def _text(file: Path) -> str:
    """The inventory's text, unpacked; raises ``InputError``."""
    try:
        with file.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            content = (gzip.GzipFile(fileobj=plain) if packed else plain).read(UNPACKED_LIMIT + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged gzip file: {error}") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) > UNPACKED_LIMIT:
        raise InputError(f"{file}: more than {UNPACKED_LIMIT // 2**20} MiB unpacked, too large for an inventory")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8, byte {error.start}: save it as CSV UTF-8") from error
