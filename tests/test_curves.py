"""What a learning curve's summary and its saturation size mean."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocurve.core.curves import Curve, mean_intervals, saturation_size, summarise

SIZES = (10, 20, 50, 100)
Scores = list[list[float]]

scores_of_folds = st.integers(3, 8).flatmap(
    lambda folds: st.lists(
        st.lists(st.floats(0, 1), min_size=len(SIZES), max_size=len(SIZES)), min_size=folds, max_size=folds
    )
)


def curve_of(scores: Sequence[Sequence[float]], names: Sequence[int] | None = None) -> Curve:
    """A curve of one seed from scores, a row a fold, a column a size."""
    names = names or range(len(scores))
    rows = [(names[i], 0, size, row[j]) for i, row in enumerate(scores) for j, size in enumerate(SIZES)]
    return Curve.of(*map(list, zip(*rows, strict=True)))


def noisy(mean: Callable[[int], float], folds: int = 10) -> Curve:
    """A curve of that mean in which every fold has its own level."""
    return curve_of([[mean(size) + 0.03 * math.sin(fold) for size in SIZES] for fold in range(folds)])


@settings(max_examples=30)
@given(scores_of_folds)
def test_quartiles_are_ordered_and_the_interval_holds_the_mean(scores: Scores) -> None:
    """q1 <= median <= q3, and ci_low <= mean <= ci_high, up to rounding."""
    for point in summarise(curve_of(scores)).values():
        assert point.q1 <= point.median <= point.q3
        assert point.ci_low - 1e-12 <= point.mean <= point.ci_high + 1e-12
        assert point.n == len(scores)


@settings(max_examples=30)
@given(scores_of_folds)
def test_the_names_and_the_order_of_folds_do_not_matter(scores: Scores) -> None:
    """Folds with other numbers, in another order, give the same summary and the same saturation size."""
    shuffled = [scores[i] for i in np.random.default_rng(len(scores)).permutation(len(scores))]
    here, there = curve_of(scores), curve_of(shuffled, names=[7 * i + 3 for i in range(len(scores))])
    assert summarise(here) == summarise(there)
    assert saturation_size(here) == saturation_size(there)


@given(st.floats(0, 1))
def test_equal_folds_have_an_interval_of_one_point(value: float) -> None:
    """Where all folds score the same there is no spread."""
    point = summarise(curve_of([[value] * len(SIZES)] * 5))[10]
    assert (point.ci_low, point.mean, point.ci_high) == pytest.approx((value, value, value))
    assert point.sd == pytest.approx(0)


def test_the_summary_of_five_folds_by_hand() -> None:
    """Mean, sample standard deviation and quartiles of 0.5, 0.6, 0.7, 0.8 and 0.9."""
    point = summarise(curve_of([[value] * len(SIZES) for value in (0.9, 0.5, 0.7, 0.6, 0.8)]))[20]
    assert (point.mean, point.median, point.q1, point.q3) == pytest.approx((0.7, 0.7, 0.6, 0.8))
    assert point.sd == pytest.approx(math.sqrt(0.1 / 4))
    assert point.n == 5


def test_the_interval_is_about_that_of_the_normal_approximation() -> None:
    """With many folds the bootstrap's interval of the mean is mean ± 1.96 standard errors."""
    values = np.random.default_rng(1).normal(0.8, 0.05, (400, 1, 1))
    low, high = mean_intervals(values)
    error = 1.96 * values.std() / math.sqrt(400)
    assert (low[0], high[0]) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.05 * error)


def test_seeds_of_a_fold_stay_together() -> None:
    """Repeating every run with another seed adds no independent test images, so the interval stays."""
    scores = np.random.default_rng(2).random((10, 1, 3))
    twice = np.repeat(scores, 2, axis=1)
    assert np.allclose(mean_intervals(scores), mean_intervals(twice))


def test_undefined_scores_are_counted_out() -> None:
    """A NaN lowers n; with no defined score at all everything but n is NaN."""
    scores = [[0.5, 0.6, 0.7, math.nan] for _ in range(4)]
    scores[0][0] = math.nan
    points = summarise(curve_of(scores))
    assert (points[10].n, points[100].n) == (3, 0)
    assert points[10].mean == pytest.approx(0.5)
    assert math.isnan(points[100].mean)
    assert math.isnan(points[100].ci_low)


def test_a_run_may_not_be_there_twice() -> None:
    """Two scores of one fold, seed and size are an error, not a silent choice."""
    with pytest.raises(ValueError, match="twice"):
        Curve.of([0, 0], [0, 0], [10, 10], [0.5, 0.6])


def test_a_flat_curve_is_saturated_at_its_first_size() -> None:
    """Where nothing is gained the smallest training set is enough."""
    assert saturation_size(noisy(lambda size: 0.9)) == 10


def test_a_steadily_rising_curve_is_not_saturated() -> None:
    """Where the last step still gains clearly more than the margin, no smaller size is enough."""
    assert saturation_size(noisy(lambda size: 0.5 + 0.2 * math.log10(size))) is None


def test_a_curve_that_levels_off_is_saturated_where_it_does() -> None:
    """Gains up to 50 images and none after it: 50."""
    assert saturation_size(noisy(lambda size: 0.5 + min(size, 50) / 125)) == 50


def test_a_gain_of_just_the_margin_does_not_count() -> None:
    """A larger size has to be better by more than the margin."""
    rising = noisy(lambda size: 0.8 if size == 10 else 0.81)
    assert saturation_size(rising) == 10
    assert saturation_size(rising, margin=0.009) == 20


def test_gains_are_paired_by_fold() -> None:
    """A gain that every fold shares is seen, however different the folds' levels are."""
    levels = [0.2, 0.4, 0.6, 0.8]
    assert saturation_size(curve_of([[level, level + 0.05, level + 0.05, level + 0.05] for level in levels])) == 20


def test_one_size_and_undefined_scores_are_not_saturated() -> None:
    """Without a larger size, or without defined gains, nothing is said to be enough."""
    assert saturation_size(Curve.of([0, 1, 2], [0, 0, 0], [10, 10, 10], [0.9, 0.9, 0.9])) is None
    assert saturation_size(curve_of([[math.nan] * len(SIZES)] * 3)) is None
