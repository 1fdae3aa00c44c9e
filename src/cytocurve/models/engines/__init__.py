"""Training engines, one per file: an engine creates a job's network, and ``models.fit`` trains it.

A module of this package that defines ``ENGINE`` is an engine that ``params.yaml`` can name.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytocurve import registry
from cytocurve.models import architectures, fingerprint
from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.fit import Start, fit
from cytocurve.models.jobs import Indices, Job, Trained


@dataclass(frozen=True)
class Engine:
    """An engine.

    ``rank`` orders the engines that can train a network, fastest first. ``libraries`` names the libraries that compute,
    with versions. ``serves`` returns whether the engine can train an architecture with an optimizer.
    """

    rank: int
    libraries: str
    serves: Callable[[Architecture, str], bool]
    start: Start


WITHOUT = (
    __name__,
    "cytocurve.models.architectures",
    "cytocurve.models.augmentation",
    "cytocurve.models.epochs",
    "cytocurve.models.fit",
    "cytocurve.models.jobs",
    "cytocurve.models.transforms",
)


def load(name: str) -> Engine:
    """The engine with this name; raises ``KeyError`` if there is none."""
    engine: Engine = registry.load(__name__, name, "ENGINE")
    return engine


def names() -> list[str]:
    """The names of all engines, by rank."""
    return sorted(registry.members(__name__), key=lambda name: (load(name).rank, name))


def resolve(engine: str, architecture: str, optimizer: str) -> str:
    """The engine that ``training.engine`` selects: for ``auto``, the first that can train the network."""
    if engine != "auto":
        return engine
    return next(name for name in names() if serves(name, architecture, optimizer))


def serves(engine: str, architecture: str, optimizer: str) -> bool:
    """Whether the engine can train an architecture with an optimizer."""
    return load(engine).serves(architectures.load(architecture), optimizer)


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine what the engine computes."""
    return fingerprint.closure(registry.module_name(__name__, name), without=WITHOUT)


def version(engine: str) -> str:
    """The version of a resolved engine: its libraries and a digest of its code. Does not import TensorFlow."""
    return f"{load(engine).libraries}+code-{fingerprint.of_sources(sources(engine))}"


def train(engine: str, job: Job) -> Trained:
    """Train a job with a resolved engine, in this process."""
    return fit(load(engine).start, job)


def predict(engine: str, job: Job, weights: Weights, indices: Indices) -> NDArray[np.float32]:
    """The probabilities (n, outputs) of the job's images at the indices, by a network with these weights."""
    network = load(engine).start(job, np.random.default_rng(job.entropy))
    network.set_weights(weights)
    return network.probabilities(indices)
