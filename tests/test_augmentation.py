"""Augmentation policies and the gather that applies them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cytocurve.models.augmentation import POLICIES, FillSettings, Pixels, epoch_images, flips_and_rotations, gather

IDENTITY = np.eye(2)
QUARTER_TURN = np.array([[np.cos(np.pi / 2), -1.0], [1.0, np.cos(np.pi / 2)]])


def transformed(images: Pixels, transform: NDArray[np.float64], clamp: bool = True) -> Pixels:
    out = np.full_like(images, 77)
    gather(images, np.arange(len(images)), np.array([transform] * len(images)), clamp, out)
    return out


@pytest.fixture(params=[(9, 9, 3), (10, 10, 1), (8, 8, 4)], ids=str)
def images(request: pytest.FixtureRequest) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (3, *request.param), dtype=np.uint8)


def test_the_identity_leaves_images_as_they_are(images: Pixels) -> None:
    np.testing.assert_array_equal(transformed(images, IDENTITY), images)


def test_a_flip_is_exact(images: Pixels) -> None:
    np.testing.assert_array_equal(transformed(images, np.diag([-1.0, 1.0])), images[:, ::-1])
    np.testing.assert_array_equal(transformed(images, np.diag([1.0, -1.0])), images[:, :, ::-1])


def test_quarter_turns_are_exact_and_four_of_them_are_none(images: Pixels) -> None:
    once = transformed(images, QUARTER_TURN)
    np.testing.assert_array_equal(once, np.rot90(images, -1, axes=(1, 2)))
    np.testing.assert_array_equal(transformed(once, QUARTER_TURN @ QUARTER_TURN @ QUARTER_TURN), images)


@pytest.mark.parametrize("clamp", [True, False])
def test_a_pixel_takes_the_nearest_source_pixel_or_the_fill(clamp: bool) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(1, 256, (12, 17, 2), dtype=np.uint8)
    transform = flips_and_rotations(rng, 1)[0]
    found = transformed(image[None], transform, clamp)[0]
    middle = np.array([5.5, 8.0])
    for row, column in np.ndindex(12, 17):
        source = np.floor(transform @ (np.array([row, column]) - middle) + middle + 0.5).astype(int)
        nearest = np.clip(source, 0, [11, 16])
        expected = image[tuple(nearest)] if clamp or (source == nearest).all() else np.zeros(2, np.uint8)
        np.testing.assert_array_equal(found[row, column], expected)


def test_transforms_are_rotations_half_of_them_mirrored() -> None:
    transforms = flips_and_rotations(np.random.default_rng(0), 2000)
    np.testing.assert_allclose(transforms @ transforms.transpose(0, 2, 1), np.tile(np.eye(2), (2000, 1, 1)), atol=1e-12)
    mirrored = np.linalg.det(transforms) < 0
    assert 0.45 < mirrored.mean() < 0.55


def test_no_policy_gives_the_images_in_order() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 5, 3), dtype=np.uint8)
    order, policy = np.array([4, 0, 4]), POLICIES["none"]
    found = epoch_images(policy, policy.settings(), images, order, np.random.default_rng(0))
    np.testing.assert_array_equal(found, images[order])


def test_the_same_draws_give_the_same_images_and_sources_stay_as_they_were() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 9, 9, 3), dtype=np.uint8)
    before, order, policy = images.copy(), np.array([5, 1]), POLICIES["flip_rotate"]
    images.flags.writeable = False
    first, second = (epoch_images(policy, FillSettings(), images, order, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(images, before)


def test_constant_fill_is_black_where_nearest_fill_repeats_the_edge() -> None:
    images = np.full((1, 20, 20, 3), 200, np.uint8)
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert (transformed(images, turn) == 200).all()
    corner = transformed(images, turn, clamp=False)[0, 0, 0]
    np.testing.assert_array_equal(corner, [0, 0, 0])
