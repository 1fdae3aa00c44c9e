"""What runs are handed to; nothing is imported here that a worker does not need."""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import connection
from typing import Any


class Serial(Executor):
    """Runs everything in the calling process: for debuggers and profilers."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run now; the future is done when it is returned."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def processes(workers: int) -> Executor:
    """Worker processes of this machine, started afresh and ended with their parent."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def end_workers() -> None:
    """End this process's workers at once; what they have stored is whole.

    A pool that is shut down at Ctrl+C was seen to train all that it had been handed before the process ended.
    """
    for worker in multiprocessing.active_children():
        worker.terminate()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches workers too, and would be told as their run's failure
    gc.set_threshold(100_000)  # a fifth of the time to the first step went into looking for garbage
    _end_with_parent()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (connection.wait([sentinel]), os._exit(1)), daemon=True).start()


EXECUTORS: Mapping[str, Callable[[int], Executor]] = {"processes": processes, "serial": lambda _: Serial()}
