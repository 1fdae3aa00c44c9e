"""A block of the network: 3x3 valid convolution, ReLU and 2x2 max-pool in one pass.

Arrays are flat. Activations are [channel, row, column]: the row stride is ``pitch``, the first column is at LANES, and
finite numbers follow the last column. Three bits per pooled output record whether it comes from the right column of
its window, whether from the lower row, and whether it is above zero. They are stored as [filter, row, bit, column], in
``words`` words of 64 columns each.

The four input rows of a pooled row are transformed to ``v`` [channel, row % 4, quad] (see ``tiles``), which stays in
the L1 cache. ``block`` is a record of ``layout.BLOCK``.
"""

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import simd, tiles
from cytocurve.models.kernels.jit import function, inlined
from cytocurve.models.kernels.layout import Block
from cytocurve.models.kernels.simd import LANES, Vector
from cytocurve.models.kernels.tiles import QUAD, Floats, Tile

Bytes = NDArray[np.uint8]
Words = NDArray[np.int64]


@function
def transform_filters(block: Block, weights: Floats, scale: np.float32, u: Floats) -> None:
    """Write ``u`` [filter, input, row, 4], the transform of weights [row, column, input, filter]."""
    step, half = block.inputs * block.filters, np.float32(0.5)
    for f in range(block.filters):
        for i in range(block.inputs):
            for row in range(3):
                at, to = 3 * row * step + i * block.filters + f, 4 * (3 * (f * block.inputs + i) + row)
                left, middle, right = weights[at] * scale, weights[at + step] * scale, weights[at + 2 * step] * scale
                u[to] = (left + middle + right) * half
                u[to + 1] = (left - middle + right) * half
                u[to + 2] = left
                u[to + 3] = right


@function
def transform_pixels(block: Block, pixels: Bytes, row: int, v: Floats) -> None:
    """Transform two rows of an image [channel, row, parity, column // 2] to ``v``."""
    pitch = block.source_pitch
    for channel in range(block.inputs):
        even = (channel * block.source_height + row) * 2 * pitch
        to = _place(block, channel, row)
        for _ in range(2):
            for q in range(block.quads):
                left, right = even + q * LANES, even + pitch + q * LANES
                d0, d1 = simd.load_bytes(pixels, left), simd.load_bytes(pixels, right)
                d2, d3 = simd.load_bytes(pixels, left + 1), simd.load_bytes(pixels, right + 1)
                tiles.store_quad(v, to + q * QUAD, d0, d1, d2, d3)
            even, to = even + 2 * pitch, to + block.v_line


@function
def transform_activations(block: Block, source: Floats, row: int, v: Floats) -> None:
    """Transform two rows of activations to ``v``."""
    for channel in range(block.inputs):
        at = (channel * block.source_height + row) * block.source_pitch + LANES
        to = _place(block, channel, row)
        for _ in range(2):
            for q in range(block.quads):
                left = at + 2 * q * LANES
                a, b = simd.load(source, left), simd.load(source, left + LANES)
                c, d = simd.load(source, left + 2), simd.load(source, left + LANES + 2)
                tiles.store_quad(v, to + q * QUAD, simd.evens(a, b), simd.odds(a, b), simd.evens(c, d), simd.odds(c, d))
            at, to = at + block.source_pitch, to + block.v_line


@inlined
def _place(block: Block, channel: int, row: int) -> int:
    place: int = (4 * channel + row % 4) * block.v_line
    return place


@function
def pool(block: Block, v: Floats, u: Floats, biases: Floats, row: int, out: Floats, bits: Bytes, words: Words) -> None:
    """Write a pooled row of all filters, two filters at a time, and its bits; ``bits`` are the bytes of ``words``."""
    plane = 8 * block.words
    first, second = _place(block, 0, 2 * row), _place(block, 0, 2 * row + 2)
    for f in range(0, block.filters, 2):
        other = min(f + 1, block.filters - 1)
        bias, bias_other = simd.spread(biases, f), simd.spread(biases, other)
        line, line_other = f * block.height + row, other * block.height + row
        to, to_other = line * block.pitch + LANES, line_other * block.pitch + LANES
        bit, bit_other = 3 * line * plane, 3 * line_other * plane
        w, w_other = 12 * block.inputs * f, 12 * block.inputs * other
        for q in range(block.quads):
            tile, tile_other = tiles.convolve(
                v, first + q * QUAD, second + q * QUAD, block.v_line, block.inputs, u, w, w_other
            )
            _store_maxima(tile, bias, out, to + q * LANES, bits, bit + q * LANES // 8, plane)
            _store_maxima(tile_other, bias_other, out, to_other + q * LANES, bits, bit_other + q * LANES // 8, plane)
        words[3 * (line + 1) * block.words - 1] &= block.last_word
        words[3 * (line_other + 1) * block.words - 1] &= block.last_word


@inlined
def _store_maxima(tile: Tile, bias: Vector, out: Floats, to: int, bits: Bytes, bit: int, plane: int) -> None:
    """Maximum, bias and ReLU of a tile; ties go to the first output in row order, as in TensorFlow."""
    (a, c), (b, d) = tile
    right_above, right_below = simd.greater(b, a), simd.greater(d, c)
    above, below = simd.choose(right_above, b, a), simd.choose(right_below, d, c)
    low = simd.greater(below, above)
    best, zero = simd.choose(low, below, above) + bias, simd.splat(np.float32(0))
    alive = simd.greater(best, zero)
    simd.store(out, to, simd.choose(alive, best, zero))
    simd.store_bits(bits, bit, simd.choose_mask(low, right_below, right_above))
    simd.store_bits(bits, bit + plane, low)
    simd.store_bits(bits, bit + 2 * plane, alive)
