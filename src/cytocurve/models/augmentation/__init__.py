"""Augmentation policies of the training images, one per file.

A module of this package that defines ``POLICY`` is a policy that ``params.yaml`` can name; nothing else needs to know
of it. A policy draws an affine transform per image and epoch; every engine applies it by ``models.transforms``.
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
    """What is seen where a transformed image reaches past the source: its nearest edge pixel, or black."""

    fill: Literal["nearest", "constant"] = "nearest"


@dataclass(frozen=True)
class Policy:
    """An augmentation policy; ``draw`` gives the transforms of n images, None leaves them as they are.

    ``settings`` validates the policy's entry below ``settings`` in ``params.yaml``; where ``draw`` is given, its
    settings are ``FillSettings``.
    """

    draw: Draw | None
    settings: type[BaseModel]


def names() -> list[str]:
    """Names of all members, sorted."""
    return registry.members(__name__)


SHARED = (__name__, "cytocurve.models.settings")


def load(name: str) -> Policy:
    """The policy of that name; raises ``KeyError`` if there is none."""
    policy: Policy = registry.load(__name__, name, "POLICY")
    return policy


def sources(name: str) -> fingerprint.Sources:
    """The modules that determine what the policy does to images."""
    applied = ["cytocurve.models.transforms"] if load(name).draw else []
    without = SHARED if applied else (*SHARED, "cytocurve.models.transforms")
    return fingerprint.closure(registry.module_name(__name__, name), *applied, without=without)


def version(name: str) -> str:
    """A digest of the policy's code: that of other policies does not change it."""
    return fingerprint.of_sources(sources(name))
