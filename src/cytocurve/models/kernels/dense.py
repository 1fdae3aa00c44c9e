"""Dense layers and the loss. The weights [value, unit] and biases of a layer share one array."""

import numpy as np

from cytocurve.models.kernels.jit import summing
from cytocurve.models.kernels.tiles import Floats


@summing
def forward(values: Floats, layer: Floats, out: Floats, relu: bool) -> None:
    """Write ``values`` @ weights + biases to ``out``, followed by a ReLU if ``relu``."""
    units = len(out)
    biases = layer[len(values) * units :]
    for unit in range(units):
        out[unit] = biases[unit]
    for i in range(len(values)):
        value, row = values[i], layer[i * units : (i + 1) * units]
        for unit in range(units):
            out[unit] += value * row[unit]
    if relu:
        for unit in range(units):
            out[unit] = max(out[unit], np.float32(0))


@summing
def backward(values: Floats, layer: Floats, gradient: Floats, sums: Floats, out: Floats) -> None:
    """From the output's ``gradient``, add the layer's gradient to ``sums`` and write that of ``values`` to ``out``."""
    units = len(gradient)
    biases = sums[len(values) * units :]
    for unit in range(units):
        biases[unit] += gradient[unit]
    for i in range(len(values)):
        value, row, own = values[i], layer[i * units : (i + 1) * units], sums[i * units : (i + 1) * units]
        product = np.float32(0)
        for unit in range(units):
            own[unit] += value * gradient[unit]
            product += row[unit] * gradient[unit]
        out[i] = product


@summing
def softmax(logits: Floats, target: int, probabilities: Floats) -> float:
    """Write the probabilities and return the target's cross-entropy, from the logits as in Keras. In place is fine."""
    highest = logits.max()
    of_target = logits[target] - highest
    total = np.float32(0)
    for i in range(len(logits)):
        probabilities[i] = np.exp(logits[i] - highest)
        total += probabilities[i]
    for i in range(len(logits)):
        probabilities[i] /= total
    loss: float = np.log(total) - of_target
    return loss
