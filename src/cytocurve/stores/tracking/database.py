"""The file of a local store.

It is created and upgraded under another name and then renamed, so that a killed process never leaves an incomplete
schema. The callers hold the store's lock; MLflow's own server, which does not know the lock, may have the file open.
"""

import logging
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytocurve.files import local_path

if TYPE_CHECKING:
    from sqlalchemy import Engine

logger = logging.getLogger("cytocurve")

WAIT_SECONDS = 60.0
"""Maximum time to wait for other users of the file."""

SIDE_FILES = ("-wal", "-shm", "-journal")
"""Suffixes of the files that SQLite keeps next to a database and applies to whatever has its name."""

PATHS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""The columns with absolute paths of files, by table."""

SEEDED = {"experiments": "name = 'Default'", "workspaces": "name = 'default'", "alembic_version": "1"}
"""The rows that MLflow itself creates, by table."""


class UnusableError(Exception):
    """The file is not a store that this version of MLflow can use."""


def check(database: Path) -> None:
    """Open the file before MLflow does, since MLflow retries a damaged file for minutes; makes its folder.

    Raises ``OSError`` or ``sqlite3.Error``.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    _schema(database)


def prepare(database: Path) -> None:
    """Create the file if it is missing, replace it if it was left incomplete, and upgrade it if its schema is old.

    An incomplete file is one without any run that cannot be upgraded; it is set aside with a warning. Write-ahead
    logging is a permanent setting of the file that makes writing runs six times faster. Raises ``OSError``,
    ``sqlite3.Error``, ``SQLAlchemyError``, or ``UnusableError`` if the file has runs and cannot be upgraded.
    """
    scratch = database.with_name(f"{database.name}.new")
    _remove(scratch)
    tables, version = _schema(database)
    if version != _head() or not _expected() <= tables:
        try:
            _replace(database, scratch, tables, version)
        finally:
            _remove(scratch)
        _forget(database)
    with closing(sqlite3.connect(database, timeout=WAIT_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        _follow(connection, database.resolve().parent)


def _follow(connection: sqlite3.Connection, home: Path) -> None:
    """Make the paths in the store of a copied or moved study lead to its own files.

    MLflow stores absolute paths, so that a copy would read and write the files of the original.
    """
    if home.name != "mlruns":
        return
    places = connection.execute("SELECT name, artifact_location FROM experiments").fetchall()
    for origin in {found for name, location in places if (found := _home_of(name, location)) not in (None, home)}:
        assert origin is not None
        old, new = f"{origin.as_uri()}/", f"{home.as_uri()}/"
        with connection:
            for table, column in PATHS:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, length(?) + 1) "  # noqa: S608
                    f"WHERE substr({column}, 1, length(?)) = ?",
                    (new, old, old, old),
                )
        logger.info("The tracking store was made in %s; its paths now lead to %s", origin, home)


def _home_of(experiment: str, location: str | None) -> Path | None:
    """The folder of the store in which cytocurve made an experiment; None if another program made it."""
    folder = local_path(location or "")
    end = ("mlruns", "artifacts", *experiment.split("/"))
    if folder is None or not folder.is_absolute() or folder.parts[-len(end) :] != end:
        return None
    return folder.parents[len(end) - 2]


def _replace(database: Path, scratch: Path, tables: frozenset[str], version: str | None) -> None:
    if not tables:
        if database.exists():
            logger.warning(
                "The tracking store %s was an empty file; a new store was created. If it held runs before, restore it "
                "from a backup, or run cytocurve publish to record the runs of the present study again.",
                database,
            )
        _make(scratch)
        _move_into_place(scratch, database)
        return
    with _alone(database) as connection:
        try:
            _upgrade(connection, scratch, version)
        except UnusableError as error:
            if (version and version not in _revisions()) or _has_content(connection, tables):
                raise UnusableError(f"its schema cannot be upgraded: {error}") from error
            _make(scratch)
            aside = _set_aside(database)
            logger.warning(
                "The tracking store %s was left incomplete by an interrupted command and contains no runs. "
                "It was renamed to %s and replaced by a new one.",
                database,
                aside.name,
            )
        _move_into_place(scratch, database)


def _schema(database: Path) -> tuple[frozenset[str], str | None]:
    """The file's tables and schema revision; none if it is missing or empty."""
    if not database.exists() or (database.is_file() and not database.stat().st_size):
        return frozenset(), None
    with closing(sqlite3.connect(database, timeout=WAIT_SECONDS)) as connection:
        tables = frozenset(
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        )
        versions = connection.execute("SELECT version_num FROM alembic_version") if "alembic_version" in tables else ()
        return tables, next((str(version) for (version,) in versions), None)


@contextmanager
def _alone(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection during which nobody else writes; raises ``sqlite3.OperationalError`` if others have the file open.

    Only the sole user of a file can end write-ahead logging. Otherwise, another user would later apply or delete the
    log of the file that is replaced, which has the name of the new file's log.
    """
    with closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            raise UnusableError(
                "its schema must be upgraded, but another program has the file open; stop it first (cytocurve ui?)"
            ) from error
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the lock that keeps writers out
        yield connection


def _make(scratch: Path) -> None:
    """Create an empty store with the current schema."""
    from mlflow.store.db import utils

    _remove(scratch)
    with _engine(scratch) as engine:
        utils._initialize_tables(engine)  # type: ignore[no-untyped-call]
    _check_complete(scratch)


def _upgrade(connection: sqlite3.Connection, scratch: Path, version: str | None) -> None:
    """Write an upgraded copy of the store; raises ``UnusableError`` if that is impossible."""
    from alembic.util import CommandError
    from mlflow.store.db import utils
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    if version is None:
        raise UnusableError("it has tables but no schema revision")
    with closing(sqlite3.connect(scratch)) as copy:
        connection.backup(copy)
    try:
        with _engine(scratch) as engine:
            utils._upgrade_db(engine)  # type: ignore[no-untyped-call]
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error) and _is_of_the_disk(error.orig):
            raise
        raise UnusableError(str(error.orig)) from error
    except (SQLAlchemyError, CommandError) as error:
        raise UnusableError(str(error)) from error
    _check_complete(scratch)


def _is_of_the_disk(error: sqlite3.Error) -> bool:
    """Whether the error says nothing about the contents of the file."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


@contextmanager
def _engine(scratch: Path) -> "Iterator[Engine]":
    """An engine for a file that nobody else knows and that is synced once, at the end."""
    from mlflow.store.db import utils
    from sqlalchemy import event

    engine: Engine = utils.create_sqlalchemy_engine(f"sqlite:///{scratch}")  # type: ignore[no-untyped-call]
    event.listen(engine, "connect", _without_syncs)
    try:
        yield engine
    finally:
        engine.dispose()


def _without_syncs(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("synchronous = OFF", "journal_mode = MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _check_complete(scratch: Path) -> None:
    tables, version = _schema(scratch)
    if version != _head() or not _expected() <= tables:
        missing = ", ".join(sorted(_expected() - tables)) or "none"
        raise UnusableError(f"revision {version} instead of {_head()}, missing tables: {missing}")


def _has_content(connection: sqlite3.Connection, tables: frozenset[str]) -> bool:
    """Whether a table has rows other than those that MLflow creates itself."""
    for table in tables:
        seeded = SEEDED.get(table.removeprefix("_alembic_tmp_"), "0")
        query = f'SELECT 1 FROM "{table}" WHERE NOT ({seeded}) LIMIT 1'  # noqa: S608
        if not table.startswith("sqlite_") and connection.execute(query).fetchone():
            return True
    return False


def _set_aside(database: Path) -> Path:
    """Rename the file to the first free name ``<name>.incomplete-<number>``."""
    names = (database.with_name(f"{database.name}.incomplete-{number}") for number in range(1, 10_000))
    aside = next(name for name in names if not name.exists())
    database.rename(aside)
    return aside


def _move_into_place(scratch: Path, database: Path) -> None:
    with scratch.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in SIDE_FILES:  # of a file that was deleted or replaced
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    scratch.replace(database)
    with suppress(OSError):  # not every file system can sync a folder
        folder = os.open(database.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _remove(scratch: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        scratch.with_name(scratch.name + suffix).unlink(missing_ok=True)


def _forget(database: Path) -> None:
    """Close MLflow's connections of this process to the file that was replaced."""
    for kind in ("tracking", "model_registry"):
        module: Any = sys.modules.get(f"mlflow.store.{kind}.sqlalchemy_store")
        if module and (engine := module.SqlAlchemyStore._engine_map.get(f"sqlite:///{database}")):
            engine.dispose()


@cache
def _head() -> str:
    """The current schema revision; cached, since MLflow reads all its migrations to find it."""
    from mlflow.store.db import utils

    return str(utils._get_latest_schema_revision())  # type: ignore[no-untyped-call]


@cache
def _revisions() -> frozenset[str]:
    """All schema revisions that this version of MLflow knows."""
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils

    script = ScriptDirectory.from_config(utils._get_alembic_config(""))  # type: ignore[no-untyped-call]
    return frozenset(revision.revision for revision in script.walk_revisions())


@cache
def _expected() -> frozenset[str]:
    """The tables of the current schema."""
    import mlflow.store.db.utils  # noqa: F401 - imports all modules that define tables
    from mlflow.store.db.base_sql_model import Base

    return frozenset(Base.metadata.tables)
