"""A network with non-trainable weights and with layers that draw random numbers."""

from typing import Any

from cytocurve.models import tensorflow
from cytocurve.models.architectures import Architecture, Shape
from cytocurve.models.settings import Settings


class BatchNormalizedSettings(Settings):
    filters: int = 6


def build(settings: BatchNormalizedSettings, shape: Shape, outputs: int) -> Any:
    keras = tensorflow.keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(settings.filters, 3),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.1),
            layers.Dense(outputs, activation="softmax"),
        ],
        name="batch_normalized",
    )


ARCHITECTURE = Architecture(BatchNormalizedSettings, lambda _: 3, build)
