"""Several trained networks of one architecture as one Keras model."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from cytocurve.models import tensorflow
from cytocurve.models.architectures import Architecture, Shape, Weights


def mean_ensemble(
    architecture: Architecture, settings: BaseModel, shape: Shape, outputs: int, members: Sequence[Weights]
) -> Any:
    """A Keras model that maps uint8 images to the mean of its members' class probabilities (n, outputs).

    Raises ``ValueError`` if the architecture has no Keras model.
    """
    if architecture.build is None:
        raise ValueError("the architecture has no Keras model")
    keras = tensorflow.keras()
    images = keras.Input(shape, dtype="uint8", name="images")
    networks = []
    for number, weights in enumerate(members):
        network = architecture.build(settings, shape, outputs)
        network.name = f"member_{number}"
        network.set_weights(weights)
        networks.append(network(images))
    mean = networks[0] if len(networks) == 1 else keras.layers.Average(name="probabilities")(networks)
    if mean.shape[-1] == 1:  # one sigmoid: the probability of the second class
        mean = keras.layers.Concatenate(name="both_classes")([keras.layers.Rescaling(-1.0, 1.0)(mean), mean])
    return keras.Model(images, mean, name="ensemble")
