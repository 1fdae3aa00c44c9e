"""ALL-IDB2: diagnoses from file names, cell types from an optional table."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cytocurve.core.data.taxonomy import CELL_TYPES
from cytocurve.datasets import all_idb2
from cytocurve.errors import InputError
from tests.datasets.dataset_makers import make_all_idb2, save


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_all_idb2(tmp_path)
    return tmp_path


def given(folder: Path, version: str) -> dict[str, str]:
    table = all_idb2.read(folder).labels[version]
    return dict(zip(table["image"], table["label"], strict=True))


def write_table(source: Path, text: str) -> None:
    """An expert's table as CSV instead of the XLSX."""
    (source / "ALL_IDB2" / "expert.xlsx").unlink(missing_ok=True)
    (source / "ALL_IDB2" / "img" / "types.csv").write_text(text)


def test_digit_in_the_name_is_the_diagnosis(source: Path) -> None:
    """1 is ALL, 0 is healthy, and the image is named as upstream names it."""
    result = given(source, "diagnosis")
    assert result["Im001_1.tif"] == "ALL"
    assert result["Im008_0.tif"] == "healthy"
    assert len(result) == 8


def test_spreadsheet_gives_the_experts_types(source: Path) -> None:
    """Types are read ignoring case and named as in the taxonomy; an image missing from the sheet has no label."""
    result = given(source, "expert")
    assert result["Im002_1.tif"] == "lymphocyte_atypical"
    assert result["Im005_0.tif"] == "neutrophil_segmented"
    assert result["Im007_0.tif"] == "thrombocyte"
    assert result["Im008_0.tif"] == ""


def test_ten_types_are_in_the_taxonomy() -> None:
    assert len(all_idb2.EXPERT) == 10
    assert all_idb2.DATASET.classes is not None
    assert all_idb2.DATASET.classes <= set(CELL_TYPES)


@pytest.mark.parametrize("header", ["image,label", "FILE,Type", "Image_Name,Class", "no,file name,cell-type"])
def test_headers_are_read_in_any_case(header: str, source: Path) -> None:
    """Image names may include a folder or a backslash, or lack the suffix."""
    first = "1," if header.startswith("no") else ""
    names = {"img/Im001_1.tif": "Im001_1.tif", r"img\Im002_1.tif": "Im002_1.tif", "Im003_1": "Im003_1.tif"}
    write_table(source, "\n".join([header, *(f"{first}{name},monocyte" for name in names), ""]))
    assert {name for name, label in given(source, "expert").items() if label == "monocyte"} == set(names.values())


@pytest.mark.parametrize("inner", ["", "ALL_IDB2", "ALL_IDB2/img"])
def test_any_of_the_folders_can_be_given(inner: str, source: Path) -> None:
    """PATH may be the unpacked folder, the ALL_IDB2 in it, or its images; names are the same."""
    assert all_idb2.read(source / inner).images.keys() == all_idb2.read(source).images.keys()


def test_dataset_without_a_table_has_only_the_diagnosis(source: Path) -> None:
    (source / "ALL_IDB2" / "expert.xlsx").unlink()
    assert list(all_idb2.read(source).labels) == ["diagnosis"]


def test_all_unknown_types_are_listed(source: Path) -> None:
    """The error also lists the known types."""
    write_table(source, "image,label\nIm001_1.tif,blast\nIm002_1.tif,monocyte\nIm003_1.tif,plasma cell\n")
    with pytest.raises(InputError, match=r"Known: basophil, .*lymphocyte \(atypical\)") as caught:
        all_idb2.read(source)
    assert caught.value.offenders == ("Im001_1.tif: 'blast'", "Im003_1.tif: 'plasma cell'")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture,label\n", r"one column must be named image, (.|\n)*Columns: picture, label"),
        ("image,label,type\n", r"'label' matches(.|\n)*'type' matches"),
        ("image,label\nIm001_1.tif\n", r"types\.csv: cannot be used as a table: .*line 2"),
        ("image;label\nIm001_1.tif;monocyte\n", "its fields are separated by ';': save it with commas"),
    ],
)
def test_table_of_another_form_is_rejected(text: str, message: str, source: Path) -> None:
    write_table(source, text)
    with pytest.raises(InputError, match=message):
        all_idb2.read(source)


def test_second_table_is_rejected(source: Path) -> None:
    """Both are named, whichever folder they are in."""
    for folder in (source, source / "ALL_IDB2"):
        pd.DataFrame({"image": ["Im001_1.tif"], "label": ["monocyte"]}).to_csv(folder / "types.csv", index=False)
    with pytest.raises(InputError) as caught:
        all_idb2.read(source)
    assert len(caught.value.offenders) == 3


def one_diagnosis(source: Path) -> None:
    for path in (source / "ALL_IDB2" / "img").glob("*_0.tif"):
        path.unlink()


def all_idb1(source: Path) -> None:
    for path in (source / "ALL_IDB2" / "img").glob("*.tif"):
        path.unlink()
    save(source / "ALL_IDB2" / "img" / "Im001_1.jpg", 1)


@pytest.mark.parametrize(("change", "missing"), [(one_diagnosis, ["0"]), (all_idb1, ["0", "1"])])
def test_missing_parts_are_named(change: Callable[[Path], None], missing: list[str], source: Path) -> None:
    """Half of the dataset, and ALL-IDB1 with its JPEGs of whole fields, are refused."""
    change(source)
    with pytest.raises(InputError) as caught:
        all_idb2.read(source)
    assert [line[6] for line in caught.value.offenders] == missing


def test_files_with_other_names_are_skipped_with_a_reason(source: Path) -> None:
    save(source / "ALL_IDB2" / "img" / "Im001_1 (copy).tif", 1)
    assert all_idb2.read(source).skipped == {"Im001_1 (copy).tif": "not named ImNNN_<0 or 1>.tif"}
