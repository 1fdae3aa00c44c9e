"""Architectures, one family per file.

A module of this package that defines ``ARCHITECTURE`` is an architecture that ``params.yaml`` can name; nothing else
needs to know of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve import registry
from cytocurve.models import fingerprint

Shape = tuple[int, int, int]
"""Height, width and channels of an image."""
Weights = list[NDArray[Any]]
"""All arrays of a network, trainable or not, in the order of the Keras model's ``get_weights``."""


@dataclass(frozen=True)
class Stack:
    """A plain network: blocks of a 3x3 valid convolution, ReLU and 2x2 max-pool, dense ReLU layers, then softmax."""

    filters: tuple[int, ...]
    dense: tuple[int, ...]


class Estimator(Protocol):
    """A classifier without epochs, in the style of scikit-learn, on uint8 images (n, height, width, channels)."""

    classes_: NDArray[Any]
    """The class indices that it was fitted to, in the order of its probabilities."""

    def fit(self, images: NDArray[np.uint8], classes: NDArray[np.int32], sample_weight: Any = None) -> Any:
        """Learn from all images at once."""

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        """Probabilities (n, fitted classes)."""

    def get_weights(self) -> Weights:
        """All that was learned, as arrays."""

    def set_weights(self, weights: Weights) -> None:
        """Restore what was learned."""


@dataclass(frozen=True)
class Architecture:
    """A family of classifiers that map uint8 images (n, height, width, channels) to class probabilities.

    ``settings`` validates the architecture's entry below ``settings`` in ``params.yaml``. ``minimum_size`` is the
    smallest image side that it takes. The engines that serve it follow from what it provides:

    ``build`` makes the Keras model, which scales its input itself and ends in a softmax over all outputs or, for two
    classes, in one sigmoid. ``initial_weights`` draws its trainable arrays; without it, they are Keras's own draws.
    ``stack`` describes a plain network. ``estimator`` makes an unfitted estimator from settings and a seed.
    """

    settings: type[BaseModel]
    minimum_size: Callable[[Any], int]
    build: Callable[[Any, Shape, int], Any] | None = None
    initial_weights: Callable[[Any, Shape, int, np.random.Generator], Weights] | None = None
    stack: Callable[[Any], Stack] | None = None
    estimator: Callable[[Any, int], Estimator] | None = None


def names() -> list[str]:
    """Names of all members, sorted."""
    return registry.members(__name__)


WITHOUT = (__name__, "cytocurve.models.settings", "cytocurve.models.tensorflow")
"""Modules that families import and that are covered elsewhere: how TensorFlow runs, by the Keras engine."""


def load(name: str) -> Architecture:
    """The architecture of that name; raises ``KeyError`` if there is none."""
    architecture: Architecture = registry.load(__name__, name, "ARCHITECTURE")
    return architecture


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine the family's networks."""
    return fingerprint.closure(registry.module_name(__name__, name), without=WITHOUT)


def version(name: str) -> str:
    """A digest of the family's code."""
    return fingerprint.of_sources(sources(name))
