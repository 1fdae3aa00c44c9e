"""One folder per class: the simplest way to add images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cytocurve.datasets import folder
from cytocurve.errors import InputError
from tests.datasets.dataset_makers import draw, make_folder, save


def test_top_level_folder_is_the_label(tmp_path: Path) -> None:
    """Folders below a class folder belong to that class."""
    make_folder(tmp_path)
    table = folder.read(tmp_path).labels["folder"]
    given = dict(zip(table["image"], table["label"], strict=True))
    assert given["lobed/old/cell0.png"] == "lobed"
    assert given["round/cell1.png"] == "round"


@pytest.mark.parametrize("suffix", ["bmp", "jpeg", "jpg", "JPG", "png", "tif", "tiff", "webp"])
def test_common_formats_are_images(suffix: str, tmp_path: Path) -> None:
    """Every common format is accepted, whatever the case of its suffix."""
    make_folder(tmp_path)
    save(tmp_path / "round" / f"more.{suffix}", 9)
    assert f"round/more.{suffix}" in folder.read(tmp_path).images


def test_image_type_is_decided_by_content_not_suffix(tmp_path: Path) -> None:
    """A PNG named .jpg is an image; a text file or a GIF with that suffix is not."""
    make_folder(tmp_path)
    draw(1).save(tmp_path / "round" / "png.jpg", format="PNG")
    draw(1).save(tmp_path / "round" / "gif.jpg", format="GIF")
    (tmp_path / "round" / "text.jpg").write_text("text")
    listing = folder.read(tmp_path)
    assert "round/png.jpg" in listing.images
    assert list(listing.skipped) == ["round/gif.jpg", "round/text.jpg"]


def test_images_with_16_bits_are_skipped_with_a_reason(tmp_path: Path) -> None:
    """Sixteen bits would be silently clipped to eight, so such images are skipped with a reason."""
    make_folder(tmp_path)
    Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(tmp_path / "round" / "deep.png")
    assert "8 bits" in folder.read(tmp_path).skipped["round/deep.png"]


def test_files_elsewhere_are_skipped_with_a_reason(tmp_path: Path) -> None:
    """Files next to the class folders, hidden files and empty folders are skipped."""
    make_folder(tmp_path)
    save(tmp_path / "loose.png", 1)
    save(tmp_path / ".cache" / "thumb.png", 1)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    assert folder.read(tmp_path).skipped == {
        ".cache": "hidden folder",
        "empty/": "folder without images",
        "loose.png": "not in a class folder",
        "notes.txt": "not an image suffix (.bmp .jpeg .jpg .png .tif .tiff .webp)",
    }


def test_single_class_is_rejected(tmp_path: Path) -> None:
    """A tree with a single class is rejected with a list of its other files."""
    save(tmp_path / "round" / "a.png", 1)
    save(tmp_path / "b.png", 2)
    with pytest.raises(InputError, match="only 'round'") as caught:
        folder.read(tmp_path)
    assert caught.value.offenders == ("b.png: not in a class folder",)


def make_parts(root: Path, *parts: str) -> None:
    for number, part in enumerate(parts):
        for seed, label in enumerate(("lobed", "round")):
            save(root / part / label / "cell.png", 2 * number + seed)


def test_partition_folders_above_the_classes_are_official_folds(tmp_path: Path) -> None:
    """The folders of the second level are the classes."""
    make_parts(tmp_path, "TRAIN", "Test", "test_simple")
    save(tmp_path / "Test" / "loose.png", 9)
    listing = folder.read(tmp_path)
    table = listing.labels["folder"].set_index("image")
    assert sorted(set(table["label"])) == ["lobed", "round"]
    assert table.loc["Test/round/cell.png", "fold"] == "Test"
    assert listing.skipped == {"Test/loose.png": "not in a class folder"}
    ((note, names),) = listing.notes.items()
    assert "split: predefined with folds: 3" in note
    assert names == ["TRAIN", "Test", "test_simple"]


def test_two_partitions_are_noted_as_too_few_for_a_predefined_split(tmp_path: Path) -> None:
    make_parts(tmp_path, "train", "val")
    (note,) = folder.read(tmp_path).notes
    assert "needs three" in note


def test_class_folders_that_look_like_partitions_are_classes_with_a_note(tmp_path: Path) -> None:
    make_parts(tmp_path, "train", "blast")
    listing = folder.read(tmp_path)
    assert set(listing.labels["folder"]["label"]) == {"train", "blast"}
    assert "fold" not in listing.labels["folder"]
    assert listing.notes == {"these classes are named like the parts of a dataset (training, test)": ["train"]}


def make_nested_parts(root: Path, *parts: str) -> None:
    for number, part in enumerate(parts):
        for seed, label in enumerate(("lobed", "round")):
            save(root / label / part / f"cell{number}.png", 2 * number + seed)


def test_parts_below_the_classes_are_official_folds(tmp_path: Path) -> None:
    make_nested_parts(tmp_path, "train", "val", "test")
    save(tmp_path / "round" / "train" / "old" / "cell9.png", 9)
    listing = folder.read(tmp_path)
    table = listing.labels["folder"].set_index("image")
    assert table["label"].to_dict() == {name: name.split("/")[0] for name in listing.images}
    assert table["fold"].to_dict() == {name: name.split("/")[1] for name in listing.images}
    assert listing.skipped == {}
    ((note, names),) = listing.notes.items()
    assert note.startswith("these folders are read as official folds, and the folders above them as classes; split")
    assert names == ["test", "train", "val"]


@pytest.mark.parametrize("other", ["round/loose.png", "round/old/cell.png"])
def test_folders_below_the_classes_are_no_parts_unless_all_images_are_in_one(other: str, tmp_path: Path) -> None:
    make_nested_parts(tmp_path, "train", "test")
    save(tmp_path / other, 9)
    listing = folder.read(tmp_path)
    assert "fold" not in listing.labels["folder"]
    assert set(listing.labels["folder"]["label"]) == {"lobed", "round"}
    assert listing.notes == {}


def test_one_part_below_each_class_is_no_fold(tmp_path: Path) -> None:
    make_nested_parts(tmp_path, "train")
    assert "fold" not in folder.read(tmp_path).labels["folder"]


@pytest.mark.parametrize("name", ["@eaDir", "__MACOSX", "lost+found", "$RECYCLE.BIN", "#recycle", ".ipynb_checkpoints"])
def test_system_folders_are_not_classes(name: str, tmp_path: Path) -> None:
    make_folder(tmp_path)
    save(tmp_path / name / "thumb.png", 1)
    save(tmp_path / "round" / name / "cell1.png" / "thumb.png", 1)
    listing = folder.read(tmp_path)
    assert len(listing.images) == 8
    assert list(listing.skipped) == [name, f"round/{name}"]


def test_folder_of_masks_is_not_a_class(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for seed in (1, 3):
        save(tmp_path / "Masks" / f"cell{seed}_mask.png", seed)
        save(tmp_path / "round" / "labels" / f"cell{seed}.tif", seed)
    listing = folder.read(tmp_path)
    assert set(listing.labels["folder"]["label"]) == {"lobed", "round"}
    assert len(listing.skipped) == 4
    assert set(listing.skipped.values()) == {"mask: the files of this folder are named like images in other folders"}


def test_class_named_like_masks_stays_a_class(tmp_path: Path) -> None:
    """Only names that other folders share make its files masks."""
    make_folder(tmp_path)
    save(tmp_path / "seg" / "other.png", 1)
    assert "seg/other.png" in folder.read(tmp_path).images


def test_masks_beside_their_images_are_skipped(tmp_path: Path) -> None:
    make_folder(tmp_path)
    save(tmp_path / "round" / "cell1_mask.png", 1)
    save(tmp_path / "round" / "alone_mask.png", 1)
    listing = folder.read(tmp_path)
    assert listing.skipped == {"round/cell1_mask.png": "mask: named like an image beside it"}
    assert "round/alone_mask.png" in listing.images


def test_files_that_differ_only_in_suffix_are_rejected(tmp_path: Path) -> None:
    make_folder(tmp_path)
    save(tmp_path / "round" / "cell1.jpg", 1)
    with pytest.raises(InputError, match="mask or copy") as caught:
        folder.read(tmp_path)
    assert caught.value.offenders == ("round/cell1.jpg, round/cell1.png",)


def test_next_step_fits_the_most_frequent_reason(tmp_path: Path) -> None:
    """The reasons are grouped, and only misplaced images call for another arrangement."""
    for number in range(12):
        path = tmp_path / "deep" / ("a" if number % 2 else "b") / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(path)
        (tmp_path / "gif" / "a").mkdir(parents=True, exist_ok=True)
        draw(number).save(tmp_path / "gif" / "a" / f"{number}.gif")
        (tmp_path / "cut" / "a").mkdir(parents=True, exist_ok=True)
        (tmp_path / "cut" / "a" / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
        save(tmp_path / "loose" / f"{number}.png", number)
        save(tmp_path / "wrapped" / "in" / ("a" if number % 2 else "b") / f"{number}.png", number)
    steps = {}
    for name in ("deep", "gif", "cut", "loose", "wrapped"):
        with pytest.raises(InputError) as caught:
            folder.read(tmp_path / name)
        steps[name] = caught.value.next_step
        assert len(str(caught.value).splitlines()) < 5
    assert "8 bits" in steps["deep"]
    assert "magick IN OUT.png" in steps["gif"]
    assert "PNG" in steps["cut"] or "again" in steps["cut"]
    assert steps["loose"].startswith("arrange the images")
    assert f"pass {tmp_path / 'wrapped' / 'in'}" in steps["wrapped"]
