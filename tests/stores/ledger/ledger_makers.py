"""Finished runs, and what the contract suite needs to know about a backend."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from cytocurve import registry
from cytocurve.stores import ledger
from cytocurve.stores.ledger import Finished

KEY = "ab" * 32
WEIGHTS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(3, np.float32)]


def finished(key: str = KEY, value: float = 0.5) -> Finished:
    probabilities = np.full((3, 2), value, np.float32)
    return Finished(
        key=key,
        description={"size": 10},
        losses=(0.7, 0.6),
        validation_losses=(0.8, 0.7),
        predictions={"validation": probabilities, "test": probabilities},
        images={"train": np.zeros((10, 32), np.uint8)},
        provenance={"seconds": 1.5},
    )


@dataclass(frozen=True)
class Backend:
    """How the suite uses a backend: a new ledger below a folder, and the contents of a run's files, to damage them.

    ``write`` with None removes a file where the backend has files that can be lost, and empties it otherwise.
    ``snapshot`` is everything that is stored, in any form; ``quarantined`` counts the runs moved out of the way.
    """

    new_url: Callable[[Path], str]
    read: Callable[[str, str, str], bytes]
    write: Callable[[str, str, str, bytes | None], None]
    snapshot: Callable[[str], object]
    quarantined: Callable[[str], int]


def backends() -> list[str]:
    return registry.members(ledger.__name__)


def backend(name: str) -> Backend:
    """The module ``tests.stores.ledger.backends.<name>``, which every backend has."""
    made: Backend = import_module(f"tests.stores.ledger.backends.{name}").BACKEND
    return made
