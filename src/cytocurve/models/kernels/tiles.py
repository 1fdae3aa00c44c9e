"""What the convolutions do with LANES windows of 4x4 numbers side by side: Winograd's F(2, 3) along the rows.

Two neighbouring outputs of a filter of three taps need four numbers d0 to d3 of a row. With

    v = (d0 - d2, d1 + d2, d2 - d1, d1 - d3)     and     u = (w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2)

they are (v0 u0 + v1 u1 + v2 u2, v1 u1 - v2 u2 - v3 u3): four products where the definition has six (Lavin & Gray
2016, "Fast algorithms for convolutional neural networks", section 4.1). A quad is v, or a product of such, for LANES
neighbouring windows, and the 2x2 outputs of a window are those under one 2x2 max-pool. Where the four numbers are
equal the outputs are equal to the last bit, so that flat regions tie exactly as they do in the definition.
"""

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import simd
from cytocurve.models.kernels.jit import inlined
from cytocurve.models.kernels.simd import LANES, Mask, Vector

Floats = NDArray[np.float32]
Quad = tuple[Vector, Vector, Vector, Vector]
Tile = tuple[Quad, Quad]
"""Products for the upper and the lower row of outputs."""
Gradient = tuple[Quad, Quad, Quad]
"""Gradients of u, for the three rows of a filter."""

QUAD = 4 * LANES

load, multiply_add, spread, choose = simd.load, simd.multiply_add, simd.spread, simd.choose


@inlined
def load_quad(v: Floats, at: int) -> Quad:
    """Four vectors, one after the other."""
    return load(v, at), load(v, at + LANES), load(v, at + 2 * LANES), load(v, at + 3 * LANES)


@inlined
def store_quad(v: Floats, at: int, quad: Quad) -> None:
    """Write four vectors, one after the other."""
    simd.store(v, at, quad[0])
    simd.store(v, at + LANES, quad[1])
    simd.store(v, at + 2 * LANES, quad[2])
    simd.store(v, at + 3 * LANES, quad[3])


@inlined
def transformed(d0: Vector, d1: Vector, d2: Vector, d3: Vector) -> Quad:
    """The quad of four neighbouring columns."""
    return d0 - d2, d1 + d2, d2 - d1, d1 - d3


@inlined
def zeros() -> Quad:
    """Where a sum begins."""
    zero = simd.splat(np.float32(0))
    return zero, zero, zero, zero


@inlined
def add_products(quad: Quad, v: Quad, u: Floats, at: int) -> Quad:
    """``quad`` plus ``v`` times one row of a filter."""
    return (
        multiply_add(v[0], spread(u, at), quad[0]),
        multiply_add(v[1], spread(u, at + 1), quad[1]),
        multiply_add(v[2], spread(u, at + 2), quad[2]),
        multiply_add(v[3], spread(u, at + 3), quad[3]),
    )


@inlined
def convolve(v: Floats, at: int, channel: int, row: int, channels: int, u: Floats, w: int) -> Tile:
    """The tile of the filter at ``w`` in ``u``, summed over the channels of the input."""
    upper = lower = zeros()
    for _ in range(channels):
        upper = add_products(upper, load_quad(v, at), u, w)
        line = load_quad(v, at + row)
        upper, lower = add_products(upper, line, u, w + 4), add_products(lower, line, u, w)
        line = load_quad(v, at + 2 * row)
        upper, lower = add_products(upper, line, u, w + 8), add_products(lower, line, u, w + 4)
        lower = add_products(lower, load_quad(v, at + 3 * row), u, w + 8)
        at, w = at + channel, w + 12
    return upper, lower


@inlined
def outputs(quad: Quad) -> tuple[Vector, Vector]:
    """The left and the right output."""
    return quad[0] + quad[1] + quad[2], quad[1] - quad[2] - quad[3]


@inlined
def product_gradients(g: Vector, right: Mask) -> Quad:
    """The gradients of the products when ``g`` is that of one output, the right one under the mask."""
    zero = simd.splat(np.float32(0))
    left = choose(right, zero, g)
    minus_right = left - g
    return left, g, left + minus_right, minus_right


@inlined
def _chosen(mask: Mask, yes: Quad, no: Quad) -> Quad:
    return (
        choose(mask, yes[0], no[0]),
        choose(mask, yes[1], no[1]),
        choose(mask, yes[2], no[2]),
        choose(mask, yes[3], no[3]),
    )


@inlined
def _add_quads(quad: Quad, a: Quad, b: Quad) -> Quad:
    return (
        multiply_add(a[0], b[0], quad[0]),
        multiply_add(a[1], b[1], quad[1]),
        multiply_add(a[2], b[2], quad[2]),
        multiply_add(a[3], b[3], quad[3]),
    )


@inlined
def add_gradients(gradient: Gradient, g: Quad, lower: Mask, v: Floats, at: int, row: int) -> Gradient:
    """Add the gradients of one window's filter rows; the pooled output was in the lower row under the mask."""
    first, second = load_quad(v, at), load_quad(v, at + row)
    third, fourth = load_quad(v, at + 2 * row), load_quad(v, at + 3 * row)
    return (
        _add_quads(gradient[0], g, _chosen(lower, second, first)),
        _add_quads(gradient[1], g, _chosen(lower, third, second)),
        _add_quads(gradient[2], g, _chosen(lower, fourth, third)),
    )
