"""Small folders in the upstream layout of each dataset, with all classes that its reader requires."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from cytocurve.core.data.taxonomy import MATEK
from cytocurve.datasets import bloodmnist


def draw(seed: int, width: int = 24, height: int = 20) -> Image.Image:
    """Colored noise."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def save(path: Path, seed: int) -> None:
    """Write colored noise in the format of the path's suffix."""
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


def make_all_idb2(root: Path) -> None:
    """Four cells of each diagnosis, and an expert's table of all but one of them."""
    types = ["lymphoblast", "Lymphocyte (atypical)", "lymphoblast", "lymphoblast", "Neutrophil (segmented)"]
    types += ["lymphocyte (typical)", "Thrombocyte"]
    for number in range(1, 9):
        save(root / "ALL_IDB2" / "img" / f"Im{number:03d}_{int(number <= 4)}.tif", number)
    rows = [(f"Im{number:03d}_{int(number <= 4)}.tif", kind) for number, kind in enumerate(types, start=1)]
    pd.DataFrame(rows, columns=["File", "Cell type"]).to_excel(root / "ALL_IDB2" / "expert.xlsx", index=False)


def make_c_nmc(root: Path) -> None:
    """Two subjects of each class in each training fold, five preliminary test images with labels, two final ones."""
    top = root / "C-NMC_Leukemia"
    for number in range(12):
        fold, kind, subject = f"fold_{number % 3}", ("all", "hem")[number // 6], number + 1
        name = f"UID_{'H' * (kind == 'hem')}{subject}_{number}_1_{kind}.bmp"
        save(top / "training_data" / fold / kind / name, number)
    rows = [f"UID_{name}.bmp,{new}.bmp,{int('all' in name)}" for new, name in enumerate(PRELIMINARY, start=1)]
    for new in range(1, len(PRELIMINARY) + 1):
        save(top / "validation_data" / "C-NMC_test_prelim_phase_data" / f"{new}.bmp", 20 + new)
    table = top / "validation_data" / "C-NMC_test_prelim_phase_data_labels.csv"
    table.write_text("\n".join(["Patient_ID,new_names,labels", *rows]) + "\n")
    for new in (1, 2):
        save(top / "testing_data" / "C-NMC_test_final_phase_data" / f"{new}.bmp", 30 + new)


PRELIMINARY = ("57_29_1_all", "57_22_2_all", "53_1_1_all", "H49_3_1_hem", "H39_2_2_hem")


def bloodmnist_arrays(pixels: int = 12) -> dict[str, NDArray[np.uint8]]:
    """The arrays of a BloodMNIST file with every label in training and half of them elsewhere."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for seed, (split, count) in enumerate((("train", 8), ("val", 4), ("test", 4))):
        rng = np.random.default_rng(seed)
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, pixels, pixels, 3), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count, dtype=np.uint8)[:, None]
    return arrays


def make_bloodmnist(root: Path) -> None:
    """What is unpacked from a BloodMNIST file."""
    root.mkdir(parents=True, exist_ok=True)
    file = root.parent / "bloodmnist.npz"
    np.savez_compressed(file, allow_pickle=False, **bloodmnist_arrays())
    bloodmnist.unpack(file, root, silent)


def make_table(root: Path) -> None:
    """Six images in two folders, and one table with two label versions, patients and folds."""
    rows = ["image,label:first,label:second,patient,fold"]
    for number in range(6):
        name = f"{'ab'[number % 2]}/cell {number}.png"
        save(root / name, number)
        rows.append(
            f"{name},{'dark' if number < 3 else 'light'},{'dark' if number < 2 else ''},P{number % 3},{number % 3}"
        )
    (root / "cells.csv").write_text("\n".join(rows) + "\n")


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
    "all_idb2": make_all_idb2,
    "aml_cytomorphology": make_aml_cytomorphology,
    "bloodmnist": make_bloodmnist,
    "c_nmc": make_c_nmc,
    "folder": make_folder,
    "pbc": make_pbc,
    "starter": make_starter,
    "table": make_table,
}


def silent(done: int, total: int) -> None:
    """Progress that is ignored."""
