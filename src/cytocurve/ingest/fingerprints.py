"""Fingerprints of images: hashes of bytes, pixels and appearance."""

from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cytocurve.core.data import similarity
from cytocurve.files import sha256
from cytocurve.ingest.decoding import Pixels, decoded, pixel_sha256

BLACK = 16
"""Gray levels up to this one are background of a segmented cell, even after JPEG compression."""

_SHOWN = [255 * (level > BLACK) for level in range(256)]


@dataclass(frozen=True)
class Fingerprint:
    """What identifies and describes an image file: hex hashes of its bytes, pixels and appearance; its size in pixels.

    ``color`` is the mean of red, green and blue (0 to 255), ``background`` their median along the edge.
    """

    sha256: str
    pixel_sha256: str
    phash: str
    width: int
    height: int
    format: str
    color: tuple[float, ...]
    background: tuple[float, ...]
    thumbnail: Pixels


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of an image; raises ``ValueError`` if it cannot be decoded, ``OSError`` if unreadable."""
    image, kind = decoded(path)
    small = thumbnail(image)
    whole, edge = _histograms(image)
    return Fingerprint(
        sha256=sha256(path),
        pixel_sha256=pixel_sha256(image),
        phash=str(imagehash.phash(Image.fromarray(small))),
        width=image.width,
        height=image.height,
        format=kind,
        color=tuple((whole @ np.arange(256) / whole.sum(axis=1)).tolist()),
        background=tuple(_median(counts) for counts in edge),
        thumbnail=small,
    )


def thumbnail(image: Image.Image) -> Pixels:
    """The gray image that ``similarity`` compares, (32, 32), cropped to the part that is not black."""
    gray = image.convert("L")
    gray = gray.crop(gray.point(_SHOWN).getbbox())
    side = similarity.THUMBNAIL
    return np.asarray(gray.resize((side, side), Image.Resampling.LANCZOS))


def _histograms(image: Image.Image) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixel counts per level, (3, 256), of the whole image and of the outermost sixteenth on each side.

    A cell in the center does not reach the edge.
    """
    across, down = image.width // 16 + 1, image.height // 16 + 1
    whole = np.array(image.histogram(), np.int64).reshape(3, 256)
    if image.width <= 2 * across or image.height <= 2 * down:
        return whole, whole
    inside = image.crop((across, down, image.width - across, image.height - down))
    return whole, whole - np.array(inside.histogram(), np.int64).reshape(3, 256)


def _median(counts: NDArray[np.int64]) -> float:
    """The median of the values 0, 1, … with these counts."""
    cumulative, total = counts.cumsum(), int(counts.sum())
    lower, upper = np.searchsorted(cumulative, [(total - 1) // 2 + 1, total // 2 + 1])
    return float(lower + upper) / 2
