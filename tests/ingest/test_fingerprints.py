"""A fingerprint describes the bytes, pixels, appearance and colors of an image."""

import hashlib
from pathlib import Path

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cytocurve.core.data.similarity import difference
from cytocurve.ingest.fingerprints import fingerprint, thumbnail
from tests.datasets.dataset_makers import draw
from tests.projects import draw_cell


@pytest.mark.parametrize("size", [(24, 20), (64, 64), (1, 1), (33, 2), (100, 363)])
def test_colors_are_mean_and_median_of_the_pixels(size: tuple[int, int], tmp_path: Path) -> None:
    """The background is the outermost sixteenth on each side, or the entire image if it is too small."""
    width, height = size
    draw(1, width, height).save(tmp_path / "a.png")
    result = fingerprint(tmp_path / "a.png")
    pixels = np.asarray(draw(1, width, height))
    edge = np.ones((height, width), bool)
    edge[height // 16 + 1 : -(height // 16 + 1), width // 16 + 1 : -(width // 16 + 1)] = False
    assert result.color == tuple(pixels.mean(axis=(0, 1)).tolist())
    assert result.background == tuple(np.median(pixels[edge], axis=0).tolist())
    assert (result.width, result.height, result.format) == (width, height, "PNG")


def test_hashes_are_of_bytes_pixels_and_appearance(tmp_path: Path) -> None:
    path, image = tmp_path / "a.png", draw(2, 40, 30)
    image.save(path)
    result = fingerprint(path)
    assert result.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result.pixel_sha256 == hashlib.sha256(b"40x30" + np.asarray(image).tobytes()).hexdigest()
    assert result.phash == str(imagehash.phash(image))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 16))
def test_thumbnail_excludes_a_black_background(left: int, top: int, gray: int) -> None:
    """A segmented cell has the same thumbnail wherever it is in the image, and however large the image is."""
    cell = draw_cell(3, dark=False, size=40)
    frame = Image.new("RGB", (80, 75), (gray, gray, gray))
    frame.paste(cell, (left, top))
    np.testing.assert_array_equal(thumbnail(frame), thumbnail(cell))


def test_entirely_black_image_has_a_thumbnail() -> None:
    black = thumbnail(Image.new("RGB", (50, 40)))
    assert black.shape == (32, 32)
    assert difference(black, black) == 0
