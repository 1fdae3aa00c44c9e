"""The ledger: finished runs on disk, addressed by their run key, written once and completely.

``ledger/runs/<k0k1>/<key>/`` holds ``run.json`` (the recipe, the epochs, timings and provenance, and the SHA-256 of
the other files), ``predictions.npz`` and ``weights.npz``. A run is written into a temporary folder, synced to disk
and renamed, so that a reader sees all of it or nothing, and two writers of one run do no harm.
"""

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.files import sha256

Array = NDArray[Any]

FILES = ("predictions.npz", "weights.npz")
RECORD = {"key", "description", "losses", "validation_losses", "provenance", "sha256"}


@dataclass(frozen=True)
class Finished:
    """A finished run.

    ``losses`` and ``validation_losses`` have one entry an epoch; ``predictions`` maps ``validation`` and ``test`` to
    class probabilities, float32, (images, classes); ``images`` maps ``train``, ``validation`` and ``test`` to the
    images' identities, uint8, (images, 32); ``description`` is what a reader of the run wants to know (recipe, seed,
    fold, size); ``provenance`` holds times, packages, host and commit.
    """

    key: str
    description: Mapping[str, Any]
    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    predictions: Mapping[str, Array]
    images: Mapping[str, Array]
    provenance: Mapping[str, Any]


class Ledger:
    """The finished runs below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, key: str) -> Path:
        """Where the run of that key lies or would lie."""
        return self.root / "runs" / key[:2] / key

    def __contains__(self, key: str) -> bool:
        return (self.folder(key) / "run.json").is_file()

    def keys(self) -> list[str]:
        """The keys of all runs, sorted."""
        return sorted(path.parent.name for path in self.root.glob("runs/*/*/run.json"))

    def add(self, finished: Finished, weights: Sequence[Array]) -> None:
        """Store a run; a run that is already there is kept as it is."""
        scratch = self.root / "scratch" / uuid.uuid4().hex
        scratch.mkdir(parents=True)
        try:
            arrays = {f"p_{subset}": values for subset, values in finished.predictions.items()}
            arrays |= {f"images_{subset}": values for subset, values in finished.images.items()}
            np.savez(scratch / "predictions.npz", **arrays)  # type: ignore[arg-type]
            np.savez(scratch / "weights.npz", *weights)
            record = {
                "key": finished.key,
                "description": finished.description,
                "losses": finished.losses,
                "validation_losses": finished.validation_losses,
                "provenance": finished.provenance,
                "sha256": {name: sha256(scratch / name) for name in FILES},
            }
            (scratch / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
            self._move_into_place(scratch, self.folder(finished.key))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _move_into_place(self, scratch: Path, folder: Path) -> None:
        for path in (*scratch.iterdir(), scratch):
            _sync(path)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
        _sync(folder.parent)

    def get(self, key: str) -> Finished | None:
        """The run of that key; None where there is none, or where its files are damaged (they are moved aside)."""
        record = self._checked(key)
        if record is None:
            return None
        with np.load(self.folder(key) / "predictions.npz") as arrays:
            predictions = {name[2:]: arrays[name] for name in arrays.files if name.startswith("p_")}
            images = {name[7:]: arrays[name] for name in arrays.files if name.startswith("images_")}
        return Finished(
            key=key,
            description=record["description"],
            losses=tuple(record["losses"]),
            validation_losses=tuple(record["validation_losses"]),
            predictions=predictions,
            images=images,
            provenance=record["provenance"],
        )

    def provenance(self, key: str) -> Mapping[str, Any]:
        """Times, packages, host and commit of a run, its other files unread; empty where there is none."""
        try:
            record = json.loads((self.folder(key) / "run.json").read_text(encoding="utf-8"))
            return dict(record["provenance"])
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def weights(self, key: str) -> list[Array] | None:
        """The best weights of a run, in the order of the Keras model; None as in ``get``."""
        if self._checked(key) is None:
            return None
        with np.load(self.folder(key) / "weights.npz") as arrays:
            return [arrays[name] for name in arrays.files]

    def _checked(self, key: str) -> dict[str, Any] | None:
        """The record of a run whose files match their checksums; one that is damaged is moved aside."""
        folder = self.folder(key)
        if not folder.is_dir():
            return None
        try:
            record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            whole = record["key"] == key and all(sha256(folder / name) == record["sha256"][name] for name in FILES)
            if whole and record.keys() >= RECORD:
                return record
        except (OSError, ValueError, KeyError, TypeError):
            pass
        damaged = self.root / "damaged" / f"{folder.name}-{uuid.uuid4().hex[:8]}"
        damaged.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(damaged)
        return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
