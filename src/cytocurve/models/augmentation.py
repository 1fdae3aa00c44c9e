"""Augmentation policies of the training images: an affine transform an image and epoch, applied as one gather.

Both engines use this definition. A transformed pixel takes the value of the nearest source pixel, so that
images stay uint8; outside the source, ``fill`` takes the nearest edge pixel or black.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cytocurve.models import fingerprint
from cytocurve.models.kernels import simd
from cytocurve.models.kernels.jit import inlined, kernel

Pixels = NDArray[np.uint8]
Transforms = NDArray[np.float64]
"""(n, 2, 3): from an output position to its source position, both relative to the image's centre; rows, columns.

The last column is added: a shift as a fraction of the image's height and width.
"""
Draw = Callable[[np.random.Generator, int, Any], Transforms]


class NoSettings(BaseModel):
    """A policy without settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FillSettings(BaseModel):
    """What is seen where a transformed image reaches past the source."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    fill: Literal["nearest", "constant"] = "nearest"


class ShiftSettings(FillSettings):
    """The same, and how far an image is shifted at most, as a fraction of its sides."""

    translation: float = Field(0.2, ge=0, le=1)


@dataclass(frozen=True)
class Policy:
    """An augmentation policy; ``draw`` gives the transforms of n images, None leaves them as they are.

    ``settings`` validates the policy's entry below ``settings`` in ``params.yaml``.
    """

    draw: Draw | None
    settings: type[BaseModel]


def flips_and_rotations(rng: np.random.Generator, n: int, _: Any = None) -> Transforms:
    """Each flip with probability one half, any rotation (Schouten et al. 2021, "Data augmentation")."""
    angle = rng.uniform(0, 2 * np.pi, n)
    flips = rng.choice([-1.0, 1.0], (n, 2))
    transforms = np.zeros((n, 2, 3))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    transforms[:, :, :2] = rotation.transpose(2, 0, 1) * flips[:, :, None]
    return transforms


def flips_rotations_and_shifts(rng: np.random.Generator, n: int, settings: ShiftSettings) -> Transforms:
    """The same, and a shift along each side, uniform up to ``translation`` (Prellberg & Kramer 2019, section 3.2)."""
    transforms = flips_and_rotations(rng, n)
    transforms[:, :, 2] = rng.uniform(-settings.translation, settings.translation, (n, 2))
    return transforms


POLICIES: Mapping[str, Policy] = {
    "none": Policy(None, NoSettings),
    "flip_rotate": Policy(flips_and_rotations, FillSettings),
    "flip_rotate_translate": Policy(flips_rotations_and_shifts, ShiftSettings),
}


def version(name: str) -> str:
    """A digest of the policy's code: that of other policies does not change it."""
    draw = POLICIES[name].draw
    if draw is None:
        return ""
    kernels: list[Any] = [gather, _place_row]
    return fingerprint.of_functions(flips_and_rotations, draw, *(each.py_func for each in kernels))


def epoch_images(
    policy: Policy, settings: Any, images: Pixels, order: NDArray[np.intp], rng: np.random.Generator
) -> Pixels:
    """The images (height, width, channels each) of one epoch in the given order, augmented."""
    if policy.draw is None:
        return images[order]
    out = np.empty((len(order), *images.shape[1:]), np.uint8)
    gather(images, order, policy.draw(rng, len(order), settings), settings.fill == "nearest", out)
    return out


@kernel
def gather(images: Pixels, order: NDArray[np.intp], transforms: Transforms, clamp: bool, out: Pixels) -> None:
    """Write each ordered image, transformed, to ``out``, both contiguous (n, height, width, channels)."""
    height, width, channels = out.shape[1:]
    size = height * width * channels
    source, target = images.reshape(-1), out.reshape(-1)
    places = np.empty(width, np.int32)  # of a row's pixels in the source's image, -1 outside
    for n in range(len(order)):
        start = order[n] * size
        # A first pass in order brings the image into cache; turned rows are read in an order no machine foresees.
        touched = np.int32(0)
        for i in range(start, start + size, 64):
            touched += source[i]
        places[0] = touched
        # Four bytes are moved for the three of a pixel and the next one overwrites the fourth, but at an array's end.
        by_word = channels == 3 and start + size < len(source)
        for row in range(height):
            _place_row(transforms[n], row, height, width, channels, clamp, places)
            to = (n * height + row) * width * channels
            whole = width - 1 if by_word else 0
            for column in range(whole):
                place = places[column]
                simd.store_word(target, to + 3 * column, simd.load_word(source, start + place) if place >= 0 else 0)
            for column in range(whole, width):
                place, at = places[column], to + column * channels
                for channel in range(channels):
                    target[at + channel] = source[start + place + channel] if place >= 0 else 0


@inlined
def _place_row(
    m: NDArray[np.float64], row: int, height: int, width: int, channels: int, clamp: bool, places: NDArray[np.int32]
) -> None:
    """Without branches and in 32 bits, so that it is done in vectors."""
    single, integer = np.float32, np.int32
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    row_step, column_step = single(m[0, 1]), single(m[1, 1])
    first_row = single(m[0, 0] * (row - middle_row) - m[0, 1] * middle_column + m[0, 2] * height + middle_row + 0.5)
    first_column = single(
        m[1, 0] * (row - middle_row) - m[1, 1] * middle_column + m[1, 2] * width + middle_column + 0.5
    )
    zero, rows, columns, depth = single(0), integer(height), integer(width), integer(channels)
    for column in range(width):
        at = single(integer(column))
        r, c = first_row + row_step * at, first_column + column_step * at
        inside = clamp | ((r >= zero) & (r < single(rows)) & (c >= zero) & (c < single(columns)))
        r, c = r if r > zero else zero, c if c > zero else zero  # from zero up, cutting off the fraction rounds down
        below, right = integer(r), integer(c)
        below, right = min(below, rows - integer(1)), min(right, columns - integer(1))
        place = (below * columns + right) * depth
        places[column] = place if inside else integer(-1)
