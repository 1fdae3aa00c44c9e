"""PBC: 17,092 images of normal peripheral blood cells, Hospital Clínic de Barcelona.

Upstream layout: ``PBC_dataset_normal_DIB/<class>/<PREFIX>_<number>.jpg``. The folders are one label version
(``folder``, eight classes), the prefixes a finer one (``prefix``: band and segmented neutrophils, stages of immature
granulocytes). Patients are unknown.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import find_images

TOP = "PBC_dataset_normal_DIB"

FOLDERS: Mapping[str, str] = {
    "basophil": "basophil",
    "eosinophil": "eosinophil",
    "erythroblast": "erythroblast",
    "ig": "immature_granulocyte",
    "lymphocyte": "lymphocyte",
    "monocyte": "monocyte",
    "neutrophil": "neutrophil",
    "platelet": "thrombocyte",
}
PREFIXES: Mapping[str, str] = {
    "BA": "basophil",
    "BNE": "neutrophil_band",
    "EO": "eosinophil",
    "ERB": "erythroblast",
    "IG": "immature_granulocyte",
    "LY": "lymphocyte",
    "MMY": "metamyelocyte",
    "MO": "monocyte",
    "MY": "myelocyte",
    "NEUTROPHIL": "neutrophil",
    "PLATELET": "thrombocyte",
    "PMY": "promyelocyte",
    "SNE": "neutrophil_segmented",
}


def read(folder: Path) -> Listing:
    """List the upstream folder, or the ``PBC_dataset_normal_DIB`` in it.

    Raises ``InputError`` listing missing and empty class folders, or images with an unknown prefix.
    """
    candidates, skipped = find_images(_top(folder))
    images = {}
    for name, path in candidates.items():
        if path.parent.name in FOLDERS and name.count("/") == 1:
            images[name] = path
        else:
            skipped[name] = "not directly in one of the class folders"
    full = {name.split("/")[0] for name in images}
    missing = [f"{TOP}/{name}: no images" for name in FOLDERS if name not in full]
    if missing:
        raise _not_pbc(folder, missing)
    labels = {
        "folder": [FOLDERS[name.split("/")[0]] for name in images],
        "prefix": _prefix_labels(images),
    }
    tables = {version: pd.DataFrame({"image": list(images), "label": values}) for version, values in labels.items()}
    return Listing(images, tables, dict(sorted(skipped.items())))


def _top(folder: Path) -> Path:
    if (folder / TOP).is_dir():
        return folder / TOP
    if folder.is_dir() and not any((folder / name).is_dir() for name in FOLDERS):
        raise _not_pbc(folder, [f"{TOP}/"])
    return folder


def _not_pbc(folder: Path, missing: list[str]) -> InputError:
    return InputError(
        f"{folder} is not the complete PBC dataset; it lacks",
        missing,
        next_step=f"download {DATASET.url}, unpack it, then pass the folder that contains {TOP}",
    )


def _prefix_labels(images: Mapping[str, Path]) -> list[str]:
    prefixes = {name: re.sub(r"_\d+$", "", path.stem) for name, path in images.items()}
    unknown = [f"{name}: {prefix!r}" for name, prefix in prefixes.items() if prefix not in PREFIXES]
    if unknown:
        raise InputError(
            "PBC: these file names do not start with a known prefix:",
            unknown,
            hint=f"Known prefixes: {', '.join(PREFIXES)}.",
            next_step="remove or rename these files",
        )
    return [PREFIXES[prefix] for prefix in prefixes.values()]


DATASET = Dataset(
    name="pbc",
    title="PBC: normal peripheral blood cells, May Grünwald-Giemsa, CellaVision DM96",
    licence="CC BY 4.0",
    citation=(
        "Acevedo A, Merino A, Alférez S, Molina Á, Boldú L, Rodellar J. A dataset of microscopic peripheral blood "
        "cell images for development of automatic recognition systems. Data in Brief 30:105474 (2020)"
    ),
    url="https://doi.org/10.17632/snkd93bnjr.1",
    classes=frozenset({*FOLDERS.values(), *PREFIXES.values()}),
    read=read,
)
