"""Confusion matrices and per-class tables."""

import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from cytocurve.core.statistics.confusion import class_wise, confusion
from cytocurve.core.statistics.predictions import Predictions
from tests.core.statistics.prediction_makers import random_predictions, rows


def certain(folds: list[tuple[list[int], list[int]]], classes: int) -> Predictions:
    """Predictions of one seed: true labels and assigned classes of each fold."""
    labels = np.concatenate([labels for labels, _ in folds])
    given = np.concatenate([given for _, given in folds])
    run = np.repeat(np.arange(len(folds)), [len(labels) for labels, _ in folds])
    return Predictions.of(labels, np.eye(classes)[given], run, range(len(folds)), [0] * len(folds))


@pytest.mark.parametrize("classes", [2, 5])
def test_matrix_is_the_mean_over_folds_of_scikit_learn_matrices(classes: int) -> None:
    """Values are percent of the true class, averaged over the seeds of a fold first, ± the deviation over folds."""
    predictions = random_predictions(classes, folds=4, seeds=2)
    runs = []
    for run in range(predictions.runs):
        part = rows(predictions, run)
        given = predictions.probabilities[part].argmax(axis=1)
        matrix = confusion_matrix(predictions.labels[part], given, labels=range(classes), normalize="true")
        runs.append(100 * matrix)
    folds = np.array(runs).reshape(4, 2, classes, classes).mean(axis=1)
    result = confusion(predictions)
    assert result.percent == pytest.approx(folds.mean(axis=0), abs=1e-9)
    assert result.sd == pytest.approx(folds.std(axis=0, ddof=1), abs=1e-9)
    assert result.percent.sum(axis=1) == pytest.approx([100] * classes)
    assert (set(result.n.tolist()), set(result.undefined.tolist())) == ({4}, {0})


@pytest.mark.parametrize("classes", [2, 5])
def test_precision_and_sensitivity_are_means_over_folds_of_scikit_learn_scores(classes: int) -> None:
    """Each class's own, and the number of its images, which the seeds of a fold share."""
    predictions = random_predictions(classes, folds=4, seeds=1)
    runs = []
    for run in range(predictions.runs):
        part = rows(predictions, run)
        given = predictions.probabilities[part].argmax(axis=1)
        runs.append(
            precision_recall_fscore_support(predictions.labels[part], given, labels=range(classes), zero_division=0)
        )
    precision, sensitivity, _, images = np.moveaxis(np.array(runs), 1, 0)
    result = class_wise(predictions)
    for ours, theirs in ((result.precision, precision), (result.sensitivity, sensitivity)):
        assert ours.mean == pytest.approx(theirs.mean(axis=0), abs=1e-9)
        assert ours.sd == pytest.approx(theirs.std(axis=0, ddof=1), abs=1e-9)
    assert result.images.tolist() == images.sum(axis=0).tolist()


def test_rare_class_is_scored_as_in_table_1_of_matek() -> None:
    """Atypical lymphocytes, 11 images in five folds: one of three found in one fold, no image else given to the class.

    The table prints precision 0.20 ± 0.40 and sensitivity 0.07 ± 0.13, with deviations by n.
    """
    folds = [([1, 1, 1, 0], [1, 0, 0, 0]), *[([1, 1, 0, 0], [0, 0, 0, 0])] * 4]
    result = class_wise(certain(folds, 2))
    assert (result.images[1], result.sensitivity.n[1]) == (11, 5)
    assert f"{result.sensitivity.mean[1]:.2f} ± {result.sensitivity.sd[1] * math.sqrt(4 / 5):.2f}" == "0.07 ± 0.13"
    assert f"{result.precision.mean[1]:.2f} ± {result.precision.sd[1] * math.sqrt(4 / 5):.2f}" == "0.20 ± 0.40"


def test_class_absent_from_a_fold_is_counted_and_excluded() -> None:
    """Its row is the mean over the other folds, and the other rows stay."""
    result = confusion(certain([([0, 1, 1], [0, 1, 0]), ([0, 0], [0, 1])], 3))
    assert result.percent[0].tolist() == [75, 25, 0]
    assert result.percent[1].tolist() == [50, 50, 0]
    assert np.isnan(result.percent[2]).all()
    assert (result.n.tolist(), result.undefined.tolist()) == ([2, 1, 0], [0, 1, 2])
    assert result.images.tolist() == [3, 2, 0]


def test_diverged_run_is_excluded() -> None:
    """Its images are counted, but its confusion is undefined."""
    predictions = certain([([0, 1], [0, 1]), ([0, 1], [1, 1])], 2)
    predictions.probabilities[-1] = math.nan
    result = confusion(predictions)
    assert result.percent.tolist() == [[100, 0], [0, 100]]
    assert (result.n.tolist(), result.undefined.tolist(), result.images.tolist()) == ([1, 1], [1, 1], [2, 2])
