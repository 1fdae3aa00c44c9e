"""Images on disk, and the array of pixels that the workers of a sweep share."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image, ImageOps

from cytocurve.core.pictures import too_large
from cytocurve.errors import InputError
from cytocurve.stores.files import sha256, write_text

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


def shared_pixels(
    folder: Path, files: Sequence[Path], identities: Sequence[str], size: int, progress: Callable[[int, int], None]
) -> Path:
    """A ``.npy`` file with the images as uint8 (images, size, size, 3), made once and then mapped by every worker.

    A file that is there is checked against its checksum, and made again where it does not match. Raises ``InputError``
    listing the images that cannot be decoded or whose pixels are no longer those of their identities.
    """
    target = folder / f"{hashlib.sha256(' '.join([str(size), *identities]).encode()).hexdigest()}.npy"
    checksum = target.with_suffix(".sha256")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if target.is_file() and checksum.is_file() and checksum.read_text() == sha256(target):
            return target
        scratch = folder / "scratch.npy"
        try:
            _write_pixels(scratch, files, identities, size, progress)
            write_text(checksum, sha256(scratch))
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
    return target


def _write_pixels(
    scratch: Path, files: Sequence[Path], identities: Sequence[str], size: int, progress: Callable[[int, int], None]
) -> None:
    problems = []
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(files), size, size, 3)}
    with scratch.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, (path, identity) in enumerate(zip(files, identities, strict=True)):
            try:
                file.write(square(path, identity, size).tobytes())
            except ValueError as error:
                problems.append(f"{path}: {error}")
            progress(number + 1, len(files))
        file.flush()
        os.fsync(file.fileno())
    if problems:
        raise InputError("These images cannot be used:", problems, "Next: dvc repro catalog")


def square(path: Path, identity: str, size: int) -> Pixels:
    """The image as uint8 (size, size, 3), scaled and cropped at the centre where it has another size.

    Raises ``ValueError`` where it cannot be decoded or has other pixels than those of its identity.
    """
    image = read_rgb(path)
    if pixel_sha256(image) != identity:
        raise ValueError("its pixels have changed since the catalog was made")
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)
