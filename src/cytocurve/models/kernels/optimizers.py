"""The optimizers of Keras 3 with their default settings, on flat float32 vectors."""

import numpy as np

from cytocurve.models.kernels.jit import kernel
from cytocurve.models.kernels.tiles import Floats

EPSILON = np.float32(1e-7)
RHO, ONE_MINUS_RHO = np.float32(0.9), np.float32(1 - 0.9)
BETA_1, ONE_MINUS_BETA_1 = np.float32(0.9), np.float32(1 - 0.9)
BETA_2, ONE_MINUS_BETA_2 = np.float32(0.999), np.float32(1 - 0.999)


@kernel
def rmsprop(weights: Floats, gradient: Floats, state: Floats, rate: np.float32, _step: int) -> None:
    """One step of keras.optimizers.RMSprop; ``state`` (1, weights) starts as zeros."""
    velocity = state[0]
    for i in range(len(weights)):
        g = gradient[i]
        velocity[i] = RHO * velocity[i] + ONE_MINUS_RHO * (g * g)
        weights[i] -= rate * g / np.sqrt(velocity[i] + EPSILON)


@kernel
def adam(weights: Floats, gradient: Floats, state: Floats, rate: np.float32, step: int) -> None:
    """Step number ``step``, counted from 1, of keras.optimizers.Adam; ``state`` (2, weights) starts as zeros."""
    one = np.float32(1)
    momentum, velocity = state[0], state[1]
    alpha = rate * np.sqrt(one - BETA_2 ** np.float32(step)) / (one - BETA_1 ** np.float32(step))
    for i in range(len(weights)):
        g = gradient[i]
        momentum[i] += (g - momentum[i]) * ONE_MINUS_BETA_1
        velocity[i] += (g * g - velocity[i]) * ONE_MINUS_BETA_2
        weights[i] -= momentum[i] * alpha / (np.sqrt(velocity[i]) + EPSILON)
