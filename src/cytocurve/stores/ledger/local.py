"""A ledger in a local folder: ``runs/<first two digits of the key>/<key>/``, one folder per run.

A run is written into ``scratch/``, synced to disk and renamed into place. Quarantined runs are moved to ``damaged/``.
"""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from cytocurve.errors import CytocurveError, InputError
from cytocurve.files import local_path
from cytocurve.redaction import shown
from cytocurve.stores.ledger import Array, Finished, Ledger, State, _records

ABANDONED_AFTER = 86_400.0
"""Seconds after which a folder in ``scratch/`` has no writer any more."""


def open_url(url: str) -> Ledger:
    """The ledger in the folder of a plain path or ``file://`` URL; raises ``InputError`` if the URL has a host."""
    path = local_path(url)
    if path is None:
        raise InputError(f"The ledger {shown(url)!r} cannot be opened: expected a path or file:///<path>.")
    return LocalLedger(path)


class LocalLedger:
    """Finished runs in a folder, created with the first run."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def url(self) -> str:
        """The folder's absolute path."""
        return str(self.root)

    def folder(self, key: str) -> Path:
        """The folder of a run, whether it is stored or not."""
        return self.root / "runs" / key[:2] / key

    def __contains__(self, key: str) -> bool:
        return (self.folder(key) / _records.RECORD).is_file()

    def keys(self) -> list[str]:
        """The keys of all stored runs, damaged ones included, sorted."""
        return sorted(path.parent.name for path in self.root.glob(f"runs/*/*/{_records.RECORD}"))

    def add(self, finished: Finished, weights: Sequence[Array]) -> None:
        """Store a run; the first of two writers wins."""
        scratch = self.root / "scratch" / uuid.uuid4().hex
        try:
            scratch.mkdir(parents=True)
            for name, content in _records.pack(finished, weights).items():
                (scratch / name).write_bytes(content)
            _move_into_place(scratch, self.folder(finished.key))
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def get(self, key: str) -> Finished | None:
        """The run stored under the key; None if it is absent or damaged."""
        run = _records.checked(key, partial(self._read, key))
        return run[0] if run else None

    def weights(self, key: str) -> list[Array] | None:
        """The best weights of a run; None if the run is absent or damaged."""
        run = _records.checked(key, partial(self._read, key))
        return run[1] if run else None

    def provenance(self, key: str) -> Mapping[str, Any]:
        """Times, packages, host and commit of a run; empty if it is not stored."""
        return _records.provenance(partial(self._read, key))

    def check(self, key: str) -> State:
        """Whether a run is stored and its files match their checksums."""
        if not self.folder(key).is_dir():
            return "absent"
        return "whole" if _records.checked(key, partial(self._read, key)) else "damaged"

    def check_writable(self) -> None:
        """Raise ``CytocurveError`` if a file cannot be written in the folder; removes what killed writers left."""
        try:
            (self.root / "scratch").mkdir(parents=True, exist_ok=True)
            _remove_abandoned(self.root / "scratch")
            with tempfile.TemporaryFile(dir=self.root / "scratch") as file:
                file.write(b"cytocurve")
        except OSError as error:
            raise self._unwritable(error) from error

    def quarantine(self, key: str) -> bool:
        """Move a damaged run to ``damaged/``; returns False if it is not damaged."""
        if self.check(key) != "damaged":
            return False
        target = self.root / "damaged" / f"{key}-{uuid.uuid4().hex[:8]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.folder(key).rename(target)
        except FileNotFoundError:  # another process has moved it
            return False
        return True

    def _unwritable(self, error: OSError) -> CytocurveError:
        return CytocurveError(
            f"The ledger {self.root} cannot be written: {error.strerror or error}",
            next_step="check its permissions and the free space of its disk, or set CYTOCURVE_LEDGER; then rerun the "
            "command, which resumes",
        )

    def _read(self, key: str, name: str) -> bytes:
        return (self.folder(key) / name).read_bytes()


def _remove_abandoned(scratch: Path) -> None:
    """Remove what killed writers left behind: a live one is done within seconds."""
    for folder in scratch.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)


def _move_into_place(scratch: Path, folder: Path) -> None:
    for path in (*scratch.iterdir(), scratch):
        _sync(path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
