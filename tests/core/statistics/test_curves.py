"""Summaries and areas of learning curves."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.cbook import boxplot_stats

from cytocurve.core.statistics.curves import Curve, area, areas, gain, summarize

SIZES = (10, 20, 50, 100)
Scores = list[list[float]]

scores_of_folds = st.integers(3, 8).flatmap(
    lambda folds: st.lists(
        st.lists(st.floats(0, 1), min_size=len(SIZES), max_size=len(SIZES)), min_size=folds, max_size=folds
    )
)


def curve_of(scores: Sequence[Sequence[float]], names: Sequence[int] | None = None) -> Curve:
    """A curve of one seed from scores with one row per fold and one column per size."""
    names = names or range(len(scores))
    rows = [(names[i], 0, size, row[j]) for i, row in enumerate(scores) for j, size in enumerate(SIZES)]
    return Curve.of(*map(list, zip(*rows, strict=True)))


@settings(max_examples=30, deadline=None)
@given(scores_of_folds)
def test_quartiles_are_ordered_and_the_interval_contains_the_mean(scores: Scores) -> None:
    """min <= whisker <= q1 <= median <= q3 <= whisker <= max, and ci_low <= mean <= ci_high, up to rounding."""
    for point in summarize(curve_of(scores)).values():
        assert point.min <= point.whisker_low <= point.q1 <= point.median
        assert point.median <= point.q3 <= point.whisker_high <= point.max
        if point.max - point.min > 1e-9:
            assert point.ci_low - 1e-12 <= point.mean <= point.ci_high + 1e-12
        assert (point.n, point.undefined) == (len(scores), 0)


@settings(max_examples=30, deadline=None)
@given(scores_of_folds)
def test_summary_does_not_depend_on_fold_names_or_order(scores: Scores) -> None:
    """Folds with other numbers, in another order, give the same summaries and the same area up to rounding."""
    shuffled = [scores[i] for i in np.random.default_rng(len(scores)).permutation(len(scores))]
    here, there = curve_of(scores), curve_of(shuffled, names=[7 * i + 3 for i in range(len(scores))])
    assert repr(summarize(here)) == repr(summarize(there))  # equal to the bit, with NaN where there is no interval
    assert repr(area(here)) == repr(area(there))


@given(st.floats(0, 1))
@settings(deadline=None)
def test_equal_folds_have_no_interval(value: float) -> None:
    """If all folds have the same score, there is no spread, which does not make the mean certain."""
    point = summarize(curve_of([[value] * len(SIZES)] * 5))[10]
    assert point.mean == pytest.approx(value)
    assert math.isnan(point.ci_low)
    assert math.isnan(point.ci_high)
    assert point.sd == pytest.approx(0)
    assert point.outliers == ()


def test_summary_of_five_folds_matches_a_manual_calculation() -> None:
    """Mean, sample standard deviation and quartiles of 0.5, 0.6, 0.7, 0.8 and 0.9."""
    point = summarize(curve_of([[value] * len(SIZES) for value in (0.9, 0.5, 0.7, 0.6, 0.8)]))[20]
    assert (point.mean, point.median, point.q1, point.q3) == pytest.approx((0.7, 0.7, 0.6, 0.8))
    assert point.sd == pytest.approx(math.sqrt(0.1 / 4))
    assert (point.n, point.min, point.max) == (5, 0.5, 0.9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.52, 0.55, 0.6, 1.0]), min_size=1, max_size=12))
def test_box_and_whiskers_are_those_of_a_box_plot(values: list[float]) -> None:
    """Quartiles, whiskers and outliers are matplotlib's."""
    point = summarize(Curve.of(range(len(values)), [0] * len(values), [10] * len(values), values))[10]
    (box,) = boxplot_stats(values)
    ours = (point.q1, point.median, point.q3, point.whisker_low, point.whisker_high)
    assert ours == pytest.approx(tuple(box[name] for name in ("q1", "med", "q3", "whislo", "whishi")), abs=1e-9)
    assert point.outliers == pytest.approx(sorted(box["fliers"]), abs=1e-9)


def test_interval_of_three_folds_is_students_within_the_range_of_a_score() -> None:
    """0.7, 0.8 and 0.9: the mean ± 4.303 standard errors of 0.0577, which would end above 1."""
    point = summarize(curve_of([[value] * len(SIZES) for value in (0.7, 0.8, 0.9)]))[10]
    assert (point.ci_low, point.ci_high) == pytest.approx((0.8 - 4.302653 * 0.1 / math.sqrt(3), 1.0))


def test_single_run_has_no_interval() -> None:
    point = summarize(Curve.of([0], [0], [10], [0.8]))[10]
    assert (point.mean, math.isnan(point.ci_low), math.isnan(point.ci_high)) == (0.8, True, True)


def test_undefined_score_is_counted_and_excluded() -> None:
    """NaN lowers n; without any defined score, everything except the counts is NaN."""
    scores = [[0.5, 0.6, 0.7, math.nan] for _ in range(4)]
    scores[0][0] = math.nan
    points = summarize(curve_of(scores))
    assert (points[10].n, points[10].undefined) == (3, 1)
    assert (points[100].n, points[100].undefined) == (0, 4)
    assert points[10].mean == pytest.approx(0.5)
    assert math.isnan(points[100].mean)
    assert math.isnan(points[100].ci_low)
    assert area(curve_of(scores)).undefined == 4


def test_missing_run_is_not_an_undefined_score() -> None:
    """Two folds were run at 10 images and one of them at 20: no score is undefined."""
    points = summarize(Curve.of([0, 1, 0], [0, 0, 0], [10, 10, 20], [0.5, 0.6, 0.7]))
    assert [(point.n, point.undefined) for point in points.values()] == [(2, 0), (1, 0)]


def test_duplicate_runs_raise_an_error() -> None:
    """Two scores of one fold, seed and size are an error, not a silent choice."""
    with pytest.raises(ValueError, match="duplicate runs"):
        Curve.of([0, 0], [0, 0], [10, 10], [0.5, 0.6])


def test_gain_is_paired_by_fold() -> None:
    """A gain that is equal in all folds has no spread, however different the scores of the folds are."""
    result = gain(curve_of([[level, level + 0.05, level, level] for level in (0.2, 0.4, 0.6, 0.8)]), 10, 20)
    assert (result.mean, result.ci_low, result.ci_high) == pytest.approx((0.05, 0.05, 0.05))


def test_area_is_the_mean_score_over_log_size() -> None:
    """Matches numpy's trapezoidal rule; a constant curve has its level, a straight line its midpoint."""
    steps = np.log(SIZES)
    scores = np.random.default_rng(5).random((6, len(SIZES)))
    by_hand = np.trapezoid(scores, steps, axis=1) / (steps[-1] - steps[0])
    assert areas(scores, SIZES) == pytest.approx(by_hand, abs=1e-9)
    assert area(curve_of([[0.9] * len(SIZES)] * 3)).mean == pytest.approx(0.9, abs=1e-9)
    straight = 0.6 + 0.3 * (steps - steps[0]) / (steps[-1] - steps[0])
    assert area(curve_of([straight.tolist()] * 3)).mean == pytest.approx(0.75, abs=1e-9)


def test_difference_of_two_areas_is_the_area_of_the_difference() -> None:
    """Arms are compared by the areas of the same folds and seeds."""
    first, second = np.random.default_rng(6).random((2, 5, len(SIZES)))
    apart = areas(first, SIZES) - areas(second, SIZES)
    assert apart == pytest.approx(areas(first - second, SIZES), abs=1e-9)


def test_one_size_has_no_area() -> None:
    """A single size is not a curve: its areas are undefined."""
    result = area(Curve.of([0, 1], [0, 0], [10, 10], [0.9, 0.8]))
    assert math.isnan(result.mean)
    assert (result.n, result.undefined) == (0, 2)
