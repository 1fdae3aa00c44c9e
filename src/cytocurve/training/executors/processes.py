"""Worker processes on this machine."""

import gc
import multiprocessing
import os
import signal
import threading
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import connection


def processes(workers: int) -> Executor:
    """Newly spawned worker processes that exit with their parent."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


def end_workers() -> None:
    """Terminate this process's workers immediately; runs they have stored are complete.

    After Ctrl+C, shutting down the pool alone would first train everything already submitted.
    """
    for worker in multiprocessing.active_children():
        worker.terminate()


def _begin() -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl+C also reaches workers, where it would be reported as a failed run
    gc.set_threshold(100_000)  # garbage collection took a fifth of the time to the first step
    _end_with_parent()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (connection.wait([sentinel]), os._exit(1)), daemon=True).start()


EXECUTOR = processes
