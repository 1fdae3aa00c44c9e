"""Augmentation policies of the training images: an affine transform an image and epoch, applied as one gather.

Both engines use this definition. A transformed pixel takes the value of the nearest source pixel, so that
images stay uint8; outside the source, ``fill`` takes the nearest edge pixel or black.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from cytocurve.models import fingerprint
from cytocurve.models.kernels.jit import kernel

Pixels = NDArray[np.uint8]
Transforms = NDArray[np.float64]
"""(n, 2, 2): from an output position to its source position, both relative to the image's centre; rows, columns."""


class NoSettings(BaseModel):
    """A policy without settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FillSettings(BaseModel):
    """What is seen where a transformed image reaches past the source."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    fill: Literal["nearest", "constant"] = "nearest"


@dataclass(frozen=True)
class Policy:
    """An augmentation policy; ``draw`` gives the transforms of n images, None leaves them as they are."""

    draw: Callable[[np.random.Generator, int], Transforms] | None

    @property
    def settings(self) -> type[BaseModel]:
        """What validates the policy's entry below ``settings`` in ``params.yaml``."""
        return NoSettings if self.draw is None else FillSettings


def flips_and_rotations(rng: np.random.Generator, n: int) -> Transforms:
    """Each flip with probability one half, any rotation (Schouten et al. 2021, "Data augmentation")."""
    angle = rng.uniform(0, 2 * np.pi, n)
    flips = rng.choice([-1.0, 1.0], (n, 2))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    transforms: Transforms = rotation.transpose(2, 0, 1) * flips[:, :, None]
    return transforms


POLICIES: Mapping[str, Policy] = {
    "none": Policy(None),
    "flip_rotate": Policy(flips_and_rotations),
}


def version(name: str) -> str:
    """A digest of the policy's code: that of other policies does not change it."""
    draw = POLICIES[name].draw
    return "" if draw is None else fingerprint.of_functions(draw, gather.py_func)  # type: ignore[attr-defined]


def epoch_images(
    policy: Policy, settings: Any, images: Pixels, order: NDArray[np.intp], rng: np.random.Generator
) -> Pixels:
    """The images (height, width, channels each) of one epoch in the given order, augmented."""
    if policy.draw is None:
        return images[order]
    out = np.empty((len(order), *images.shape[1:]), np.uint8)
    gather(images, order, policy.draw(rng, len(order)), settings.fill == "nearest", out)
    return out


@kernel
def gather(images: Pixels, order: NDArray[np.intp], transforms: Transforms, clamp: bool, out: Pixels) -> None:
    """Write each ordered image, transformed, to ``out``, both contiguous (n, height, width, channels)."""
    height, width, channels = out.shape[1:]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    places = np.empty(width, np.int32)  # of a row's pixels in the source's bytes, -1 outside
    for n in range(len(order)):
        source, target, m = images[order[n]].reshape(-1), out[n].reshape(-1), transforms[n]
        # A first pass in order brings the image into cache; turned rows are read in an order no machine foresees.
        touched = 0
        for i in range(0, len(source), 64):
            touched += source[i]
        places[0] = touched
        row_step, column_step = m[0, 1], m[1, 1]
        for row in range(height):
            start_row = m[0, 0] * (row - middle_row) - row_step * middle_column + middle_row + 0.5
            start_column = m[1, 0] * (row - middle_row) - column_step * middle_column + middle_column + 0.5
            # Without branches, so that it is done in vectors; from zero up, cutting off the fraction rounds down.
            for column in range(width):
                r, c = start_row + row_step * column, start_column + column_step * column
                inside = clamp | ((r >= 0) & (r < height) & (c >= 0) & (c < width))
                r, c = min(max(r, 0.0), height - 1.0), min(max(c, 0.0), width - 1.0)
                place = (np.int32(r) * np.int32(width) + np.int32(c)) * np.int32(channels)
                places[column] = place if inside else np.int32(-1)
            to = np.uintp(row * width * channels)  # unsigned indices need no test for wraparound
            for column in range(width):
                place, at = places[column], np.uintp(places[column])
                if place < 0:
                    for channel in range(np.uintp(channels)):
                        target[to + channel] = 0
                elif channels == 3:
                    target[to] = source[at]
                    target[to + np.uintp(1)] = source[at + np.uintp(1)]
                    target[to + np.uintp(2)] = source[at + np.uintp(2)]
                else:
                    for channel in range(np.uintp(channels)):
                        target[to + channel] = source[at + channel]
                to += np.uintp(channels)
