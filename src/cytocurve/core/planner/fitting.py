"""The weighted least-squares fits of many curves by many shapes at once."""

from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics.values import Values

_TINY = 1e-30  # a basis that vanishes at all sizes has nothing to fit; its b is then 0


@dataclass(frozen=True)
class Fits:
    """a - b g for each curve and shape, all (curves, shapes); ``loss`` is the weighted mean square of the residuals."""

    a: Values
    b: Values
    loss: Values


def fit(bases: Values, weights: Values, curves: Values, upper: float) -> Fits:
    """The best a and b for each curve and shape, under b >= 0 and a <= ``upper``.

    ``bases`` (shapes, sizes) is g, ``weights`` (sizes,) are relative, ``curves`` (curves, sizes) are scores of at most
    ``upper``. The loss is a convex parabola in (a, b), so where the free minimum breaks a bound the best lies on it:
    b = 0 is a constant, a = upper is a regression through that point.
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
