"""Image preparation, shared by training and inference: decode, scale, crop."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from cytocurve.core.runs import Component
from cytocurve.ingest.decoding import Pixels, read_rgb
from cytocurve.models import fingerprint
from cytocurve.models.settings import Settings, defaults

NAME = "square"
WITHOUT = ("cytocurve.core.runs", "cytocurve.models.settings")


class PreparationSettings(Settings):
    """The side of the prepared images, in pixels."""

    size: int


@dataclass(frozen=True)
class Preparation:
    """Converts any image to the input of a network."""

    settings: PreparationSettings

    def prepare(self, image: Image.Image | Path) -> Pixels:
        """The image or image file as uint8 (size, size, 3), scaled and center-cropped if its size differs.

        Raises ``ValueError`` with the reason if a file cannot be decoded.
        """
        decoded = read_rgb(image) if isinstance(image, Path) else image.convert("RGB")
        side = (self.settings.size, self.settings.size)
        if decoded.size != side:
            decoded = ImageOps.fit(decoded, side, Image.Resampling.BILINEAR)
        return np.asarray(decoded)

    @property
    def component(self) -> Component:
        """The preparation as part of a recipe."""
        return Component.of(NAME, version(), self.settings.model_dump(mode="json"), defaults(PreparationSettings))


def preparation(settings: Mapping[str, Any]) -> Preparation:
    """The preparation with these settings; raises pydantic's ``ValidationError``."""
    return Preparation(PreparationSettings.model_validate(settings))


def sources() -> fingerprint.Sources:
    """The modules that determine the prepared pixels."""
    return fingerprint.closure(__name__, without=WITHOUT)


def version() -> str:
    """The version of Pillow, which decodes and scales, and a digest of the code that calls it."""
    return f"pillow-{installed('pillow')}+code-{fingerprint.of_sources(sources())}"
