"""Shapes, noise and random numbers, bit for bit identical on every machine.

Only operations whose results IEEE 754 defines are used (+ - * / sqrt, comparisons, floor, rint): no transcendental
functions, no reductions whose order depends on the processor, and of numpy's generators only the frozen stream of
``RandomState.random_sample``. Lengths are in pixels.
"""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Rng = np.random.RandomState
Range = tuple[float, float]
Point = tuple[float, float]


def uniform(rng: Rng, span: Range) -> float:
    """A number drawn uniformly from the span."""
    return span[0] + (span[1] - span[0]) * float(rng.random_sample())


def bell(rng: Rng) -> float:
    """A number around 0 with standard deviation 0.58, between -2 and 2: four uniform numbers added."""
    return uniform(rng, (-1, 1)) / 2 + uniform(rng, (-1, 1)) / 2 + uniform(rng, (-1, 1)) / 2 + uniform(rng, (-1, 1)) / 2


def direction(rng: Rng) -> Point:
    """A unit vector, drawn by rejection in the disc since sine and cosine differ between machines."""
    while True:
        y, x = uniform(rng, (-1, 1)), uniform(rng, (-1, 1))
        square = y * y + x * x
        if 0.01 < square <= 1:
            length = sqrt(square)
            return y / length, x / length


def turn(vector: Point, half_tangent: float) -> Point:
    """The vector turned by the angle whose half has this tangent."""
    square = half_tangent * half_tangent
    cosine, sine = (1 - square) / (1 + square), 2 * half_tangent / (1 + square)
    return vector[0] * cosine + vector[1] * sine, vector[1] * cosine - vector[0] * sine


def smoothstep(values: Plane) -> Plane:
    """0 below 0, 1 above 1, and 3t² - 2t³ between."""
    t = np.clip(values, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def union(a: Plane, b: Plane, blend: float) -> Plane:
    """Depth inside either of two shapes, rounded over ``blend`` pixels where they meet."""
    share = np.clip(0.5 + 0.5 * (a - b) / blend, 0.0, 1.0)
    return b + (a - b) * share + blend * share * (1.0 - share)


def cut(a: Plane, b: Plane, blend: float) -> Plane:
    """Depth inside the first shape where the second is not, rounded over ``blend`` pixels."""
    rest: Plane = -union(-a, b, blend)
    return rest


def noise(rng: Rng, y: Plane, x: Plane, pitch: float) -> Plane:
    """Smooth noise in 0..1 on a lattice of that pitch, rotated at random so that its axes are not visible."""
    lattice = rng.random_sample((32, 32))
    down, right = direction(rng)
    v = (y * right + x * down) / pitch + uniform(rng, (0, 32))
    u = (x * right - y * down) / pitch + uniform(rng, (0, 32))
    row, column = np.floor(v), np.floor(u)
    t, s = smoothstep(v - row), smoothstep(u - column)
    i, j = row.astype(np.int64) & 31, column.astype(np.int64) & 31
    k, m = (i + 1) & 31, (j + 1) & 31
    near = lattice[i, j] * (1.0 - s) + lattice[i, m] * s
    far = lattice[k, j] * (1.0 - s) + lattice[k, m] * s
    values: Plane = near * (1.0 - t) + far * t
    return values


def blur(film: Plane, passes: int) -> Plane:
    """The film (3, h, w) after passes of the kernel 1 2 1 along rows and along columns."""
    for _ in range(passes):
        wide = np.pad(film, ((0, 0), (1, 1), (1, 1)), mode="edge")
        tall = (wide[:, :-2] + wide[:, 2:]) * 0.25 + wide[:, 1:-1] * 0.5
        film = (tall[:, :, :-2] + tall[:, :, 2:]) * 0.25 + tall[:, :, 1:-1] * 0.5
    return film
