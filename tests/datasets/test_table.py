"""A table lists paths and labels of images in any folder below it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cytocurve.datasets import table
from cytocurve.errors import InputError
from cytocurve.ingest.listed_images import listed_images
from tests.datasets.dataset_makers import make_table, save


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_table(tmp_path / "cells")
    return tmp_path / "cells"


def rewrite(source: Path, text: str) -> None:
    (source / "cells.csv").write_text(text)


def offenders(source: Path) -> tuple[str, ...]:
    with pytest.raises(InputError, match=r"cells\.csv") as caught:
        table.read(source)
    assert caught.value.hint or caught.value.next_step
    return caught.value.offenders


def test_every_label_column_is_a_version(source: Path) -> None:
    """Patients and folds are in each of them; an empty field means unlabeled."""
    tables = table.read(source).labels
    assert list(tables) == ["first", "second"]
    assert tables["second"].to_dict("records")[2] == {
        "image": "a/cell 2.png", "label": "", "patient": "P2", "fold": "2",
    }  # fmt: skip


def test_single_label_column_becomes_the_version_table(source: Path) -> None:
    """Unknown columns are reported and ignored; paths are normalized."""
    rewrite(source, "image,label,annotator,note\n./a//cell 0.png,dark,Ann,x\nb/cell 1.png,light,Bo,y\n")
    listing = table.read(source)
    assert list(listing.images) == ["a/cell 0.png", "b/cell 1.png"]
    assert list(listing.labels["table"].columns) == ["image", "label", "annotator"]
    assert list(listing.labels["table"]["image"]) == ["a/cell 0.png", "b/cell 1.png"]
    assert list(listing.skipped) == ["cells.csv, column 'note'"]


def test_file_itself_can_be_given(source: Path) -> None:
    """Other tables in its folder are then ignored."""
    (source / "other.csv").write_text("a,b\n")
    assert len(table.read(source / "cells.csv").images) == 6
    assert len(table.tables(source / "cells.csv")["first"]) == 6


def test_workbook_is_read_like_a_csv_file(source: Path) -> None:
    """Numbers are read as displayed; empty rows and hidden files are skipped."""
    frame = pd.read_csv(source / "cells.csv").assign(patient=range(6))
    frame = pd.concat([frame, pd.DataFrame([{}]), frame.head(0)])
    (source / "cells.csv").unlink()
    frame.to_excel(source / "cells.xlsx", index=False)
    (source / "~$cells.xlsx").write_text("Excel's lock")
    result = table.read(source).labels["second"]
    assert list(result["patient"]) == [*"012345"]
    assert list(result["label"]) == ["dark", "dark", "", "", "", ""]


def test_labels_can_be_read_without_images(source: Path) -> None:
    """``tables`` gives what ``read`` gives, and does not look for images."""
    whole = table.read(source).labels
    for path in source.rglob("*.png"):
        path.unlink()
    alone = table.tables(source)
    assert list(alone) == list(whole)
    assert all(alone[version].equals(whole[version]) for version in whole)


def test_unusable_paths_are_all_listed(source: Path) -> None:
    """One error for paths outside the folder, missing, repeated, empty, or not an image."""
    save(source.parent / "outside.png", 1)
    (source / "link.png").symlink_to(source.parent / "outside.png")
    (source / "way").symlink_to(source.parent)
    (source / "text.png").write_text("text")
    names = ["../outside.png", str(source / "a/cell 0.png"), "link.png", "way/outside.png", "gone.png", "text.png"]
    names += ["a", "a\\cell 0.png", "", "b/cell 1.png", "b//cell 1.png", "x" * 300 + ".png"]
    rewrite(source, "\n".join(["image,label", *(f"{name},dark" for name in names), ""]))
    assert offenders(source) == (
        f"'../outside.png': not a path below {source}",
        f"'{source}/a/cell 0.png': not a path below {source}",
        f"'link.png': leads outside {source}",
        f"'way/outside.png': leads outside {source}",
        "'gone.png': no such file",
        "'text.png': not an image: its format is none of BMP, JPEG, PNG, TIFF, WEBP",
        "'a': not an image suffix (.bmp .jpeg .jpg .png .tif .tiff .webp)",
        r"'a\\cell 0.png': no such file",
        "row 9: the image is missing",
        f"'{'x' * 300}.png': cannot be read: File name too long",
        "'b/cell 1.png': 2 rows for one image",
    )


def test_all_invalid_columns_are_listed(source: Path) -> None:
    rewrite(source, "picture,label:a/b,label:,label,label:table,patient,patient\n")
    assert offenders(source) == (
        "column 'image' is missing",
        "column 'patient' occurs twice",
        "column 'label:a/b': 'a/b' cannot be a label version's name (up to 100 letters, digits, '_' and '.')",
        "column 'label:': '' cannot be a label version's name (up to 100 letters, digits, '_' and '.')",
        "columns 'label' and 'label:table' are the same label version",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"Columns: none"),
        ("image,class\n", r"a column 'label' or 'label:<version>' is missing(.|\n)*Columns: image, class"),
        ("image,label\na.png\n", r"cannot be used as a table: .*1 in line 2"),
    ],
)
def test_table_of_another_form_is_rejected(text: str, message: str, source: Path) -> None:
    rewrite(source, text)
    with pytest.raises(InputError, match=message):
        table.read(source)


@pytest.mark.parametrize("name", ["broken.xlsx", "latin.csv", "cells.txt"])
def test_file_that_is_not_a_table_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK \xff\xfe image,label")
    with pytest.raises(InputError, match=name) as caught:
        table.read(tmp_path / name)
    assert caught.value.next_step


def test_several_tables_in_a_folder_are_named(source: Path) -> None:
    """None of several tables is chosen, and a folder without a table is rejected."""
    (source / "other.csv").touch()
    with pytest.raises(InputError, match="several tables") as caught:
        table.read(source)
    assert caught.value.offenders == ("cells.csv", "other.csv")
    with pytest.raises(InputError, match="no table"):
        table.read(source / "a")


@given(values=st.lists(st.text(st.sampled_from("ab./\\ \0é~1"), max_size=9) | st.text(max_size=5), max_size=6))
def test_table_path_never_leaves_the_folder(values: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """For any table, each row is either an image in the folder or listed in the error."""
    folder = tmp_path_factory.getbasetemp() / "law"
    if not folder.exists():
        save(folder / "a" / "b.png", 1)
    images, wrong = listed_images(folder, [*values, "a/b.png"])
    assert all(path.is_file() and path.resolve().is_relative_to(folder.resolve()) for path in images.values())
    assert len(wrong) >= len([value for value in values if value.strip("./") != "a/b.png"])


def test_images_with_16_bits_are_rejected_with_a_suitable_next_step(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "cells.csv").write_text("image,label\ndeep.png,a\n")
    with pytest.raises(InputError, match="16 bits per channel") as caught:
        table.read(tmp_path / "cells.csv")
    assert "convert them to 8 bits" in caught.value.next_step


def test_table_without_rows_is_rejected(source: Path) -> None:
    rewrite(source, "image,label\n")
    assert offenders(source) == ("there are no rows below them",)


def test_name_in_another_unicode_form_is_the_same_file(source: Path) -> None:
    save(source / "gro\u0308ße/z\xe9.png", 1)
    rewrite(source, "image,label\ngr\xf6ße/ze\u0301.png,dark\nb/cell 1.png,light\n")
    listing = table.read(source)
    assert listing.notes == {}
    assert list(listing.images) == ["b/cell 1.png", "gr\xf6ße/z\xe9.png"]
    assert listing.images["gr\xf6ße/z\xe9.png"].is_file()
    assert set(listing.labels["table"]["image"]) == set(listing.images)


def test_files_with_one_name_in_two_unicode_forms_are_rejected_with_both_names(source: Path) -> None:
    save(source / "o\u0308.png", 1)
    save(source / "\xf6.png", 2)
    rewrite(source, "image,label\n\xf6.png,dark\nb/cell 1.png,light\n")
    (line,) = offenders(source)
    assert r"'o\u0308.png' and '\xf6.png'" in line


def test_names_that_differ_only_in_spelling_are_rejected_in_pairs(source: Path) -> None:
    rewrite(source, "image,label,patient\na/cell 0.png,Dark,001\nb/cell 1.png,dark,1\n")
    assert offenders(source) == ("label 'Dark' = 'dark'", "patient '001' = '1'")


def test_several_rows_per_image_become_one_version_per_annotator(source: Path) -> None:
    rewrite(
        source,
        "image,label,annotator,patient\na/cell 0.png,dark,Dr. Zoë A,P1\na/cell 0.png,light,Bo,P1\n"
        "b/cell 1.png,light,Bo,P2\n",
    )
    listing = table.read(source)
    tables = listing.labels
    assert list(tables) == ["Bo", "Dr._Zoe_A"]
    assert listing.notes == {
        "images have several rows, one per annotator, so that each annotator is a label version": [
            "Bo by Bo", "Dr._Zoe_A by Dr. Zoë A",
        ]
    }  # fmt: skip
    assert tables["Dr._Zoe_A"].to_dict("records") == [
        {"image": "a/cell 0.png", "label": "dark", "patient": "P1", "annotator": "Dr. Zoë A"},
        {"image": "b/cell 1.png", "label": "", "patient": "P2", "annotator": ""},
    ]
    assert tables["Bo"]["label"].tolist() == ["light", "light"]


def test_repeated_rows_without_distinct_annotators_are_rejected_with_a_hint(source: Path) -> None:
    for rows in ("image,label\nb/cell 1.png,dark\nb/cell 1.png,light\n",
                 "image,label,annotator\nb/cell 1.png,dark,A\nb/cell 1.png,light,A\n"):  # fmt: skip
        rewrite(source, rows)
        with pytest.raises(InputError, match="2 rows for one image") as caught:
            table.read(source)
        assert "column annotator" in caught.value.hint


@pytest.mark.parametrize("name", ["@eaDir/thumb.png", "a/.cache/thumb.png"])
def test_an_image_in_a_folder_that_holds_no_data_is_refused(name: str, source: Path) -> None:
    save(source / name, 1)
    rewrite(source, f"image,label\n{name},dark\nb/cell 1.png,light\n")
    (line,) = offenders(source)
    assert line.startswith(f"'{name}': in a folder that is skipped: ")


def test_a_missing_image_is_named_with_the_files_that_are_spelled_like_it(source: Path) -> None:
    save(source / "b/cell 01.png", 1)
    rewrite(source, "image,label\nB/Cell 001.png,dark\nb/cell 2.png,light\n")
    assert offenders(source) == (
        "'B/Cell 001.png': no such file; spelled otherwise: b/cell 01.png, b/cell 1.png",
        "'b/cell 2.png': no such file",
    )
