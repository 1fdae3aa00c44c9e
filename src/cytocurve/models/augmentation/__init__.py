"""Augmentation policies of the training images, one per file.

A module of this package that defines ``POLICY`` is a policy that ``params.yaml`` can name; it needs no other
registration. A policy draws one affine transform per image and epoch; all engines apply it with ``models.transforms``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from cytocurve import registry
from cytocurve.models import fingerprint
from cytocurve.models.settings import Settings
from cytocurve.models.transforms import Transforms

Draw = Callable[[np.random.Generator, int, Any], Transforms]


class FillSettings(Settings):
    """How pixels outside the source image are filled: with the nearest edge pixel, or with black."""

    fill: Literal["nearest", "constant"] = "nearest"


@dataclass(frozen=True)
class Policy:
    """An augmentation policy; ``draw`` returns the transforms of n images, None leaves images unchanged.

    ``settings`` validates the policy's entry under ``settings`` in ``params.yaml``; with ``draw``, it is a subclass of
    ``FillSettings``.
    """

    draw: Draw | None
    settings: type[BaseModel]


def names() -> list[str]:
    """The names of all policies, sorted."""
    return registry.members(__name__)


SHARED = (__name__, "cytocurve.models.settings")


def load(name: str) -> Policy:
    """The policy with this name; raises ``KeyError`` if there is none."""
    policy: Policy = registry.load(__name__, name, "POLICY")
    return policy


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine what the policy does to images."""
    applied = ["cytocurve.models.transforms"] if load(name).draw else []
    without = SHARED if applied else (*SHARED, "cytocurve.models.transforms")
    return fingerprint.closure(registry.module_name(__name__, name), *applied, without=without)


def version(name: str) -> str:
    """A digest of the policy's code, independent of other policies."""
    return fingerprint.of_sources(sources(name))
