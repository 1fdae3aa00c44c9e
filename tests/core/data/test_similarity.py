"""Near-identical images are found in any orientation, and different cells are not near-identical."""

import io
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from cytocurve.core.data.similarity import ALIKE, difference, first_of_group, near_identical, views
from cytocurve.ingest.fingerprints import thumbnail
from tests.projects import ROOT

Grey = NDArray[np.uint8]
PBC = ROOT.parent / "shared" / "data" / "pbc-acevedo" / "PBC_dataset_normal_DIB"
NMC = ROOT.parent / "shared" / "data" / "c-nmc-2019"

greys = arrays.arrays(np.uint8, (8, 8), elements=st.integers(0, 255))
flocks = st.lists(greys, min_size=0, max_size=8).map(lambda result: np.array(result, np.uint8).reshape(-1, 8, 8))


def jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    def encode(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file)

    return encode


def cropped(image: Image.Image) -> Image.Image:
    """Crop one percent on each side."""
    across, down = round(image.width * 0.01), round(image.height * 0.01)
    return image.crop((across, down, image.width - across, image.height - down))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "transposed": lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "JPEG 75": jpeg(75),
    "JPEG 40": jpeg(40),
    "cropped": cropped,
    "all at once": lambda image: jpeg(60)(cropped(image).transpose(Image.Transpose.ROTATE_270)),
}


@pytest.fixture(scope="module")
def cells(drawn: Path) -> list[Image.Image]:
    """All distinct cells of the starter."""
    images = [Image.open(path) for path in sorted(drawn.rglob("*.tif"))]
    return list({image.tobytes(): image for image in images}.values())


@pytest.fixture(scope="module")
def real() -> list[Image.Image]:
    """A sample of real cells of every class."""
    if not PBC.is_dir():
        pytest.skip("the real images of PBC are not at ../shared/data/pbc-acevedo")
    files = [path for folder in sorted(PBC.iterdir()) for path in sorted(folder.glob("[A-Z]*.jpg"))[:40:2]]
    return [Image.open(path).convert("RGB") for path in files]


@given(greys, st.integers(0, 7))
def test_rotated_or_flipped_image_does_not_differ_from_the_original(grey: Grey, number: int) -> None:
    view = list(views(grey))[number]
    assert difference(grey, view) == 0
    assert [pair[:2] for pair in near_identical(np.stack([grey, view]))] == [(0, 1)]


@given(greys, greys, st.integers(0, 7))
def test_difference_is_symmetric_and_equal_for_all_orientations(one: Grey, other: Grey, number: int) -> None:
    there, back = difference(one, other), difference(other, list(views(one))[number])
    assert there == back
    assert there >= 0


@given(greys, greys)
def test_difference_matches_its_definition(one: Grey, other: Grey) -> None:
    least = min(one.std(), other.std())
    wanted = min(np.sqrt(np.square(view.astype(float) - other).mean()) for view in views(one))
    expected = 0 if wanted == 0 else np.inf if least == 0 else wanted / least
    assert difference(one, other) == pytest.approx(expected, rel=1e-9)


@given(flocks, st.integers(0, 40))
def test_search_finds_the_same_groups_as_comparing_all_pairs(flock: Grey, noise: int) -> None:
    """Bounds, blocks and skipped comparisons lose no group, and there are fewer pairs than images."""
    rng = np.random.default_rng(noise)
    noisy = [np.clip(grey + rng.integers(-noise, noise + 1, grey.shape), 0, 255) for grey in flock]
    pictures = np.concatenate([flock, np.array(noisy, np.uint8).reshape(-1, 8, 8)])
    every = [
        (i, j, difference(pictures[i], pictures[j]))
        for i, j in combinations(range(len(pictures)), 2)
        if difference(pictures[i], pictures[j]) <= ALIKE
    ]
    result = near_identical(pictures)
    assert set(result) <= set(every)
    assert len(result) < max(1, len(pictures))
    np.testing.assert_array_equal(first_of_group(len(pictures), result), first_of_group(len(pictures), every))


def test_uniform_gray_image_is_similar_only_to_its_copies() -> None:
    flat = np.stack([np.full((32, 32), grey, np.uint8) for grey in (0, 0, 1, 255, 255)])
    assert near_identical(flat) == [(0, 1, 0.0), (3, 4, 0.0)]


@pytest.mark.parametrize("change", CHANGES)
def test_modified_synthetic_cell_is_found(change: str, cells: list[Image.Image]) -> None:
    for image in cells[::5]:
        assert difference(thumbnail(image), thumbnail(CHANGES[change](image))) <= ALIKE


@pytest.mark.parametrize("change", CHANGES)
def test_modified_real_cell_is_found(change: str, real: list[Image.Image]) -> None:
    for image in real[::2]:
        assert difference(thumbnail(image), thumbnail(CHANGES[change](image))) <= ALIKE


def test_different_cells_of_the_starter_are_not_near_identical(cells: list[Image.Image]) -> None:
    assert near_identical(np.stack([thumbnail(image) for image in cells])) == []


def test_different_real_cells_are_not_near_identical(real: list[Image.Image]) -> None:
    assert near_identical(np.stack([thumbnail(image) for image in real])) == []


def test_different_cells_on_a_black_background_are_not_near_identical() -> None:
    """The background is cropped, since it would make all cells similar."""
    files = sorted(NMC.rglob("*.bmp"))
    if not files:
        pytest.skip("the real images of C-NMC are not at ../shared/data/c-nmc-2019")
    assert near_identical(np.stack([thumbnail(Image.open(path).convert("RGB")) for path in files])) == []


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0, 2, 60], ids=["equal", "nearly equal", "unlike, of equal form"])
def test_search_among_thousands_of_similar_images_takes_seconds(spread: int) -> None:
    rng = np.random.default_rng(0)
    disc = np.hypot(*(np.mgrid[:32, :32] - 15.5)) < 9
    noise = rng.integers(-spread, spread + 1, (3000, 32, 32))
    pictures = np.clip(np.where(disc, 90, 200) + noise, 0, 255).astype(np.uint8)
    began = time.process_time()
    groups = first_of_group(len(pictures), near_identical(pictures))
    assert time.process_time() - began < 60
    assert len(np.unique(groups)) == (3000 if spread == 60 else 1)
