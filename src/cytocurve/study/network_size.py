"""The size of a network, so that one that no machine can train is refused before any training."""

from itertools import pairwise

from cytocurve.models.architectures import Stack

LIMIT = 250_000_000
"""Maximum number of weights of a network, and of values in the output of a layer for one image: 1 GB each."""


def problems(name: str, stack: Stack, side: int, outputs: int) -> list[str]:
    """One line per limit that a plain network exceeds on square images with this side; ``outputs`` is at least two."""
    weights, values = size_of(stack, side, outputs)
    found = {"weights": weights, "values in the output of a layer for one image": values}
    return [
        f"settings.{name}: the network would have {number:,} {what} ({4 * number / 2**30:,.1f} GiB), "
        f"more than the limit of {LIMIT:,}; fewer filters or units, or a smaller image_size, need less"
        for what, number in found.items()
        if number > LIMIT
    ]


def size_of(stack: Stack, side: int, outputs: int) -> tuple[int, int]:
    """The number of weights, and the largest number of values in the output of a convolution or dense layer."""
    weights, values = 0, 0
    for channels, filters in pairwise([3, *stack.filters]):
        weights += (9 * channels + 1) * filters
        values = max(values, (side - 2) ** 2 * filters)
        side = (side - 2) // 2
    for inputs, units in pairwise([side**2 * stack.filters[-1], *stack.dense, outputs]):
        weights += (inputs + 1) * units
        values = max(values, units)
    return weights, values
