"""Read and write tables as Parquet files, deterministically, with a checksum of the whole file in its own footer.

The checksum is an entry of the file's key-value metadata: the SHA-256 of the file's bytes with 64 zeros in place of the
checksum itself. Tables thus stay single files, and a damaged one is noticed wherever it has been: copied, restored from
DVC's cache, or edited by hand. A file without one was written by another program and is refused, except in other
commits, where it may be of an earlier version.

Another entry may say what the table was made of, which the table itself does not tell.
"""

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cytocurve.errors import InputError
from cytocurve.files import write_bytes
from cytocurve.stores.dvc import repair

_KEY = b"cytocurve.sha256"
_ABOUT = b"cytocurve.about"
_BLANK = b"0" * 64
_BETWEEN = 2
"""Bytes between a key and its value in the footer: the type of the field, and the length of the value."""

UNREADABLE = (OSError, ValueError, KeyError, TypeError, NotImplementedError, pa.ArrowException)
"""What reading a damaged file raises; most errors of Arrow are also one of Python's."""


def write_parquet(path: Path, frame: pd.DataFrame, about: Mapping[str, Any] | None = None) -> None:
    """Write a table to a Parquet file without its index; equal tables give equal bytes.

    ``about`` (JSON values) says what it was made of; ``read_about`` reads it.
    """
    write_bytes(path, parquet_bytes(frame, about))


def parquet_bytes(frame: pd.DataFrame, about: Mapping[str, Any] | None = None) -> bytes:
    """A table as the bytes of a Parquet file, with their checksum."""
    table, file = pa.Table.from_pandas(frame, preserve_index=False), BytesIO()
    with pq.ParquetWriter(file, table.schema) as writer:
        writer.write_table(table)
        if about is not None:
            writer.add_key_value_metadata({_ABOUT: json.dumps(about, sort_keys=True).encode()})
        writer.add_key_value_metadata({_KEY: _BLANK})
    content = file.getvalue()
    place = _place_of_checksum(content)
    assert place is not None
    assert content[place] == _BLANK
    return content[: place.start] + _checksum(content, place) + content[place.stop :]


def read_about(path: Path) -> dict[str, Any]:
    """What a table was made of, empty if it does not say so; raises one of ``UNREADABLE`` if the file is damaged."""
    entries = pq.read_metadata(BytesIO(_intact(path.read_bytes()))).metadata or {}
    return dict(json.loads(entries.get(_ABOUT, b"{}")))


def read_parquet(path: Path, next_step: str, **options: Any) -> pd.DataFrame:
    """The table in a Parquet file; raises ``InputError`` with the next step if it is missing or damaged.

    ``options`` are those of ``pandas.read_parquet``.
    """
    try:
        return checked_table(path.read_bytes(), **options)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", next_step=next_step) from None
    except UNREADABLE as error:
        raise InputError(
            f"{path}: {what_is_wrong(error)}", next_step=repair([path], f"remove it, then {next_step}")
        ) from error


def parquet_from(content: bytes, name: str) -> pd.DataFrame:
    """The table in the bytes of a Parquet file of any version; raises ``InputError`` naming it if they are damaged."""
    try:
        return pd.read_parquet(BytesIO(content if _place_of_checksum(content) is None else _intact(content)))
    except UNREADABLE as error:
        raise InputError(f"{name}: {what_is_wrong(error)}") from error


def checked_table(content: bytes, **options: Any) -> pd.DataFrame:
    """The table in the bytes of a Parquet file; raises one of ``UNREADABLE`` if they are damaged or have no checksum.

    ``options`` are those of ``pandas.read_parquet``.
    """
    return pd.read_parquet(BytesIO(_intact(content)), **options)


def _intact(content: bytes) -> bytes:
    """The same bytes, if they match their checksum."""
    place = _place_of_checksum(content)
    if place is None:
        pq.read_metadata(BytesIO(content))  # a file that is not Parquet has a message of its own
        raise UnsignedError
    if content[place] != _checksum(content, place):
        raise DamagedError
    return content


class DamagedError(ValueError):
    """A file does not match its checksum."""


class UnsignedError(ValueError):
    """A file has no checksum."""


def what_is_wrong(error: BaseException) -> str:
    """What reading a Parquet file failed with, in one line."""
    if isinstance(error, DamagedError):
        return "damaged: its content does not match its checksum"
    if isinstance(error, UnsignedError):
        return "it has no checksum, so another program wrote or changed it"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"not a Parquet file with the expected columns: {' '.join(str(error).split())[:200]}"


def _place_of_checksum(content: bytes) -> slice | None:
    """Where a file holds its checksum; None if it has none. The footer is at the end of a file."""
    found = content.rfind(_KEY)
    start = found + len(_KEY) + _BETWEEN
    return None if found < 0 else slice(start, start + len(_BLANK))


def _checksum(content: bytes, place: slice) -> bytes:
    digest = hashlib.sha256(memoryview(content)[: place.start])
    digest.update(_BLANK)
    digest.update(memoryview(content)[place.stop :])
    return digest.hexdigest().encode()
