"""The images of one epoch."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytocurve.models.transforms import Pixels, Transforms, gather


def epoch_images(
    draw: Callable[[np.random.Generator, int, Any], Transforms] | None,
    settings: Any,
    images: Pixels,
    order: NDArray[np.intp],
    rng: np.random.Generator,
) -> Pixels:
    """Images (n, height, width, channels) in the given order, with the transforms that a policy draws."""
    if draw is None:
        return images[order]
    out = np.empty((len(order), *images.shape[1:]), np.uint8)
    gather(images, order, draw(rng, len(order), settings), settings.fill == "nearest", out)
    return out
