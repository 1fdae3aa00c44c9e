"""C-NMC's names, folders and table become labels, subjects and official folds."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.datasets import c_nmc
from cytocurve.errors import InputError
from tests.datasets.dataset_makers import make_c_nmc, save
from tests.projects import ROOT

REAL = ROOT.parent / "shared" / "data" / "c-nmc-2019"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real images of C-NMC are not at ../shared/data/c-nmc-2019")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_c_nmc(tmp_path)
    return tmp_path


def cells(folder: Path) -> pd.DataFrame:
    return c_nmc.read(folder).labels["expert"].set_index("image")


def test_training_paths_give_class_subject_and_fold(source: Path) -> None:
    """Leukemic cells are lymphoblasts; the folder is the official fold."""
    table = cells(source)
    ill = table.loc["training_data/fold_1/all/UID_2_1_1_all.bmp"]
    healthy = table.loc["training_data/fold_0/hem/UID_H7_6_1_hem.bmp"]
    assert tuple(ill) == ("lymphoblast", "2", "fold_1")
    assert tuple(healthy) == ("lymphoid_precursor", "H7", "fold_0")


def test_preliminary_images_get_labels_and_subjects_from_their_table(source: Path) -> None:
    """The preliminary set's subjects come from original file names; the final set has neither label nor subject."""
    table = cells(source)
    assert tuple(table.loc[f"{c_nmc.PRELIMINARY}/4.bmp"]) == ("lymphoid_precursor", "H49", "preliminary")
    assert tuple(table.loc[f"{c_nmc.FINAL}/1.bmp"]) == ("", "", "final")
    assert c_nmc.read(source).skipped == {}


def test_inner_folder_can_be_given(source: Path) -> None:
    assert c_nmc.read(source / c_nmc.TOP).images.keys() == c_nmc.read(source).images.keys()


def test_test_sets_are_optional(source: Path) -> None:
    """The three training folds are enough."""
    for name in ("validation_data", "testing_data"):
        shutil.rmtree(source / c_nmc.TOP / name)
    assert set(cells(source)["fold"]) == set(c_nmc.FOLDS)


def test_incomplete_preliminary_set_is_reported(source: Path) -> None:
    """Rows without images are counted, not rejected."""
    for number in (2, 5):
        (source / c_nmc.TOP / c_nmc.PRELIMINARY / f"{number}.bmp").unlink()
    assert c_nmc.read(source).skipped == {
        c_nmc.PRELIMINARY_LABELS: "2 of its 5 images are missing: 2.bmp, 5.bmp",
    }


def test_all_missing_folds_are_named(source: Path) -> None:
    for fold in ("fold_0", "fold_2"):
        shutil.rmtree(source / c_nmc.TOP / "training_data" / fold)
    with pytest.raises(InputError, match="unpack it") as caught:
        c_nmc.read(source)
    assert caught.value.offenders == ("training_data/fold_0: no images", "training_data/fold_2: no images")


def test_preliminary_images_need_their_table(source: Path) -> None:
    (source / c_nmc.TOP / c_nmc.PRELIMINARY_LABELS).unlink()
    with pytest.raises(InputError, match=r"labels\.csv: no such file; it contains the labels of 5 images"):
        c_nmc.read(source)


def test_all_problems_of_the_table_are_listed(source: Path) -> None:
    """Invalid codes and names, contradictions, repeated rows and images without a row are reported in one error."""
    rows = """Patient_ID,new_names,labels
UID_57_29_1_all.bmp,1.bmp,2
cell.bmp,2.bmp,1
UID_53_1_1_all.bmp,3.bmp,0
UID_H49_3_1_hem.bmp,4.bmp,0
UID_H49_3_1_hem.bmp,4.bmp,0
"""
    (source / c_nmc.TOP / c_nmc.PRELIMINARY_LABELS).write_text(rows)
    with pytest.raises(InputError) as caught:
        c_nmc.read(source)
    assert caught.value.offenders == (
        "1.bmp: label '2' is neither 1 (all) nor 0 (hem)",
        "2.bmp: Patient_ID 'cell.bmp' is not UID_<subject>_<image>_<cell>_<all or hem>.bmp",
        "3.bmp: label '0' and Patient_ID 'UID_53_1_1_all.bmp' contradict each other",
        "4.bmp: 2 rows for one image",
        f"{c_nmc.PRELIMINARY}/5.bmp: an image without a row",
    )


def test_missing_columns_are_listed(source: Path) -> None:
    (source / c_nmc.TOP / c_nmc.PRELIMINARY_LABELS).write_text("Patient_ID,label\n")
    with pytest.raises(InputError) as caught:
        c_nmc.read(source)
    assert caught.value.offenders == ("column 'new_names' is missing", "column 'labels' is missing")


def test_training_names_without_a_subject_or_with_another_class_are_listed(source: Path) -> None:
    folder = source / c_nmc.TOP / "training_data" / "fold_0" / "all"
    save(folder / "cell.bmp", 1)
    save(folder / "UID_H1_1_1_hem.bmp", 2)
    with pytest.raises(InputError) as caught:
        c_nmc.read(source)
    assert caught.value.offenders == (
        "training_data/fold_0/all/cell.bmp: not UID_<subject>_<image>_<cell>_<all or hem>.bmp",
        "training_data/fold_0/all/UID_H1_1_1_hem.bmp: 'hem' in the folder 'all'",
    )


def test_images_elsewhere_are_skipped_with_a_reason(source: Path) -> None:
    """A fourth fold is not official."""
    save(source / c_nmc.TOP / "training_data" / "fold_3" / "all" / "UID_1_1_1_all.bmp", 1)
    assert list(c_nmc.read(source).skipped) == ["training_data/fold_3/all/UID_1_1_1_all.bmp"]


@pytest.mark.parametrize(
    ("path", "subject", "fold"),
    [
        ("C-NMC_Leukemia/training_data/fold_2/hem/UID_h3_4_1_hem.bmp", "H3", "fold_2"),
        ("training_data/fold_0/all/UID_21_4_1_all.bmp", "21", "fold_0"),
        ("UID_H49_1_2_hem.bmp", "H49", None),
        ("C-NMC_Leukemia/validation_data/C-NMC_test_prelim_phase_data/7.bmp", None, "preliminary"),
        ("C-NMC_Leukemia/validation_data/C-NMC_test_prelim_phase_data_labels.csv", None, None),
        ("C-NMC_Leukemia/testing_data/C-NMC_test_final_phase_data/7.bmp", None, "final"),
    ],
)
def test_paths_give_subject_and_fold(path: str, subject: str | None, fold: str | None) -> None:
    """The lower-case h of one subject is the same scheme as H."""
    assert (c_nmc.subject_of(path), c_nmc.fold_of(path)) == (subject, fold)


@real
def test_real_sample_is_read() -> None:
    """Thirteen images of nine subjects, including h3 as H3, and an incomplete preliminary set."""
    listing = c_nmc.read(REAL)
    table = listing.labels["expert"]
    assert dict(table["fold"].value_counts()) == {"preliminary": 4, "fold_0": 3, "fold_1": 3, "fold_2": 3}
    assert dict(table["label"].value_counts()) == {"lymphoblast": 7, "lymphoid_precursor": 6}
    assert set(table["patient"]) == {"1", "2", "3", "H2", "H3", "H10", "H49", "53", "57", "58"}
    assert listing.skipped[c_nmc.PRELIMINARY_LABELS].startswith("1,863 of its 1,867 images are missing: 1.bmp, ")


@real
def test_real_folds_share_no_subject() -> None:
    """The full list of upstream's files has 47 + 26 subjects in training, none of them in two folds."""
    paths = pd.read_csv(REAL / "upstream_inventory.csv.gz")["path"]
    folds = paths.map(c_nmc.fold_of)
    assert dict(folds.value_counts()) == {
        "fold_0": 3527, "fold_1": 3581, "fold_2": 3553, "preliminary": 1867, "final": 2586,
    }  # fmt: skip
    subjects = paths[folds.isin(c_nmc.FOLDS)].map(c_nmc.subject_of)
    assert subjects.notna().all()
    assert sum(name.startswith("H") for name in set(subjects)) == 26
    assert (folds[subjects.index].groupby(subjects).nunique() == 1).all()
    assert subjects.nunique() == 47 + 26
