"""The tracking store: an MLflow server, or a local SQLite store in the project.

MLflow is imported inside functions, because the import takes a second and most commands do not need it.
"""

import gc
import os
import re
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit

from filelock import FileLock

from cytocurve.errors import InputError, ServiceError
from cytocurve.redaction import shown, without_secrets
from cytocurve.stores.tracking.database import UnusableError, check, prepare
from cytocurve.stores.tracking.limits import DEFAULT, SETTING, Result, scaled, start, within

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
ANSWER_SECONDS = 300.0
"""Maximum time for a server to answer a question that takes several requests."""

PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", SETTING: str(DEFAULT)}
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
    with _locked(tracking_uri, lock), _opened(tracking_uri) as client:
        yield client


@contextmanager
def _opened(tracking_uri: str) -> "Iterator[MlflowClient]":
    for name, value in (QUIET | PATIENCE).items():
        if not os.environ.get(name, "").strip():
            os.environ[name] = value
    database = check_uri(tracking_uri)
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


def ask(
    tracking_uri: str, lock: Path, work: "Callable[[MlflowClient], Result]", seconds: float | None = None
) -> Result:
    """The result of ``work`` with a client of the store, as ``connected`` has it.

    Raises ``ServiceError`` if a server takes longer than ``seconds``, by default ``ANSWER_SECONDS``; either is in
    proportion to MLFLOW_HTTP_REQUEST_TIMEOUT. No limit of a single request stops a server that sends a byte now and
    then. The work continues in the background, at most until the process ends, without the lock: publishers on two
    machines have none in common either.
    """
    with _locked(tracking_uri, lock):
        if check_uri(tracking_uri):
            return _work(tracking_uri, work)
        limit = scaled(ANSWER_SECONDS if seconds is None else seconds)
        answer = start(partial(_work, tracking_uri, work))
        wait([answer], timeout=limit)
        if not answer.done():
            raise _unreachable(tracking_uri, f"it did not answer completely within {limit:.0f} s")
        return answer.result()


def _work(tracking_uri: str, work: "Callable[[MlflowClient], Result]") -> Result:
    with _opened(tracking_uri) as client:
        return work(client)


def check_uri(tracking_uri: str) -> Path | None:
    """The file of a local store, None for a server.

    Raises ``InputError`` if the URI is malformed or names another kind of store, or if MLflow's settings for requests
    are malformed.
    """
    database = _database(tracking_uri)
    if database is None:
        scaled(0)
        retries = os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "").strip() or "0"
        if not (retries.isascii() and retries.isdigit()):
            raise InputError(f"MLFLOW_HTTP_REQUEST_MAX_RETRIES must be a whole number, got {retries!r}")
    return database


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
    # The server prints its errors and does not raise them.
    return command, QUIET | {"MLFLOW_LOGGING_LEVEL": "ERROR", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


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
    bare = "@" not in after and not (parts.query or parts.fragment)
    return _is_host(parts.hostname or "") and parts.port != 0 and bare and plain


def _is_host(name: str) -> bool:
    """Whether a host name can be looked up: its labels have 1 to 63 characters; an IPv6 address has colons."""
    try:
        encoded = name.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return ":" in encoded or re.fullmatch(r"\w[\w.-]*", encoded) is not None


def _file(path: str) -> Path:
    """The path of a local store; raises ``InputError`` if SQLAlchemy would not read it as that path."""
    try:
        usable = "?" not in path and path.strip() and path != ":memory:" and not Path(path).is_dir()
    except OSError as error:  # such as a name that is too long
        raise InputError(
            f"The local tracking store {shown(LOCAL + path)!r} cannot be used: {error.strerror}",
            next_step="correct MLFLOW_TRACKING_URI",
        ) from error
    if not usable:
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
def _locked(tracking_uri: str, lock: Path) -> Iterator[None]:
    """Hold ``lock``, or the lock next to a local store."""
    database = check_uri(tracking_uri)
    lock = database.with_name(f"{database.name}.lock") if database else lock
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
