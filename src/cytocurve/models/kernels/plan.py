"""Where everything lies: the geometry of a network's blocks and the buffers that its kernels work in."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels.simd import LANES
from cytocurve.models.kernels.tiles import QUAD, Floats

Block = Any
"""A record of ``BLOCK``, in compiled code with its fields as attributes."""

BLOCK = np.dtype(
    [
        (field, np.int64)
        for field in (
            # Channels and size of what goes in, and its rows' pitch; the same of what comes out.
            *("inputs", "source_height", "source_width", "source_pitch"),
            *("filters", "height", "width", "pitch", "flag_pitch"),
            # Quads in a row and pooled rows worked on at once, forward and for the gradient of the input.
            *("quads", "rows", "back_quads", "back_rows"),
            # Where the block's part of each buffer starts.
            *("source", "out", "flags", "weights", "u", "back_u", "sums"),
        )
    ]
)

# Transformed rows of one channel that are worked on together, in bytes: they stay in the second-level cache.
CACHE = 64_000


class Work(NamedTuple):
    """Buffers. All start as zeros, and what is never written must stay so: kernels read past the last column."""

    pixels: NDArray[np.uint8]
    activations: Floats
    gradients: Floats
    flags: NDArray[np.uint8]
    v: Floats
    u: Floats
    sums: Floats
    flat: Floats
    flat_gradient: Floats
    hidden: Floats
    hidden_gradient: Floats
    logits: Floats


@dataclass(frozen=True)
class Plan:
    """The blocks' geometry, and the sizes of the dense layers and of the buffers."""

    blocks: NDArray[np.void]
    flat: int
    hidden: int
    outputs: int

    def work(self) -> Work:
        """Fresh buffers."""
        blocks, last = self.blocks, self.blocks[-1]
        # Vectors are read up to two beyond the last row.
        values = int(last["out"] + last["filters"] * last["height"] * last["pitch"]) + 4 * LANES
        flags = int(last["flags"] + last["filters"] * last["height"] * last["flag_pitch"]) + 4 * LANES
        source = blocks[0]["inputs"] * blocks[0]["source_height"] * 2 * blocks[0]["source_pitch"] + 4 * LANES
        forward = blocks["inputs"] * (2 * blocks["rows"] + 2) * blocks["quads"] * QUAD
        backward = blocks["filters"] * (2 * blocks["back_rows"] + 2) * blocks["back_quads"] * QUAD
        products = blocks["inputs"] * blocks["filters"]
        return Work(
            pixels=np.zeros(source, np.uint8),
            activations=_aligned(values),
            gradients=_aligned(values),
            flags=np.zeros(flags, np.uint8),
            v=_aligned(int(max(forward.max(), backward.max()))),
            u=_aligned(24 * int(products.sum())),
            sums=_aligned(int((3 * QUAD * products + LANES * blocks["filters"]).sum())),
            flat=_aligned(self.flat),
            flat_gradient=_aligned(self.flat),
            hidden=_aligned(self.hidden),
            hidden_gradient=_aligned(self.hidden),
            logits=_aligned(self.outputs),
        )


def plan(shape: tuple[int, int, int], filters: list[int], hidden: int, outputs: int) -> Plan:
    """The plan of a sequential network for images of a shape (height, width, channels)."""
    blocks = np.zeros(len(filters), BLOCK)
    height, width, inputs = shape
    for block, n in zip(blocks, filters, strict=True):
        block["inputs"], block["source_height"], block["source_width"] = inputs, height, width
        inputs, height, width = n, (height - 2) // 2, (width - 2) // 2
        block["filters"], block["height"], block["width"] = inputs, height, width
        block["quads"], block["back_quads"] = _vectors(width), _vectors(width + 1)
        block["rows"], block["back_rows"] = _rows(block["quads"]), _rows(block["back_quads"])
    _set_pitches(blocks)
    _set_offsets(blocks)
    return Plan(blocks, height * width * inputs, hidden, outputs)


def _set_pitches(blocks: NDArray[np.void]) -> None:
    blocks[0]["source_pitch"] = LANES * _vectors((blocks[0]["source_width"] + 1) // 2)
    for block in blocks:
        # One zero follows each row, which is also what precedes the next.
        block["pitch"] = LANES * _vectors(block["width"] + 1)
        block["flag_pitch"] = LANES * block["back_quads"]
    for block, following in pairwise(blocks):
        # The next block reads two numbers past its last window.
        block["pitch"] = max(block["pitch"], LANES * (2 * following["back_quads"] + 1))
        following["source_pitch"] = block["pitch"]


def _set_offsets(blocks: NDArray[np.void]) -> None:
    for block, following in pairwise(blocks):
        values, products = block["filters"] * block["height"], block["inputs"] * block["filters"]
        following["source"] = block["out"]
        following["out"] = block["out"] + values * block["pitch"] + 4 * LANES
        following["flags"] = block["flags"] + values * block["flag_pitch"] + 4 * LANES
        following["weights"] = block["weights"] + 9 * products + block["filters"]
        following["u"] = block["u"] + 24 * products
        following["sums"] = block["sums"] + 3 * QUAD * products + LANES * block["filters"]
    blocks["back_u"] = blocks["u"] + 12 * blocks["inputs"] * blocks["filters"]


def _vectors(numbers: int) -> int:
    return -(-int(numbers) // LANES)


def _rows(quads: int) -> int:
    """Pooled rows whose transformed rows take ``CACHE``."""
    return max(1, CACHE // (8 * QUAD * int(quads)) - 1)


def _aligned(size: int) -> Floats:
    """Zeros that start a cache line."""
    buffer = np.zeros(4 * size + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    return buffer[start : start + 4 * size].view(np.float32)
