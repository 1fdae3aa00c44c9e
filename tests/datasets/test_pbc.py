"""PBC's folders and prefixes become two label versions."""

import shutil
from pathlib import Path

import pytest

from cytocurve.datasets import pbc
from cytocurve.errors import InputError
from tests.datasets.dataset_makers import make_pbc, save


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_pbc(tmp_path)
    return tmp_path


def test_folders_and_prefixes_are_label_versions(source: Path) -> None:
    """The folder gives eight classes, the prefix finer ones, both by the taxonomy's names."""
    tables = pbc.read(source).labels
    given = {v: dict(zip(table["image"], table["label"], strict=True)) for v, table in tables.items()}
    assert given["folder"]["ig/MY_6.jpg"] == "immature_granulocyte"
    assert given["prefix"]["ig/MY_6.jpg"] == "myelocyte"
    assert given["folder"]["neutrophil/BNE_10.jpg"] == "neutrophil"
    assert given["prefix"]["neutrophil/BNE_10.jpg"] == "neutrophil_band"
    assert given["folder"]["platelet/PLATELET_13.jpg"] == given["prefix"]["platelet/PLATELET_13.jpg"] == "thrombocyte"
    assert set(given["folder"].values()) == set(pbc.FOLDERS.values())
    assert set(given["prefix"].values()) == set(pbc.PREFIXES.values())


def test_inner_folder_can_be_given(source: Path) -> None:
    """PATH may be PBC_dataset_normal_DIB itself; images are named alike."""
    assert pbc.read(source / pbc.TOP).images.keys() == pbc.read(source).images.keys()


def test_all_missing_and_empty_class_folders_are_named(source: Path) -> None:
    """An incomplete dataset is rejected, and every class folder without images is listed."""
    shutil.rmtree(source / pbc.TOP / "ig")
    (source / pbc.TOP / "platelet" / "PLATELET_13.jpg").unlink()
    with pytest.raises(InputError) as caught:
        pbc.read(source)
    assert caught.value.offenders == (f"{pbc.TOP}/ig: no images", f"{pbc.TOP}/platelet: no images")


def test_all_unknown_prefixes_are_named(source: Path) -> None:
    """A prefix without a label is an error that lists every such file."""
    save(source / pbc.TOP / "ig" / "XY_1.jpg", 1)
    save(source / pbc.TOP / "basophil" / "cell.jpg", 2)
    with pytest.raises(InputError) as caught:
        pbc.read(source)
    assert caught.value.offenders == ("basophil/cell.jpg: 'cell'", "ig/XY_1.jpg: 'XY'")


def test_skipped_files_have_a_reason(source: Path) -> None:
    """Hidden files, text, empty files, images elsewhere and links out of the folder are skipped, each with a reason."""
    top = source / pbc.TOP
    (top / "neutrophil" / ".DS_169665.jpg").write_text("junk")
    (top / "neutrophil" / "SNE_99.jpg").write_text("text")
    (top / "neutrophil" / "readme.txt").write_text("text")
    save(top / "BA_5.jpg", 5)
    save(source / "outside.jpg", 6)
    (top / "basophil" / "BA_6.jpg").symlink_to(source / "outside.jpg")
    (top / "basophil" / "BA_7.jpg").symlink_to(source / "nowhere.jpg")
    (top / "basophil" / "BA_8.jpg").symlink_to(top / "basophil" / "BA_1.jpg")
    (top / "monocyte" / "loop").symlink_to(top)
    listing = pbc.read(source)
    assert listing.skipped == {
        "BA_5.jpg": "not directly in one of the class folders",
        "basophil/BA_6.jpg": "link that leads outside the folder; not followed",
        "basophil/BA_7.jpg": "link to a file that does not exist",
        "monocyte/loop": "link to a folder; not followed",
        "neutrophil/.DS_169665.jpg": "hidden file",
        "neutrophil/SNE_99.jpg": "not an image: its format is none of BMP, JPEG, PNG, TIFF, WEBP",
        "neutrophil/readme.txt": "not an image suffix (.bmp .jpeg .jpg .png .tif .tiff .webp)",
    }
    assert "basophil/BA_8.jpg" in listing.images
