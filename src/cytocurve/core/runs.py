"""Arms, runs, and the key that identifies a run by everything that determines its result."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.core.entropy import entropy


@dataclass(frozen=True)
class Arm:
    """One architecture x augmentation policy x label version; the first two may be variants."""

    architecture: str
    augmentation: str
    labels: str

    @property
    def name(self) -> str:
        """The arm's name in files, stages and the tracking store."""
        return f"{self.architecture}-{self.augmentation}-{self.labels}"


KEY_FORMAT = 2
"""Of run keys, and of the ``description`` of the runs that they identify; format 1 had one flat recipe."""


@dataclass(frozen=True)
class Component:
    """A part of a recipe: its name, a version of its code, and the settings that differ from the defaults (JSON)."""

    name: str
    version: str
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, version: str, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> "Component":
        """The component with those of the settings that differ from their defaults."""
        given, usual = (json.loads(json.dumps(dict(values))) for values in (settings, defaults))
        changed = {key: value for key, value in given.items() if key not in usual or usual[key] != value}
        return cls(name, version, changed)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, whatever it is trained on.

    ``preparation`` turns files into pixels; ``protocol`` is loss, optimizer, schedule, stopping, weight selection,
    class weights and batch size. Versions change with the code: a run that other code would train is another run.
    """

    architecture: Component
    preparation: Component
    augmentation: Component
    protocol: Component
    engine: Component


@dataclass(frozen=True)
class Images:
    """Images in order: identities (SHA-256 of the pixels, hex) and class indices of the task."""

    identities: tuple[str, ...]
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """One training: a recipe, a seed, the number of classes, and the images of each subset in order."""

    recipe: Recipe
    outputs: int
    seed: int
    train: Images
    validation: Images
    test: Images

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) over everything that determines the result; equal keys mean equal results."""
        return digest({"format": KEY_FORMAT, **asdict(self)})

    @property
    def entropy(self) -> int:
        """The number that seeds everything random in the run; runs that differ only in their arm share it."""
        return entropy(self.seed, self.train.identities)


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
