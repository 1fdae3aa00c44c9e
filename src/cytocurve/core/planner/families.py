"""The families of learning curves that a forecast averages over.

Each has the form a - b g(x; shape) with x = size / largest size, b >= 0 and g decreasing to 0. For a given shape,
fitting a (the asymptote) and b is therefore linear, and a curve never exceeds a. Shapes are taken from fixed grids.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cytocurve.core.statistics.values import Values


@dataclass(frozen=True)
class Family:
    """A family: ``basis`` maps x and a shape to g and broadcasts; ``shapes`` are the tuples on its grid."""

    name: str
    formula: str
    basis: Callable[..., Values]
    shapes: Sequence[tuple[float, ...]]

    def bases(self, x: Values) -> Values:
        """g at x (sizes,) for each shape: (shapes, sizes)."""
        return self.basis(x, *np.array(self.shapes).T[:, :, None])


def _grid(*axes: Iterable[float]) -> list[tuple[float, ...]]:
    return [tuple(map(float, point)) for point in itertools.product(*axes)]


FAMILIES = (
    Family("inverse power law", "a - b n^-c", lambda x, c: x**-c, _grid(np.geomspace(0.1, 2, 14))),
    Family(
        "Hill (logistic in log n)",
        "a - b / (1 + (n/k)^c)",
        lambda x, c, k: 1 / (1 + (x / k) ** c),
        _grid((0.5, 1, 1.5, 2, 3), np.geomspace(0.02, 4, 10)),
    ),
    Family(
        "Weibull (stretched exponential)",
        "a - b exp(-(n/k)^c)",
        lambda x, c, k: np.exp(-((x / k) ** c)),
        _grid((0.25, 0.5, 1, 1.5, 2.5), np.geomspace(0.01, 4, 11)),
    ),
    Family(
        "inverse logarithm",
        "a - b / log(1 + n/k)",
        lambda x, k: 1 / np.log1p(x / k),
        _grid(np.geomspace(1e-4, 1e-1, 7)),
    ),
)
"""After table 1 of Viering & Loog 2023, "The shape of learning curves", which lists the first three and a logarithm."""
