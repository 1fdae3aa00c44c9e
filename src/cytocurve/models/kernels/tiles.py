"""Convolution of LANES adjacent windows of 4x4 numbers, by Winograd's F(2, 3) along the rows.

Two neighboring outputs of a three-tap filter depend on four numbers d0 to d3 of a row. With

    v = (d0 - d2, d1 + d2, d2 - d1, d3 - d1)     and     u = (w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2)

they are (v0 u0 + v1 u1 + v2 u2, v1 u1 - v2 u2 + v3 u3): four products instead of six (Lavin & Gray
2016, "Fast algorithms for convolutional neural networks", section 4.1). A quad is v of LANES neighboring windows, as
v1, v2, v0, v3. A tile is the 2x2 outputs of such windows, those under one 2x2 max-pool. If the four
numbers are equal, the outputs are bit-identical, so that flat regions tie exactly as in direct convolution.
"""

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import simd
from cytocurve.models.kernels.jit import inlined
from cytocurve.models.kernels.simd import LANES, Vector

Floats = NDArray[np.float32]
Pair = tuple[Vector, Vector]
"""The upper and the lower row."""
Tile = tuple[Pair, Pair]
"""The left and the right outputs."""
Quad = tuple[Vector, Vector, Vector, Vector]

QUAD = 4 * LANES

load, multiply_add, spread = simd.load, simd.multiply_add, simd.spread


@inlined
def store_quad(v: Floats, at: int, d0: Vector, d1: Vector, d2: Vector, d3: Vector) -> None:
    """Write the quad of four neighboring columns."""
    simd.store(v, at, d1 + d2)
    simd.store(v, at + LANES, d2 - d1)
    simd.store(v, at + 2 * LANES, d0 - d2)
    simd.store(v, at + 3 * LANES, d3 - d1)


@inlined
def _add(sums: Pair, upper: Vector, lower: Vector, weight: Vector) -> Pair:
    return multiply_add(upper, weight, sums[0]), multiply_add(lower, weight, sums[1])


@inlined
def _add_products(
    sums: Pair, sums_other: Pair, v: Floats, first: int, second: int, row: int, u: Floats, w: int, other: int
) -> tuple[Pair, Pair]:
    """Add one of the four products of two filters and one channel."""
    a, b, c, d = load(v, first), load(v, first + row), load(v, second), load(v, second + row)
    sums, sums_other = _add(sums, a, b, spread(u, w)), _add(sums_other, a, b, spread(u, other))
    sums, sums_other = _add(sums, b, c, spread(u, w + 4)), _add(sums_other, b, c, spread(u, other + 4))
    return _add(sums, c, d, spread(u, w + 8)), _add(sums_other, c, d, spread(u, other + 8))


@inlined
def _convolve(
    tiles: tuple[Tile, Tile], v: Floats, first: int, second: int, row: int, channels: int, u: Floats, w: int, other: int
) -> tuple[Tile, Tile]:
    """Add two of the four products of two filters, at ``w`` and ``other`` in ``u``, over the channels of the input.

    Two filters share each load, and their eight sums leave registers free.
    """
    ((left, right), (left_other, right_other)) = tiles
    for _ in range(channels):
        left, left_other = _add_products(left, left_other, v, first, second, row, u, w, other)
        right, right_other = _add_products(
            right, right_other, v, first + LANES, second + LANES, row, u, w + 1, other + 1
        )
        first, second, w, other = first + 4 * row, second + 4 * row, w + 12, other + 12
    return (left, right), (left_other, right_other)


@inlined
def _outputs(sums: Tile) -> Tile:
    """Contributions of the products of v1 and v2 to the left and right outputs."""
    (a, b), (c, d) = sums
    return (a + c, b + d), (a - c, b - d)


@inlined
def convolve(
    v: Floats, first: int, second: int, row: int, channels: int, u: Floats, w: int, other: int
) -> tuple[Tile, Tile]:
    """The tiles of the filters at ``w`` and ``other`` in ``u`` [input, row, 4].

    The first two rows of the window are at ``first`` in ``v`` [channel, 4 rows, quad], the last two at ``second``;
    ``row`` is the row stride.
    """
    zero = simd.splat(np.float32(0))
    nothing = (zero, zero), (zero, zero)
    tile, tile_other = _convolve((nothing, nothing), v, first, second, row, channels, u, w, other)
    half = _outputs(tile), _outputs(tile_other)
    return _convolve(half, v, first + 2 * LANES, second + 2 * LANES, row, channels, u, w + 2, other + 2)
