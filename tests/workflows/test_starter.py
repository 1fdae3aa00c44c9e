"""The starter is drawn identically everywhere and can be learned."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cytocurve import datasets
from cytocurve.datasets import Listing, starter
from cytocurve.errors import InputError

FINGERPRINT = "5285aa384450b8be20b44910fe0e0dfef2441ce0e241c9d4bea98d17efe70b86"

SCHOUTEN_TABLE_1 = {
    "basophil": 1,
    "erythroblast": 1,
    "eosinophil": 2,
    "lymphoblast": 126,
    "lymphocyte_atypical": 12,
    "lymphocyte_typical": 52,
    "metamyelocyte": 1,
    "monocyte": 5,
    "neutrophil_segmented": 22,
    "thrombocyte": 28,
}


@pytest.fixture(scope="session")
def listing(drawn: Path) -> Listing:
    return starter.read(drawn)


@pytest.fixture(scope="session")
def digests(listing: Listing) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in listing.images.items()}


@pytest.fixture(scope="session")
def expert(listing: Listing, digests: dict[str, str]) -> pd.DataFrame:
    """The expert's table of the 250 distinct images."""
    table = listing.labels["expert"].assign(digest=lambda rows: rows["image"].map(digests))
    return table.drop_duplicates("digest").reset_index(drop=True)


def test_starter_is_a_dataset_of_the_package() -> None:
    """The starter is found by its name and states that it is not medical data."""
    assert datasets.load("starter").name == "starter"
    assert "not medical data" in starter.DATASET.title


def test_starter_has_260_images_named_as_in_all_idb2(listing: Listing) -> None:
    """Im001_1 to Im130_1 come from patients with ALL, Im131_0 to Im260_0 from healthy ones."""
    assert list(listing.images) == [f"Im{n:03d}_{int(n <= 130)}.tif" for n in range(1, 261)]


def test_images_are_257_pixels_square_rgb_uncompressed_tiff(listing: Listing) -> None:
    """Every image is an uncompressed RGB TIFF of 257x257 pixels."""
    for path in listing.images.values():
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("TIFF", "RGB", (257, 257))
            assert image.info["compression"] == "raw"


def test_type_counts_match_schouten_table_1(expert: pd.DataFrame) -> None:
    """The 250 distinct images contain the ten cell types in the numbers of the paper."""
    assert dict(Counter(expert["label"])) == SCHOUTEN_TABLE_1


def test_diagnosis_splits_the_distinct_images_in_half(listing: Listing, expert: pd.DataFrame) -> None:
    """Of the distinct images 125 come from patients with ALL and 125 from healthy ones."""
    table = listing.labels["diagnosis"]
    assert dict(Counter(table[table["image"].isin(expert["image"])]["label"])) == {"ALL": 125, "healthy": 125}


def test_ten_images_duplicate_ten_others(digests: dict[str, str]) -> None:
    """Exactly ten pairs of files are byte-identical."""
    assert Counter(Counter(digests.values()).values()) == {1: 240, 2: 10}


@pytest.mark.parametrize("version", starter.VERSIONS)
def test_duplicates_have_one_label_and_one_patient(version: str, listing: Listing, digests: dict[str, str]) -> None:
    """Identical files have the same label."""
    table = listing.labels[version]
    groups = table.groupby(table["image"].map(digests))
    assert (groups[["label", "patient"]].nunique() == 1).all(axis=None)


@pytest.mark.parametrize("version", starter.VERSIONS)
def test_every_image_has_a_known_label_and_a_patient(version: str, listing: Listing) -> None:
    """Both label versions cover every image once, with labels that the dataset declares."""
    table = listing.labels[version]
    assert sorted(table["image"]) == sorted(listing.images)
    assert starter.DATASET.classes is not None
    assert set(table["label"]) <= starter.DATASET.classes
    assert (table["patient"] != "").all()


def test_versions_disagree_on_some_cells(listing: Listing, expert: pd.DataFrame) -> None:
    """Some cells of patients with ALL are not blasts, and some that look like blasts are from healthy patients."""
    diagnosis = listing.labels["diagnosis"].set_index("image")["label"]
    pairs = Counter(zip(expert["image"].map(diagnosis) == "ALL", expert["label"] == "lymphoblast", strict=True))
    assert pairs[True, False] == 10
    assert pairs[False, True] == 11


def test_patient_has_one_diagnosis(listing: Listing) -> None:
    """No patient has both diagnoses."""
    assert (listing.labels["diagnosis"].groupby("patient")["label"].nunique() == 1).all()


def test_every_smear_contains_both_diagnoses() -> None:
    """A smear's stain does not give the diagnosis away, and a patient's cells lie on one smear."""
    plan = pd.DataFrame(starter.specimens())
    assert (plan.groupby("smear")["diagnosis"].nunique() == 2).all()
    assert (plan.groupby("patient")["smear"].nunique() == 1).all()


@pytest.mark.parametrize("kind", sorted(starter.LOOKS))
def test_painting_twice_gives_the_same_pixels(kind: str) -> None:
    """Specimen and smears determine the pixels."""
    cell = starter.Specimen("", "healthy", kind, "P01", 0, 7)
    assert np.array_equal(starter.paint(cell, starter.slides()), starter.paint(cell, starter.slides()))


def test_files_match_the_recorded_hashes(digests: dict[str, str]) -> None:
    """The drawing is byte-identical to that of the machine where this test was written."""
    assert hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest() == FINGERPRINT


@pytest.mark.slow
def test_mean_colors_do_not_separate_blasts(listing: Listing, expert: pd.DataFrame) -> None:
    """A logistic regression on the means and deviations of the colors has a ROC-AUC below 0.85."""
    pixels = [np.asarray(Image.open(listing.images[name]), dtype=np.float64) for name in expert["image"]]
    features = np.array([[*image.mean((0, 1)), *image.std((0, 1))] for image in pixels])
    blast: NDArray[np.bool_] = (expert["label"] == "lymphoblast").to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, blast, cv=folds, method="predict_proba")[:, 1]
    assert 0.6 < roc_auc_score(blast, scores) < 0.85


def test_folder_without_tables_is_rejected(tmp_path: Path) -> None:
    """Reading another folder names the tables that are missing."""
    with pytest.raises(InputError) as caught:
        starter.read(tmp_path)
    assert caught.value.offenders == ("diagnosis.csv", "expert.csv")


def test_table_without_its_columns_is_rejected(tmp_path: Path) -> None:
    """Reading names every column that a table lacks."""
    (tmp_path / "diagnosis.csv").write_text("image,label,patient\n")
    (tmp_path / "expert.csv").write_text("image\n")
    with pytest.raises(InputError) as caught:
        starter.read(tmp_path)
    assert caught.value.offenders == ("expert.csv: column label", "expert.csv: column patient")


def test_missing_images_named_in_a_table_are_rejected(tmp_path: Path) -> None:
    """Reading reports every image that is in a table but not in the folder."""
    for version in starter.VERSIONS:
        (tmp_path / f"{version}.csv").write_text("image,label,patient\nIm001_1.tif,,P01\n")
    with pytest.raises(InputError) as caught:
        starter.read(tmp_path)
    assert caught.value.offenders == ("img/Im001_1.tif",)


def test_images_absent_from_all_tables_are_skipped_with_a_reason(tmp_path: Path) -> None:
    """An image that no table names is skipped and reported."""
    (tmp_path / "img").mkdir()
    for version in starter.VERSIONS:
        (tmp_path / f"{version}.csv").write_text("image,label,patient\nIm001_1.tif,,P01\n")
    for name in ("Im001_1.tif", "Im002_1.tif"):
        (tmp_path / "img" / name).touch()
    listing = starter.read(tmp_path)
    assert list(listing.images) == ["Im001_1.tif"]
    assert listing.skipped == {"img/Im002_1.tif": "not in any label table"}
    assert list(listing.labels["expert"]["label"]) == [""]
