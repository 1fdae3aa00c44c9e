"""Losses of a training size: medians of the runs that still train, and the losses of the kept weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.statistics.losses import EPOCHS_SHOWN, cross_entropy, loss_curves
from cytocurve.core.statistics.predictions import Predictions

NAN = float("nan")


def test_curves_end_where_half_of_the_runs_have_stopped() -> None:
    runs = [([1.0] * epochs, [2.0] * epochs) for epochs in (2, 3, 5, 9)]
    found = loss_curves(runs)
    assert found.epoch.tolist() == [1, 2, 3, 4, 5]
    assert found.runs == 4


def test_curves_are_medians_with_quartiles() -> None:
    found = loss_curves([([value], [10 * value]) for value in (1.0, 2.0, 3.0, 4.0, 5.0)])
    course = found.training
    assert [values.tolist() for values in (course.q1, course.median, course.q3)] == [[2], [3], [4]]
    assert found.validation.median.tolist() == [30]


def test_kept_losses_are_those_of_the_lowest_validation_loss() -> None:
    found = loss_curves([([0.9, 0.5, 0.1], [0.8, 0.6, 0.7]), ([0.9, 0.4], [0.3, 0.9])])
    assert found.kept.tolist() == [2, 1]
    assert found.training_kept.tolist() == [0.5, 0.9]
    assert found.validation_kept.tolist() == [0.6, 0.3]


def test_losses_that_are_not_finite_are_left_out() -> None:
    found = loss_curves([([1.0, NAN], [NAN, float("inf")]), ([3.0, 3.0], [2.0, 1.0])])
    assert np.isnan(found.kept[0])
    assert found.kept[1] == 2
    assert found.training.median.tolist() == [2, 3]
    assert found.validation.median.tolist() == [2, 1]


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_epochs_shown_are_few_and_start_at_the_first(lengths: list[int]) -> None:
    found = loss_curves([([1.0] * n, [1.0] * n) for n in lengths])
    assert len(found.epoch) <= EPOCHS_SHOWN
    assert found.epoch[0] == 1
    assert 2 * sum(n >= found.epoch[-1] for n in lengths) >= len(lengths)


def test_cross_entropy_is_the_mean_of_the_negative_logarithm_of_the_true_class() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [1.0, 0.0], [NAN, NAN]])
    found = cross_entropy(
        Predictions.of(np.array([0, 1, 1, 0]), probabilities, np.array([0, 0, 1, 2]), [0, 1, 2], [0] * 3)
    )
    assert found[0] == pytest.approx(-(np.log(0.9) + np.log(0.8)) / 2)
    assert found[1] == pytest.approx(-np.log(1e-7))
    assert np.isnan(found[2])
