"""The weight of each class in training."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def class_weights(
    given: str | Sequence[float] | None, classes: NDArray[np.intp], outputs: int
) -> NDArray[np.float32] | None:
    """A weight for each class, float32 (outputs,); None where all are equal.

    ``balanced`` gives images / (classes x images of the class) by the training images' ``classes`` (King & Zeng 2001),
    and one for a class that they lack.
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
