"""The geometry of a network's layers, and the buffers of its kernels (see the diagram in README.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels.simd import LANES
from cytocurve.models.kernels.tiles import QUAD, Floats

Block = Any
"""A record of ``BLOCK``, in compiled code with its fields as attributes."""
Layer = Any
"""A record of ``LAYER``."""

BLOCK = np.dtype(
    [
        (field, np.int64)
        for field in (
            # Input: channels, height, width, pitch; in interleaved layout: depth, pitch of the gradients' rows.
            # Output: the same.
            *("inputs", "source_height", "source_width", "source_pitch", "source_depth", "source_gradient_pitch"),
            *("filters", "height", "width", "pitch", "depth", "gradient_pitch"),
            # Words of bits per row, and a mask of the bits in use of the last word.
            *("words", "last_word"),
            # Quads per row of v, its pitch, and elements per row of ``interleaved``.
            *("quads", "v_line", "line"),
            # Elements per filter in ``sums`` and ``spread``.
            *("sum_pitch", "spread_pitch"),
            # Offsets of the block's part of each buffer.
            *("source", "out", "bits", "source_gradients", "gradients", "weights", "u", "spread", "sums"),
        )
    ]
)

PAD = 16
LAYER = np.dtype([(field, np.int64) for field in ("inputs", "units", "weights", "source", "out")])
"""A dense layer."""


class Work(NamedTuple):
    """Buffers, zero-initialized. Elements that are never written must stay zero: kernels read past the last column.

    ``bits`` are the bytes of ``words``. ``values`` are the inputs and outputs of the dense layers: first the
    flattened output of the last block, last the logits. ``value_gradients`` are their gradients.
    """

    pixels: NDArray[np.uint8]
    activations: Floats
    words: NDArray[np.int64]
    bits: NDArray[np.uint8]
    v: Floats
    u: Floats
    interleaved: Floats
    gradients: Floats
    spread: Floats
    sums: Floats
    values: Floats
    value_gradients: Floats


@dataclass(frozen=True)
class Layout:
    """The geometry of the blocks and the dense layers, as records."""

    blocks: NDArray[np.void]
    layers: NDArray[np.void]

    def work(self) -> Work:
        """Fresh buffers."""
        blocks, first, last = self.blocks, self.blocks[0], self.blocks[-1]
        values = int(self.layers[-1]["out"] + self.layers[-1]["units"])
        words = np.zeros(int(last["bits"] + 3 * last["filters"] * last["height"] * last["words"]), np.int64)
        return Work(
            # Vectors are read up to two elements past the last row.
            pixels=np.zeros(
                int(first["inputs"] * first["source_height"] * 2 * first["source_pitch"]) + 4 * LANES, np.uint8
            ),
            activations=_aligned(last["out"] + last["filters"] * last["height"] * last["pitch"] + 4 * LANES),
            words=words,
            bits=words.view(np.uint8),
            v=_aligned((blocks["inputs"] * 4 * blocks["v_line"]).max()),
            u=_aligned(last["u"] + 12 * last["inputs"] * last["filters"]),
            interleaved=_aligned(4 * blocks["line"].max()),
            gradients=_aligned(last["gradients"] + last["height"] * last["gradient_pitch"]),
            spread=_aligned(last["spread"] + last["filters"] * last["spread_pitch"]),
            sums=_aligned(last["sums"] + last["filters"] * last["sum_pitch"]),
            values=_aligned(values),
            value_gradients=_aligned(values),
        )


def layout(shape: tuple[int, int, int], filters: Sequence[int], dense: Sequence[int], outputs: int) -> Layout:
    """The layout of a plain network for images of this shape (height, width, channels)."""
    blocks = np.zeros(len(filters), BLOCK)
    height, width, inputs = shape
    for block, n in zip(blocks, filters, strict=True):
        block["inputs"], block["source_height"], block["source_width"] = inputs, height, width
        block["source_depth"], block["source_gradient_pitch"] = _depth(inputs), _gradient_pitch(width, inputs)
        inputs, height, width = n, (height - 2) // 2, (width - 2) // 2
        block["filters"], block["height"], block["width"] = inputs, height, width
        block["depth"], block["gradient_pitch"] = _depth(inputs), _gradient_pitch(width, inputs)
        _set_sizes(block)
    _set_pitches(blocks)
    _set_offsets(blocks)
    return Layout(blocks, _layers([height * width * inputs, *dense, outputs], blocks[-1]))


def _depth(channels: int) -> int:
    return 4 if channels <= 4 else -(-channels // 8) * 8


def _gradient_pitch(width: int, channels: int) -> int:
    """Whole octets, padded for narrow inputs so that row addresses do not alias."""
    depth = _depth(channels)
    return depth * (width // 2 * 2 + 4) if depth == 4 else depth * width


def _set_sizes(block: Block) -> None:
    depth, width = block["source_depth"], int(block["width"])
    block["quads"], block["words"] = _vectors(width), -(-width // 64)
    block["last_word"] = -1 if width % 64 == 0 else (1 << width % 64) - 1
    block["v_line"] = block["quads"] * QUAD + PAD
    block["line"] = (block["source_width"] + 7) * depth  # octets are written up to seven columns beyond the last
    block["sum_pitch"] = 56 if depth == 4 else 8 + 9 * depth
    block["spread_pitch"] = 96 if depth == 4 else 9 * depth


def _set_pitches(blocks: NDArray[np.void]) -> None:
    blocks[0]["source_pitch"] = LANES * _vectors((blocks[0]["source_width"] + 1) // 2)
    for block in blocks:
        block["pitch"] = LANES * _vectors(block["width"] + 1)
    for block, following in pairwise(blocks):
        # The next block reads two elements past its last window.
        block["pitch"] = max(block["pitch"], LANES * (2 * following["quads"] + 1))
        following["source_pitch"] = block["pitch"]


def _set_offsets(blocks: NDArray[np.void]) -> None:
    for block, following in pairwise(blocks):
        lines, products = block["filters"] * block["height"], block["inputs"] * block["filters"]
        following["source"] = block["out"]
        following["out"] = block["out"] + lines * block["pitch"] + 4 * LANES
        following["bits"] = block["bits"] + 3 * lines * block["words"]
        following["source_gradients"] = block["gradients"]
        following["gradients"] = block["gradients"] + block["height"] * block["gradient_pitch"]
        following["weights"] = block["weights"] + 9 * products + block["filters"]
        following["u"] = block["u"] + 12 * products
        following["spread"] = block["spread"] + block["filters"] * block["spread_pitch"]
        following["sums"] = block["sums"] + block["filters"] * block["sum_pitch"]


def _layers(widths: Sequence[int], last: Block) -> NDArray[np.void]:
    layers = np.zeros(len(widths) - 1, LAYER)
    weights, source = int(last["weights"] + (9 * last["inputs"] + 1) * last["filters"]), 0
    for layer, (inputs, units) in zip(layers, pairwise(int(width) for width in widths), strict=True):
        layer["inputs"], layer["units"], layer["weights"] = inputs, units, weights
        layer["source"], layer["out"] = source, source + inputs
        weights, source = weights + (inputs + 1) * units, source + inputs
    return layers


def _vectors(numbers: int) -> int:
    return -(-int(numbers) // LANES)


def _aligned(size: int) -> Floats:
    """Zeros, aligned to a cache line."""
    buffer = np.zeros(4 * int(size) + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    return buffer[start : start + 4 * int(size)].view(np.float32)
