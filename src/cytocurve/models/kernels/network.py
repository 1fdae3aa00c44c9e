"""A training step, and predictions, of a whole network: image by image, so that one image's numbers stay in cache."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import convolution, dense, simd
from cytocurve.models.kernels.convolution import Bytes
from cytocurve.models.kernels.jit import function, kernel
from cytocurve.models.kernels.plan import Block, Work
from cytocurve.models.kernels.simd import LANES
from cytocurve.models.kernels.tiles import Floats

Blocks = Any
"""Records of ``plan.BLOCK``."""
Integers = NDArray[np.int64]

# Pixels stay whole numbers; the first block's filters scale them to 0..1.
SCALE, ONE = np.float32(1 / 255), np.float32(1)


@kernel
def differentiate(
    blocks: Blocks, images: Bytes, order: Integers, classes: Integers, weights: Floats, gradient: Floats, work: Work
) -> float:
    """Write the gradient of the mean loss of the ordered images; the sum of their losses.

    ``images`` are the bytes of images (n, height, width, channels), ``classes`` those of the ordered images;
    ``weights`` and ``gradient`` are the Keras model's arrays, one after the other.
    """
    gradient[:] = 0
    work.sums[:] = 0
    _transform_filters(blocks, weights, work)
    loss = 0.0
    for n in range(len(order)):
        _forward(blocks, images, order[n], weights, work)
        loss += dense.softmax(work.logits, classes[n], work.logits)
        work.logits[classes[n]] -= ONE
        work.logits[:] /= np.float32(len(order))
        _dense_backward(blocks, weights, gradient, work)
        for b in range(len(blocks) - 1, -1, -1):
            _block_backward(blocks[b], b == 0, work)
    for b in range(len(blocks)):
        block, scale = blocks[b], SCALE if b == 0 else ONE
        convolution.collect_weight_gradients(block, work.sums[block.sums :], scale, gradient[block.weights :])
    return loss


@kernel
def evaluate(
    blocks: Blocks,
    images: Bytes,
    order: Integers,
    classes: Integers,
    weights: Floats,
    work: Work,
    probabilities: Floats,
) -> float:
    """Write the probabilities (n, outputs) of the ordered images; the sum of their losses."""
    _transform_filters(blocks, weights, work)
    loss = 0.0
    for n in range(len(order)):
        _forward(blocks, images, order[n], weights, work)
        loss += dense.softmax(work.logits, classes[n], probabilities[n])
    return loss


@function
def _transform_filters(blocks: Blocks, weights: Floats, work: Work) -> None:
    for b in range(len(blocks)):
        block, scale = blocks[b], SCALE if b == 0 else ONE
        convolution.transform_filters(block, weights[block.weights :], scale, work.u[block.u :])
        if b > 0:
            convolution.transform_turned_filters(block, weights[block.weights :], work.u[block.back_u :])


@function
def _forward(blocks: Blocks, images: Bytes, image: int, weights: Floats, work: Work) -> None:
    """Write the logits of an image."""
    _split(blocks[0], images, image, work.pixels)
    for b in range(len(blocks)):
        block = blocks[b]
        biases = weights[block.weights + 9 * block.inputs * block.filters :]
        out, flags = work.activations[block.out :], work.flags[block.flags :]
        for first in range(0, block.height, block.rows):
            rows = min(block.rows, block.height - first)
            _transform(block, b == 0, first, rows, work)
            convolution.pool(block, work.v, work.u[block.u :], biases, first, rows, out, flags)
    _flatten(blocks[-1], work)
    to_hidden, to_logits = _dense_layers(blocks[-1], weights, work)
    dense.forward(work.flat, to_hidden, work.hidden, True)
    dense.forward(work.hidden, to_logits, work.logits, False)


@function
def _split(block: Block, images: Bytes, image: int, pixels: Bytes) -> None:
    """Take an image apart: [channel, row, parity of the column, column // 2]."""
    channels, width, pitch = block.inputs, block.source_width, block.source_pitch
    plane = block.source_height * 2 * pitch
    whole = width // (2 * LANES) * LANES if channels in (1, 3) else 0
    for row in range(block.source_height):
        at, to = (image * block.source_height + row) * width * channels, row * 2 * pitch
        for pair in range(0, whole, LANES):
            if channels == 3:
                simd.split_3(images, at + 2 * pair * channels, pixels, to + pair, plane, pitch)
            else:
                simd.split_1(images, at + 2 * pair, pixels, to + pair, plane, pitch)
        for column in range(2 * whole, width):
            for channel in range(channels):
                place = to + channel * plane + column % 2 * pitch + column // 2
                pixels[place] = images[at + column * channels + channel]


@function
def _transform(block: Block, takes_pixels: bool, first: int, rows: int, work: Work) -> None:
    if takes_pixels:
        convolution.transform_pixels(block, work.pixels, first, rows, work.v)
    else:
        convolution.transform_activations(block, work.activations[block.source :], first, rows, work.v)


@function
def _block_backward(block: Block, takes_pixels: bool, work: Work) -> None:
    """Add the gradients of a block's weights; write those of its input unless they are pixels."""
    gradients, flags = work.gradients[block.out :], work.flags[block.flags :]
    for first in range(0, block.height, block.rows):
        rows = min(block.rows, block.height - first)
        _transform(block, takes_pixels, first, rows, work)
        convolution.add_weight_gradients(block, work.v, gradients, flags, first, rows, work.sums[block.sums :])
    if takes_pixels:
        return
    for first in range(0, block.height + 1, block.back_rows):
        rows = min(block.back_rows, block.height + 1 - first)
        convolution.transform_gradients(block, gradients, flags, first, rows, work.v)
        u, out = work.u[block.back_u :], work.gradients[block.source :]
        convolution.input_gradients(block, work.v, u, first, rows, out)


@function
def _dense_layers(block: Block, weights: Floats, work: Work) -> tuple[Floats, Floats]:
    """Weights and biases of the two dense layers, which follow the last block."""
    first = block.weights + (9 * block.inputs + 1) * block.filters
    second = first + (len(work.flat) + 1) * len(work.hidden)
    return weights[first:second], weights[second:]


@function
def _dense_backward(blocks: Blocks, weights: Floats, gradient: Floats, work: Work) -> None:
    """From the gradients of the logits, which stand in their place, to those of the last block's output."""
    first, second = _dense_layers(blocks[-1], weights, work)
    first_sums, second_sums = _dense_layers(blocks[-1], gradient, work)
    dense.backward(work.hidden, second, work.logits, second_sums, work.hidden_gradient)
    for unit in range(len(work.hidden)):
        if work.hidden[unit] <= 0:
            work.hidden_gradient[unit] = 0
    dense.backward(work.flat, first, work.hidden_gradient, first_sums, work.flat_gradient)
    _unflatten(blocks[-1], work)


@function
def _flatten(block: Block, work: Work) -> None:
    """The last block's output [filter, row, column] in Keras' order (row, column, filter)."""
    for f in range(block.filters):
        for row in range(block.height):
            at, to = block.out + (f * block.height + row) * block.pitch + LANES, row * block.width * block.filters + f
            for column in range(block.width):
                work.flat[to + column * block.filters] = work.activations[at + column]


@function
def _unflatten(block: Block, work: Work) -> None:
    for f in range(block.filters):
        for row in range(block.height):
            to, at = block.out + (f * block.height + row) * block.pitch + LANES, row * block.width * block.filters + f
            for column in range(block.width):
                work.gradients[to + column] = work.flat_gradient[at + column * block.filters]
