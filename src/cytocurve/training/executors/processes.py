"""Worker processes on this machine."""

import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import connection


def processes(workers: int) -> Executor:
    """Freshly started worker processes, which end with their parent."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def end_workers() -> None:
    """End this process's workers at once; what they have stored is complete.

    A pool that was shut down at Ctrl+C trained everything it had been handed before the process ended.
    """
    for worker in multiprocessing.active_children():
        worker.terminate()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches workers too, and would be reported as a failed run
    gc.set_threshold(100_000)  # a fifth of the time to the first step went into looking for garbage
    _end_with_parent()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (connection.wait([sentinel]), os._exit(1)), daemon=True).start()


EXECUTOR = processes
