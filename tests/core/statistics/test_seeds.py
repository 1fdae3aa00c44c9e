"""The spread over seeds."""

import math
from itertools import product

import numpy as np
import pytest

from cytocurve.core.statistics.curves import Curve
from cytocurve.core.statistics.seeds import over_seeds


def curve_of(scores: list[list[float]]) -> Curve:
    """A curve of one size from scores with one row per fold and one column per seed."""
    runs = list(product(range(len(scores)), range(len(scores[0]))))
    folds, seeds = zip(*runs, strict=True)
    return Curve.of(folds, seeds, [10] * len(runs), [scores[fold][seed] for fold, seed in runs])


def test_score_of_a_seed_is_the_mean_over_its_folds() -> None:
    """The spread is the standard deviation of the seeds' means, with n - 1."""
    scores = np.random.default_rng(1).random((5, 24))
    means = scores.mean(axis=0)
    result = over_seeds(curve_of(scores.tolist()))[10]
    expected = (means.min(), means.mean(), means.std(ddof=1), means.max())
    assert (result.min, result.mean, result.sd, result.max) == pytest.approx(expected, abs=1e-9)
    assert (result.n, result.undefined) == (24, 0)


def test_one_seed_has_no_spread() -> None:
    """Minimum, mean and maximum coincide; the deviation is undefined."""
    result = over_seeds(curve_of([[0.8], [0.9]]))[10]
    assert (result.min, result.mean, result.max) == pytest.approx((0.85, 0.85, 0.85))
    assert math.isnan(result.sd)


def test_undefined_run_is_counted_and_excluded_from_its_seed() -> None:
    """A seed without any defined run has no score."""
    result = over_seeds(curve_of([[0.8, math.nan], [math.nan, math.nan]]))[10]
    assert (result.n, result.undefined) == (1, 3)
    assert result.mean == pytest.approx(0.8)
    assert math.isnan(over_seeds(curve_of([[math.nan]]))[10].mean)
