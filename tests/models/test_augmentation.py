"""Augmentation policies and the gather that applies them."""

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from cytocurve.models import augmentation
from cytocurve.models.augmentation import FillSettings
from cytocurve.models.augmentation.flip_rotate import flips_and_rotations
from cytocurve.models.augmentation.flip_rotate_translate import ShiftSettings, flips_rotations_and_shifts
from cytocurve.models.epochs import epoch_images
from cytocurve.models.transforms import Pixels, gather

IDENTITY = np.eye(2, 3)
QUARTER_TURN = np.array([[np.cos(np.pi / 2), -1.0, 0.0], [1.0, np.cos(np.pi / 2), 0.0]])


def transformed(images: Pixels, transform: NDArray[np.float64], clamp: bool = True) -> Pixels:
    out = np.full_like(images, 77)
    gather(images, np.arange(len(images)), np.array([transform] * len(images)), clamp, out)
    return out


@pytest.fixture(params=[(9, 9, 3), (10, 10, 1), (8, 8, 4)], ids=str)
def images(request: pytest.FixtureRequest) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (3, *request.param), dtype=np.uint8)


def test_identity_leaves_images_unchanged(images: Pixels) -> None:
    np.testing.assert_array_equal(transformed(images, IDENTITY), images)


def test_flip_is_exact(images: Pixels) -> None:
    np.testing.assert_array_equal(transformed(images, np.diag([-1.0, 1.0, 0.0])[:2]), images[:, ::-1])
    np.testing.assert_array_equal(transformed(images, np.diag([1.0, -1.0, 0.0])[:2]), images[:, :, ::-1])


def test_quarter_turns_are_exact_and_four_of_them_are_the_identity(images: Pixels) -> None:
    once = transformed(images, QUARTER_TURN)
    np.testing.assert_array_equal(once, np.rot90(images, -1, axes=(1, 2)))
    for _ in range(3):
        once = transformed(once, QUARTER_TURN)
    np.testing.assert_array_equal(once, images)


@pytest.mark.parametrize("columns", [-3, 0, 2])
@pytest.mark.parametrize("rows", [-1, 0, 4])
def test_shift_moves_whole_pixels_and_fills_the_uncovered_area(images: Pixels, rows: int, columns: int) -> None:
    height, width = images.shape[1:3]
    shift = np.array([[1, 0, rows / height], [0, 1, columns / width]])
    padded = np.pad(images, ((0, 0), (9, 9), (9, 9), (0, 0)))
    moved = padded[:, 9 + rows : 9 + rows + height, 9 + columns : 9 + columns + width]
    np.testing.assert_array_equal(transformed(images, shift, clamp=False), moved)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("clamp", [True, False])
def test_pixel_takes_the_nearest_source_pixel_or_the_fill(clamp: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(1, 256, (12, 17, seed % 4 + 1), dtype=np.uint8)
    transform = flips_rotations_and_shifts(rng, 1, ShiftSettings())[0]
    result = transformed(image[None], transform, clamp)[0]
    middle = np.array([5.5, 8.0])
    for row, column in np.ndindex(12, 17):
        turned = transform[:, :2] @ (np.array([row, column]) - middle) + transform[:, 2] * [12, 17]
        source = np.floor(turned + middle + 0.5).astype(int)
        nearest = np.clip(source, 0, [11, 16])
        expected = image[tuple(nearest)] if clamp or (source == nearest).all() else 0 * image[0, 0]
        np.testing.assert_array_equal(result[row, column], expected)


def test_transforms_are_rotations_half_of_them_mirrored() -> None:
    transforms = flips_and_rotations(np.random.default_rng(0), 2000)[:, :, :2]
    np.testing.assert_allclose(transforms @ transforms.transpose(0, 2, 1), np.tile(np.eye(2), (2000, 1, 1)), atol=1e-12)
    mirrored = np.linalg.det(transforms) < 0
    assert 0.45 < mirrored.mean() < 0.55


def test_shifts_are_uniform_up_to_the_given_fraction_of_a_side() -> None:
    drawn = flips_rotations_and_shifts(np.random.default_rng(0), 4000, ShiftSettings(translation=0.3))
    shifts = drawn[:, :, 2].ravel()
    assert scipy.stats.kstest(shifts, "uniform", (-0.3, 0.6)).pvalue > 0.01
    still = flips_rotations_and_shifts(np.random.default_rng(0), 4000, ShiftSettings(translation=0))
    np.testing.assert_array_equal(still, flips_and_rotations(np.random.default_rng(0), 4000))


def test_policy_none_gives_the_images_in_order() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 5, 3), dtype=np.uint8)
    order, policy = np.array([4, 0, 4]), augmentation.load("none")
    result = epoch_images(policy.draw, policy.settings(), images, order, np.random.default_rng(0))
    np.testing.assert_array_equal(result, images[order])


def test_same_draws_give_the_same_images_and_leave_sources_unchanged() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 9, 9, 3), dtype=np.uint8)
    before, order, policy = images.copy(), np.array([5, 1]), augmentation.load("flip_rotate")
    images.flags.writeable = False
    first, second = (
        epoch_images(policy.draw, FillSettings(), images, order, np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(images, before)


def test_constant_fill_is_black_where_nearest_fill_repeats_the_edge() -> None:
    images = np.full((1, 20, 20, 3), 200, np.uint8)
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    assert (transformed(images, turn) == 200).all()
    corner = transformed(images, turn, clamp=False)[0, 0, 0]
    np.testing.assert_array_equal(corner, [0, 0, 0])
