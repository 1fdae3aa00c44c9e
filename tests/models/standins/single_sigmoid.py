"""A two-class network with a single output."""

from typing import Any

from cytocurve.models import tensorflow
from cytocurve.models.architectures import Architecture, Shape
from cytocurve.models.settings import NoSettings


def build(_: NoSettings, shape: Shape, outputs: int) -> Any:
    keras = tensorflow.keras()
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(1 if outputs == 2 else outputs, activation="sigmoid" if outputs == 2 else "softmax"),
        ],
        name="single_sigmoid",
    )


ARCHITECTURE = Architecture(NoSettings, lambda _: 4, build)
