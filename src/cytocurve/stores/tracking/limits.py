"""Limit the time of calls that cannot be interrupted, such as requests to a server that sends a byte now and then."""

import os
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from cytocurve.errors import InputError

Result = TypeVar("Result")

SETTING = "MLFLOW_HTTP_REQUEST_TIMEOUT"
"""MLflow's variable for the seconds that a single request may take."""

DEFAULT = 10
"""Its value in cytocurve; MLflow's own default, with its retries, would wait four minutes for a dead server."""


def scaled(seconds: float) -> float:
    """A limit that is meant for requests of ``DEFAULT`` seconds, in proportion to the seconds that a request may take.

    Raises ``InputError`` if the variable is not a positive whole number.
    """
    given = os.environ.get(SETTING, "").strip() or str(DEFAULT)
    if not (given.isascii() and given.isdigit() and int(given)):
        raise InputError(f"{SETTING} must be a positive whole number of seconds, got {given!r}")
    return seconds * int(given) / DEFAULT


def start(work: Callable[[], Result]) -> "Future[Result]":
    """Call a function in a daemon thread: it ends with the process at the latest, which does not wait for it."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # it is raised where the result is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def within(seconds: float, work: Callable[[], Result]) -> Result | None:
    """The result of a call, or None if it takes longer; it then continues in the background."""
    future = start(work)
    wait([future], timeout=seconds)
    return future.result() if future.done() else None
