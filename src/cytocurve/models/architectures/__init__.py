"""Architectures, one family a file.

A module of this package that defines ``ARCHITECTURE`` is an architecture that ``params.yaml`` can name; nothing
else needs to know of it.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.models import fingerprint

Shape = tuple[int, int, int]
"""Height, width and channels of an image."""
Weights = list[NDArray[np.float32]]
"""Trainable arrays in the order of the Keras model's."""


@dataclass(frozen=True)
class Architecture:
    """A family of networks that map uint8 images (n, height, width, channels) to class probabilities (n, outputs).

    ``settings`` validates the architecture's entry below ``settings`` in ``params.yaml``. ``minimum_size`` is the
    smallest image side that it takes. ``initial_weights`` draws fresh weights; ``build`` makes the Keras model,
    which scales its input itself.
    """

    name: str
    settings: type[BaseModel]
    minimum_size: Callable[[Any], int]
    initial_weights: Callable[[Any, Shape, int, np.random.Generator], Weights]
    build: Callable[[Any, Shape, int], Any]


def names() -> list[str]:
    """Names of all architectures, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def version(name: str) -> str:
    """A digest of the family's code."""
    return fingerprint.of_files(Path(__file__).with_name(f"{name}.py"))


def load(name: str) -> Architecture:
    """The architecture of that name; raises ``KeyError`` if there is none."""
    if name not in names():
        raise KeyError(name)
    architecture: Architecture = importlib.import_module(f"{__name__}.{name}").ARCHITECTURE
    return architecture
