"""A small folder in each dataset's upstream layout, with all classes that its reader insists on."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cytocurve.core.taxonomy import MATEK


def draw(seed: int, width: int = 24, height: int = 20) -> Image.Image:
    """Coloured noise."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def save(path: Path, seed: int) -> None:
    """Write coloured noise in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(seed).save(path)


def make_folder(root: Path) -> None:
    """Two classes, one of them with a folder below it."""
    for seed in range(8):
        save(root / ("round" if seed % 2 else "lobed/old") / f"cell{seed}.png", seed)


def make_pbc(root: Path) -> None:
    """One image of every prefix, and a second neutrophil."""
    names = """basophil/BA_1 eosinophil/EO_2 erythroblast/ERB_3 ig/IG_4 ig/MMY_5 ig/MY_6 ig/PMY_7 lymphocyte/LY_8
    monocyte/MO_9 neutrophil/BNE_10 neutrophil/SNE_11 neutrophil/NEUTROPHIL_12 neutrophil/SNE_14 platelet/PLATELET_13"""
    for seed, name in enumerate(names.split()):
        save(root / "PBC_dataset_normal_DIB" / f"{name}.jpg", seed)


def make_starter(root: Path) -> None:
    """Four cells of each diagnosis, with both label tables."""
    rows = []
    for number in range(1, 9):
        ill = number <= 4
        row = {"image": f"Im{number:03d}_{int(ill)}.tif", "patient": f"P{number % 2 + 2 * ill}"}
        rows.append(row | {"diagnosis": "ALL" if ill else "healthy", "expert": "lymphoblast" if ill else "monocyte"})
        save(root / "img" / row["image"], number)
    for version in ("diagnosis", "expert"):
        table = pd.DataFrame(rows).rename(columns={version: "label"})
        table[["image", "label", "patient"]].to_csv(root / f"{version}.csv", index=False)


def make_aml_cytomorphology(root: Path) -> None:
    """One image of every class, two of them shown to the second examiner again."""
    again = {"EBO": "UNC EBO", "PMO": "MYO PMO"}
    lines = []
    for seed, code in enumerate(MATEK):
        name = f"{code}/{code}_0001.tiff"
        (root / code).mkdir(parents=True, exist_ok=True)
        draw(seed).convert("RGBA").save(root / name)
        lines.append(f"{name} {code} {again.get(code, 'nan nan')}\n")
    (root / "annotations.dat").write_text("".join(lines))


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "aml_cytomorphology": make_aml_cytomorphology,
    "folder": make_folder,
    "pbc": make_pbc,
    "starter": make_starter,
}


def silent(done: int, total: int) -> None:
    """Progress that nobody looks at."""
