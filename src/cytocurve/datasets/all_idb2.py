"""ALL-IDB2: 260 images of single cells from patients with acute lymphoblastic leukemia and from healthy people.

Upstream layout: ``ALL_IDB2/img/ImNNN_<c>.tif``, with c = 1 for a blast and 0 for any other cell. This
is the label version ``diagnosis`` (``ALL``, ``healthy``, as in Schouten et al. 2021). An optional table of cell types
next to the images is a second version, ``expert``. Patients are unknown.
"""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from cytocurve.datasets import Dataset, Listing
from cytocurve.errors import InputError
from cytocurve.ingest.scanning import find_images, inner
from cytocurve.ingest.tables import read_table, tables_in

TOP, IMAGES = "ALL_IDB2", "img"

DIAGNOSES: Mapping[str, str] = {"0": "healthy", "1": "ALL"}
EXPERT: Mapping[str, str] = {
    "basophil": "basophil",
    "erythroblast": "erythroblast",
    "eosinophil": "eosinophil",
    "lymphoblast": "lymphoblast",
    "lymphocyte (atypical)": "lymphocyte_atypical",
    "lymphocyte (typical)": "lymphocyte_typical",
    "metamyelocyte": "metamyelocyte",
    "monocyte": "monocyte",
    "neutrophil (segmented)": "neutrophil_segmented",
    "thrombocyte": "thrombocyte",
}
"""The ten types of Schouten et al. 2021, table 1, with the taxonomy's names."""

_NAME = re.compile(r"Im\d{3}_([01])\.tif", re.IGNORECASE)
_IMAGE_HEADERS = ("image", "image name", "file", "file name", "filename", "name")
_TYPE_HEADERS = ("label", "type", "cell type", "class")


def read(folder: Path) -> Listing:
    """List the upstream folder, its subfolder ``ALL_IDB2`` or the ``img`` in it.

    Raises ``InputError`` if a diagnosis has no images, or listing every problem in the table of cell types.
    """
    top = inner(folder, TOP)
    candidates, skipped = find_images(inner(top, IMAGES))
    images = {name: path for name, path in candidates.items() if _NAME.fullmatch(name)}
    skipped |= dict.fromkeys(candidates.keys() - images.keys(), "not named ImNNN_<0 or 1>.tif")
    codes = [name[name.rindex("_") + 1] for name in images]
    missing = [f"ImNNN_{code}.tif ({label}): no images" for code, label in DIAGNOSES.items() if code not in codes]
    if missing:
        raise InputError(
            f"{folder} is not ALL-IDB2; it lacks",
            missing,
            next_step=f"request it at {DATASET.url}, then pass the folder that contains {TOP} or its images",
        )
    tables = {"diagnosis": pd.DataFrame({"image": list(images), "label": [DIAGNOSES[code] for code in codes]})}
    file = _table({folder, top, inner(top, IMAGES)})
    if file:
        tables["expert"] = _expert(file, list(images))
        skipped.pop(file.name, None)
    return Listing(images, tables, dict(sorted(skipped.items())))


def _table(folders: set[Path]) -> Path | None:
    files = sorted(file for folder in folders for file in tables_in(folder))
    if len(files) > 1:
        raise InputError(
            "ALL-IDB2: expected at most one table of cell types, found:",
            [str(file) for file in files],
            next_step="move all but one to another folder",
        )
    return files[0] if files else None


def _expert(file: Path, images: list[str]) -> pd.DataFrame:
    """The table's rows with labels of the taxonomy, and an empty label for each image it does not list."""
    table = read_table(file)
    image, kind = _column(file, table, _IMAGE_HEADERS), _column(file, table, _TYPE_HEADERS)
    known = {_normalized(name): label for name, label in EXPERT.items()}
    listed = [(_file_name(name), kind) for name, kind in zip(table[image], table[kind], strict=True)]
    unknown = [f"{name}: {kind!r}" for name, kind in listed if kind.strip() and _normalized(kind) not in known]
    if unknown:
        raise InputError(f"{file}: these cell types are unknown:", unknown, f"Known: {', '.join(EXPERT)}")
    rows = [(name, known.get(_normalized(kind), "")) for name, kind in listed]
    rows += [(name, "") for name in images if name not in {name for name, _ in listed}]
    return pd.DataFrame(rows, columns=["image", "label"], dtype="str")


def _column(file: Path, table: pd.DataFrame, headers: tuple[str, ...]) -> str:
    """The only column with one of these headers, ignoring case."""
    matches = [str(column) for column in table if _normalized(str(column)) in headers]
    if len(matches) != 1:
        raise InputError(
            f"{file}: exactly one column must be named {', '.join(headers[:-1])} or {headers[-1]}",
            [f"{column!r} matches" for column in matches],
            f"Columns: {', '.join(map(str, table.columns)) or 'none'}",
        )
    return matches[0]


def _normalized(text: str) -> str:
    """Normalize a header or cell type to lower-case words separated by single spaces."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _file_name(value: str) -> str:
    """The image's name; a table may omit the suffix or include the folder."""
    name = PurePosixPath(value.strip().replace("\\", "/")).name
    return name if not name or "." in name else f"{name}.tif"


DATASET = Dataset(
    name="all_idb2",
    title="ALL-IDB2: single cells of patients with acute lymphoblastic leukemia and of healthy people",
    licence="on request, for research",
    citation=(
        "Donida Labati R, Piuri V, Scotti F. ALL-IDB: the acute lymphoblastic leukemia image database for image "
        "processing. IEEE International Conference on Image Processing (2011), doi:10.1109/ICIP.2011.6115881"
    ),
    url="https://homes.di.unimi.it/scotti/all/",
    classes=frozenset({*DIAGNOSES.values(), *EXPERT.values()}),
    read=read,
)
