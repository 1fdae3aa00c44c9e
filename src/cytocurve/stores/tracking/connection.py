"""The tracking store: an MLflow server, or a local SQLite store in the project.

MLflow is imported inside functions, because the import takes a second and most commands do not need it.
"""

import gc
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from filelock import FileLock

from cytocurve.errors import InputError, ServiceError

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

LOCK_SECONDS = 600.0
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""Defaults for variables that the user has not set: MLflow's own defaults wait four minutes for a dead server."""


@contextmanager
def connected(tracking_uri: str, lock: Path) -> "Iterator[MlflowClient]":
    """A client of a tracking server or of a local SQLite store, which is created if missing.

    Only one process per machine is connected at a time: the others wait for ``lock``, or for a lock next to the local
    store. Raises
    ``InputError`` for other kinds of stores, and ``ServiceError`` if the store fails, here or in the block.
    """
    for name, value in (QUIET | PATIENCE).items():
        os.environ.setdefault(name, value)
    database = _database(tracking_uri)
    with _alone(database.with_name(f"{database.name}.lock") if database else lock, tracking_uri):
        if database:
            _check_database(tracking_uri, database)
        with _without_collections():
            from mlflow.exceptions import MlflowException
        try:
            yield _client(tracking_uri, local=database is not None)
        except MlflowException as error:
            raise _unreachable(tracking_uri, str(error)) from error


def _client(tracking_uri: str, *, local: bool) -> "MlflowClient":
    from mlflow.tracking import MlflowClient

    with _without_collections():
        if local:
            _migrate(tracking_uri)
        else:
            _probe(tracking_uri)
        return MlflowClient(tracking_uri, tracking_uri)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Disable garbage collection: scanning the million objects that importing MLflow creates takes half a second."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def ui_command(tracking_uri: str, lock: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The command that serves MLflow for the local store on this machine, and additional environment variables.

    Raises ``InputError`` if the store is a server, which has its own user interface, or if the port is in use.
    """
    database = _database(tracking_uri)
    if database is None:
        raise InputError(f"The tracking store is a server: open {_shown(tracking_uri)} in a browser.")
    try:
        with socket.create_server(("127.0.0.1", port)):
            pass
    except (OSError, OverflowError) as error:
        raise InputError(
            f"Port {port} on 127.0.0.1 cannot be used: {error}", hint="Choose another with --port."
        ) from error
    with connected(tracking_uri, lock):
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{database}"]
        command += ["--default-artifact-root", (database.parent / "artifacts").as_uri(), "--no-serve-artifacts"]
    return command, QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def curves_page(tracking_uri: str, lock: Path, experiment: str) -> str:
    """The fragment of a link to MLflow's charts of an experiment's arms; empty if the experiment does not exist."""
    with connected(tracking_uri, lock) as client:
        entry = client.get_experiment_by_name(experiment)
    arms = quote("tags.`cytocurve.arm_key` LIKE '%'")
    return f"#/experiments/{entry.experiment_id}/runs?compareRunsMode=CHART&searchFilter={arms}" if entry else ""


def _database(tracking_uri: str) -> Path | None:
    """The file of a local store, None for a server; raises ``InputError`` for anything else."""
    if tracking_uri.startswith("sqlite:///"):
        return Path(tracking_uri.removeprefix("sqlite:///")).resolve()
    with suppress(ValueError):
        if urlsplit(tracking_uri).scheme in {"http", "https"}:
            return None
    raise InputError(
        f"MLFLOW_TRACKING_URI must be http://…, https://… or sqlite:///…, got {_shown(tracking_uri)!r}.",
        hint="Without it, cytocurve uses the local store mlruns/mlflow.db.",
    )


def _check_database(tracking_uri: str, database: Path) -> None:
    """Open the file before MLflow does, since MLflow retries a damaged file for minutes.

    Write-ahead logging is a permanent setting of the file that makes writing runs six times faster.
    """
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database, timeout=60)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("SELECT count(*) FROM sqlite_master")
    except (OSError, sqlite3.Error) as error:
        raise _unreachable(tracking_uri, str(error)) from error


def _migrate(tracking_uri: str) -> None:
    """Upgrade the schema of an earlier MLflow; a file without tables is left to the client."""
    from alembic.util import CommandError
    from mlflow.store.db import utils

    engine = utils.create_sqlalchemy_engine(tracking_uri)  # type: ignore[no-untyped-call]
    try:
        version = utils._get_schema_version(engine)  # type: ignore[no-untyped-call]
        if version and version != _current_schema():
            utils._upgrade_db(engine)  # type: ignore[no-untyped-call]
    except CommandError as error:
        raise _unreachable(tracking_uri, str(error)) from error
    finally:
        engine.dispose()


@cache
def _current_schema() -> str:
    """The current schema revision; cached, since MLflow reads all its migrations to find it."""
    from mlflow.store.db import utils

    return str(utils._get_latest_schema_revision())  # type: ignore[no-untyped-call]


def _probe(tracking_uri: str) -> None:
    """Check a server's health once, without the retries of MLflow's client."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    creds = get_default_host_creds(tracking_uri)  # type: ignore[no-untyped-call]
    answer = http_request(creds, "/health", "GET", max_retries=0, timeout=5, raise_on_status=False)  # type: ignore[no-untyped-call]
    if answer.status_code >= 500:
        raise _unreachable(tracking_uri, f"/health returned status {answer.status_code}")


@contextmanager
def _alone(lock: Path, tracking_uri: str) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=LOCK_SECONDS)
        held.acquire()
    except OSError as error:  # a Timeout is one
        raise _unreachable(tracking_uri, f"cannot lock {lock}: {error}") from error
    try:
        yield
    finally:
        held.release()


def _unreachable(tracking_uri: str, detail: str) -> ServiceError:
    user = urlsplit(tracking_uri).netloc.rpartition("@")[0]
    detail = " ".join((detail.replace(f"{user}@", "…@") if user else detail).split())[:500]
    return ServiceError(
        f"The tracking store {_shown(tracking_uri)} could not be used: {detail}",
        hint="Nothing is lost: the ledger contains every finished run.",
        next_step="run cytocurve publish once the store is available again",
    )


def _shown(tracking_uri: str) -> str:
    """The URI without credentials."""
    try:
        parts = urlsplit(tracking_uri)
    except ValueError:
        return "that URI"
    return (
        parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}").geturl() if "@" in parts.netloc else tracking_uri
    )
