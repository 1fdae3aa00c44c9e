"""Affine transforms of images, applied as a single gather: the only way that policies change pixels.

A transformed pixel takes the value of the nearest source pixel, so that images stay uint8; outside the source it takes
the nearest edge pixel or black.
"""

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import simd
from cytocurve.models.kernels.jit import inlined, kernel

Pixels = NDArray[np.uint8]
Transforms = NDArray[np.float64]
"""(n, 2, 3): from an output position to its source position, both relative to the image's center; rows, columns.

The last column is a translation, as a fraction of the image's height and width.
"""


@kernel
def gather(images: Pixels, order: NDArray[np.intp], transforms: Transforms, clamp: bool, out: Pixels) -> None:
    """Write each ordered image, transformed, to ``out``; both arrays are contiguous (n, height, width, channels)."""
    height, width, channels = out.shape[1:]
    size = height * width * channels
    source, target = images.reshape(-1), out.reshape(-1)
    places = np.empty(width, np.int32)  # offsets of a row's pixels within the source image, -1 outside
    for n in range(len(order)):
        start = order[n] * size
        # A first sequential pass brings the image into cache; rotated rows defeat the hardware prefetcher.
        touched = np.int32(0)
        for i in range(start, start + size, 64):
            touched += source[i]
        places[0] = touched
        # Copy four bytes per three-byte pixel; the next pixel overwrites the fourth. Not at the end of the array.
        by_word = channels == 3 and start + size < len(source)
        for row in range(height):
            _place_row(transforms[n], row, height, width, channels, clamp, places)
            to = (n * height + row) * width * channels
            whole = width - 1 if by_word else 0
            for column in range(whole):
                place = places[column]
                simd.store_word(target, to + 3 * column, simd.load_word(source, start + place) if place >= 0 else 0)
            for column in range(whole, width):
                place, at = places[column], to + column * channels
                for channel in range(channels):
                    target[at + channel] = source[start + place + channel] if place >= 0 else 0


@inlined
def _place_row(
    m: NDArray[np.float64], row: int, height: int, width: int, channels: int, clamp: bool, places: NDArray[np.int32]
) -> None:
    """Branch-free and in 32 bits, so that it vectorizes."""
    single, integer = np.float32, np.int32
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    row_step, column_step = single(m[0, 1]), single(m[1, 1])
    first_row = single(m[0, 0] * (row - middle_row) - m[0, 1] * middle_column + m[0, 2] * height + middle_row + 0.5)
    first_column = single(
        m[1, 0] * (row - middle_row) - m[1, 1] * middle_column + m[1, 2] * width + middle_column + 0.5
    )
    zero, rows, columns, depth = single(0), integer(height), integer(width), integer(channels)
    for column in range(width):
        at = single(integer(column))
        r, c = first_row + row_step * at, first_column + column_step * at
        inside = clamp | ((r >= zero) & (r < single(rows)) & (c >= zero) & (c < single(columns)))
        r, c = r if r > zero else zero, c if c > zero else zero  # truncation rounds down from zero up
        below, right = integer(r), integer(c)
        below, right = min(below, rows - integer(1)), min(right, columns - integer(1))
        place = (below * columns + right) * depth
        places[column] = place if inside else integer(-1)
