"""The tracking store: an MLflow server, or a local SQLite store in the project.

MLflow is imported inside functions, because the import takes a second and most commands do not need it.
"""

import gc
import os
import re
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from filelock import FileLock

from cytocurve.errors import InputError, ServiceError
from cytocurve.redaction import shown, without_secrets
from cytocurve.stores.tracking.database import UnusableError, check, prepare
from cytocurve.stores.tracking.limits import within

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

LOCAL = "sqlite:///"

LOCK_SECONDS = 600.0
PROBE_SECONDS = 15.0
"""Maximum time for a server to answer that it is healthy; a limit per byte does not stop one that trickles."""

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # errors are raised, too
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""Defaults for variables that the user has not set: MLflow's own defaults wait four minutes for a dead server."""

REPAIR = (
    "correct this, or move the file away if it is damaged; cytocurve publish && cytocurve register then restore "
    "all runs and the present model"
)

CREDENTIALS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@contextmanager
def connected(tracking_uri: str, lock: Path) -> "Iterator[MlflowClient]":
    """A client of a tracking server or of a local SQLite store, which is created if missing.

    Only one process per machine is connected at a time: the others wait for ``lock``, or for a lock next to the local
    store. Raises ``InputError`` for a malformed URI or another kind of store, and ``ServiceError`` if the store fails,
    here or in the block.
    """
    for name, value in (QUIET | PATIENCE).items():
        os.environ.setdefault(name, value)
    database = _database(tracking_uri)
    with _alone(database.with_name(f"{database.name}.lock") if database else lock, tracking_uri):
        with _failures(tracking_uri, sqlite3.Error, UnicodeDecodeError, OSError):
            if database:
                check(database)
        with _without_collections():
            from mlflow.exceptions import MlflowException
            from requests.exceptions import RequestException
            from sqlalchemy.exc import SQLAlchemyError
        failures = (MlflowException, RequestException, SQLAlchemyError, sqlite3.Error, UnicodeDecodeError)
        with _failures(tracking_uri, *failures, UnusableError, OSError), _without_collections():
            client = _client(tracking_uri, database)
        with _failures(tracking_uri, *failures):
            yield client


def check_uri(tracking_uri: str) -> None:
    """Raise ``InputError`` if the URI is malformed or names another kind of store."""
    _database(tracking_uri)


@contextmanager
def _failures(tracking_uri: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn these exceptions into a ``ServiceError`` without their context, which may quote passwords."""
    try:
        yield
    except kinds as error:
        raise _unreachable(tracking_uri, str(error)) from None


def _client(tracking_uri: str, database: Path | None) -> "MlflowClient":
    from mlflow.tracking import MlflowClient

    if database:
        prepare(database)
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
        raise InputError(f"The tracking store is a server: open {shown(tracking_uri)} in a browser.")
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
    if tracking_uri.startswith(LOCAL):
        return _file(tracking_uri.removeprefix(LOCAL))
    with suppress(ValueError):
        parts = urlsplit(tracking_uri)
        if parts.scheme in {"http", "https"}:
            if not _is_address(parts):
                raise InputError(
                    f"MLFLOW_TRACKING_URI {shown(tracking_uri)!r} is not the address of a server: expected "
                    "https://host[:port][/path].",
                    hint="Its user name and password must be percent-encoded: / as %2F, ? as %3F, # as %23, @ as %40.",
                    next_step="use MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, which need no encoding",
                )
            return None
    raise InputError(
        f"MLFLOW_TRACKING_URI must be http://…, https://… or sqlite:///…, got {shown(tracking_uri)!r}.",
        hint="Without it, cytocurve uses the local store mlruns/mlflow.db.",
    )


def _is_address(parts: SplitResult) -> bool:
    """Whether a URL has a host, and no ``@`` or parameters after it, which a password with special characters leaves.

    Raises ``ValueError`` if its port is not a number.
    """
    after = parts.path + parts.query + parts.fragment
    plain = not re.search(r"[\s\x00-\x1f\x7f\\]", parts.geturl())
    return (
        bool(parts.hostname) and parts.port != 0 and "@" not in after and not (parts.query or parts.fragment) and plain
    )


def _file(path: str) -> Path:
    """The path of a local store; raises ``InputError`` if SQLAlchemy would not read it as that path."""
    if "?" in path or not path.strip() or path == ":memory:" or Path(path).is_dir():
        raise InputError(
            f"The local tracking store {shown(LOCAL + path)!r} must be the path of a file, without '?' and parameters.",
            next_step="correct MLFLOW_TRACKING_URI, or rename the folder if its name contains '?'",
        )
    return Path(path).resolve()


def _probe(tracking_uri: str) -> None:
    """Check a server's health once, without the retries of MLflow's client."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    creds = get_default_host_creds(tracking_uri)  # type: ignore[no-untyped-call]

    def ask() -> int:
        answer = http_request(creds, "/health", "GET", max_retries=0, timeout=5, raise_on_status=False)  # type: ignore[no-untyped-call]
        return int(answer.status_code)

    status = within(PROBE_SECONDS, ask)
    if status is None:
        raise _unreachable(tracking_uri, f"/health was not answered completely within {PROBE_SECONDS:.0f} s")
    if status >= 500:
        raise _unreachable(tracking_uri, f"/health returned status {status}")


@contextmanager
def _alone(lock: Path, tracking_uri: str) -> Iterator[None]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=LOCK_SECONDS)
        held.acquire()
    except OSError as error:  # a Timeout is one
        raise _unreachable(tracking_uri, f"cannot lock {lock}: {error}") from None
    try:
        yield
    finally:
        held.release()


def _unreachable(tracking_uri: str, detail: str) -> ServiceError:
    detail = re.sub(r"\(Background on this error at: \S+\)", "", detail)
    credentials = [value for name in CREDENTIALS if (value := os.environ.get(name))]
    detail = " ".join(without_secrets(detail, tracking_uri, secrets=credentials).split())[:500]
    return ServiceError(
        f"The tracking store {shown(tracking_uri)} could not be used: {detail}",
        hint="Nothing is lost: the ledger contains every finished run.",
        next_step=REPAIR
        if tracking_uri.startswith(LOCAL)
        else "run cytocurve publish once the store is available again",
    )
