"""BloodMNIST: PBC's cells, cropped and scaled by MedMNIST to 28, 64, 128 or 224 pixels, in its eight classes.

Upstream layout: a file ``bloodmnist[_<pixels>].npz`` with arrays ``<split>_images`` (n, pixels, pixels, 3) and
``<split>_labels`` (n, 1), both uint8, of the splits train, val and test, which are the official folds; unpacked to
``<split>/<index>.png`` and ``labels.csv`` with the columns image, label and fold. Patients are unknown.
"""

import hashlib
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import requests
from numpy.typing import NDArray
from PIL import Image

from cytocurve.datasets import Dataset, Listing, Progress
from cytocurve.errors import InputError, ServiceError
from cytocurve.ingest.listed_images import listed_images
from cytocurve.ingest.tables import read_table
from cytocurve.text import counted

BASE = "https://zenodo.org/records/10519652/files/"
DRAWN = "bloodmnist_224.npz"
MD5: Mapping[str, str] = {
    "bloodmnist.npz": "7053d0359d879ad8a5505303e11de1dc",
    "bloodmnist_64.npz": "2b94928a2ae4916078ca51e05b6b800b",
    "bloodmnist_128.npz": "adace1e0ed228fccda1f39692059dd4c",
    "bloodmnist_224.npz": "b718ff6835fcbdb22ba9eacccd7b2601",
}

SPLITS = ("train", "val", "test")
LABELS = (
    "basophil", "eosinophil", "erythroblast", "immature_granulocyte", "lymphocyte", "monocyte", "neutrophil",
    "thrombocyte",
)  # fmt: skip
"""In the order of upstream's label numbers."""

_TABLE = "labels.csv"
_COLUMNS = ("image", "label", "fold")
_IMAGES = 17_092
_CHUNK = 1 << 20


def draw(folder: Path, progress: Progress) -> None:
    """Download the images with 224 pixels (1.5 GB) and unpack them into an empty folder.

    Progress counts every image twice, for downloading and unpacking. Raises ``ServiceError`` if the download fails.
    """
    file = folder / f".{DRAWN}"
    _download(file, lambda done, total: progress(_IMAGES * done // total, 2 * _IMAGES))
    unpack(file, folder, lambda done, total: progress(_IMAGES + _IMAGES * done // total, 2 * _IMAGES))
    file.unlink()


def _download(file: Path, progress: Progress) -> None:
    """Download to the file, reporting bytes done and their total."""
    url = f"{BASE}{DRAWN}?download=1"
    digest, done = hashlib.md5(usedforsecurity=False), 0
    try:
        with requests.get(url, stream=True, timeout=60) as response, file.open("wb") as target:
            response.raise_for_status()
            total = int(response.headers.get("Content-Length", 0))
            for chunk in response.iter_content(_CHUNK):
                target.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress(done, max(done, total))  # servers may omit the total
    except requests.RequestException as error:
        raise _unavailable(f"{url} cannot be downloaded: {error}") from error
    if digest.hexdigest() != MD5[DRAWN]:
        raise _unavailable(f"{url} returned a different file: its MD5 is {digest.hexdigest()}, not {MD5[DRAWN]}")


def _unavailable(problem: str) -> ServiceError:
    return ServiceError(
        problem,
        next_step=f"rerun the command, or download one of {', '.join(MD5)} elsewhere: "
        "cytocurve data add bloodmnist FILE.npz",
    )


def unpack(file: Path, folder: Path, progress: Progress) -> None:
    """Write the images of an NPZ file as PNG, and their labels as a table, into an empty folder.

    Holds one image at a time in memory. Raises ``InputError`` listing every missing or invalid array.
    """
    rows, done = [], 0
    with _archive(file) as archive:
        labels = _labels(file, archive)
        total = sum(map(len, labels.values()))
        for split, numbers in labels.items():
            (folder / split).mkdir()
            for index, (number, pixels) in enumerate(zip(numbers, _images(archive, split), strict=True)):
                name = f"{split}/{index:05d}.png"
                Image.fromarray(pixels).save(folder / name)
                rows.append((name, LABELS[number], split))
                done += 1
                progress(done, total)
    pd.DataFrame(rows, columns=list(_COLUMNS)).to_csv(folder / _TABLE, index=False, lineterminator="\n")


@contextmanager
def _archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """The NPZ file, open; raises ``InputError`` if it is damaged or of another format."""
    next_step = f"download one of {', '.join(MD5)} from {DATASET.url}"
    try:
        opened = file.open("rb")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}", next_step=next_step) from error
    with opened:
        try:
            with zipfile.ZipFile(opened) as archive:
                yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise InputError(f"{file}: not a complete NPZ file: {error}", next_step=next_step) from error


def _labels(file: Path, archive: zipfile.ZipFile) -> dict[str, NDArray[np.integer[Any]]]:
    """The label numbers of each split, all arrays checked."""
    shapes, wrong = {}, []
    for name in (f"{split}_{kind}" for split in SPLITS for kind in ("images", "labels")):
        shape, fault = _shape(archive, name)
        shapes[name] = shape
        wrong += [f"{name}: {fault}"] if fault else []
    labels = {}
    for split in SPLITS:
        images, numbers = shapes[f"{split}_images"], shapes[f"{split}_labels"]
        if numbers:
            labels[split] = _array(archive, f"{split}_labels").reshape(-1)
            beyond = sorted({int(number) for number in labels[split]} - set(range(len(LABELS))))
            wrong += [f"{split}_labels: {number} is not a label from 0 to {len(LABELS) - 1}" for number in beyond]
        if images and numbers and images[0] != numbers[0]:
            wrong.append(f"{split}: {counted(images[0], 'image')}, but {counted(numbers[0], 'label')}")
    sizes = {shape[1] for name, shape in shapes.items() if shape and name.endswith("_images")}
    if len(sizes) > 1:
        wrong.append(f"images of different sizes: {', '.join(map(str, sorted(sizes)))} pixels")
    if wrong:
        raise InputError(
            f"{file} is not BloodMNIST:", wrong, next_step=f"download one of {', '.join(MD5)} from {DATASET.url}"
        )
    return labels


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], str]:
    """The shape of an array from its header; an empty shape and the reason if it is invalid."""
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        return (), "no such array"
    with archive.open(info) as stream:
        try:
            shape, column_major, kind = _header(stream)
        except ValueError as error:
            return (), f"not an array: {error}"
    if kind != np.uint8 or column_major:
        return (), f"{kind} in {'column' if column_major else 'row'}-major order, not uint8 in row-major order"
    square = len(shape) == 4 and shape[1] == shape[2] > 0 and shape[3] == 3
    if not shape or not shape[0] or not (square if name.endswith("_images") else shape[1:] == (1,)):
        return (), f"its shape is {shape}, not {'(n, pixels, pixels, 3)' if name.endswith('_images') else '(n, 1)'}"
    if info.file_size < math.prod(shape):
        return (), f"truncated: {info.file_size} bytes for shape {shape}"
    return shape, ""


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether column-major, and type of an array; the stream is then at the array's first byte."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        return array


def _images(archive: zipfile.ZipFile, split: str) -> Iterator[NDArray[np.uint8]]:
    """Each image's pixels, (pixels, pixels, 3)."""
    with archive.open(f"{split}_images.npy") as stream:
        (count, *shape), _, _ = _header(stream)
        for _ in range(count):
            content = stream.read(math.prod(shape))
            yield np.frombuffer(content, np.uint8).reshape(shape)


def read(folder: Path) -> Listing:
    """List an unpacked file; raises ``InputError`` listing every invalid column, image and fold."""
    next_step = "cytocurve data add bloodmnist FILE.npz"
    if not (folder / _TABLE).is_file():
        raise InputError(f"{folder} is not an unpacked BloodMNIST; it lacks", [_TABLE], next_step=next_step)
    table = read_table(folder / _TABLE)
    wrong = [f"column {column!r} is missing" for column in _COLUMNS if column not in table]
    if not wrong:
        images, wrong = listed_images(folder, list(table["image"]))
        wrong += [f"fold {fold!r} is not one of {', '.join(SPLITS)}" for fold in sorted({*table["fold"]} - {*SPLITS})]
    if wrong:
        raise InputError(f"{folder / _TABLE} cannot be used:", wrong, next_step=next_step)
    return Listing(dict(sorted(images.items())), {"medmnist": table[list(_COLUMNS)]}, {})


DATASET = Dataset(
    name="bloodmnist",
    title="BloodMNIST (MedMNIST v2): normal peripheral blood cells of PBC, 28 to 224 pixels",
    licence="CC BY 4.0",
    citation=(
        "Yang J, Shi R, Wei D, Liu Z, Zhao L, Ke B, Pfister H, Ni B. MedMNIST v2: a large-scale lightweight benchmark "
        "for 2D and 3D biomedical image classification. Scientific Data 10:41 (2023); images: Acevedo A et al., Data "
        "in Brief 30:105474 (2020)"
    ),
    url="https://doi.org/10.5281/zenodo.10519652",
    classes=frozenset(LABELS),
    read=read,
    draw=draw,
    unpack=unpack,
)
