"""Weighted least-squares fits of many shapes to many curves at once."""

from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics.values import Values

_TINY = 1e-30  # avoids 0 / 0 for a basis that vanishes at all sizes; b is then 0


@dataclass(frozen=True)
class Fits:
    """a - b g for each curve and shape, all (curves, shapes); ``loss`` is the weighted mean squared residual."""

    a: Values
    b: Values
    loss: Values


def fit(bases: Values, weights: Values, curves: Values, upper: float) -> Fits:
    """The best a and b for each curve and shape, subject to b >= 0 and a <= ``upper``.

    ``bases`` (shapes, sizes) is g, ``weights`` (sizes,) are relative, and ``curves`` (curves, sizes) are scores of at
    most ``upper``. The loss is convex and quadratic in (a, b), so if the unconstrained minimum violates a bound, the
    constrained one lies on that bound: a constant for b = 0, a regression with a fixed intercept for a = upper.
    """
    w = weights / weights.sum()
    g, y = bases @ w, curves @ w  # means: (shapes,), (curves,)
    centred = bases - g[:, None]
    gg = centred**2 @ w
    gy = ((curves - y[:, None]) * w) @ centred.T
    b = np.maximum(-gy / np.maximum(gg, _TINY), 0)
    a = y[:, None] + b * g
    over = a > upper
    through = np.maximum((upper * g - (curves * w) @ bases.T) / np.maximum(bases**2 @ w, _TINY), 0)
    b = np.where(over, through, b)
    a = np.where(over, upper, a)
    offset = y[:, None] - a + b * g
    spread = (curves - y[:, None]) ** 2 @ w
    return Fits(a, b, np.maximum(spread[:, None] + 2 * b * gy + b**2 * gg + offset**2, 0))
