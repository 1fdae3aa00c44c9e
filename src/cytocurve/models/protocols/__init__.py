"""Training protocols, one per file: loss, optimizer, batches, class weights, when to stop, which weights to keep.

A module of this package that defines ``PROTOCOL`` is a protocol that ``params.yaml`` can name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from cytocurve import registry
from cytocurve.models import fingerprint


class Watch(Protocol):
    """Follows a training by its validation losses."""

    def improved(self, validation_loss: float) -> bool:
        """Take in an epoch's validation loss; whether the weights of this epoch are to be kept."""

    @property
    def stop(self) -> bool:
        """Whether training ends here."""


@dataclass(frozen=True)
class TrainingProtocol:
    """How any network is trained.

    ``settings`` validates what ``params.yaml`` states below ``training``; it has at least ``batch_size``,
    ``optimizer``, ``learning_rate``, ``max_epochs`` and ``class_weights``. ``watch`` begins to follow one training.
    """

    settings: type[BaseModel]
    watch: Callable[[Any], Watch]


def names() -> list[str]:
    """Names of all members, sorted."""
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
    """The protocol of that name; raises ``KeyError`` if there is none."""
    protocol: TrainingProtocol = registry.load(__name__, name, "PROTOCOL")
    return protocol


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine how a run is trained, whatever the engine: the loop, its random numbers, the rule."""
    return fingerprint.closure(registry.module_name(__name__, name), *SHARED, without=WITHOUT)


def version(name: str) -> str:
    """A digest of the protocol's code."""
    return fingerprint.of_sources(sources(name))
