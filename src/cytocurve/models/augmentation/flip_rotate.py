"""Random flips and rotations (Schouten et al. 2021, "Data augmentation")."""

from typing import Any

import numpy as np

from cytocurve.models.augmentation import FillSettings, Policy
from cytocurve.models.transforms import Transforms


def flips_and_rotations(rng: np.random.Generator, n: int, _: Any = None) -> Transforms:
    """Each flip with probability 0.5, and a uniformly random rotation."""
    angle = rng.uniform(0, 2 * np.pi, n)
    flips = rng.choice([-1.0, 1.0], (n, 2))
    transforms = np.zeros((n, 2, 3))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    transforms[:, :, :2] = rotation.transpose(2, 0, 1) * flips[:, :, None]
    return transforms


POLICY = Policy(flips_and_rotations, FillSettings)
