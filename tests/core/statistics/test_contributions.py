"""Contributions of images are the jackknife's, and give the sampling variance of a score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.statistics.contributions import contributions
from cytocurve.core.statistics.metrics import METRICS

SMOOTH = [name for name in METRICS if "_at_" not in name]


def predictions(seed: int, counts: tuple[int, ...], digits: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities with ties."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(len(counts)), counts))
    toward = np.eye(len(counts))[labels] * random.random() * 3
    return labels, np.round(random.dirichlet(np.ones(len(counts)), len(labels)) + toward, digits)


@pytest.mark.parametrize("metric", SMOOTH)
@pytest.mark.parametrize("counts", [(5, 7), (4, 6, 3)])
def test_contribution_is_what_the_score_loses_without_the_image(metric: str, counts: tuple[int, ...]) -> None:
    labels, probabilities = predictions(1, counts)
    score = METRICS[metric]
    without = np.array([score(np.delete(labels, i), np.delete(probabilities, i, axis=0)) for i in range(len(labels))])
    images = np.array(counts)[labels]
    means = np.array([without[labels == number].mean() for number in range(len(counts))])[labels]
    assert contributions(metric, labels, probabilities) == pytest.approx(
        (images - 1) / images * (means - without), abs=1e-12
    )


def test_squared_contributions_to_roc_auc_are_the_variance_of_delong() -> None:
    labels, probabilities = predictions(2, (6, 9))
    scores = probabilities[:, 1]
    inside, outside = scores[labels == 1], scores[labels == 0]
    above = (inside[:, None] > outside) + 0.5 * (inside[:, None] == outside)
    delong = above.mean(axis=1).var(ddof=1) / 9 + above.mean(axis=0).var(ddof=1) / 6
    found = contributions("roc_auc", labels, probabilities) ** 2
    assert found[labels == 1].sum() * 9 / 8 + found[labels == 0].sum() * 6 / 5 == pytest.approx(delong, rel=1e-12)


@given(st.integers(0, 100), st.sampled_from(SMOOTH), st.sampled_from([(2, 5), (8, 3), (3, 4, 5)]))
def test_contributions_of_a_class_sum_to_zero_and_follow_their_images(
    seed: int, metric: str, counts: tuple[int, ...]
) -> None:
    labels, probabilities = predictions(seed, counts)
    found = contributions(metric, labels, probabilities)
    assert np.bincount(labels, found) == pytest.approx(np.zeros(len(counts)), abs=1e-12)
    order = np.random.default_rng(seed).permutation(len(labels))
    assert contributions(metric, labels[order], probabilities[order]) == pytest.approx(found[order], abs=1e-12)


@given(st.integers(0, 100))
def test_contributions_to_roc_auc_depend_on_the_ranking_alone(seed: int) -> None:
    labels, probabilities = predictions(seed, (5, 6))
    assert contributions("roc_auc", labels, probabilities**3) == pytest.approx(
        contributions("roc_auc", labels, probabilities), abs=1e-12
    )


def test_contributions_that_cannot_be_estimated_are_undefined() -> None:
    labels, probabilities = predictions(4, (5, 6))
    assert np.isnan(contributions("sensitivity_at_specificity_90", labels, probabilities)).all()
    assert np.isnan(contributions("f1", np.array([0, 1, 1]), probabilities[:3])).all()  # one image of a class
    assert np.isnan(contributions("roc_auc", np.array([1, 1, 1]), probabilities[:3])).all()  # one class
    broken = probabilities.copy()
    broken[3] = np.nan
    assert np.isnan(contributions("accuracy", labels, broken)).all()
    assert contributions("accuracy", labels[:0], probabilities[:0]).shape == (0,)
