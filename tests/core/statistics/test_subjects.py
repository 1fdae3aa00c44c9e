"""Scores by patient."""

import math

import numpy as np
import pytest

from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.proportions import wilson
from cytocurve.core.statistics.subjects import subjects

PATIENTS = [3, 3, 3, 8, 8, 5]
LABELS = [1, 1, 1, 0, 0, 0]


def study(seeds: list[list[float]], patients: list[int] | None = None, labels: list[int] | None = None) -> Predictions:
    """One fold of six images, with the positive-class probabilities of each seed."""
    positive = np.array(seeds).ravel()
    run = np.repeat(np.arange(len(seeds)), 6)
    subject = None if patients is None else np.tile(patients, len(seeds))
    return Predictions.of(
        np.tile(labels or LABELS, len(seeds)),
        np.stack([1 - positive, positive], axis=1),
        run,
        [0] * len(seeds),
        range(len(seeds)),
        subject,
    )


def test_every_subject_has_equal_weight_whatever_its_number_of_images() -> None:
    """Two of three, one of two and one of one right: the mean of the shares, not of the images."""
    result = subjects(study([[0.9, 0.9, 0.2, 0.1, 0.6, 0.4]], PATIENTS))
    assert result is not None
    assert (result.subject.tolist(), result.images.tolist(), result.label.tolist()) == ([3, 5, 8], [3, 1, 2], [1, 0, 0])
    assert result.right == pytest.approx([2 / 3, 1, 1 / 2])
    assert result.accuracy.mean == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert result.accuracy.sd == pytest.approx(np.std([2 / 3, 1, 1 / 2], ddof=1))
    assert result.accuracy.n == 3
    assert result.accuracy.ci_low <= result.accuracy.mean <= result.accuracy.ci_high


def test_subject_is_diagnosed_by_the_mean_probability_of_its_images() -> None:
    """Two weak votes for the class do not outweigh one strong vote against it."""
    result = subjects(study([[0.55, 0.55, 0.01, 0.1, 0.6, 0.4]], PATIENTS))
    assert result is not None
    assert result.diagnosed.tolist() == [0, 1, 1]
    assert result.diagnosis.mean == pytest.approx(2 / 3)


def test_seeds_are_averaged_within_a_subject() -> None:
    """A subject that one of two seeds recognizes counts as half right."""
    result = subjects(study([[0.9, 0.9, 0.9, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1]], PATIENTS))
    assert result is not None
    assert result.right.tolist() == result.diagnosed.tolist() == [0.5, 1, 1]
    assert result.images.tolist() == [3, 1, 2]


def test_subject_with_images_of_several_classes_has_no_diagnosis() -> None:
    """Its share of correctly classified images is still defined."""
    result = subjects(study([[0.9, 0.9, 0.1, 0.1, 0.1, 0.1]], PATIENTS, [1, 1, 0, 0, 0, 0]))
    assert result is not None
    assert result.label.tolist() == [-1, 0, 0]
    assert result.right.tolist() == [1, 1, 1]
    assert math.isnan(result.diagnosed[0])
    assert (result.accuracy.n, result.diagnosis.n) == (3, 2)


def test_images_without_a_subject_and_diverged_runs_are_counted_and_excluded() -> None:
    """Each of two runs, one of them diverged, has one image without a known patient."""
    result = subjects(study([[0.9, 0.9, 0.9, 0.1, 0.1, 0.9], [math.nan] * 6], [3, 3, 3, 8, 8, -1]))
    assert result is not None
    assert (result.subject.tolist(), result.right.tolist()) == ([3, 8], [1, 1])
    assert (result.unknown, result.undefined) == (2, 1)


def test_images_without_patients_give_no_subjects() -> None:
    """Neither if no subjects are given nor if none is known."""
    assert subjects(study([[0.5] * 6])) is None
    assert subjects(study([[0.5] * 6], [-1] * 6)) is None


def test_images_of_a_subject_are_pooled_over_folds() -> None:
    """It is one subject even if half of its images are tested in another fold."""
    positive = np.array([0.9, 0.2, 0.9, 0.9])
    predictions = Predictions.of(
        np.ones(4), np.stack([1 - positive, positive], axis=1), np.array([0, 0, 1, 1]), [0, 1], [0, 0], np.zeros(4)
    )
    result = subjects(predictions)
    assert result is not None
    assert (result.images.tolist(), result.right.tolist()) == ([4], [0.75])


def test_interval_of_all_correct_subjects_has_positive_width() -> None:
    result = subjects(study([[0.9, 0.9, 0.9, 0.1, 0.1, 0.1]], PATIENTS))
    assert result is not None
    for share in (result.accuracy, result.diagnosis):
        assert (share.mean, share.ci_high) == (1, 1)
        assert share.ci_low == pytest.approx(wilson(1, 3)[0])
        assert share.ci_low < 0.5
