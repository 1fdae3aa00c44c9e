"""What training and prediction share of classifiers without epochs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cytocurve.models.architectures import Architecture, Estimator


def inputs(architecture: Architecture, settings: BaseModel, images: NDArray[Any]) -> NDArray[Any]:
    """What the architecture's estimators take for images (n, height, width, channels): the images, or their vectors.

    Vectors (n, features) are returned as they are.
    """
    if architecture.features is None or images.ndim == 2:
        return images
    return architecture.features.of(settings, images)


def probabilities(estimator: Estimator, given: NDArray[Any], outputs: int) -> NDArray[np.float32]:
    """Probabilities of all outputs, float32 (n, outputs): zero for classes without training images."""
    columns = np.zeros((len(given), outputs), np.float32)
    columns[:, np.asarray(estimator.classes_, np.intp)] = estimator.predict_proba(given)
    return columns
