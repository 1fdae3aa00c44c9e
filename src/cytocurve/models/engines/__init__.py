"""Training engines, one a file, behind one function: a job in, a trained network out.

A module of this package is an engine: it defines ``LIBRARIES`` (those that compute, with versions), ``SOURCES`` (its
further files), ``serves`` and ``train``.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.models import fingerprint
from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.augmentation import Pixels, Policy

Indices = NDArray[np.intp]

ENGINES = ("native", "keras")
"""The faster one first."""


@dataclass(frozen=True)
class Job:
    """One training.

    ``images`` is uint8 (images, height, width, channels); ``train``, ``validation`` and ``test`` are indices into it
    and ``classes`` (images,) are the class indices. ``class_weights``, float32 (outputs,), multiply the training losses
    of their classes, whose sum is still divided by the images; the validation loss is not weighted (both as in Keras'
    ``fit``). ``entropy`` seeds initial weights, batches and augmentation.
    """

    architecture: Architecture
    architecture_settings: BaseModel
    policy: Policy
    policy_settings: BaseModel
    images: Pixels
    classes: NDArray[np.int32]
    train: Indices
    validation: Indices
    test: Indices
    outputs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    max_epochs: int
    patience: int
    entropy: int
    class_weights: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Trained:
    """A trained network: the weights of the epoch with the lowest validation loss, and its probabilities.

    ``losses`` are those of the training images, ``validation_losses`` of the validation images, one an epoch;
    ``predictions`` maps ``validation`` and ``test`` to float32 (images, outputs).
    """

    weights: Weights
    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    predictions: Mapping[str, NDArray[np.float32]]


def resolve(engine: str, architecture: str, optimizer: str) -> str:
    """The engine that ``training.engine`` means: for ``auto``, the first of ``ENGINES`` that trains such a network."""
    if engine != "auto":
        return engine
    return next(name for name in ENGINES if serves(name, architecture, optimizer))


def serves(engine: str, architecture: str, optimizer: str) -> bool:
    """Whether the engine trains an architecture with an optimizer."""
    answer: bool = _module(engine).serves(architecture, optimizer)
    return answer


def version(engine: str) -> str:
    """The version of a resolved engine: its libraries and a digest of its code; imports no TensorFlow."""
    module = _module(engine)
    models = Path(__file__).parent.parent
    files = [Path(module.__file__), models / "early_stopping.py", models / "class_weights.py", *module.SOURCES]
    return f"{module.LIBRARIES}+code-{fingerprint.of_files(*files)}"


def train(engine: str, job: Job) -> Trained:
    """Train with a resolved engine in this process."""
    trained: Trained = _module(engine).train(job)
    return trained


def _module(engine: str) -> Any:
    return importlib.import_module(f"{__name__}.{engine}")
