"""The starter dataset: synthetic single blood cells in the layout of ALL-IDB2, to try cytocurve without a download.

Layout: ``img/ImNNN_<c>.tif``, with c = 1 for a patient with ALL and 0 for a healthy one, and a table ``<version>.csv``
with the columns image, label and patient for each of the two label versions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from cytocurve.datasets import Dataset, Listing, Progress
from cytocurve.datasets.starter import painter
from cytocurve.datasets.starter.painter import Granules, Look
from cytocurve.errors import InputError

VERSIONS = ("diagnosis", "expert")
COLUMNS = ("image", "label", "patient")

ALL_PATIENT_CELLS: Mapping[str, int] = {
    "lymphoblast": 115,
    "lymphocyte_atypical": 3,
    "lymphocyte_typical": 5,
    "neutrophil_segmented": 2,
}
HEALTHY_CELLS: Mapping[str, int] = {
    "basophil": 1,
    "erythroblast": 1,
    "eosinophil": 2,
    "lymphoblast": 11,
    "lymphocyte_atypical": 9,
    "lymphocyte_typical": 47,
    "metamyelocyte": 1,
    "monocyte": 5,
    "neutrophil_segmented": 20,
    "thrombocyte": 28,
}

_FINE = Granules(count=(80, 150), radius=(1.4, 2.2), color=(0.10, 0.20, 0.08))
_AZUROPHIL = Granules(count=(20, 50), radius=(1.3, 2.0), color=(0.15, 0.25, 0.05))
_ORANGE = Granules(count=(280, 340), radius=(3.2, 4.6), color=(0.05, 0.30, 0.33))
_VIOLET = Granules(count=(70, 110), radius=(3.2, 5.4), color=(0.55, 0.66, 0.30))

LOOKS: Mapping[str, Look] = {
    "basophil": Look(
        form="lobed", radius=(60, 68), filling=(0.70, 0.76), wobble=(0.02, 0.05), density=(0.8, 0.9),
        clumping=(0.3, 0.5), cytoplasm=(0.25, 0.28, 0.10), granules=_VIOLET,
    ),
    "eosinophil": Look(
        form="lobed", radius=(66, 74), filling=(0.68, 0.76), wobble=(0.01, 0.04), density=(0.9, 1.0),
        clumping=(0.5, 0.7), cytoplasm=(0.08, 0.25, 0.20), granules=_ORANGE,
    ),
    "erythroblast": Look(
        form="round", radius=(46, 52), filling=(0.60, 0.66), wobble=(0.01, 0.03), density=(1.0, 1.1),
        clumping=(0.5, 0.7), cytoplasm=(0.30, 0.32, 0.18),
    ),
    "lymphoblast": Look(
        form="round", radius=(56, 78), filling=(0.80, 0.94), wobble=(0.02, 0.08), density=(0.64, 0.98),
        clumping=(0.0, 0.3), nucleoli=(1, 3.99), cytoplasm=(0.31, 0.25, 0.05), rim=(0.1, 0.8),
    ),
    "lymphocyte_atypical": Look(
        form="round", radius=(66, 82), filling=(0.62, 0.78), wobble=(0.05, 0.10), density=(0.70, 0.95),
        clumping=(0.4, 0.8), cytoplasm=(0.32, 0.26, 0.05), rim=(0.4, 1.0),
    ),
    "lymphocyte_typical": Look(
        form="round", radius=(54, 76), filling=(0.78, 0.94), wobble=(0.01, 0.07), density=(0.66, 1.00),
        clumping=(0.6, 1.0), cytoplasm=(0.30, 0.24, 0.05), rim=(0.0, 0.7),
    ),
    "metamyelocyte": Look(
        form="indented", radius=(70, 76), filling=(0.70, 0.74), wobble=(0.02, 0.04), density=(0.8, 0.9),
        clumping=(0.5, 0.7), cytoplasm=(0.16, 0.24, 0.12), granules=_FINE,
    ),
    "monocyte": Look(
        form="kidney", radius=(74, 84), filling=(0.70, 0.78), wobble=(0.03, 0.08), density=(0.65, 0.80),
        clumping=(0.4, 0.7), cytoplasm=(0.28, 0.27, 0.09), granules=_AZUROPHIL,
    ),
    "neutrophil_segmented": Look(
        form="lobed", radius=(62, 76), filling=(0.72, 0.84), wobble=(0.01, 0.04), density=(0.9, 1.05),
        clumping=(0.5, 0.8), cytoplasm=(0.12, 0.19, 0.09), granules=_FINE,
    ),
    "thrombocyte": Look(form="none", radius=(10, 21)),
}  # fmt: skip

_PASSERS = (LOOKS["lymphocyte_typical"], LOOKS["neutrophil_segmented"])

_SEED = 2021
_DUPLICATES = 5  # of each diagnosis
_PATIENTS = 12  # of each diagnosis
_SMEARS = 6


@dataclass(frozen=True)
class Specimen:
    """The content of one image; specimens with the same ``seed`` have the same pixels."""

    image: str
    diagnosis: str
    expert: str
    patient: str
    smear: int
    seed: int


def specimens() -> list[Specimen]:
    """All 260 images in the order of their names: first those of patients with ALL, as in ALL-IDB2."""
    rng = np.random.RandomState(_SEED)
    ill = _group(rng, "ALL", ALL_PATIENT_CELLS, _SEED)
    healthy = _group(rng, "healthy", HEALTHY_CELLS, _SEED + len(ill))
    return [
        replace(cell, image=f"Im{number:03d}_{int(cell.diagnosis == 'ALL')}.tif")
        for number, cell in enumerate([*ill, *healthy], start=1)
    ]


def _group(rng: np.random.RandomState, diagnosis: str, counts: Mapping[str, int], seed: int) -> list[Specimen]:
    """The cells of one diagnosis, five of them duplicated, in random order and still without names.

    Every smear contains patients of both diagnoses, so that the stain does not reveal the diagnosis.
    """
    cells: list[Specimen] = []
    for kind in (kind for kind, count in counts.items() for _ in range(count)):
        person = int(rng.random_sample() * _PATIENTS)
        patient = f"P{2 * person + (1 if diagnosis == 'ALL' else 2):02d}"
        cells.append(Specimen("", diagnosis, kind, patient, person % _SMEARS, seed + len(cells)))
    cells = list(_shuffled(rng, cells))
    return list(_shuffled(rng, cells + cells[:_DUPLICATES]))


def _shuffled(rng: np.random.RandomState, cells: list[Specimen]) -> Iterator[Specimen]:
    """The cells in random order, by sorting random keys."""
    return (cells[index] for index in np.argsort(rng.random_sample(len(cells)), kind="stable"))


def slides() -> list[painter.Smear]:
    """The smears, each with its own stain and lighting."""
    return [painter.smear(np.random.RandomState(_SEED + number)) for number in range(_SMEARS)]


def paint(cell: Specimen, smears: Sequence[painter.Smear]) -> NDArray[np.uint8]:
    """The specimen's pixels, (257, 257, 3)."""
    return painter.paint(LOOKS[cell.expert], _PASSERS, smears[cell.smear], cell.seed)


def draw(folder: Path, progress: Progress) -> None:
    """Draw 260 images and their two label tables into an empty folder."""
    plan, smears = specimens(), slides()
    (folder / "img").mkdir()
    for done, cell in enumerate(plan, start=1):
        pixels = paint(cell, smears)
        Image.fromarray(pixels).save(folder / "img" / cell.image, format="TIFF")
        progress(done, len(plan))
    for version in VERSIONS:
        rows = [(cell.image, getattr(cell, version), cell.patient) for cell in plan]
        pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(_table(folder, version), index=False, lineterminator="\n")


def read(folder: Path) -> Listing:
    """List a drawn folder; raises ``InputError`` listing all missing tables, columns or images."""
    missing = [version for version in VERSIONS if not _table(folder, version).is_file()]
    _check_complete(folder, [_table(folder, version).name for version in missing])
    labels = {version: pd.read_csv(_table(folder, version), dtype=str).fillna("") for version in VERSIONS}
    _check_complete(folder, [f"{v}.csv: column {c}" for v, table in labels.items() for c in COLUMNS if c not in table])
    named = sorted({name for table in labels.values() for name in table["image"]})
    images = {name: folder / "img" / name for name in named}
    _check_complete(folder, [f"img/{name}" for name, path in images.items() if not path.is_file()])
    others = sorted(path.name for path in (folder / "img").glob("*.tif") if path.name not in images)
    return Listing(images, labels, {f"img/{name}": "not in any label table" for name in others})


def _table(folder: Path, version: str) -> Path:
    return folder / f"{version}.csv"


def _check_complete(folder: Path, missing: list[str]) -> None:
    if missing:
        raise InputError(
            f"{folder} is not a starter dataset; it lacks",
            missing,
            next_step="draw a new one: cytocurve data add starter",
        )


DATASET = Dataset(
    name="starter",
    title="Starter: a synthetic drawing of single blood cells in the form of ALL-IDB2; not medical data",
    licence="Apache-2.0 (synthetic, drawn by cytocurve)",
    citation=(
        "Drawn by cytocurve; no patient and no microscope is behind it. Form and counts of the cell types after "
        "Schouten et al. 2021, Tens of images can suffice to train neural networks for malignant leukocyte "
        "detection, Scientific Reports 11, table 1"
    ),
    url="https://doi.org/10.1038/s41598-021-86995-5",
    classes=frozenset({"ALL", "healthy", *ALL_PATIENT_CELLS, *HEALTHY_CELLS}),
    read=read,
    draw=draw,
)
