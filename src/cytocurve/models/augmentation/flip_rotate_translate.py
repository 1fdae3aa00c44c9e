"""Random flips, rotations and shifts (Prellberg & Kramer 2019, section 3.2)."""

import numpy as np
from pydantic import Field

from cytocurve.models.augmentation import FillSettings, Policy
from cytocurve.models.augmentation.flip_rotate import flips_and_rotations
from cytocurve.models.transforms import Transforms


class ShiftSettings(FillSettings):
    """Also how far an image is shifted at most, as a fraction of its sides."""

    translation: float = Field(0.2, ge=0, le=1)


def flips_rotations_and_shifts(rng: np.random.Generator, n: int, settings: ShiftSettings) -> Transforms:
    """Flips and rotations, and a shift along each side, uniform up to ``translation``."""
    transforms = flips_and_rotations(rng, n)
    transforms[:, :, 2] = rng.uniform(-settings.translation, settings.translation, (n, 2))
    return transforms


POLICY = Policy(flips_rotations_and_shifts, ShiftSettings)
