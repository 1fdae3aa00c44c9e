"""A ledger in a single SQLite file, ``sqlite:///<path>``: easy to copy and share, for processes on one machine.

As in other SQLite URLs, three slashes precede the path, so that an absolute path starts after four. SQLite's locks are
unreliable on network file systems; use a folder there.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cytocurve.errors import CytocurveError, InputError
from cytocurve.files import local_path
from cytocurve.redaction import shown
from cytocurve.stores.ledger import Array, Finished, Ledger, State, _records

COLUMNS: Mapping[str, str] = {
    _records.RECORD: "record",
    _records.PREDICTIONS: "predictions",
    _records.WEIGHTS: "weights",
}

TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, record BLOB, predictions BLOB, weights BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS damaged (key TEXT, record BLOB, predictions BLOB, weights BLOB);
COMMIT;
"""

WAIT_SECONDS = 60.0
"""Maximum time to wait for other writers."""


def open_url(url: str) -> Ledger:
    """The ledger in the file of a ``sqlite:///`` URL; raises ``InputError`` if the URL has another form."""
    path = local_path(url)
    if path is None or not path.name or "?" in url:
        raise InputError(
            f"The ledger {shown(url)!r} cannot be opened: expected sqlite:///<path of a file>, without parameters."
        )
    return SqliteLedger(path)


class SqliteLedger:
    """Finished runs in a file, created with the first run. Raises ``CytocurveError`` if the file is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def url(self) -> str:
        """The URL of the file's absolute path."""
        return f"sqlite:///{self.path}"

    def __contains__(self, key: str) -> bool:
        return bool(self._rows("SELECT 1 FROM runs WHERE key = ?", key))

    def keys(self) -> list[str]:
        """The keys of all stored runs, damaged ones included, sorted."""
        return [key for (key,) in self._rows("SELECT key FROM runs ORDER BY key")]

    def add(self, finished: Finished, weights: Sequence[Array]) -> None:
        """Store a run; the first of two writers wins."""
        files = _records.pack(finished, weights)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            connection.executescript(TABLES)
            with connection:
                connection.execute(
                    "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?)", (finished.key, *(files[name] for name in COLUMNS))
                )

    def get(self, key: str) -> Finished | None:
        """The run stored under the key; None if it is absent or damaged."""
        run = self._checked(key)
        return run[0] if run else None

    def weights(self, key: str) -> list[Array] | None:
        """The best weights of a run; None if the run is absent or damaged."""
        run = self._checked(key)
        return run[1] if run else None

    def provenance(self, key: str) -> Mapping[str, Any]:
        """Times, packages, host and commit of a run; empty if it is not stored."""
        rows = self._rows("SELECT record FROM runs WHERE key = ?", key)
        return _records.provenance(lambda _: bytes(rows[0][0])) if rows else {}

    def check(self, key: str) -> State:
        """Whether a run is stored and its contents match their checksums."""
        if key not in self:
            return "absent"
        return "whole" if self._checked(key) else "damaged"

    def check_writable(self) -> None:
        """Raise ``CytocurveError`` if the file cannot be written; creates it if it is missing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CytocurveError(
                f"The ledger {shown(self.url)} cannot be written: {error.strerror or error}"
            ) from error
        with self._connected() as connection:
            connection.executescript(TABLES)

    def quarantine(self, key: str) -> bool:
        """Move a damaged run to the table ``damaged``; returns False if it is not damaged."""
        if self.check(key) != "damaged":
            return False
        with self._connected() as connection, connection:
            connection.execute("INSERT INTO damaged SELECT * FROM runs WHERE key = ?", (key,))
            return connection.execute("DELETE FROM runs WHERE key = ?", (key,)).rowcount == 1

    def _checked(self, key: str) -> tuple[Finished, list[Array]] | None:
        rows = self._rows(f"SELECT {', '.join(COLUMNS.values())} FROM runs WHERE key = ?", key)  # noqa: S608
        files = dict(zip(COLUMNS, rows[0], strict=True)) if rows else {}
        return _records.checked(key, lambda name: bytes(files[name]))

    def _rows(self, query: str, *values: str) -> list[Any]:
        """The rows of a query; empty if the tables do not exist yet."""
        if not self.path.is_file():
            return []
        with self._connected() as connection:
            exists = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchall()
            return connection.execute(query, values).fetchall() if exists else []

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
        except sqlite3.Error as error:
            raise CytocurveError(f"The ledger {shown(self.url)} cannot be used: {error}") from error
