"""Grouping predictions by run and averaging over folds."""

import math

import numpy as np
import pytest

from cytocurve.core.statistics.predictions import Predictions
from tests.core.statistics.prediction_makers import positives, random_predictions, rows


def test_rows_of_a_run_are_contiguous_and_in_order() -> None:
    """Rows in any order are sorted by run, keeping their order within a run."""
    result = Predictions.of(
        np.array([0, 1, 1, 0]), np.eye(2)[[0, 1, 0, 1]], np.array([1, 0, 1, 0]), [7, 5], [0, 0], np.array([4, 3, 2, 1])
    )
    assert result.labels[rows(result, 0)].tolist() == [1, 0]
    assert result.labels[rows(result, 1)].tolist() == [0, 1]
    assert result.subject is not None
    assert result.subject.tolist() == [3, 1, 4, 2]


def test_duplicate_runs_raise_an_error() -> None:
    """Two runs of one fold and seed are an error, not a silent choice."""
    with pytest.raises(ValueError, match="duplicate runs"):
        positives([(3, [0, 1], [0.1, 0.9]), (3, [0, 1], [0.1, 0.9])])


def test_diverged_or_empty_run_cannot_be_scored() -> None:
    """Only runs with a non-finite probability or without rows cannot be scored."""
    result = positives([(0, [0, 1], [0.1, math.nan]), (1, [], []), (2, [0, 1], [0.1, 0.9])])
    assert result.defined.tolist() == [False, False, True]


def test_runs_of_a_fold_are_averaged_first() -> None:
    """Mean and deviation over folds of the means over seeds; runs without a value are counted and excluded."""
    predictions = random_predictions(2, folds=3, seeds=2)
    values = np.array([0.1, 0.3, 0.5, math.nan, 0.8, 0.6])
    result = predictions.over_folds(values)
    assert result.mean == pytest.approx(np.mean([0.2, 0.5, 0.7]), abs=1e-9)
    assert result.sd == pytest.approx(np.std([0.2, 0.5, 0.7], ddof=1), abs=1e-9)
    assert (int(result.n), int(result.undefined)) == (3, 1)


def test_all_undefined_values_have_no_mean_and_give_no_warning() -> None:
    """A class that occurs in no fold."""
    result = random_predictions(2, folds=2, seeds=1).over_folds(np.array([[0.5, math.nan], [0.7, math.nan]]))
    assert result.mean.tolist() == pytest.approx([0.6, math.nan], nan_ok=True)
    assert (result.n.tolist(), result.undefined.tolist()) == ([2, 0], [0, 2])
