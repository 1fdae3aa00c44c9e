"""Limit the time of calls that cannot be interrupted, such as requests to a server that sends a byte now and then."""

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


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
