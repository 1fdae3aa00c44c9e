"""Arms, runs, and run keys, which identify a run by everything that determines its result."""

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
"""The format of run keys and of run descriptions in the ledger; format 1 had a single flat recipe."""


@dataclass(frozen=True)
class Component:
    """A part of a recipe: a name, a version of its code, and the settings (JSON) that differ from the defaults."""

    name: str
    version: str
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, version: str, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> "Component":
        """A component with the settings that differ from their defaults."""
        given, default = (json.loads(json.dumps(dict(values))) for values in (settings, defaults))
        changed = {key: value for key, value in given.items() if key not in default or default[key] != value}
        return cls(name, version, changed)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, independent of the images.

    ``preparation`` turns files into pixels; ``protocol`` is loss, optimizer, schedule, stopping, weight selection,
    class weights and batch size. Versions change with the code: the same run on changed code is a different run.
    """

    architecture: Component
    preparation: Component
    augmentation: Component
    protocol: Component
    engine: Component


@dataclass(frozen=True)
class Images:
    """Ordered images: identities (SHA-256 of the pixels, hex) and class indices of the task."""

    identities: tuple[str, ...]
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """One training: a recipe, a seed, the number of classes, and the ordered images of each subset."""

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
        """The seed of all randomness in the run; runs that differ only in their arm share it."""
        return entropy(self.seed, self.train.identities)


Rows = Mapping[str, NDArray[np.intp]]
"""Ordered row indices into an arm's images, by subset (``train``, ``validation``, ``test``)."""


@dataclass(frozen=True)
class PlannedRun:
    """A run of an arm, and the rows of the arm's images that it uses."""

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
    """Indices of the runs by training size, largest first, so that workers finish at about the same time."""
    return sorted(range(len(sizes)), key=lambda index: -sizes[index])
