"""What would settle a comparison: the smallest numbers with which the difference would be found."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cytocurve.core.comparison.settling import MOST, POWER, Evidence, settling
from cytocurve.core.comparison.significance import Sampling

EVIDENCE = Evidence(
    difference=0.03,
    folds=10,
    between=0.0034,
    images=Sampling(0.0003, 200.0),
    seeds=2,
    retraining=0.001,
    units=250,
    rarest=125,
    by_patient=False,
)


def power(images: float = 1.0, folds: int = 10, seeds: int = 2, level: float = 0.05) -> float:
    """By hand: the share of the images falls with their number, what trainings add with folds and seeds."""
    training = 0.0034 - 10 * 0.0003 - 0.001 * (1 / 2 - 1 / seeds)
    of_images = 0.0003 / images
    between, correction = training / folds + of_images, folds * of_images / (folds - 2)
    freedom = (between + correction) ** 2 / (between**2 / (folds - 1) + correction**2 / (200 * images))
    error = np.sqrt(between + correction)
    return float(stats.norm.cdf(0.03 / error - stats.t.ppf(1 - level / 2, freedom)))


def test_images_are_the_smallest_number_with_the_wanted_power() -> None:
    found = settling(EVIDENCE, 0.05)
    assert found is not None
    assert found.images is not None
    assert power(images=found.images / 250) >= POWER > power(images=(found.images - 1) / 250)


def test_folds_and_seeds_are_the_smallest_numbers_with_the_wanted_power() -> None:
    trainings = replace(EVIDENCE, difference=0.06, images=Sampling(0.0001, 200.0), between=0.01, retraining=0.03)
    found = settling(trainings, 0.05)
    assert found is not None
    assert found.folds is not None
    assert found.seeds is not None
    fewer = replace(trainings, rarest=2 * found.folds - 2)
    assert settling(fewer, 0.05) == replace(found, folds=None)  # a class needs two images in every fold


def test_one_seed_does_not_tell_what_more_seeds_would_do() -> None:
    found = settling(replace(EVIDENCE, seeds=1, retraining=float("nan")), 0.05)
    assert found is not None
    assert found.seeds is None


def test_differences_between_trainings_are_not_settled_by_images() -> None:
    found = settling(replace(EVIDENCE, between=0.5), 0.05)
    assert found is not None
    assert found.images is None


def test_more_images_in_more_folds_settle_what_neither_does_alone() -> None:
    found = settling(replace(EVIDENCE, difference=0.03, between=0.05, rarest=20), 0.05)
    assert found is not None
    assert (found.images, found.folds, found.seeds) == (None, None, None)
    assert found.images_together is not None
    assert found.folds_together == found.images_together * 10 // 250

    def enough(images: int) -> bool:
        return together(images / 250, images * 10 // 250) >= POWER

    assert enough(found.images_together)
    assert not enough(found.images_together - 1)


def together(images: float, folds: int) -> float:
    """By hand: images of trainings that differ by 0.05 between folds."""
    training, of_images = 0.05 - 10 * 0.0003, 0.0003 / images
    between, correction = training / folds + of_images, folds * of_images / (folds - 2)
    freedom = (between + correction) ** 2 / (between**2 / (folds - 1) + correction**2 / (200 * images))
    return float(stats.norm.cdf(0.03 / np.sqrt(between + correction) - stats.t.ppf(0.975, freedom)))


def test_what_settles_alone_needs_nothing_together() -> None:
    found = settling(EVIDENCE, 0.05)
    assert found is not None
    assert found.images is not None
    assert (found.images_together, found.folds_together) == (None, None)


def test_nothing_is_to_be_settled_without_a_difference() -> None:
    assert settling(replace(EVIDENCE, difference=0.0), 0.05) is None
    assert settling(replace(EVIDENCE, folds=2), 0.05) is None
    assert settling(replace(EVIDENCE, images=Sampling(float("nan"), float("nan"))), 0.05) is None


@given(st.floats(0.005, 0.2), st.floats(1.05, 3.0), st.floats(0.001, 0.05))
def test_larger_difference_and_a_laxer_level_need_no_more(difference: float, more: float, level: float) -> None:
    def images(difference: float, level: float) -> int:
        found = settling(replace(EVIDENCE, difference=difference), level)
        assert found is not None
        return found.images or MOST * EVIDENCE.units + 1

    needed = images(difference, level)
    assert images(difference * more, level) <= needed
    assert images(difference, level / more) >= needed
    assert images(-difference, level) == needed


def test_evidence_is_read_from_differences_of_folds_and_seeds() -> None:
    differences = np.array([[0.1, 0.3], [0.0, 0.2], [0.2, np.nan], [np.nan, np.nan]])
    units, classes = np.array([0, 0, 1, 2, 3, 3, 4]), np.array([0, 0, 0, 1, 1, 1, 1])
    found = Evidence.of(differences, Sampling(0.01, 5.0), classes, units, True)
    assert (found.folds, found.seeds, found.units, found.rarest) == (3, 2, 5, 2)
    assert found.difference == pytest.approx(0.5 / 3)
    assert found.between == pytest.approx(np.var([0.2, 0.1, 0.2], ddof=1))
    assert found.retraining == pytest.approx(0.02)
