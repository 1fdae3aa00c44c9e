"""Intervals over patients."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocurve.core.statistics.clusters import LEAST, Estimate, Units, difference, estimates
from cytocurve.core.statistics.metrics import METRICS, Labels, Probabilities, accuracy, score
from cytocurve.core.statistics.proportions import wilson


def only_accuracy(labels: Labels, probabilities: Probabilities) -> Mapping[str, float]:
    return {"accuracy": accuracy(labels, probabilities)}


def of(right: np.ndarray, clusters: list[int], resamples: int = 400) -> Estimate:
    probabilities = np.where(right[:, None], [[0.1, 0.9]], [[0.9, 0.1]])
    labels = np.ones(len(right), np.intp)
    units = {"accuracy": Units.of(np.bincount(clusters).tolist())}
    return estimates(labels, probabilities, clusters, only_accuracy, units, resamples)["accuracy"]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=4, max_size=30), st.integers(0, 5))
def test_estimates_do_not_depend_on_the_order_of_images_within_the_data(
    rows: list[tuple[bool, int]], seed: int
) -> None:
    numbers = {cluster: n for n, cluster in enumerate(sorted({cluster for _, cluster in rows}))}
    right, clusters = np.array([r for r, _ in rows]), [numbers[c] for _, c in rows]
    order = np.random.default_rng(seed).permutation(len(rows))
    one, other = of(right, clusters, 50), of(right[order], [clusters[i] for i in order], 50)
    assert vars(one) == pytest.approx(vars(other), nan_ok=True)


def test_estimates_are_wider_over_patients_than_over_images_whose_patients_differ() -> None:
    right = np.repeat(np.arange(10) % 2 == 0, 20)
    patients = np.repeat(np.arange(10), 20).tolist()
    by_patient, by_image = of(right, patients), of(right, list(range(200)))
    assert by_patient.ci_high - by_patient.ci_low > 3 * (by_image.ci_high - by_image.ci_low)


def test_estimates_without_an_error_have_the_interval_of_as_many_patients() -> None:
    found = of(np.ones(60, bool), np.repeat(np.arange(6), 10).tolist())
    assert (found.ci_low, found.ci_high) == wilson(1.0, 6)


@pytest.mark.parametrize("patients", range(1, LEAST + 1))
def test_estimates_of_fewer_than_five_patients_have_no_interval(patients: int) -> None:
    right = np.arange(10 * patients) % 3 > 0
    found = of(right, np.repeat(np.arange(patients), 10).tolist())
    assert [np.isnan(end) for end in (found.ci_low, found.ci_high)] == [patients < LEAST] * 2


def test_units_of_patients_with_equal_numbers_of_images_are_their_number() -> None:
    assert Units.of([3, 3, 0, 3]) == Units(3, 3.0)
    assert Units.of([97, 1, 1, 1]).effective < 1.1
    assert Units.of([]) == Units(0, 0.0)


def test_estimates_that_most_resamples_leave_undefined_have_no_interval() -> None:
    labels = np.array([1, 0, 0, 0, 0, 0])
    probabilities = np.array([[0.2, 0.8]] + [[0.9, 0.1]] * 5)
    found = estimates(labels, probabilities, list(range(6)), score, dict.fromkeys(METRICS, Units(6, 6.0)), 200)
    assert found["roc_auc"].value == 1.0
    assert np.isnan(found["roc_auc"].ci_low)
    assert found["accuracy"].ci_high == 1.0


def test_estimates_hold_the_true_score_about_as_often_as_they_say() -> None:
    """Thirty patients with 20 images each, whose own accuracies vary between 0.5 and 1."""
    random, held = np.random.default_rng(0), 0
    for _ in range(150):
        shares = random.uniform(0.5, 1, 30)
        right = random.random(600) < np.repeat(shares, 20)
        found = of(right, np.repeat(np.arange(30), 20).tolist(), 200)
        held += found.ci_low <= 0.75 <= found.ci_high
    assert 0.90 <= held / 150 <= 0.99


def test_difference_of_a_score_and_a_certain_one_has_the_width_of_the_first() -> None:
    found = difference(Estimate(0.8, 0.7, 0.85), Estimate(0.9, 0.9, 0.9))
    assert vars(found) == pytest.approx({"value": -0.1, "ci_low": -0.2, "ci_high": -0.05})


def test_difference_of_two_uncertain_scores_is_less_certain_than_either() -> None:
    found = difference(Estimate(0.8, 0.7, 0.9), Estimate(0.9, 0.8, 1.0))
    assert found.ci_low == pytest.approx(-0.1 - np.hypot(0.1, 0.1))
