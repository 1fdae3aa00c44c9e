"""Images on disk, decoded to RGB."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cytocurve.ingest.limits import too_large

Pixels = NDArray[np.uint8]


def read_rgb(path: Path) -> Image.Image:
    """The decoded image in RGB as its pixels are stored, without any turn that its EXIF data ask for.

    Raises ``ValueError`` with the reason where it cannot be decoded completely.
    """
    return decoded(path)[0]


def decoded(path: Path) -> tuple[Image.Image, str]:
    """The image as ``read_rgb`` gives it, and its format by its contents, such as ``JPEG``."""
    try:
        with Image.open(path) as image:
            large = too_large(image.width, image.height)
            if not large:
                image.load()
                image.info.pop("transparency", None)  # not asked for, and Pillow warns of some kinds
                return image.convert("RGB"), str(image.format)
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ValueError(f"cannot be decoded: {str(error) or type(error).__name__}") from error
    raise ValueError(large)


def pixel_sha256(image: Image.Image) -> str:
    """SHA-256 (hex) over width, height and RGB pixels: an image's identity, whatever its file format."""
    found = hashlib.sha256(f"{image.width}x{image.height}".encode())
    found.update(image.tobytes())
    return found.hexdigest()
