"""A folder a class: the simplest way to bring in images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cytocurve.datasets import folder
from cytocurve.errors import InputError
from tests.datasets.dataset_makers import draw, make_folder, save


def test_the_first_folder_is_the_label(tmp_path: Path) -> None:
    """Folders below a class folder belong to that class."""
    make_folder(tmp_path)
    table = folder.read(tmp_path).labels["folder"]
    given = dict(zip(table["image"], table["label"], strict=True))
    assert given["lobed/old/cell0.png"] == "lobed"
    assert given["round/cell1.png"] == "round"


@pytest.mark.parametrize("suffix", ["bmp", "jpeg", "jpg", "JPG", "png", "tif", "tiff", "webp"])
def test_common_formats_are_images(suffix: str, tmp_path: Path) -> None:
    """Every common format is taken, whatever the case of its suffix."""
    make_folder(tmp_path)
    save(tmp_path / "round" / f"more.{suffix}", 9)
    assert f"round/more.{suffix}" in folder.read(tmp_path).images


def test_contents_decide_not_the_suffix(tmp_path: Path) -> None:
    """A PNG named .jpg is an image; a text or a GIF so named is none."""
    make_folder(tmp_path)
    draw(1).save(tmp_path / "round" / "png.jpg", format="PNG")
    draw(1).save(tmp_path / "round" / "gif.jpg", format="GIF")
    (tmp_path / "round" / "text.jpg").write_text("text")
    listing = folder.read(tmp_path)
    assert "round/png.jpg" in listing.images
    assert list(listing.skipped) == ["round/gif.jpg", "round/text.jpg"]


def test_images_of_16_bits_are_left_out_with_a_reason(tmp_path: Path) -> None:
    """Sixteen bits would be clipped to eight without a word, so they are skipped with one."""
    make_folder(tmp_path)
    Image.fromarray(np.zeros((9, 9), dtype=np.uint16)).save(tmp_path / "round" / "deep.png")
    assert "8 bits" in folder.read(tmp_path).skipped["round/deep.png"]


def test_what_lies_elsewhere_is_left_out_with_a_reason(tmp_path: Path) -> None:
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


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    """A tree with a single class is refused, and says what else it holds."""
    save(tmp_path / "round" / "a.png", 1)
    save(tmp_path / "b.png", 2)
    with pytest.raises(InputError, match="only 'round'") as caught:
        folder.read(tmp_path)
    assert caught.value.offenders == ("b.png: not in a class folder",)
