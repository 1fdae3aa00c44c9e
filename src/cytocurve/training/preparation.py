"""Images prepared for a network: decoded, scaled and cropped, and kept in one array that all workers map."""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image, ImageOps

from cytocurve.errors import InputError
from cytocurve.files import sha256, write_text
from cytocurve.ingest.decoding import Pixels, pixel_sha256, read_rgb


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
        raise InputError("These images cannot be used:", problems, next_step="dvc repro catalog")


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
