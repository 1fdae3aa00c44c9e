"""Definitions of the metrics."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from cytocurve.core.statistics.metrics import METRICS, score

Predictions = tuple[NDArray[np.int64], NDArray[np.float64]]


@st.composite
def predictions(draw: st.DrawFn, classes: int) -> Predictions:
    """Labels in which every class occurs, and probabilities with many ties that are exact in binary."""
    size = draw(st.integers(classes, 30))
    rest = st.lists(st.integers(0, classes - 1), min_size=size - classes, max_size=size - classes)
    labels = np.array([*range(classes), *draw(rest)])
    cuts = st.lists(st.integers(0, 16), min_size=classes - 1, max_size=classes - 1).map(sorted)
    rows = [np.diff([0, *draw(cuts), 16]) / 16 for _ in range(size)]
    return labels, np.array(rows)


def test_metrics_and_their_order_are_fixed() -> None:
    """Every score has every metric, the leading one first."""
    names = ["roc_auc", "f1", "f1_weighted", "accuracy", "sensitivity", "specificity", "precision"]
    names += ["sensitivity_at_specificity_90", "sensitivity_at_specificity_95"]
    names += ["specificity_at_sensitivity_90", "specificity_at_sensitivity_95"]
    assert list(METRICS) == list(score(np.array([0, 1]), np.eye(2))) == names


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_perfect_prediction_scores_one(classes: int) -> None:
    """Assigning every image to its class with certainty gives 1 in every metric."""
    labels = np.arange(2 * classes) % classes
    assert score(labels, np.eye(classes)[labels]) == dict.fromkeys(METRICS, 1.0)


def test_sensitivity_specificity_and_precision_refer_to_the_positive_class() -> None:
    """Three positive images of which two are found, and one false alarm among two negative ones."""
    labels = np.array([1, 1, 1, 0, 0])
    positive = np.array([0.9, 0.6, 0.1, 0.7, 0.2])
    result = score(labels, np.stack([1 - positive, positive], axis=1))
    assert result["sensitivity"] == pytest.approx(2 / 3)
    assert result["specificity"] == pytest.approx(1 / 2)
    assert result["precision"] == pytest.approx(2 / 3)
    assert result["accuracy"] == pytest.approx(3 / 5)


@given(predictions(classes=2))
def test_binary_scores_agree_with_scikit_learn(drawn: Predictions) -> None:
    """Binary scores equal those of scikit-learn where it defines them."""
    labels, probabilities = drawn
    given = probabilities.argmax(axis=1)
    result = score(labels, probabilities)
    assert result["roc_auc"] == pytest.approx(sklearn_metrics.roc_auc_score(labels, probabilities[:, 1]))
    assert result["sensitivity"] == pytest.approx(sklearn_metrics.recall_score(labels, given))
    assert result["specificity"] == pytest.approx(sklearn_metrics.recall_score(labels, given, pos_label=0))
    assert result["f1"] == pytest.approx(sklearn_metrics.f1_score(labels, given, average="macro"))
    assert result["f1_weighted"] == pytest.approx(sklearn_metrics.f1_score(labels, given, average="weighted"))
    assert result["precision"] == pytest.approx(sklearn_metrics.precision_score(labels, given, zero_division=0))


@given(predictions(classes=2), st.sampled_from([90, 95]))
def test_operating_points_lie_on_the_scikit_learn_roc_curve(drawn: Predictions, percent: int) -> None:
    labels, probabilities = drawn
    false, true, _ = sklearn_metrics.roc_curve(labels, probabilities[:, 1], drop_intermediate=False)
    result, level = score(labels, probabilities), percent / 100 - 1e-9
    assert result[f"sensitivity_at_specificity_{percent}"] == pytest.approx(true[1 - false >= level].max())
    assert result[f"specificity_at_sensitivity_{percent}"] == pytest.approx((1 - false)[true >= level].max())


@given(predictions(classes=4))
def test_multiclass_scores_agree_with_scikit_learn(drawn: Predictions) -> None:
    """With more classes, ours are scikit-learn's macro averages, one class against the rest."""
    labels, probabilities = drawn
    given = probabilities.argmax(axis=1)
    result = score(labels, probabilities)
    auc = sklearn_metrics.roc_auc_score(labels, probabilities, average="macro", multi_class="ovr")
    assert result["roc_auc"] == pytest.approx(auc)
    assert result["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(labels, given))
    assert result["sensitivity"] == pytest.approx(sklearn_metrics.recall_score(labels, given, average="macro"))
    assert result["f1"] == pytest.approx(sklearn_metrics.f1_score(labels, given, average="macro"))
    assert result["f1_weighted"] == pytest.approx(sklearn_metrics.f1_score(labels, given, average="weighted"))
    precision = sklearn_metrics.precision_score(labels, given, average="macro", zero_division=0)
    assert result["precision"] == pytest.approx(precision)


@given(predictions(classes=2), st.sampled_from([np.sqrt, np.square, np.expm1]))
def test_roc_auc_depends_only_on_the_order(drawn: Predictions, rising: Callable[[Any], Any]) -> None:
    """An increasing function of the probabilities does not change the ROC-AUC."""
    labels, probabilities = drawn
    assert score(labels, rising(probabilities))["roc_auc"] == score(labels, probabilities)["roc_auc"]


@given(predictions(classes=2))
def test_swapping_the_classes_swaps_their_scores(drawn: Predictions) -> None:
    """Swapping the classes keeps the ROC-AUC and swaps sensitivity and specificity."""
    labels, probabilities = drawn
    assume((probabilities[:, 0] != probabilities[:, 1]).all())
    there, back = score(labels, probabilities), score(1 - labels, probabilities[:, ::-1])
    assert back["roc_auc"] == pytest.approx(there["roc_auc"])
    assert (back["sensitivity"], back["specificity"]) == (there["specificity"], there["sensitivity"])
    assert back["f1"] == pytest.approx(there["f1"])


@given(predictions(classes=3), st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_image_order(drawn: Predictions, random: Any) -> None:
    """Shuffling the images does not change the scores."""
    labels, probabilities = drawn
    order = random.sample(range(len(labels)), len(labels))
    there, back = score(labels, probabilities), score(labels[order], probabilities[order])
    assert back == pytest.approx(there, nan_ok=True)


def test_metrics_that_need_negative_images_are_undefined_without_them() -> None:
    """Without one class, ROC-AUC and specificity are NaN without a warning, and the other metrics are defined."""
    result = score(np.array([1, 1]), np.array([[0.1, 0.9], [0.8, 0.2]]))
    assert math.isnan(result["roc_auc"])
    assert math.isnan(result["specificity"])
    assert (result["sensitivity"], result["precision"]) == (0.5, 1.0)


def test_absent_class_is_excluded_from_macro_averages() -> None:
    """A third class without test images does not affect the averages of the other two."""
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
    result = score(labels, probabilities)
    assert result["roc_auc"] == 1.0
    assert result["sensitivity"] == 0.75


@pytest.mark.parametrize("labels", [[], [0, 1]], ids=["no images", "not finite"])
def test_metrics_without_images_are_undefined(labels: list[int]) -> None:
    """No images, or a network that has diverged, give NaN in every metric."""
    result = score(np.array(labels, dtype=np.int64), np.full((len(labels), 2), np.nan))
    assert all(math.isnan(value) for value in result.values())
    assert list(result) == list(METRICS)
