"""AML-Cytomorphology_LMU's class folders and ``annotations.dat`` become three label versions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cytocurve.core.data.labels import class_counts
from cytocurve.core.data.taxonomy import MATEK
from cytocurve.datasets import aml_cytomorphology as aml
from cytocurve.errors import InputError
from tests.datasets.dataset_makers import make_aml_cytomorphology, save
from tests.projects import ROOT

REAL = ROOT.parent / "shared" / "data" / "aml-cytomorphology-lmu"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_aml_cytomorphology(tmp_path)
    return tmp_path


def rewrite(source: Path, change: Callable[[str], str]) -> None:
    path = source / aml.ANNOTATIONS
    path.write_text(change(path.read_text()))


def row_of(source: Path, image: str) -> dict[str, tuple[str, str]]:
    """Label and annotator of an image in each version."""
    tables = {version: table.set_index("image") for version, table in aml.tables_of(source).items()}
    return {version: (table["label"][image], table["annotator"][image]) for version, table in tables.items()}


def test_codes_become_the_taxonomys_names(source: Path) -> None:
    """Gold by one examiner, both re-annotations by another."""
    assert row_of(source, "PMO/PMO_0001.tiff") == {
        "gold": ("promyelocyte", "examiner_1"),
        "first": ("myeloblast", "examiner_2"),
        "second": ("promyelocyte", "examiner_2"),
    }


def test_not_shown_and_not_assignable_are_both_unlabeled_but_distinguished(source: Path) -> None:
    """Only an image that the examiner saw has an annotator."""
    assert row_of(source, "BAS/BAS_0001.tiff") == {
        "gold": ("basophil", "examiner_1"),
        "first": ("", ""),
        "second": ("", ""),
    }
    assert row_of(source, "EBO/EBO_0001.tiff")["first"] == ("", "examiner_2")


def test_images_are_named_by_their_class_folders(source: Path) -> None:
    """One line per image, whether the class folders are next to annotations.dat or in the archive's folder."""
    listing = aml.read(source)
    assert set(listing.images) == set(listing.labels["gold"]["image"])
    top = source / aml.TOPS[0]
    top.mkdir()
    for code in MATEK:
        (source / code).rename(top / code)
    assert aml.read(source).images.keys() == listing.images.keys()
    (source / aml.ANNOTATIONS).rename(top / aml.ANNOTATIONS)
    assert aml.read(source).images.keys() == listing.images.keys()


def test_tables_need_only_the_label_file(source: Path, tmp_path: Path) -> None:
    """No image is needed to read the label versions."""
    alone = tmp_path / "alone"
    alone.mkdir()
    (source / aml.ANNOTATIONS).rename(alone / aml.ANNOTATIONS)
    assert aml.DATASET.tables is not None
    assert list(aml.DATASET.tables(alone)) == ["gold", "first", "second"]


def test_unmatched_images_and_lines_are_all_named(source: Path) -> None:
    """Lines without images, images without lines, invalid images and empty folders are reported in one error."""
    (source / "BAS/BAS_0001.tiff").unlink()
    (source / "KSC/KSC_0001.tiff").write_text("text")
    rewrite(source, lambda text: text.replace("KSC/KSC_0001", "KSC/KSC_0002") + "KSC/KSC_0001.tiff KSC nan nan\n")
    save(source / "KSC/KSC_0002.tiff", 98)
    save(source / "MON/MON_0099.tiff", 99)
    with pytest.raises(InputError) as caught:
        aml.read(source)
    no_image = "not an image: its format is none of BMP, JPEG, PNG, TIFF, WEBP"
    assert caught.value.offenders == (
        "BAS/: no images; annotations.dat has 1",
        f"KSC/KSC_0001.tiff: in annotations.dat, but the image is missing: {no_image}",
        "MON/MON_0099.tiff: not in annotations.dat",
    )


def test_unusable_lines_are_all_named(source: Path) -> None:
    """Unknown codes with line, version and nearest code; too few fields; repeated images."""
    rewrite(
        source,
        lambda text: (
            text.replace("BAS nan nan", "BAX nan nan").replace("PMO MYO PMO", "PMO nan Q")
            + "MON/MON_0001.tiff MON nan nan\n\nMON/MON_0003.tiff MON\n"
        ),
    )
    with pytest.raises(InputError) as caught:
        aml.tables_of(source)
    lines = len(MATEK)
    assert caught.value.offenders == (
        "line 1: gold: unknown code 'BAX'; did you mean 'BAS'?",
        "line 15: second: unknown code 'Q'",
        f"line {lines + 1}: MON/MON_0001.tiff is already in line 9",
        f"line {lines + 3}: 2 fields",
    )


def test_gold_labels_every_image(source: Path) -> None:
    """``nan`` and ``UNC`` are codes of the re-annotations alone."""
    rewrite(source, lambda text: text.replace("BAS nan nan", "UNC nan nan"))
    with pytest.raises(InputError, match="line 1: gold: unknown code 'UNC'"):
        aml.tables_of(source)


@pytest.mark.parametrize("content", [None, "", "\n\n"])
def test_folder_without_annotations_is_rejected(content: str | None, source: Path) -> None:
    """A missing or empty label file is named."""
    (source / aml.ANNOTATIONS).unlink()
    if content is not None:
        (source / aml.ANNOTATIONS).write_text(content)
    with pytest.raises(InputError, match=r"annotations\.dat"):
        aml.read(source)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real labels are not at ../shared/data/aml-cytomorphology-lmu")
def test_real_label_file_has_the_published_counts() -> None:
    """18,365 gold labels in 15 classes as in table 1 of Matek et al. 2019, 1,905 of them annotated twice more."""
    tables = aml.tables_of(REAL)
    counts = class_counts(tables["gold"]["label"])
    assert (sum(counts.values()), len(counts)) == (18365, 15)
    assert (counts["neutrophil_segmented"], counts["myeloblast"], counts["smudge_cell"]) == (8484, 3268, 15)
    for version, not_assigned in (("first", 63), ("second", 208)):
        table = tables[version]
        assert (table["annotator"] != "").sum() == 1905
        assert ((table["annotator"] != "") & (table["label"] == "")).sum() == not_assigned
