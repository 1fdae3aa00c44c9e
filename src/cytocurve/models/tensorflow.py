"""TensorFlow and Keras, imported on demand and silently, on one CPU thread."""

import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOG = logging.getLogger("cytocurve")


@functools.cache
def load() -> Any:
    """The module ``tensorflow``; the first call takes seconds.

    Two single-threaded processes finish more runs than one process with two threads, and the order of summation is
    fixed. oneDNN's convolutions are four times faster even without AVX-512, where TensorFlow disables them by default.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _silence():
        import tensorflow as tf

        one_thread = _one_thread(tf)
        tf.constant(0)  # starts the runtime, which logs too
    if not one_thread:
        LOG.warning("TensorFlow keeps its threads: networks trained in this process may differ in the last digits")
    return tf


def _one_thread(tf: Any) -> bool:
    """Limit TensorFlow to one thread; False if this process, such as a notebook, has started its runtime before."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        return False
    return True


def keras() -> Any:
    """The module ``keras``, on this TensorFlow."""
    load()
    import keras

    return keras


@contextmanager
def _silence() -> Iterator[None]:
    """Discard what native code writes to stderr: build notes of TensorFlow that no setting disables."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
