"""Arms, runs, and the key that identifies a run by everything that determines its result."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Arm:
    """One architecture x augmentation policy x label version."""

    architecture: str
    augmentation: str
    labels: str

    @property
    def name(self) -> str:
        """The arm's name in files, stages and the tracking store."""
        return f"{self.architecture}-{self.augmentation}-{self.labels}"


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, whatever it is trained on: plain JSON values only.

    ``class_weights`` are one a class, ``balanced`` or none. Versions change with the code: a run that other code would
    train is another run.
    """

    architecture: str
    architecture_settings: Mapping[str, Any]
    architecture_version: str
    augmentation: str
    augmentation_settings: Mapping[str, Any]
    augmentation_version: str
    image_size: int
    outputs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    max_epochs: int
    patience: int
    class_weights: str | Sequence[float] | None
    engine: str
    engine_version: str


@dataclass(frozen=True)
class Images:
    """Images in order: identities (SHA-256 of the pixels, hex) and class indices of the task."""

    identities: tuple[str, ...]
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """One training: a recipe, a seed, and the images it is trained, validated and tested on, in order."""

    recipe: Recipe
    seed: int
    train: Images
    validation: Images
    test: Images

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) over everything that determines the result; equal keys mean equal results."""
        return digest(asdict(self))

    @property
    def entropy(self) -> int:
        """The seed of the run's random numbers; runs that differ only in their arm share weights and batches."""
        return int(digest([self.seed, self.train.identities]), 16)


Rows = Mapping[str, NDArray[np.intp]]
"""Subset (``train``, ``validation``, ``test``) to rows of an arm's images, in order."""


@dataclass(frozen=True)
class PlannedRun:
    """A run of an arm, and the rows of the arm's images that it sees."""

    fold: int
    size: int
    seed: int
    run: Run
    rows: Rows

    @property
    def key(self) -> str:
        """The run key."""
        return self.run.key


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def longest_first(sizes: Sequence[int]) -> list[int]:
    """Positions of the runs by training size, largest first, so that the workers finish together."""
    return sorted(range(len(sizes)), key=lambda position: -sizes[position])
