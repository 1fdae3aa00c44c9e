"""Architectures, one family per file.

A module of this package that defines ``ARCHITECTURE`` is an architecture that ``params.yaml`` can name; it needs no
other registration.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version as installed
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
Vector = NDArray[np.float32]
"""The features of an image."""


@dataclass(frozen=True)
class Stack:
    """A plain network: blocks of a 3x3 valid convolution, ReLU and 2x2 max-pool, dense ReLU layers, then softmax."""

    filters: tuple[int, ...]
    dense: tuple[int, ...]


class Estimator(Protocol):
    """A classifier without epochs, in the style of scikit-learn.

    Its inputs are uint8 images (n, height, width, channels), or vectors (n, features) if its architecture has
    ``features``.
    """

    classes_: NDArray[Any]
    """The class indices seen in ``fit``, in the order of the probabilities' columns."""

    def fit(self, inputs: NDArray[Any], classes: NDArray[np.int32], sample_weight: Any = None) -> Any:
        """Fit to all images at once."""

    def predict_proba(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Probabilities (n, len(classes_))."""

    def get_weights(self) -> Weights:
        """The fitted state, as arrays."""

    def set_weights(self, weights: Weights) -> None:
        """Restore a fitted state."""


@dataclass(frozen=True)
class Features:
    """What an estimator measures on each image; a sweep computes it once per image and keeps it.

    ``compute`` maps an image, uint8 (height, width, channels), to its vector. It is a function of a module, which
    determines the version of the features together with ``libraries``. ``settings`` names the settings of the
    architecture that ``compute`` takes, by keyword.
    """

    compute: Callable[..., Vector]
    settings: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()

    def of(self, settings: BaseModel, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vectors (n, features) of images (n, height, width, channels)."""
        stated = self.stated(settings)
        return np.stack([self.compute(image, **stated) for image in images])

    def stated(self, settings: BaseModel) -> dict[str, Any]:
        """The settings that the features depend on."""
        return {name: getattr(settings, name) for name in self.settings}

    @property
    def version(self) -> str:
        """The libraries with their versions, and a digest of the code."""
        code = fingerprint.of_sources(fingerprint.closure(self.compute.__module__, without=WITHOUT))
        return "+".join([*_installed(self.libraries), f"code-{code}"])


@dataclass(frozen=True)
class Architecture:
    """A family of classifiers that map uint8 images (n, height, width, channels) to class probabilities.

    ``settings`` validates the architecture's entry under ``settings`` in ``params.yaml``. ``minimum_size`` returns the
    smallest image side, in pixels, that it accepts. Which engines can train it depends on what it provides:

    ``build`` creates the Keras model, which scales its own input and ends in a softmax over all outputs or, for two
    classes, a single sigmoid. ``initial_weights`` draws the trainable arrays; without it, Keras draws them. ``stack``
    describes a plain network. ``estimator`` creates an unfitted estimator from settings and a seed; with ``features``,
    it gets vectors in place of images. ``libraries`` names what an estimator computes with.
    """

    settings: type[BaseModel]
    minimum_size: Callable[[Any], int]
    build: Callable[[Any, Shape, int], Any] | None = None
    initial_weights: Callable[[Any, Shape, int, np.random.Generator], Weights] | None = None
    stack: Callable[[Any], Stack] | None = None
    estimator: Callable[[Any, int], Estimator] | None = None
    features: Features | None = None
    libraries: tuple[str, ...] = ()


def names() -> list[str]:
    """The names of all architectures, sorted."""
    return registry.members(__name__)


WITHOUT = (__name__, "cytocurve.models.settings", "cytocurve.models.tensorflow")
"""Modules that architectures import and that other versions cover, such as that of the Keras engine."""


def load(name: str) -> Architecture:
    """The architecture with this name; raises ``KeyError`` if there is none."""
    architecture: Architecture = registry.load(__name__, name, "ARCHITECTURE")
    return architecture


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine what the architecture computes."""
    return fingerprint.closure(registry.module_name(__name__, name), without=WITHOUT)


def version(name: str) -> str:
    """A digest of the architecture's code, and the versions of its libraries."""
    architecture = load(name)
    libraries = {*architecture.libraries, *(architecture.features.libraries if architecture.features else ())}
    return "+".join([fingerprint.of_sources(sources(name)), *_installed(sorted(libraries))])


def _installed(libraries: Iterable[str]) -> list[str]:
    return [f"{library}-{installed(library)}" for library in libraries]
