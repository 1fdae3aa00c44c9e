"""TensorFlow and Keras, imported late and in silence, with one thread on the CPU."""

import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@functools.cache
def load() -> Any:
    """The module ``tensorflow``; the first call takes seconds.

    Two processes with one thread each finish more runs than one with two, and the order of sums stays fixed. oneDNN's
    convolutions, which TensorFlow leaves off on processors without AVX-512, are four times faster on those too.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _silence():
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.constant(0)  # starts the runtime, which has things to say of its own
    return tf


def keras() -> Any:
    """The module ``keras``, on this TensorFlow."""
    load()
    import keras

    return keras


@contextmanager
def _silence() -> Iterator[None]:
    """Drop what native code writes to stderr: notes on the build of TensorFlow that no setting turns off."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
