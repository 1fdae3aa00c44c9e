"""Calibration measures."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from cytocurve.core.statistics.calibration import BINS, calibration
from cytocurve.core.statistics.predictions import Predictions
from tests.core.statistics.prediction_makers import positives, random_predictions, rows


def brier_scores(predictions: Predictions) -> list[float]:
    """Those of scikit-learn, of each run."""
    classes, result = predictions.classes, []
    for run in range(predictions.runs):
        part = rows(predictions, run)
        probabilities = predictions.probabilities[part]
        given = probabilities[:, 1] if classes == 2 else probabilities
        result.append(brier_score_loss(predictions.labels[part], given, labels=range(classes)))
    return result


def off_the_edges(predictions: Predictions) -> Predictions:
    """The same predictions with each probability shifted slightly from its two decimals."""
    predictions.probabilities[:] += np.where(predictions.probabilities > 0.5, -1, 1) * 1e-4
    return predictions


@pytest.mark.parametrize("classes", [2, 4])
def test_brier_score_matches_scikit_learn(classes: int) -> None:
    """The score refers to the positive class of two, or is summed over more classes; it is averaged over folds."""
    predictions = random_predictions(classes, folds=4, seeds=2)
    folds = np.array(brier_scores(predictions)).reshape(4, 2).mean(axis=1)
    result = calibration(predictions).brier
    assert (result.mean, result.sd) == pytest.approx((folds.mean(), folds.std(ddof=1)), abs=1e-9)
    assert (int(result.n), int(result.undefined)) == (4, 0)


def test_binary_reliability_matches_scikit_learn() -> None:
    """Of the positive class's probability; none lies on an edge, which scikit-learn's sums of steps miss."""
    predictions = off_the_edges(random_predictions(2))
    result = calibration(predictions)
    observed, predicted = calibration_curve(predictions.labels, predictions.probabilities[:, 1], n_bins=BINS)
    filled = result.images > 0
    assert result.observed[filled] == pytest.approx(observed, abs=1e-9)
    assert result.predicted[filled] == pytest.approx(predicted, abs=1e-9)
    assert result.images.sum() == len(predictions.labels)
    assert ((result.low <= result.predicted) & (result.predicted <= result.high))[filled].all()


def test_multiclass_calibration_uses_the_largest_probability() -> None:
    """Its reliability is scikit-learn's of "the image is of that class"."""
    predictions = off_the_edges(random_predictions(4))
    result = calibration(predictions)
    right = predictions.probabilities.argmax(axis=1) == predictions.labels
    observed, predicted = calibration_curve(right, predictions.probabilities.max(axis=1), n_bins=BINS)
    filled = result.images > 0
    assert result.observed[filled] == pytest.approx(observed, abs=1e-9)
    assert result.predicted[filled] == pytest.approx(predicted, abs=1e-9)


def test_probability_on_an_edge_belongs_to_the_lower_bin() -> None:
    """0.3 to that from 0.2, 0 to the first and 1 to the last."""
    values = [0.0, 0.1, 0.3, 0.7, 1.0]
    result = calibration(positives([(0, [1] * 5, values)]))
    assert [round(float(low), 1) for low in result.low[result.images > 0]] == [0.0, 0.2, 0.6, 0.9]
    assert result.images[0] == 2


def test_expected_calibration_error_matches_a_manual_calculation() -> None:
    """Two folds of a seed are one sample: 2 images at 0.9, half of them right, and 2 at 0.2, none positive."""
    result = calibration(positives([(0, [1, 0], [0.9, 0.9]), (1, [0, 0], [0.2, 0.2])]))
    assert result.ece.mean == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    assert (int(result.ece.n), int(result.ece.undefined)) == (1, 0)
    assert math.isnan(result.ece.sd)


def test_confident_predictions_score_best_if_right_and_worst_if_wrong() -> None:
    """Both scores are 0 at best and 1 at worst."""
    right, wrong = positives([(0, [0, 1], [0.0, 1.0])]), positives([(0, [1, 0], [0.0, 1.0])])
    for predictions, expected in ((right, 0.0), (wrong, 1.0)):
        result = calibration(predictions)
        assert (float(result.brier.mean), float(result.ece.mean)) == (expected, expected)


def test_diverged_run_is_counted_and_excluded() -> None:
    """It is excluded from bins and scores; without other runs, nothing is defined."""
    sound, diverged = (0, [0, 1], [0.1, 0.8]), (1, [0, 1], [0.1, math.nan])
    result = calibration(positives([sound, diverged]))
    assert (int(result.brier.n), int(result.brier.undefined), int(result.ece.undefined)) == (1, 1, 1)
    assert result.images.sum() == 2
    assert result.brier.mean == pytest.approx(calibration(positives([sound])).brier.mean)
    assert math.isnan(calibration(positives([diverged])).ece.mean)
