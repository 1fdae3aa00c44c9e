"""The gradients of a block. In each pooling window, only the maximum, if above zero, has a nonzero gradient.

The gradients are therefore sums over these outputs. For a filter's weights, the output's gradient times its 3x3 field
of the input; for the input, the output's gradient times the filter, added at that field. All arrays are interleaved,
[row, column, channel], with ``depth`` elements per column: 4 for up to four channels, else a multiple of eight. An
octet then covers two columns or eight channels of one; padding channels have arbitrary values.
"""

from typing import NamedTuple

import numpy as np

from cytocurve.models.kernels import simd
from cytocurve.models.kernels.convolution import Bytes, Words
from cytocurve.models.kernels.jit import function, inlined
from cytocurve.models.kernels.layout import Block
from cytocurve.models.kernels.simd import LANES, Octet
from cytocurve.models.kernels.tiles import Floats

Four = tuple[Octet, Octet, Octet, Octet]
Eight = tuple[Octet, Octet, Octet, Octet, Octet, Octet, Octet, Octet]


class Arrays(NamedTuple):
    """The inputs and outputs of ``add_row``."""

    x: Floats
    gradients: Floats
    words: Words
    sums: Floats
    filters: Floats
    out: Floats


class Places(NamedTuple):
    """Offsets of a filter's part of ``gradients``, ``words``, ``sums`` and ``filters`` for a row."""

    gradient: int
    word: int
    sum: int
    filter: int


load, multiply_add, spread, store = simd.load_8, simd.multiply_add_8, simd.spread_8, simd.store_8
low_half, high_half = simd.zip_low, simd.zip_high


@function
def interleave_pixels(block: Block, images: Bytes, image: int, row: int, x: Floats) -> None:
    """Write two rows of an image to ``x`` [row % 4, column, channel], whose rows have ``line`` elements."""
    width, channels, depth = block.source_width, block.inputs, block.source_depth
    for r in range(row, row + 2):
        at, to = (image * block.source_height + r) * width * channels, r % 4 * block.line
        column = 0
        if channels == 3:
            while column + 3 <= width:
                store(x, to + column * 4, simd.load_two_pixels(images, at + column * 3))
                column += 2
        for c in range(column, width):
            for channel in range(channels):
                x[to + c * depth + channel] = images[at + c * channels + channel]


@function
def interleave_activations(block: Block, source: Floats, row: int, x: Floats) -> None:
    """Write two rows of activations to ``x``, including up to seven columns past the last."""
    plane, depth = block.source_height * block.source_pitch, block.source_depth
    for r in range(row, row + 2):
        at, to = r * block.source_pitch + LANES, r % 4 * block.line
        for column in range(0, block.source_width, 8):
            if depth == 4:
                _interleave_four(source, at + column, plane, block.inputs - 1, x, to + column * 4)
            else:
                for channel in range(0, block.inputs, 8):
                    place, last = at + channel * plane + column, block.inputs - 1 - channel
                    _interleave_eight(source, place, plane, last, x, to + column * depth + channel, depth)


@inlined
def _plane(source: Floats, at: int, plane: int, number: int, last: int) -> Octet:
    return load(source, at + plane * min(number, last))


@inlined
def _interleave_four(source: Floats, at: int, plane: int, last: int, x: Floats, to: int) -> None:
    four = (
        load(source, at),
        _plane(source, at, plane, 1, last),
        _plane(source, at, plane, 2, last),
        _plane(source, at, plane, 3, last),
    )
    a, b, c, d = _shuffled_four(_shuffled_four(four))
    store(x, to, a)
    store(x, to + 8, b)
    store(x, to + 16, c)
    store(x, to + 24, d)


@inlined
def _shuffled_four(v: Four) -> Four:
    return low_half(v[0], v[2]), high_half(v[0], v[2]), low_half(v[1], v[3]), high_half(v[1], v[3])


@inlined
def _interleave_eight(source: Floats, at: int, plane: int, last: int, x: Floats, to: int, depth: int) -> None:
    eight = (
        load(source, at),
        _plane(source, at, plane, 1, last),
        _plane(source, at, plane, 2, last),
        _plane(source, at, plane, 3, last),
        _plane(source, at, plane, 4, last),
        _plane(source, at, plane, 5, last),
        _plane(source, at, plane, 6, last),
        _plane(source, at, plane, 7, last),
    )
    a, b, c, d, e, f, g, h = _shuffled_eight(_shuffled_eight(_shuffled_eight(eight)))
    store(x, to, a)
    store(x, to + depth, b)
    store(x, to + 2 * depth, c)
    store(x, to + 3 * depth, d)
    store(x, to + 4 * depth, e)
    store(x, to + 5 * depth, f)
    store(x, to + 6 * depth, g)
    store(x, to + 7 * depth, h)


@inlined
def _shuffled_eight(v: Eight) -> Eight:
    return (
        low_half(v[0], v[4]), high_half(v[0], v[4]), low_half(v[1], v[5]), high_half(v[1], v[5]),
        low_half(v[2], v[6]), high_half(v[2], v[6]), low_half(v[3], v[7]), high_half(v[3], v[7]),
    )  # fmt: skip


@function
def add_row(
    block: Block, x: Floats, gradients: Floats, words: Words, row: int, sums: Floats, filters: Floats, out: Floats
) -> None:
    """Add the gradients of one pooled row, whose input is the four rows in ``x``.

    ``gradients`` belong to the block's output, ``out`` to its input, both interleaved; an empty ``out`` is skipped.
    ``sums`` [filter] has one octet that repeats the bias gradient, then octets of weight gradients in the order of
    ``_narrow_place`` or ``_wide_place``.
    """
    arrays = Arrays(x, gradients, words, sums, filters, out)
    for f in range(block.filters):
        word, gradient = 3 * (f * block.height + row) * block.words, row * block.gradient_pitch + f
        places = Places(gradient, word, f * block.sum_pitch, f * block.spread_pitch)
        if block.source_depth == 4:
            _add_narrow(block, row, arrays, places)
        else:
            for octet in range(0, block.source_depth, 8):
                _add_wide(block, row, octet, arrays, places)


@inlined
def _add_to(out: Floats, at: int, g: Octet, filter_: Floats, place: int) -> None:
    store(out, at, multiply_add(g, load(filter_, place), load(out, at)))


@inlined
def _lines(block: Block, row: int, octet: int) -> tuple[int, int]:
    """Offsets in ``x`` of the first and the third of a pooled row's four input rows."""
    half = 2 * block.line
    return row % 2 * half + octet, (1 - row % 2) * half + octet


@inlined
def _add_narrow(block: Block, row: int, arrays: Arrays, places: Places) -> None:
    x, gradients, words, sums, filters, out = arrays
    from_, word, to, filter_ = places
    pitch, start = block.source_gradient_pitch, 2 * row * block.source_gradient_pitch
    first, third = _lines(block, row, 0)
    line, bias = block.line, load(sums, to)
    a, b, c = load(sums, to + 8), load(sums, to + 16), load(sums, to + 24)
    d, e, f = load(sums, to + 32), load(sums, to + 40), load(sums, to + 48)
    for w in range(block.words):
        right, low = words[word + w], words[word + block.words + w]
        alive = words[word + 2 * block.words + w]
        while alive != 0:
            bit = simd.lowest_bit(alive)
            alive &= alive - 1
            column, lower = 64 * w + bit, (low >> bit) & 1
            at = 8 * column + 4 * ((right >> bit) & 1)
            top = at + (first + line if lower else first)
            middle = at + (third if lower else first + line)
            bottom = at + (third + line if lower else third)
            g = spread(gradients, from_ + column * block.depth)
            bias = bias + g
            a, b = multiply_add(g, load(x, top), a), multiply_add(g, load(x, top + 8), b)
            c, d = multiply_add(g, load(x, middle), c), multiply_add(g, load(x, middle + 8), d)
            e, f = multiply_add(g, load(x, bottom), e), multiply_add(g, load(x, bottom + 8), f)
            if len(out) > 0:
                place, from_filter = start + lower * pitch + 8 * column, filter_ + 48 * ((right >> bit) & 1)
                for _ in range(3):
                    _add_to(out, place, g, filters, from_filter)
                    _add_to(out, place + 8, g, filters, from_filter + 8)
                    place, from_filter = place + pitch, from_filter + 16
    store(sums, to, bias)
    store(sums, to + 8, a)
    store(sums, to + 16, b)
    store(sums, to + 24, c)
    store(sums, to + 32, d)
    store(sums, to + 40, e)
    store(sums, to + 48, f)


@inlined
def _add_wide(block: Block, row: int, octet: int, arrays: Arrays, places: Places) -> None:
    x, gradients, words, sums, filters, out = arrays
    from_, word, start, filter_ = places
    pitch = block.source_gradient_pitch
    first, third = _lines(block, row, octet)
    line, depth, to, bias = block.line, block.source_depth, start + 9 * octet, simd.splat_8(np.float32(0))
    a, b, c = load(sums, to + 8), load(sums, to + 16), load(sums, to + 24)
    d, e, f = load(sums, to + 32), load(sums, to + 40), load(sums, to + 48)
    g, h, i = load(sums, to + 56), load(sums, to + 64), load(sums, to + 72)
    for w in range(block.words):
        right, low = words[word + w], words[word + block.words + w]
        alive = words[word + 2 * block.words + w]
        while alive != 0:
            bit = simd.lowest_bit(alive)
            alive &= alive - 1
            column, lower = 64 * w + bit, (low >> bit) & 1
            at = (2 * column + ((right >> bit) & 1)) * depth
            top = at + (first + line if lower else first)
            middle = at + (third if lower else first + line)
            bottom = at + (third + line if lower else third)
            gradient = spread(gradients, from_ + column * block.depth)
            bias = bias + gradient
            a, b = multiply_add(gradient, load(x, top), a), multiply_add(gradient, load(x, top + depth), b)
            c = multiply_add(gradient, load(x, top + 2 * depth), c)
            d, e = multiply_add(gradient, load(x, middle), d), multiply_add(gradient, load(x, middle + depth), e)
            f = multiply_add(gradient, load(x, middle + 2 * depth), f)
            g, h = multiply_add(gradient, load(x, bottom), g), multiply_add(gradient, load(x, bottom + depth), h)
            i = multiply_add(gradient, load(x, bottom + 2 * depth), i)
            if len(out) > 0:
                place, from_filter = (2 * row + lower) * pitch + at + octet, filter_ + 9 * octet
                for _ in range(3):
                    _add_to(out, place, gradient, filters, from_filter)
                    _add_to(out, place + depth, gradient, filters, from_filter + 8)
                    _add_to(out, place + 2 * depth, gradient, filters, from_filter + 16)
                    place, from_filter = place + pitch, from_filter + 24
    if octet == 0:
        store(sums, to, load(sums, to) + bias)
    store(sums, to + 8, a)
    store(sums, to + 16, b)
    store(sums, to + 24, c)
    store(sums, to + 32, d)
    store(sums, to + 40, e)
    store(sums, to + 48, f)
    store(sums, to + 56, g)
    store(sums, to + 64, h)
    store(sums, to + 72, i)


@inlined
def _narrow_place(row: int, column: int, channel: int) -> int:
    """Octets of two columns, two per row; the second column of the second octet is unused."""
    return 16 * row + 4 * column + channel


@inlined
def _wide_place(row: int, column: int, channel: int) -> int:
    """Octets of eight channels [channel // 8, row, column]."""
    return 72 * (channel // 8) + 24 * row + 8 * column + channel % 8


@function
def collect_weight_gradients(block: Block, sums: Floats, scale: np.float32, out: Floats) -> None:
    """Write the gradients of weights [row, column, input, filter] and biases from ``sums``."""
    to = 0
    for row in range(3):
        for column in range(3):
            for i in range(block.inputs):
                wide = block.source_depth > 4
                at = 8 + (_wide_place(row, column, i) if wide else _narrow_place(row, column, i))
                for f in range(block.filters):
                    out[to] = sums[f * block.sum_pitch + at] * scale
                    to += 1
    for f in range(block.filters):
        out[to + f] = sums[f * block.sum_pitch]


@function
def spread_filters(block: Block, weights: Floats, spread_: Floats) -> None:
    """Write weights [row, column, input, filter] in the layout that ``add_row`` expects.

    For narrow input: [filter, right, row, column, 4] with four columns, each filter both unshifted and shifted right by
    one column, so that all octets are stored at the same alignment. For wide input: [filter], then ``_wide_place``.
    """
    at = 0
    for row in range(3):
        for column in range(3):
            for i in range(block.inputs):
                for f in range(block.filters):
                    to = f * block.spread_pitch
                    if block.source_depth > 4:
                        spread_[to + _wide_place(row, column, i)] = weights[at]
                    else:
                        spread_[to + _narrow_place(row, column, i)] = weights[at]
                        spread_[to + 48 + _narrow_place(row, column + 1, i)] = weights[at]
                    at += 1
