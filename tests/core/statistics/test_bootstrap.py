"""Bootstrap intervals over folds and seeds."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm, t

from cytocurve.core.statistics.bootstrap import RESAMPLES, SHARES, mean_intervals, ratio_intervals
from cytocurve.core.statistics.values import Values


def test_interval_with_one_seed_is_the_expanded_percentile_bootstrap_over_folds() -> None:
    """The ends are numpy's quantiles of the means of folds drawn with replacement, at the tails of Student's t."""
    values = np.sort(np.random.default_rng(3).random(10))
    draws = np.random.default_rng(20_190_419).multinomial(10, [0.1] * 10, size=RESAMPLES)
    tail = norm.cdf(-t.ppf(0.975, 9) * math.sqrt(10 / 9))
    low, high = mean_intervals(values.reshape(10, 1, 1))
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile(draws @ values / 10, (tail, 1 - tail))), abs=1e-12)


def test_interval_of_few_normal_scores_is_close_to_students_t() -> None:
    """Its width, averaged over samples of ten, is that of the mean ± t standard errors."""
    values = np.random.default_rng(7).normal(0, 1, (10, 1, 400))
    low, high = mean_intervals(values)
    errors = values[:, 0].std(axis=0, ddof=1) / math.sqrt(10)
    assert np.mean(high - low) == pytest.approx(2 * t.ppf(0.975, 9) * errors.mean(), rel=0.03)


@pytest.mark.parametrize("folds", [2, 3, 4])
def test_interval_of_fewer_than_five_folds_is_students_of_their_means(folds: int) -> None:
    """The mean of the folds' means over seeds ± t standard errors, which no resample of so few folds reaches."""
    values = np.random.default_rng(9).random((folds, 2, 3))
    means = values.mean(axis=1)
    reach = t.ppf(0.975, folds - 1) * means.std(axis=0, ddof=1) / math.sqrt(folds)
    low, high = mean_intervals(values)
    assert np.allclose((low, high), (means.mean(axis=0) - reach, means.mean(axis=0) + reach), rtol=0, atol=1e-12)
    assert np.all(low < means.min(axis=0))
    assert np.all(high > means.max(axis=0))


@pytest.mark.parametrize("folds", [3, 4])
def test_interval_of_few_normal_scores_holds_the_mean_in_95_of_100_studies(folds: int) -> None:
    low, high = mean_intervals(np.random.default_rng(10).normal(0, 1, (folds, 1, 4000)))
    assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.95, abs=0.01)


def test_interval_of_few_folds_ends_at_the_bounds_of_a_score() -> None:
    low, high = mean_intervals(np.array([0.8, 0.9, 1.0]).reshape(3, 1, 1), bounds=SHARES)
    assert 0.5 < low[0] < 0.8
    assert high[0] == 1.0


def test_interval_counts_the_folds_with_a_score_in_each_column() -> None:
    """Of ten folds, three have a score in the second column: Student's interval, beside a bootstrap of the first."""
    values = np.random.default_rng(11).random((10, 1, 2))
    values[3:, :, 1] = np.nan
    low, high = mean_intervals(values)
    few = mean_intervals(values[:3, :, [1]])
    assert (low[1], high[1]) == pytest.approx((few[0][0], few[1][0]))
    assert (low[0], high[0]) == pytest.approx([end[0] for end in mean_intervals(values[:, :, [0]])], abs=0.02)


def test_single_fold_and_seed_has_no_interval() -> None:
    """Nothing shows how much folds differ; nor do the seeds of the only fold with a score, of three."""
    values = np.full((3, 2, 1), np.nan)
    values[1] = [[0.7], [0.8]]
    for scores in (values[1:2, :1], values):
        assert np.isnan(mean_intervals(scores)).all()


def test_interval_of_shares_of_few_folds_is_students_if_folds_have_equal_sizes() -> None:
    part = np.array([3.0, 5.0, 4.0]).reshape(3, 1, 1)
    of_sums, of_means = ratio_intervals(part, np.full((3, 1, 1), 10.0)), mean_intervals(part / 10)
    assert np.allclose(of_sums, of_means, rtol=0, atol=1e-12)


def test_interval_with_one_fold_resamples_seeds() -> None:
    """Seeds on a single split have the same interval as an equal number of folds."""
    values = np.random.default_rng(8).random((1, 10, 1))
    low, high = mean_intervals(values)
    low_of_folds, high_of_folds = mean_intervals(values.reshape(10, 1, 1))
    assert (low[0], high[0]) == pytest.approx((low_of_folds[0], high_of_folds[0]), abs=0.01)


def test_interval_is_close_to_the_normal_approximation() -> None:
    """With many folds, the bootstrap interval of the mean is the mean ± 1.96 standard errors."""
    values = np.random.default_rng(1).normal(0.8, 0.05, (400, 1, 1))
    low, high = mean_intervals(values)
    error = 1.96 * values.std() / math.sqrt(400)
    assert (low[0], high[0]) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.05 * error)


def test_variances_of_folds_and_of_seeds_within_folds_add_up() -> None:
    """Of 40 folds of 5 seeds, the error is the root of var(fold means) / 40 and of the mean var(seeds) / 200."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (40, 1)) + rng.normal(0, 2, (40, 5))
    low, high = mean_intervals(values[:, :, np.newaxis])
    error = math.sqrt(values.mean(axis=1).var() / 40 + values.var(axis=1).mean() / 200)
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_seeds_of_a_fold_stay_together() -> None:
    """Repeating every run with another seed adds no independent test images, so the interval stays."""
    scores = np.random.default_rng(2).random((10, 1, 3))
    twice = np.repeat(scores, 2, axis=1)
    assert np.allclose(mean_intervals(scores), mean_intervals(twice), rtol=0, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(arrays(np.float64, (4, 3, 2), elements=st.floats(0, 1)), st.randoms(use_true_random=False))
def test_interval_does_not_depend_on_the_order_of_folds_or_seeds(values: Values, random: Any) -> None:
    """Folds in another order, each with its seeds in another order, have the same interval to the bit."""
    shuffled = np.stack([fold[random.sample(range(3), 3)] for fold in values[random.sample(range(4), 4)]])
    assert np.array_equal(mean_intervals(values), mean_intervals(shuffled))


def test_undefined_value_is_excluded() -> None:
    """NaN does not affect other values, a column without values has no interval, and there is no warning."""
    values = np.full((6, 2, 2), np.nan)
    values[:, 0, 0] = 0.25
    low, high = mean_intervals(values)
    assert low[0] == high[0] == pytest.approx(0.25, abs=1e-12)
    assert math.isnan(low[1])
    assert math.isnan(high[1])
