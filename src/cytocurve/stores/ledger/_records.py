"""Serialization of a finished run as three files, shared by all backends.

``run.json`` is the record: description, losses per epoch, provenance, and the SHA-256 of the other two files,
``predictions.npz`` and ``weights.npz``.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from cytocurve.stores.ledger import Array, Finished

RECORD, PREDICTIONS, WEIGHTS = "run.json", "predictions.npz", "weights.npz"

_FIELDS = {"key", "description", "losses", "validation_losses", "provenance", "sha256"}

Record = dict[str, Any]


def pack(finished: Finished, weights: Sequence[Array]) -> dict[str, bytes]:
    """The contents of a run's files by name."""
    arrays = {f"p_{subset}": values for subset, values in finished.predictions.items()}
    arrays |= {f"images_{subset}": values for subset, values in finished.images.items()}
    files = {PREDICTIONS: _npz(**arrays), WEIGHTS: _npz(*weights)}
    record = {
        "key": finished.key,
        "description": finished.description,
        "losses": finished.losses,
        "validation_losses": finished.validation_losses,
        "provenance": finished.provenance,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return {**files, RECORD: json.dumps(record, indent=1).encode()}


def _npz(*positional: Array, **named: Array) -> bytes:
    file = BytesIO()
    np.savez(file, *positional, **named)  # type: ignore[arg-type]
    return file.getvalue()


def checked(key: str, read: Callable[[str], bytes]) -> tuple[Record, Mapping[str, bytes]] | None:
    """Read a run's record and other files; None unless they are complete and match their checksums.

    ``read`` returns the contents of a file by name and raises ``OSError`` if it cannot be read.
    """
    try:
        record: Record = json.loads(read(RECORD))
        files = {name: read(name) for name in (PREDICTIONS, WEIGHTS)}
        intact = all(hashlib.sha256(content).hexdigest() == record["sha256"][name] for name, content in files.items())
        if intact and record["key"] == key and record.keys() >= _FIELDS:
            return record, files
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def unpack(record: Record, predictions: bytes) -> Finished:
    """Rebuild a run from its record and ``predictions.npz``."""
    with np.load(BytesIO(predictions)) as arrays:
        named = {name: arrays[name] for name in arrays.files}
    return Finished(
        key=record["key"],
        description=record["description"],
        losses=tuple(record["losses"]),
        validation_losses=tuple(record["validation_losses"]),
        predictions={name[2:]: values for name, values in named.items() if name.startswith("p_")},
        images={name[7:]: values for name, values in named.items() if name.startswith("images_")},
        provenance=record["provenance"],
    )


def unpack_weights(content: bytes) -> list[Array]:
    """The arrays in a ``weights.npz``, in order."""
    with np.load(BytesIO(content)) as arrays:
        return [arrays[name] for name in arrays.files]


def provenance(read: Callable[[str], bytes]) -> Mapping[str, Any]:
    """The provenance in a run's record; empty if there is none."""
    try:
        return dict(json.loads(read(RECORD))["provenance"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
