"""Averaged ROC and precision-recall curves."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from cytocurve.core.statistics.bootstrap import mean_intervals
from cytocurve.core.statistics.predictions import Predictions
from cytocurve.core.statistics.thresholds import BAND_RESAMPLES, GRID, AveragedCurve, precision_recall, roc
from cytocurve.core.statistics.values import Values
from tests.core.statistics.prediction_makers import positives, random_predictions, rows

Kind = Callable[[Predictions, int], AveragedCurve]
BOTH = pytest.mark.parametrize("kind", [roc, precision_recall])


def each_run(predictions: Predictions, number: int, reference: Callable[[Values, Values], Values]) -> Values:
    """A function of scikit-learn's of each run, (R, …)."""
    result = []
    for run in range(predictions.runs):
        part = rows(predictions, run)
        result.append(reference(predictions.labels[part] == number, predictions.probabilities[part, number]))
    return np.array(result)


def read_off_roc(right: Values, score: Values) -> Values:
    """The ROC curve of scikit-learn at the grid."""
    false, true, _ = roc_curve(right, score, drop_intermediate=False)
    return np.asarray(np.interp(GRID, false, true))


def read_off_precision(right: Values, score: Values) -> Values:
    """The precision of the highest of scikit-learn's thresholds that reaches each recall, and finds anything."""
    precision, recall, _ = precision_recall_curve(right, score)
    pairs = [(result, held) for result, held in zip(recall[::-1], precision[::-1], strict=True) if result > 0]
    return np.array([next(held for result, held in pairs if result >= level) for level in GRID])


@pytest.mark.parametrize(("classes", "number"), [(2, 1), (2, 0), (5, 3)])
def test_roc_curve_is_the_mean_of_scikit_learn_curves(classes: int, number: int) -> None:
    """Curve and area, with equal probabilities among the images, one class against the rest."""
    predictions = random_predictions(classes)
    result = roc(predictions, number)
    assert result.mean == pytest.approx(each_run(predictions, number, read_off_roc).mean(axis=0), abs=1e-9)
    areas = each_run(predictions, number, roc_auc_score)
    assert result.area == pytest.approx(areas, abs=1e-9)
    assert (result.area_mean, result.area_sd) == pytest.approx((areas.mean(), areas.std(ddof=1)), abs=1e-9)
    assert (result.n, result.undefined) == (8, 0)


@pytest.mark.parametrize(("classes", "number"), [(2, 1), (2, 0), (5, 3)])
def test_precision_recall_curve_is_the_mean_of_scikit_learn_curves(classes: int, number: int) -> None:
    """The steps of the curve, and the average precision."""
    predictions = random_predictions(classes)
    result = precision_recall(predictions, number)
    assert result.mean == pytest.approx(each_run(predictions, number, read_off_precision).mean(axis=0), abs=1e-9)
    assert result.area == pytest.approx(each_run(predictions, number, average_precision_score), abs=1e-9)
    assert result.prevalence == pytest.approx((predictions.labels == number).mean(), abs=1e-9)


labelled = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4).map(lambda k: k / 4)), min_size=2, max_size=14)


@settings(max_examples=40, deadline=None)
@given(labelled)
def test_curves_of_any_run_match_scikit_learn(images: list[tuple[int, float]]) -> None:
    """Few images and many equal probabilities; undefined where scikit-learn has no curve."""
    labels, values = map(list, zip(*images, strict=True))
    predictions = positives([(0, labels, values)])
    result, traded = roc(predictions, 1), precision_recall(predictions, 1)
    assert result.n == int(0 < sum(labels) < len(labels))
    assert traded.n == int(sum(labels) > 0)
    if result.n:
        assert result.mean == pytest.approx(each_run(predictions, 1, read_off_roc)[0], abs=1e-9)
        assert result.area_mean == pytest.approx(roc_auc_score(labels, values), abs=1e-9)
    if traded.n:
        assert traded.mean == pytest.approx(each_run(predictions, 1, read_off_precision)[0], abs=1e-9)
        assert traded.area_mean == pytest.approx(average_precision_score(labels, values), abs=1e-9)


def test_point_between_steps_is_read_at_the_top_of_its_step() -> None:
    """At no false positive the curve already has the two of three images that precede the first one."""
    result = roc(positives([(0, [1, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.1])]), 1)
    assert result.mean[[0, 49, 50, 100]] == pytest.approx([2 / 3, 2 / 3, 1.0, 1.0])


def test_precision_is_not_interpolated_linearly() -> None:
    """With 1 of 1 right at recall 0.5 and 2 of 11 at recall 1, no recall above 0.5 has a precision between them."""
    labels = [1, *[0] * 9, 1]
    result = precision_recall(positives([(0, labels, [1 - 0.05 * place for place in range(11)])]), 1)
    assert set(np.round(result.mean, 9)) == {1.0, round(2 / 11, 9)}
    assert result.mean[50] == 1.0


@BOTH
def test_run_without_images_of_the_class_is_counted_and_excluded(kind: Kind) -> None:
    """The mean of the other runs does not change; without a defined run, there is no curve and no warning."""
    whole = [(0, [0, 1, 1], [0.2, 0.9, 0.1]), (1, [0, 1, 1], [0.5, 0.9, 0.4])]
    without = (2, [0, 0], [0.3, 0.4])
    diverged = (3, [0, 1], [0.3, math.nan])
    result = kind(positives([*whole, without, diverged]), 1)
    assert (result.n, result.undefined) == (2, 2)
    assert result.mean == pytest.approx(kind(positives(whole), 1).mean)
    nothing = kind(positives([without]), 1)
    assert (nothing.n, nothing.undefined) == (0, 1)
    assert np.isnan([*nothing.mean, *nothing.low, nothing.area_mean]).all()


@BOTH
def test_band_is_the_interval_of_the_mean_over_folds(kind: Kind) -> None:
    """It holds the mean curve, and is the bootstrap's interval of the folds' curves at each point."""
    predictions = random_predictions(2, folds=6, seeds=1)
    result = kind(predictions, 1)
    assert ((result.low <= result.mean + 1e-12) & (result.mean <= result.high + 1e-12)).all()
    single = [kind(one_run(predictions, run), 1).mean for run in range(6)]
    low, high = mean_intervals(np.array(single)[:, np.newaxis, :], BAND_RESAMPLES)
    assert result.low == pytest.approx(low, abs=1e-9)
    assert result.high == pytest.approx(high, abs=1e-9)


def one_run(predictions: Predictions, run: int) -> Predictions:
    """The predictions of this run alone."""
    part = rows(predictions, run)
    labels = predictions.labels[part]
    return Predictions.of(labels, predictions.probabilities[part], np.zeros(len(labels)), [0], [0])


def test_increasing_transform_of_the_probabilities_leaves_the_curves_unchanged() -> None:
    """Only the order of the images matters."""
    predictions = random_predictions(2)
    bent = Predictions(
        predictions.labels, predictions.probabilities**3, predictions.run, predictions.fold, predictions.seed
    )
    assert np.array_equal(roc(predictions, 1).mean, roc(bent, 1).mean)
    assert np.array_equal(precision_recall(predictions, 1).mean, precision_recall(bent, 1).mean)
