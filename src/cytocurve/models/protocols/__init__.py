"""Training protocols, one per file: loss, optimizer, batch size, class weights, stopping, weight selection.

A module of this package that defines ``PROTOCOL`` is a protocol that ``params.yaml`` can name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from cytocurve import registry
from cytocurve.models import fingerprint


class Watch(Protocol):
    """Monitors the validation losses of one training."""

    def improved(self, validation_loss: float) -> bool:
        """Record an epoch's validation loss; returns whether to keep the weights of this epoch."""

    @property
    def stop(self) -> bool:
        """Whether to stop training."""


@dataclass(frozen=True)
class TrainingProtocol:
    """How a network is trained, whatever its architecture.

    ``settings`` validates ``training`` in ``params.yaml``; it has at least ``batch_size``, ``optimizer``,
    ``learning_rate``, ``max_epochs`` and ``class_weights``. ``watch`` creates the monitor of one training.
    """

    settings: type[BaseModel]
    watch: Callable[[Any], Watch]


def names() -> list[str]:
    """The names of all protocols, sorted."""
    return registry.members(__name__)


SHARED = ("cytocurve.core.entropy", "cytocurve.models.epochs", "cytocurve.models.fit", "cytocurve.models.recipes")
WITHOUT = (
    __name__,
    "cytocurve.core.runs",
    "cytocurve.models.architectures",
    "cytocurve.models.augmentation",
    "cytocurve.models.settings",
    "cytocurve.models.transforms",
)


def load(name: str) -> TrainingProtocol:
    """The protocol with this name; raises ``KeyError`` if there is none."""
    protocol: TrainingProtocol = registry.load(__name__, name, "PROTOCOL")
    return protocol


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine how any engine trains a run: loop, random numbers, stopping rule."""
    return fingerprint.closure(registry.module_name(__name__, name), *SHARED, without=WITHOUT)


def version(name: str) -> str:
    """A digest of the protocol's code."""
    return fingerprint.of_sources(sources(name))
