"""Serialization of a finished run as three files, shared by all backends.

``run.json`` is the record: description, losses per epoch, provenance, and the SHA-256 of the other two files,
``predictions.npz`` and ``weights.npz``, and of the rest of the record itself. Earlier versions did not write the last.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np

from cytocurve.core.runs import digest
from cytocurve.stores.ledger import Array, Finished

RECORD, PREDICTIONS, WEIGHTS = "run.json", "predictions.npz", "weights.npz"

_FIELDS = {"key", "description", "losses", "validation_losses", "provenance", "sha256"}

Record = dict[str, Any]


def pack(finished: Finished, weights: Sequence[Array]) -> dict[str, bytes]:
    """The contents of a run's files by name."""
    arrays = {f"p_{subset}": values for subset, values in finished.predictions.items()}
    arrays |= {f"images_{subset}": values for subset, values in finished.images.items()}
    files = {PREDICTIONS: _npz(**arrays), WEIGHTS: _npz(*weights)}
    record: Record = {
        "key": finished.key,
        "description": finished.description,
        "losses": finished.losses,
        "validation_losses": finished.validation_losses,
        "provenance": finished.provenance,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    record["sha256"][RECORD] = _own_checksum(record)
    return {**files, RECORD: json.dumps(record, indent=1).encode()}


def _own_checksum(record: Record) -> str:
    """The SHA-256 of a record without its own checksum, in a form that does not depend on layout or order."""
    others = {name: checksum for name, checksum in record["sha256"].items() if name != RECORD}
    return digest(record | {"sha256": others})


def _npz(*positional: Array, **named: Array) -> bytes:
    file = BytesIO()
    np.savez(file, *positional, **named)  # type: ignore[arg-type]
    return file.getvalue()


def checked(key: str, read: Callable[[str], bytes]) -> tuple[Finished, list[Array]] | None:
    """Read a run and its weights; None unless its files are complete, match their checksums and can be read.

    ``read`` returns the contents of a file by name and raises ``OSError`` if it cannot be read.
    """
    try:
        record: Record = json.loads(read(RECORD))
        files = {name: read(name) for name in (PREDICTIONS, WEIGHTS)}
        expected = dict(record["sha256"])
        found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        if RECORD in expected:
            found[RECORD] = _own_checksum(record)
        if found == expected and record["key"] == key and record.keys() >= _FIELDS:
            return _unpacked(record, _arrays(files[PREDICTIONS])), list(_arrays(files[WEIGHTS]).values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, RecursionError):
        pass
    return None


def _unpacked(record: Record, arrays: Mapping[str, Array]) -> Finished:
    return Finished(
        key=record["key"],
        description=record["description"],
        losses=tuple(record["losses"]),
        validation_losses=tuple(record["validation_losses"]),
        predictions={name[2:]: values for name, values in arrays.items() if name.startswith("p_")},
        images={name[7:]: values for name, values in arrays.items() if name.startswith("images_")},
        provenance=record["provenance"],
    )


def _arrays(content: bytes) -> dict[str, Array]:
    """The arrays of an archive, in order; raises ``ValueError`` for objects, which would be unpickled."""
    with np.load(BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def provenance(read: Callable[[str], bytes]) -> Mapping[str, Any]:
    """The provenance in a run's record; empty if there is none."""
    try:
        return dict(json.loads(read(RECORD))["provenance"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
