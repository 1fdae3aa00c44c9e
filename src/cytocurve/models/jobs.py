"""The input and output of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.models.architectures import Architecture, Weights
from cytocurve.models.augmentation import Policy
from cytocurve.models.protocols import TrainingProtocol
from cytocurve.models.transforms import Pixels

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Job:
    """One training.

    ``images`` is uint8 (images, height, width, channels); ``train``, ``validation`` and ``test`` are indices into it
    and ``classes`` (images,) are the class indices. ``class_weights``, float32 (outputs,), multiply the training losses
    of their classes; the sum is still divided by the number of images, and the validation loss is not weighted, as in
    Keras's ``fit``. ``entropy`` seeds initial weights, batches and augmentation.
    """

    architecture: Architecture
    architecture_settings: BaseModel
    policy: Policy
    policy_settings: BaseModel
    protocol: TrainingProtocol
    protocol_settings: Any
    images: Pixels
    classes: NDArray[np.int32]
    train: Indices
    validation: Indices
    test: Indices
    outputs: int
    entropy: int
    class_weights: NDArray[np.float32] | None = None

    @property
    def batch_size(self) -> int:
        """Images per step of the optimizer."""
        return int(self.protocol_settings.batch_size)

    @property
    def optimizer(self) -> str:
        """The name of the optimizer."""
        return str(self.protocol_settings.optimizer)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the optimizer."""
        return float(self.protocol_settings.learning_rate)


@dataclass(frozen=True)
class Trained:
    """A trained network: the weights that the protocol selected, and the probabilities they predict.

    ``losses`` (training images) and ``validation_losses`` have one entry per epoch;
    ``predictions`` maps ``validation`` and ``test`` to float32 (images, outputs).
    """

    weights: Weights
    losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    predictions: Mapping[str, NDArray[np.float32]]
