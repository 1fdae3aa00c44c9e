"""A block of the network: 3x3 valid convolution, ReLU and 2x2 max-pool in one pass, and its gradients.

Arrays are flat. Activations and their gradients are [channel, row, column]: rows are ``pitch`` apart, the first column
is at LANES, and beyond the last stand finite numbers, for gradients zeros. ``flags`` are laid out alike, a byte for
each pooled output: bit 0 if it comes from the right column, bit 1 if from the lower row, bit 2 if it is above zero.

A few rows at a time are transformed to ``v`` [channel, row, quad] (see ``tiles``), 2 ``rows`` + 2 of them for ``rows``
pooled rows from ``first``. ``block`` is a record of ``plan.BLOCK``.
"""

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import simd, tiles
from cytocurve.models.kernels.jit import function, inlined
from cytocurve.models.kernels.plan import Block
from cytocurve.models.kernels.simd import LANES, Vector
from cytocurve.models.kernels.tiles import QUAD, Floats, Gradient, Quad, Tile

Bytes = NDArray[np.uint8]


@function
def transform_filters(block: Block, weights: Floats, scale: np.float32, u: Floats) -> None:
    """Write ``u`` [filter, input, row, 4] of weights [row, column, input, filter]."""
    step = block.inputs * block.filters
    for f in range(block.filters):
        for i in range(block.inputs):
            for row in range(3):
                at, to = 3 * row * step + i * block.filters + f, 4 * (3 * (f * block.inputs + i) + row)
                _transform_filter(
                    weights[at] * scale, weights[at + step] * scale, weights[at + 2 * step] * scale, u, to
                )


@function
def transform_turned_filters(block: Block, weights: Floats, u: Floats) -> None:
    """Write ``u`` [input, filter, row, 4] of the filters turned by 180°, which take gradients back to the input."""
    step = block.inputs * block.filters
    for i in range(block.inputs):
        for f in range(block.filters):
            for row in range(3):
                at, to = 3 * (2 - row) * step + i * block.filters + f, 4 * (3 * (i * block.filters + f) + row)
                _transform_filter(weights[at + 2 * step], weights[at + step], weights[at], u, to)


@inlined
def _transform_filter(left: np.float32, middle: np.float32, right: np.float32, u: Floats, to: int) -> None:
    u[to] = left
    u[to + 1] = (left + middle + right) * np.float32(0.5)
    u[to + 2] = (left - middle + right) * np.float32(0.5)
    u[to + 3] = right


@function
def transform_pixels(block: Block, pixels: Bytes, first: int, rows: int, v: Floats) -> None:
    """Transform rows of an image [channel, row, parity, column // 2], whose even and odd columns are apart."""
    pitch, to = block.source_pitch, 0
    for channel in range(block.inputs):
        for row in range(2 * first, 2 * (first + rows) + 2):
            even = (channel * block.source_height + row) * 2 * pitch
            odd = even + pitch
            for _ in range(block.quads):
                d0, d1 = simd.load_bytes(pixels, even), simd.load_bytes(pixels, odd)
                d2, d3 = simd.load_bytes(pixels, even + 1), simd.load_bytes(pixels, odd + 1)
                tiles.store_quad(v, to, tiles.transformed(d0, d1, d2, d3))
                even, odd, to = even + LANES, odd + LANES, to + QUAD


@function
def transform_activations(block: Block, source: Floats, first: int, rows: int, v: Floats) -> None:
    """Transform rows of activations."""
    to = 0
    for channel in range(block.inputs):
        for row in range(2 * first, 2 * (first + rows) + 2):
            at = (channel * block.source_height + row) * block.source_pitch + LANES
            for _ in range(block.quads):
                a, b = simd.load(source, at), simd.load(source, at + LANES)
                c, d = simd.load(source, at + 2), simd.load(source, at + LANES + 2)
                quad = tiles.transformed(simd.evens(a, b), simd.odds(a, b), simd.evens(c, d), simd.odds(c, d))
                tiles.store_quad(v, to, quad)
                at, to = at + 2 * LANES, to + QUAD


@function
def transform_gradients(block: Block, gradients: Floats, flags: Bytes, first: int, rows: int, v: Floats) -> None:
    """Transform rows of the convolution's gradient, from the two of pooled row ``first`` - 1; those outside are zero.

    The gradient of each pooled output stands where its flags say.
    """
    line = block.back_quads * QUAD
    for f in range(block.filters):
        for r in range(rows + 1):
            row, to = first - 1 + r, 2 * (f * (rows + 1) + r) * line
            inside = 0 <= row < block.height
            at = (f * block.height + row) * block.pitch + LANES
            flag = (f * block.height + row) * block.flag_pitch + LANES
            for _ in range(block.back_quads):
                upper = lower = tiles.zeros()
                if inside:
                    upper, lower = _unpooled_rows(gradients, at, flags, flag)
                tiles.store_quad(v, to, upper)
                tiles.store_quad(v, to + line, lower)
                at, flag, to = at + LANES, flag + LANES, to + QUAD


@inlined
def _unpooled_rows(gradients: Floats, at: int, flags: Bytes, flag: int) -> tuple[Quad, Quad]:
    """Quads of a window and the one before it, for its upper and its lower row."""
    zero = simd.splat(np.float32(0))
    before, here = _gradient(gradients, at - 1, flags, flag - 1), _gradient(gradients, at, flags, flag)
    before_right, right = simd.first_flag(flags, flag - 1), simd.first_flag(flags, flag)
    before_low, low = simd.second_flag(flags, flag - 1), simd.second_flag(flags, flag)
    d0, d1 = simd.choose(before_right, zero, before), simd.choose(before_right, before, zero)
    d2, d3 = simd.choose(right, zero, here), simd.choose(right, here, zero)
    upper = tiles.transformed(
        simd.choose(before_low, zero, d0),
        simd.choose(before_low, zero, d1),
        simd.choose(low, zero, d2),
        simd.choose(low, zero, d3),
    )
    lower = tiles.transformed(
        simd.choose(before_low, d0, zero),
        simd.choose(before_low, d1, zero),
        simd.choose(low, d2, zero),
        simd.choose(low, d3, zero),
    )
    return upper, lower


@inlined
def _gradient(gradients: Floats, at: int, flags: Bytes, flag: int) -> Vector:
    """Through the ReLU."""
    return simd.choose(simd.third_flag(flags, flag), simd.load(gradients, at), simd.splat(np.float32(0)))


@function
def pool(block: Block, v: Floats, u: Floats, biases: Floats, first: int, rows: int, out: Floats, flags: Bytes) -> None:
    """Write pooled rows of all filters, and their flags."""
    row = block.quads * QUAD
    channel = (2 * rows + 2) * row
    for r in range(rows):
        for f in range(block.filters):
            bias = simd.spread(biases, f)
            at, w = 2 * r * row, 12 * block.inputs * f
            to = (f * block.height + first + r) * block.pitch + LANES
            flag = (f * block.height + first + r) * block.flag_pitch + LANES
            for _ in range(block.quads):
                _store_maxima(tiles.convolve(v, at, channel, row, block.inputs, u, w), bias, out, to, flags, flag)
                at, to, flag = at + QUAD, to + LANES, flag + LANES


@inlined
def _store_maxima(tile: Tile, bias: Vector, out: Floats, to: int, flags: Bytes, flag: int) -> None:
    """Maximum, bias and ReLU of a tile; of equal numbers the first by rows, as TensorFlow has it."""
    (a, b), (c, d) = tiles.outputs(tile[0]), tiles.outputs(tile[1])
    right_above, right_below = simd.greater(b, a), simd.greater(d, c)
    above, below = simd.choose(right_above, b, a), simd.choose(right_below, d, c)
    low = simd.greater(below, above)
    best, zero = simd.choose(low, below, above) + bias, simd.splat(np.float32(0))
    alive = simd.greater(best, zero)
    simd.store(out, to, simd.choose(alive, best, zero))
    simd.store_flags(flags, flag, simd.choose_mask(low, right_below, right_above), low, alive)


@function
def input_gradients(block: Block, v: Floats, u: Floats, first: int, rows: int, out: Floats) -> None:
    """Write pairs of rows of the input's gradients, of transformed gradients and turned filters."""
    row = block.back_quads * QUAD
    channel = (2 * rows + 2) * row
    for r in range(rows):
        for i in range(block.inputs):
            at, w = 2 * r * row, 12 * block.filters * i
            to = (i * block.source_height + 2 * (first + r)) * block.source_pitch + LANES
            for _ in range(block.back_quads):
                tile = tiles.convolve(v, at, channel, row, block.filters, u, w)
                _store_row(tile[0], out, to)
                _store_row(tile[1], out, to + block.source_pitch)
                at, to = at + QUAD, to + 2 * LANES


@inlined
def _store_row(products: Quad, out: Floats, to: int) -> None:
    left, right = tiles.outputs(products)
    simd.store(out, to, simd.zip_low(left, right))
    simd.store(out, to + LANES, simd.zip_high(left, right))


@function
def add_weight_gradients(
    block: Block, v: Floats, gradients: Floats, flags: Bytes, first: int, rows: int, sums: Floats
) -> None:
    """Add to ``sums``: lanes of gradients of ``u`` [input, filter, row, 4], then of the biases [filter]."""
    row = block.quads * QUAD
    for i in range(block.inputs):
        for f in range(block.filters):
            total = tiles.zeros(), tiles.zeros(), tiles.zeros()
            for r in range(rows):
                at = (i * (2 * rows + 2) + 2 * r) * row
                from_ = (f * block.height + first + r) * block.pitch + LANES
                flag = (f * block.height + first + r) * block.flag_pitch + LANES
                for _ in range(block.quads):
                    right, low = simd.first_flag(flags, flag), simd.second_flag(flags, flag)
                    products = tiles.product_gradients(_gradient(gradients, from_, flags, flag), right)
                    total = tiles.add_gradients(total, products, low, v, at, row)
                    at, from_, flag = at + QUAD, from_ + LANES, flag + LANES
            _add_to(sums, 3 * QUAD * (i * block.filters + f), total)
    for f in range(block.filters):
        bias, to = simd.splat(np.float32(0)), 3 * QUAD * block.inputs * block.filters + LANES * f
        for r in range(rows):
            from_ = (f * block.height + first + r) * block.pitch + LANES
            flag = (f * block.height + first + r) * block.flag_pitch + LANES
            for q in range(block.quads):
                bias = bias + _gradient(gradients, from_ + q * LANES, flags, flag + q * LANES)
        simd.store(sums, to, simd.load(sums, to) + bias)


@inlined
def _add_to(sums: Floats, to: int, gradient: Gradient) -> None:
    for row in range(3):
        for k in range(4):
            place = to + row * QUAD + k * LANES
            simd.store(sums, place, simd.load(sums, place) + gradient[row][k])


@function
def collect_weight_gradients(block: Block, sums: Floats, scale: np.float32, out: Floats) -> None:
    """Write the gradients of weights [row, column, input, filter] and biases that ``sums`` hold."""
    step, half = block.inputs * block.filters, np.float32(0.5)
    for pair in range(step):
        for row in range(3):
            at, to = QUAD * (3 * pair + row), 3 * row * step + pair
            a, b = simd.total(simd.load(sums, at)), simd.total(simd.load(sums, at + LANES))
            c, d = simd.total(simd.load(sums, at + 2 * LANES)), simd.total(simd.load(sums, at + 3 * LANES))
            out[to] = (a + (b + c) * half) * scale
            out[to + step] = (b - c) * half * scale
            out[to + 2 * step] = ((b + c) * half + d) * scale
    for f in range(block.filters):
        out[9 * step + f] = simd.total(simd.load(sums, 3 * QUAD * step + LANES * f))
