"""Intervals of proportions."""

import numpy as np
from scipy.special import ndtri

from cytocurve.core.statistics.bootstrap import CONFIDENCE


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of n subjects (Wilson 1927, without continuity correction)."""
    z = float(ndtri((1 + CONFIDENCE) / 2))
    shrunk = 1 + z**2 / n
    center = (share + z**2 / (2 * n)) / shrunk
    half = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2) / shrunk
    return max(center - half, 0.0), min(center + half, 1.0)
