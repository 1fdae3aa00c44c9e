"""The prepared images of a study, stored in one array that all workers memory-map."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from filelock import FileLock

from cytocurve.core.runs import digest
from cytocurve.errors import InputError
from cytocurve.files import sha256, write_text
from cytocurve.ingest.decoding import Pixels, pixel_sha256, read_rgb
from cytocurve.models.preparation import Preparation


def shared_pixels(
    folder: Path,
    files: Sequence[Path],
    identities: Sequence[str],
    preparation: Preparation,
    progress: Callable[[int, int], None],
) -> Path:
    """Write the images to a ``.npy`` file, uint8 (images, size, size, 3), for all workers to memory-map.

    The file name depends on the images and on their preparation. An existing file is reused if its checksum matches.
    Raises ``InputError`` listing the images that cannot be decoded or whose pixels no longer match their identities.
    """
    target = folder / f"{digest([asdict(preparation.component), list(identities)])}.npy"
    checksum = target.with_suffix(".sha256")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if reusable(target):
            return target
        scratch = folder / "scratch.npy"
        try:
            _write_pixels(scratch, files, identities, preparation, progress)
            write_text(checksum, sha256(scratch))
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
    return target


def drop_prepared(folder: Path) -> None:
    """Delete all prepared images or feature vectors in a folder; a sweep that is writing some is waited for."""
    if folder.is_dir():
        with FileLock(folder / "lock"):
            for pattern in ("*.npy", "*.npz", "*.sha256"):
                for path in folder.rglob(pattern):
                    path.unlink(missing_ok=True)


def reusable(file: Path) -> bool:
    """Whether a file is there and matches its checksum, ``<name>.sha256``."""
    checksum = file.with_suffix(".sha256")
    return file.is_file() and checksum.is_file() and checksum.read_text() == sha256(file)


def _write_pixels(
    scratch: Path,
    files: Sequence[Path],
    identities: Sequence[str],
    preparation: Preparation,
    progress: Callable[[int, int], None],
) -> None:
    problems = []
    size = preparation.settings.size
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(files), size, size, 3)}
    with scratch.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for number, (path, identity) in enumerate(zip(files, identities, strict=True)):
            try:
                file.write(checked_pixels(path, identity, preparation).tobytes())
            except ValueError as error:
                problems.append(f"{path}: {error}")
            progress(number + 1, len(files))
        file.flush()
        os.fsync(file.fileno())
    if problems:
        raise InputError("These images cannot be used:", problems, next_step="dvc repro catalog")


def checked_pixels(path: Path, identity: str, preparation: Preparation) -> Pixels:
    """The prepared image, uint8 (size, size, 3).

    Raises ``ValueError`` if it cannot be decoded or its pixels do not match its identity.
    """
    image = read_rgb(path)
    if pixel_sha256(image) != identity:
        raise ValueError("pixels have changed since the catalog was built")
    return preparation.prepare(image)
