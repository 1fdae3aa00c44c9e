"""Training steps and predictions of a whole network, image by image so that the working set stays in cache."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.kernels import convolution, dense, gradients, simd
from cytocurve.models.kernels.convolution import Bytes
from cytocurve.models.kernels.jit import function, inlined, kernel
from cytocurve.models.kernels.layout import Block, Layer, Work
from cytocurve.models.kernels.simd import LANES
from cytocurve.models.kernels.tiles import Floats

Records = Any
"""An array of ``layout.BLOCK`` or ``layout.LAYER``."""
Integers = NDArray[np.int64]

# Pixels stay integers; the first block's filters include the scaling to 0..1.
SCALE, ONE = np.float32(1 / 255), np.float32(1)


@kernel
def differentiate(
    blocks: Records, layers: Records, images: Bytes, order: Integers, classes: Integers, class_weights: Floats,
    weights: Floats, gradient: Floats, work: Work,
) -> float:  # fmt: skip
    """Write the gradient of the mean loss of the ordered images; returns the sum of their losses.

    ``images`` is flat (n, height, width, channels), ``classes`` are those of the ordered images; ``weights`` and
    ``gradient`` are the Keras model's arrays, flattened and concatenated.
    """
    gradient[:] = 0
    work.sums[:] = 0
    _transform_filters(blocks, weights, work)
    for b in range(1, len(blocks)):
        block = blocks[b]
        gradients.spread_filters(block, weights[block.weights :], work.spread[block.spread :])
    loss = 0.0
    for n in range(len(order)):
        _forward(blocks, layers, images, order[n], weights, work)
        weight = class_weights[classes[n]]
        logits, slope = _output(layers[-1], work.values), _output(layers[-1], work.value_gradients)
        loss += weight * dense.softmax(logits, classes[n], slope)
        slope[classes[n]] -= ONE
        slope *= weight / np.float32(len(order))
        _dense_backward(layers, weights, gradient, work)
        _place_gradients(blocks[-1], work)
        for b in range(len(blocks) - 1, -1, -1):
            _block_backward(blocks[b], b == 0, images, order[n], work)
    for b in range(len(blocks)):
        block, scale = blocks[b], SCALE if b == 0 else ONE
        gradients.collect_weight_gradients(block, work.sums[block.sums :], scale, gradient[block.weights :])
    return loss


@kernel
def evaluate(
    blocks: Records, layers: Records, images: Bytes, order: Integers, classes: Integers, weights: Floats, work: Work,
    probabilities: Floats,
) -> float:  # fmt: skip
    """Write the probabilities (n, outputs) of the ordered images; returns the sum of their losses."""
    _transform_filters(blocks, weights, work)
    loss = 0.0
    for n in range(len(order)):
        _forward(blocks, layers, images, order[n], weights, work)
        loss += dense.softmax(_output(layers[-1], work.values), classes[n], probabilities[n])
    return loss


@function
def _transform_filters(blocks: Records, weights: Floats, work: Work) -> None:
    for b in range(len(blocks)):
        block, scale = blocks[b], SCALE if b == 0 else ONE
        convolution.transform_filters(block, weights[block.weights :], scale, work.u[block.u :])


@function
def _forward(blocks: Records, layers: Records, images: Bytes, image: int, weights: Floats, work: Work) -> None:
    """Write the logits of an image."""
    _split(blocks[0], images, image, work.pixels)
    for b in range(len(blocks)):
        block = blocks[b]
        biases = weights[block.weights + 9 * block.inputs * block.filters :]
        out, words = work.activations[block.out :], work.words[block.bits :]
        bits = work.bits[8 * block.bits :]
        for row in range(-1, block.height):
            if b == 0:
                convolution.transform_pixels(block, work.pixels, 2 * row + 2, work.v)
            else:
                convolution.transform_activations(block, work.activations[block.source :], 2 * row + 2, work.v)
            if row >= 0:
                convolution.pool(block, work.v, work.u[block.u :], biases, row, out, bits, words)
    _flatten(blocks[-1], work)
    for n in range(len(layers)):
        layer = layers[n]
        dense.forward(
            _input(layer, work.values), weights[layer.weights :], _output(layer, work.values), n + 1 < len(layers)
        )


@inlined
def _input(layer: Layer, values: Floats) -> Floats:
    return values[layer.source : layer.source + layer.inputs]


@inlined
def _output(layer: Layer, values: Floats) -> Floats:
    return values[layer.out : layer.out + layer.units]


@function
def _split(block: Block, images: Bytes, image: int, pixels: Bytes) -> None:
    """Deinterleave an image to [channel, row, parity of the column, column // 2]."""
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
def _block_backward(block: Block, takes_pixels: bool, images: Bytes, image: int, work: Work) -> None:
    """Add the gradients of a block's weights; write those of its input unless they are pixels."""
    words, own = work.words[block.bits :], work.gradients[block.gradients :]
    sums, x = work.sums[block.sums :], work.interleaved
    spread = work.spread[block.spread :]
    out = work.gradients[block.source_gradients : block.source_gradients if takes_pixels else block.gradients]
    out[:] = 0
    for row in range(-1, block.height):
        if takes_pixels:
            gradients.interleave_pixels(block, images, image, 2 * row + 2, x)
        else:
            gradients.interleave_activations(block, work.activations[block.source :], 2 * row + 2, x)
        if row >= 0:
            gradients.add_row(block, x, own, words, row, sums, spread, out)


@function
def _dense_backward(layers: Records, weights: Floats, gradient: Floats, work: Work) -> None:
    """Backpropagate from the logits to the last block's output."""
    for n in range(len(layers) - 1, -1, -1):
        layer = layers[n]
        values, before = _input(layer, work.values), _input(layer, work.value_gradients)
        after = _output(layer, work.value_gradients)
        dense.backward(values, weights[layer.weights :], after, gradient[layer.weights :], before)
        if n > 0:
            for unit in range(layer.inputs):
                if values[unit] <= 0:
                    before[unit] = 0


@function
def _flatten(block: Block, work: Work) -> None:
    """The last block's output [filter, row, column] in the order of Keras (row, column, filter)."""
    for f in range(block.filters):
        for row in range(block.height):
            at, to = block.out + (f * block.height + row) * block.pitch + LANES, row * block.width * block.filters + f
            for column in range(block.width):
                work.values[to + column * block.filters] = work.activations[at + column]


@function
def _place_gradients(block: Block, work: Work) -> None:
    """Copy the gradients of the last block's output from the order of Keras to interleaved layout."""
    for row in range(block.height):
        for column in range(block.width):
            to = block.gradients + row * block.gradient_pitch + column * block.depth
            at = (row * block.width + column) * block.filters
            work.gradients[to : to + block.filters] = work.value_gradients[at : at + block.filters]
