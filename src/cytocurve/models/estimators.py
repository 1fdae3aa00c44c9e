"""What training and prediction share of classifiers without epochs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.models.architectures import Architecture, Estimator


class Measured(np.ndarray[Any, np.dtype[np.uint8]]):
    """Images whose feature vectors (n, features) are known; selections and copies of them do not know theirs."""

    vectors: NDArray[np.float32] | None = None


def measured(images: NDArray[np.uint8], vectors: NDArray[np.float32]) -> Measured:
    """The images (n, height, width, channels), not copied, with their vectors."""
    known = images.view(Measured)
    known.vectors = vectors
    return known


def vectors_of(images: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The vectors of images, if they are known."""
    return images.vectors if isinstance(images, Measured) else None


def inputs(architecture: Architecture, settings: BaseModel, images: NDArray[np.uint8]) -> NDArray[Any]:
    """What the architecture's estimators take for images (n, height, width, channels): the images, or their vectors."""
    return images if architecture.features is None else architecture.features.of(settings, images)


def probabilities(estimator: Estimator, given: NDArray[Any], outputs: int) -> NDArray[np.float32]:
    """Probabilities of all outputs, float32 (n, outputs): zero for classes without training images."""
    columns = np.zeros((len(given), outputs), np.float32)
    columns[:, np.asarray(estimator.classes_, np.intp)] = estimator.predict_proba(given)
    return columns
