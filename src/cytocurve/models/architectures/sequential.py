"""The sequential network of Schouten et al. 2021, figure 2, with configurable layers."""

from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from cytocurve.models import tensorflow
from cytocurve.models.architectures import Architecture, Shape, Stack, Weights
from cytocurve.models.settings import Settings

Width = Annotated[int, Field(ge=1)]


class SequentialSettings(Settings):
    """Filters per convolution block, and units per hidden dense layer (a list, or a number for one layer)."""

    filters: list[Annotated[Width, Field(le=65_536)]] = Field([4, 8, 8, 8, 16, 16], min_length=1)
    dense: Annotated[
        list[Annotated[Width, Field(le=1_000_000)]],
        BeforeValidator(lambda given: [given] if isinstance(given, int) else given),
    ] = Field([32])


def minimum_size(settings: SequentialSettings) -> int:
    """The smallest image side, in pixels, that leaves one pixel after the last block."""
    side = 1
    for _ in settings.filters:
        side = 2 * side + 2
    return side


def flat_size(settings: SequentialSettings, shape: Shape) -> int:
    """The number of values after the last block."""
    height, width, _ = shape
    for _ in settings.filters:
        height, width = (height - 2) // 2, (width - 2) // 2
    return height * width * settings.filters[-1]


def initial_weights(settings: SequentialSettings, shape: Shape, outputs: int, rng: np.random.Generator) -> Weights:
    """Kernels uniform in ±sqrt(6 / (fan in + fan out)), biases zero (Glorot & Bengio 2010, eq. 16; Keras's default)."""
    kernels: list[tuple[int, ...]] = [(3, 3, i, o) for i, o in pairwise([shape[2], *settings.filters])]
    kernels += pairwise([flat_size(settings, shape), *settings.dense, outputs])
    weights: Weights = []
    for kernel in kernels:
        field = int(np.prod(kernel[:-2]))
        limit = np.sqrt(6 / (field * (kernel[-2] + kernel[-1])))
        weights += [rng.uniform(-limit, limit, kernel).astype(np.float32), np.zeros(kernel[-1], np.float32)]
    return weights


def build(settings: SequentialSettings, shape: Shape, outputs: int) -> Any:
    """The Keras model: uint8 images in, softmax probabilities out."""
    keras = tensorflow.keras()
    layers: list[Any] = [keras.Input(shape, dtype="uint8"), keras.layers.Rescaling(1 / 255)]
    for filters in settings.filters:
        layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D(2)]
    layers.append(keras.layers.Flatten())
    layers += [keras.layers.Dense(units, activation="relu") for units in settings.dense]
    layers.append(keras.layers.Dense(outputs, activation="softmax"))
    return keras.Sequential(layers, name="sequential")


def stack(settings: SequentialSettings) -> Stack:
    """The plain network with these settings."""
    return Stack(tuple(settings.filters), tuple(settings.dense))


ARCHITECTURE = Architecture(SequentialSettings, minimum_size, build, initial_weights, stack)
