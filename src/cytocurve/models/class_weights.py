"""The weight of each class in training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def class_weights(
    given: str | Sequence[float] | None, classes: NDArray[np.intp], outputs: int
) -> NDArray[np.float32] | None:
    """One weight per class, float32 (outputs,), or None if all are equal.

    ``balanced`` means images / (classes x images of the class), computed from the ``classes`` of the training images
    (King & Zeng 2001); a class without training images has weight one.
    """
    if given is None:
        return None
    weights = np.ones(outputs, np.float32)
    if given == "balanced":
        present, counts = np.unique(classes, return_counts=True)
        weights[present] = len(classes) / (len(present) * counts)
    else:
        weights[:] = given
    return weights
