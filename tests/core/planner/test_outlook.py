"""Probabilities of reaching a target, from means and scales, and the isotonic regression below them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.isotonic import isotonic_regression

from cytocurve.core.planner.outlook import Outlook, isotonic

OUTLOOK = Outlook(np.array([10, 20, 40]), np.array([0.7, 0.8, 0.9]), np.array([0.05, 0.05, 0.1]))


def test_probability_is_that_of_students_t() -> None:
    expected = [stats.t.sf((0.85 - mean) / scale, 3) for mean, scale in ((0.7, 0.05), (0.8, 0.05), (0.9, 0.1))]
    assert OUTLOOK.probability(0.85) == pytest.approx(expected)


def test_more_uncertain_size_is_not_less_likely_to_reach_a_target() -> None:
    """0.75 is more certain with 20 images than with 40 by the scales alone; the curve does not fall."""
    certain = Outlook(OUTLOOK.sizes, OUTLOOK.mean, np.array([0.05, 0.01, 0.3]))
    chances = certain.probability(0.75)
    assert chances[1] == chances[2]


def test_size_is_interpolated_between_those_that_are_known() -> None:
    chances = OUTLOOK.probability(0.85)
    half_way = float(chances[1:].mean())
    assert OUTLOOK.size_at(0.85, half_way) == int(np.ceil(20 * 2**0.5))
    assert OUTLOOK.size_at(0.85, 0.999) is None
    assert OUTLOOK.size_at(0.3, 0.9) == 10


def test_more_uncertainty_moves_probabilities_toward_a_half() -> None:
    for target in (0.6, 0.95):
        near, far = (np.abs(o.probability(target) - 0.5) for o in (OUTLOOK.widened(3), OUTLOOK))
        assert (near < far).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_isotonic_regression_equals_that_of_scikit_learn(points: list[tuple[float, float]]) -> None:
    values, weights = np.array(points).T
    assert isotonic(values, weights) == pytest.approx(isotonic_regression(values, sample_weight=weights), abs=1e-9)
