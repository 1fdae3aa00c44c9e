"""Random flips, rotations and shifts (Prellberg & Kramer 2019, section 3.2)."""

import numpy as np
from pydantic import Field

from cytocurve.models.augmentation import FillSettings, Policy
from cytocurve.models.augmentation.flip_rotate import flips_and_rotations
from cytocurve.models.transforms import Transforms


class ShiftSettings(FillSettings):
    """Adds the largest shift, as a fraction of the image's sides."""

    translation: float = Field(0.2, ge=0, le=1)


def flips_rotations_and_shifts(rng: np.random.Generator, n: int, settings: ShiftSettings) -> Transforms:
    """Flips and rotations, plus a shift along each axis, uniform up to ``translation``."""
    transforms = flips_and_rotations(rng, n)
    transforms[:, :, 2] = rng.uniform(-settings.translation, settings.translation, (n, 2))
    return transforms


POLICY = Policy(flips_rotations_and_shifts, ShiftSettings)
