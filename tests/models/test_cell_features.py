"""The features of a cell: finite for any image, the same for a turned one, and those of the nucleus that was drawn."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cytocurve.models.cell_features import binary_patterns, cell_features, named_features, segmented

Image = NDArray[np.uint8]


def disc(side: int, center: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:side, :side]
    found: NDArray[np.bool_] = (rows - center[0]) ** 2 + (columns - center[1]) ** 2 < radius**2
    return found


def drawn_cell(side: int = 96, lobes: int = 2, seed: int = 0) -> tuple[Image, NDArray[np.bool_]]:
    """A stained cell with a nucleus of some lobes, on a bright background with grain; and the nucleus."""
    rng = np.random.default_rng(seed)
    pixels = np.full((side, side, 3), [238, 222, 205])
    pixels[disc(side, (side * 0.51, side * 0.48), side * 0.3)] = [195, 165, 195]
    angles, spread = 2 * np.pi * np.arange(lobes) / lobes + 0.4, 0.13 * side * (lobes > 1)
    centers = [(side * 0.5 + spread * np.cos(angle), side * 0.47 + spread * np.sin(angle)) for angle in angles]
    nucleus = np.any([disc(side, center, side * 0.07) for center in centers], axis=0)
    pixels[nucleus] = [95, 55, 140]
    noisy = pixels + rng.integers(-6, 7, pixels.shape)
    return noisy.astype(np.uint8), nucleus


TURNED = {
    "quarter turn": lambda image: np.rot90(image),
    "half turn": lambda image: np.rot90(image, 2),
    "three quarter turns": lambda image: np.rot90(image, 3),
    "flipped up": lambda image: image[::-1],
    "flipped sideways": lambda image: image[:, ::-1],
    "transposed": lambda image: image.transpose(1, 0, 2),
}


@pytest.mark.parametrize("side", [64, 96, 150], ids="{} px".format)
@pytest.mark.parametrize("turn", TURNED)
def test_every_feature_is_unchanged_by_flips_and_quarter_turns(turn: str, side: int) -> None:
    """At 150 pixels, the image is scaled down first."""
    image, _ = drawn_cell(side)
    given, turned = (named_features(each, side=96) for each in (image, np.ascontiguousarray(TURNED[turn](image))))
    assert turned == pytest.approx(given, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("lobes", [1, 2, 3])
def test_nucleus_and_its_lobes_are_those_that_were_drawn(lobes: int) -> None:
    image, drawn = drawn_cell(128, lobes)
    nucleus, cell = segmented(image)
    assert (nucleus & drawn).sum() / (nucleus | drawn).sum() > 0.85
    assert (cell & nucleus).sum() == nucleus.sum()
    found = named_features(image, side=128)
    assert found["nucleus_lobes"] == lobes
    assert found["nucleus_area"] == pytest.approx(drawn.mean(), rel=0.15)
    assert found["nucleus_lightness_mean"] < found["cytoplasm_lightness_mean"]


def test_neighbors_far_from_the_center_are_not_part_of_the_nucleus() -> None:
    image, _ = drawn_cell(128, lobes=1)
    alone = named_features(image, side=128)
    image[disc(128, (12, 110), 8)] = [95, 55, 140]
    assert named_features(image, side=128)["nucleus_area"] == pytest.approx(alone["nucleus_area"], rel=0.05)


def test_background_is_not_measured() -> None:
    """It differs between batches of slides. Green, which finds the nucleus, is left as it is."""
    image, _ = drawn_cell()
    _, cell = segmented(image)
    around = ~np.any([np.roll(cell, shift, (0, 1)) for shift in np.ndindex(5, 5)], axis=0)
    around &= ~np.any([np.roll(cell, (-rows, -columns), (0, 1)) for rows, columns in np.ndindex(5, 5)], axis=0)
    other = image.copy()
    other[around, 0], other[around, 2] = 150, 250
    assert named_features(other, side=96) == named_features(image, side=96)


def test_cell_that_was_cut_out_on_black_is_measured_without_the_black() -> None:
    image, drawn = drawn_cell(128, lobes=1)
    image[~disc(128, (65, 61), 36)] = 0
    nucleus, cell = segmented(image)
    assert (nucleus & drawn).sum() / (nucleus | drawn).sum() > 0.85
    assert not (image[cell].max(axis=1) == 0).any()


ODD: dict[str, Any] = {
    "black": np.zeros((40, 40, 3), np.uint8),
    "white": np.full((40, 40, 3), 255, np.uint8),
    "two gray levels": np.indices((40, 40, 3)).sum(axis=0).astype(np.uint8) % 2 * 255,
    "noise": np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8),
    "smallest": np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8),
    "one dark pixel": np.where(np.arange(1600).reshape(40, 40, 1) == 820, 0, [200, 210, 220]).astype(np.uint8),
    "a dark line": np.where(np.arange(40)[:, None, None] == 20, 40, [200, 210, 220] * np.ones((40, 40, 1))).astype(
        np.uint8
    ),
    "all nucleus": np.full((40, 40, 3), 90, np.uint8) + np.random.default_rng(2).integers(0, 3, (40, 40, 3), np.uint8),
    "wide": np.random.default_rng(3).integers(0, 256, (20, 300, 3), dtype=np.uint8),
}


@pytest.mark.parametrize("kind", ODD)
def test_features_are_finite_and_equally_many_for_any_image(kind: str) -> None:
    found = cell_features(ODD[kind], 128)
    assert found.dtype == np.float32
    assert found.shape == cell_features(drawn_cell()[0], 128).shape
    assert np.isfinite(found).all()


def test_features_of_random_images_are_finite() -> None:
    rng = np.random.default_rng(0)
    for number in range(24):
        coarse = rng.integers(0, 256, (int(rng.integers(1, 6)), int(rng.integers(1, 6)), 3), dtype=np.uint8)
        image = coarse.repeat(8, 0).repeat(8, 1)
        if number % 2:
            image = np.maximum(image, 8) - rng.integers(0, 8, image.shape).astype(np.uint8)
        assert np.isfinite(cell_features(image, 32)).all()


def test_same_image_gives_the_same_bytes() -> None:
    image, _ = drawn_cell()
    assert cell_features(image, 64).tobytes() == cell_features(image.copy(), 64).tobytes()


def test_patterns_follow_their_definition() -> None:
    """A brighter or equal neighbor is a one; at most two changes around the circle make a pattern uniform."""
    gray = np.array([[9, 9, 9], [1, 5, 1], [1, 1, 1]], np.uint8)
    assert binary_patterns(gray)[1, 1] == 3
    gray = np.array([[9, 1, 9], [1, 5, 1], [9, 1, 9]], np.uint8)
    assert binary_patterns(gray)[1, 1] == 9
    assert (binary_patterns(np.full((4, 4), 7, np.uint8)) == 8).all()
