"""Several trained networks of one architecture as one Keras model."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from cytocurve.models import tensorflow
from cytocurve.models.architectures import Architecture, Shape, Weights


def mean_ensemble(
    architecture: Architecture, settings: BaseModel, shape: Shape, outputs: int, members: Sequence[Weights]
) -> Any:
    """A Keras model, uint8 images in, that gives the mean of its members' class probabilities."""
    keras = tensorflow.keras()
    images = keras.Input(shape, dtype="uint8", name="images")
    networks = []
    for number, weights in enumerate(members):
        network = architecture.build(settings, shape, outputs)
        network.name = f"member_{number}"
        network.set_weights(weights)
        networks.append(network(images))
    mean = networks[0] if len(networks) == 1 else keras.layers.Average(name="probabilities")(networks)
    return keras.Model(images, mean, name="ensemble")
