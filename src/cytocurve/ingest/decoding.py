"""Decode image files to RGB."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cytocurve.ingest.limits import too_large

Pixels = NDArray[np.uint8]


def read_rgb(path: Path) -> Image.Image:
    """The decoded image in RGB, with pixels as stored: EXIF orientation is not applied.

    Raises ``ValueError`` with the reason if it cannot be decoded completely.
    """
    return decoded(path)[0]


def decoded(path: Path) -> tuple[Image.Image, str]:
    """The image as ``read_rgb`` returns it, and its file format according to its contents, such as ``JPEG``."""
    try:
        with Image.open(path) as image:
            large = too_large(image.width, image.height)
            if not large:
                image.load()
                image.info.pop("transparency", None)  # not needed, and Pillow warns about some kinds
                return image.convert("RGB"), str(image.format)
    except Exception as error:  # Pillow raises almost any exception for damaged files
        raise ValueError(f"cannot be decoded: {str(error) or type(error).__name__}") from error
    raise ValueError(large)


def pixel_sha256(image: Image.Image) -> str:
    """SHA-256 (hex) over width, height and RGB pixels: an image's identity, whatever its file format."""
    digest = hashlib.sha256(f"{image.width}x{image.height}".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()
