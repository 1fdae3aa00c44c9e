"""``cytocurve audit --inventory``: a list of files audited before the images are there."""

import gzip
import zlib
from pathlib import Path
from typing import Any

from cytocurve import datasets
from cytocurve.core.data import inventory as core
from cytocurve.datasets import RecordOf
from cytocurve.errors import InputError
from cytocurve.text import check_known

UNPACKED_LIMIT = 64 * 2**20
"""Bytes of an inventory, unpacked: some 400,000 images. A file that unpacks to more is refused."""


def audit_inventory(file: Path, dataset: str | None) -> dict[str, Any]:
    """The byte-identical pairs of an inventory, CSV or gzip, and what the dataset's paths say of them.

    Raises ``InputError`` listing every offending line, or the datasets whose paths tell patients and folds.
    """
    record_of = _record_of(dataset) if dataset else None
    entries, wrong = core.parse(_text(file))
    if wrong:
        raise InputError(
            f"{file}: this inventory cannot be used:",
            wrong,
            hint="Expected: CSV with the columns path, bytes and sha256, a line a file.",
            next_step="correct what is listed.",
        )
    return core.figures(entries, core.pairs(entries, record_of))


def _record_of(name: str) -> RecordOf:
    wrong = check_known("dataset", [name], datasets.names())
    if wrong:
        raise InputError(wrong[0], hint=f"Known: {', '.join(datasets.names())}")
    record_of = datasets.load(name).record_of
    if record_of is None:
        known = [other for other in datasets.names() if datasets.load(other).record_of]
        raise InputError(
            f"dataset {name!r}: its paths tell neither patients nor official folds",
            hint=f"Datasets whose paths do: {', '.join(known) or 'none'}.",
            next_step="leave out --dataset",
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
        raise InputError(f"{file}: more than {UNPACKED_LIMIT // 2**20} MiB unpacked; no inventory is that large")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8, byte {error.start}: save it as CSV UTF-8") from error
