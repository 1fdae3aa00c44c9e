"""Significance tests match the publications, scipy and statsmodels."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cytocurve.core.comparison.significance import (
    UNKNOWN,
    Sampling,
    corrected_signed_rank,
    corrected_t,
    fold_ratio,
    holm,
    images_and_folds,
    rank_sum,
    sampling,
    signed_rank,
)

NAN = float("nan")
differences = st.lists(st.integers(-40, 40), min_size=2, max_size=14).map(lambda values: np.array(values) / 64)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("folds", [3, 5, 10])
@pytest.mark.parametrize("ratio", [0.0, 0.125, 1.0])
def test_corrected_t_is_the_paired_t_with_a_wider_standard_error(folds: int, ratio: float) -> None:
    random = np.random.default_rng(folds)
    first, second = random.normal(0.9, 0.05, folds), random.normal(0.85, 0.05, folds)
    plain = stats.ttest_rel(first, second)
    widened = np.sqrt(1 + folds * ratio)
    result = corrected_t(first - second, ratio)
    assert result.p == near(2 * stats.t.sf(abs(plain.statistic) / widened, folds - 1))
    scale = widened * stats.sem(first - second)
    low, high = stats.t.interval(0.95, folds - 1, (first - second).mean(), scale)
    assert (result.ci_low, result.ci_high) == (near(low), near(high))


def test_uncorrected_t_test_matches_scipys_paired_t() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 10))
    assert corrected_t(first - second, 0.0).p == near(stats.ttest_rel(first, second).pvalue)


@given(differences, st.sampled_from([0.0, 0.125, 1.0]))
def test_interval_excludes_zero_exactly_if_p_is_below_5_percent(values: np.ndarray, ratio: float) -> None:
    result = corrected_t(values, ratio)
    if np.isfinite(result.p) and abs(result.p - 0.05) > 1e-9 and result.ci_high > result.ci_low:
        assert (result.p < 0.05) == (result.ci_low > 0 or result.ci_high < 0)


@given(differences)
def test_larger_correction_never_finds_more(values: np.ndarray) -> None:
    narrow, wide = corrected_t(values, 0.1), corrected_t(values, 0.2)
    assert not wide.p < narrow.p - 1e-12
    assert corrected_signed_rank(values, 0.2) >= corrected_signed_rank(values, 0.1) - 1e-12


def test_equal_arms_have_no_difference_and_p_1() -> None:
    result = corrected_t(np.zeros(10), 0.125)
    assert (result.mean, result.ci_low, result.ci_high, result.p) == (0.0, 0.0, 0.0, 1.0)
    assert signed_rank(np.zeros(10)) == corrected_signed_rank(np.zeros(10), 0.125) == 1.0


def test_differences_without_spread_cannot_be_tested() -> None:
    """All folds differ by the same amount, up to the rounding of floats; or one fold is defined."""
    for values in (np.full(5, 0.3 - 0.2) + np.array([0, 0, 0, 0, 1e-17]), np.array([0.1, NAN]), np.array([0.0, NAN])):
        result = corrected_t(values, 0.125)
        assert np.isnan([result.p, result.ci_low, result.ci_high]).all()
        assert result.mean == near(values[0])


def test_undefined_differences_are_excluded() -> None:
    values = np.array([0.1, NAN, -0.05, 0.2, NAN])
    defined = values[~np.isnan(values)]
    assert corrected_t(values, 0.5) == corrected_t(defined, 0.5)
    assert corrected_signed_rank(values, 0.5) == corrected_signed_rank(defined, 0.5)
    assert np.isnan(corrected_t(np.full(3, NAN), 0.5).mean)
    assert np.isnan(corrected_signed_rank(np.full(3, NAN), 0.5))
    assert np.isnan(rank_sum(np.full(3, NAN), defined))


@pytest.mark.parametrize("folds", [1, 2, 5, 10, 13, 20, 40])
def test_signed_rank_test_matches_scipys_exact_test(folds: int) -> None:
    values = np.round(np.random.default_rng(folds).normal(0.3, 1, folds), 9)
    assert signed_rank(values) == near(stats.wilcoxon(values, method="exact").pvalue)


@pytest.mark.parametrize("seed", range(5))
def test_signed_rank_test_with_ties_and_zeros_matches_scipy_over_all_signs(seed: int) -> None:
    values = np.random.default_rng(seed).integers(-4, 5, 9) / 16
    among = values[values != 0]
    every_sign = stats.wilcoxon(among, method=stats.PermutationMethod(n_resamples=2**9))
    assert signed_rank(values) == near(every_sign.pvalue)


def test_signed_rank_test_reproduces_the_published_depression_scores() -> None:
    """Hollander & Wolfe 1973, pages 29-33: nine patients before and after, V = 40, one-sided p = 10 / 512."""
    before = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    after = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    assert signed_rank(before - after) == near(2 * 10 / 512)


def test_uncorrected_rank_test_is_the_exact_test() -> None:
    values = np.random.default_rng(2).normal(0.4, 1, 10)
    assert corrected_signed_rank(values, 0.0) == near(signed_rank(values))


def test_corrected_rank_test_of_ten_agreeing_folds_matches_a_manual_calculation() -> None:
    """z of 2 / 1024 is 3.097, divided by the root of 1 + 9 / 9."""
    assert corrected_signed_rank(np.arange(1, 11) / 10, fold_ratio(10)) == near(
        2 * stats.norm.sf(stats.norm.isf(1 / 1024) / np.sqrt(2))
    )


@pytest.mark.parametrize("seeds", [(1, 1), (3, 4), (10, 10), (24, 24), (5, 40)])
def test_rank_sum_test_matches_scipys_exact_test(seeds: tuple[int, int]) -> None:
    random = np.random.default_rng(sum(seeds))
    first, second = random.normal(0.3, 1, seeds[0]), random.normal(0, 1, seeds[1])
    expected = stats.mannwhitneyu(first, second, alternative="greater", method="exact").pvalue
    assert rank_sum(first, second) == near(expected)


@pytest.mark.parametrize("seed", range(5))
def test_rank_sum_test_with_ties_matches_full_enumeration(seed: int) -> None:
    """The share of assignments of ranks to the first arm with at least the observed rank sum."""
    scores = np.random.default_rng(seed).integers(0, 5, 9) / 16
    ranks = stats.rankdata(scores)
    sums = [sum(chosen) for chosen in combinations(ranks, 4)]
    assert rank_sum(scores[:4], scores[4:]) == near(np.mean(np.array(sums) >= ranks[:4].sum()))


def test_rank_sum_test_reproduces_the_published_permeability_constants() -> None:
    """Hollander & Wolfe 1973, pages 69-71: W = 35, one-sided p = 0.1272."""
    term = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    early = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    assert round(rank_sum(term, early), 4) == 0.1272


@pytest.mark.parametrize("number", [1, 2, 7, 21])
def test_holm_matches_statsmodels(number: int) -> None:
    values = np.random.default_rng(number).random(number).round(2).tolist()
    assert holm(values) == near(multipletests(values, method="holm")[1].tolist())


@given(p_values)
def test_holm_keeps_the_order_and_never_decreases_a_p_value(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(after >= before for before, after in zip(values, adjusted, strict=True))
    ordered = [adjusted[i] for i in np.argsort(values, kind="stable")]
    assert ordered == sorted(ordered)


def test_holm_does_not_count_undefined_p_values() -> None:
    assert holm([0.01, NAN, 0.04])[::2] == holm([0.01, 0.04])
    assert np.isnan(holm([0.01, NAN, 0.04])[1])


def test_ratio_is_test_folds_to_training_folds() -> None:
    assert fold_ratio(10) == 25 / 200
    with pytest.raises(ValueError, match="at least 3"):
        fold_ratio(2)


variances = st.floats(0, 0.1)


def test_variance_over_images_and_folds_adds_the_correction_to_the_variance_of_the_mean() -> None:
    values, images, ratio = np.array([0.02, 0.05, -0.01, 0.04, 0.03]), Sampling(0.0004, 48.0), 1 / 3
    parts = stats.sem(values) ** 2, 5 * ratio * 0.0004
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 48)
    error = np.sqrt(sum(parts))
    found = images_and_folds(values, images, ratio)
    assert found.p == near(2 * stats.t.sf(abs(values.mean()) / error, freedom))
    low, high = stats.t.interval(0.95, freedom, values.mean(), error)
    assert (found.mean, found.ci_low, found.ci_high) == (near(values.mean()), near(low), near(high))


def test_p_value_without_variance_over_images_is_scipys_paired_t() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 10))
    found = images_and_folds(first - second, Sampling(0.0, 20.0), 1 / 8)
    assert found.p == near(stats.ttest_rel(first, second).pvalue)


@given(differences, variances, st.sampled_from([0.0, 0.125, 1.0]))
def test_p_value_over_images_and_folds_is_a_probability_and_follows_the_sign(
    values: np.ndarray, variance: float, ratio: float
) -> None:
    there, back = (images_and_folds(each, Sampling(variance, 30.0), ratio) for each in (values, -values))
    assert np.isnan(there.p) or 0 <= there.p <= 1
    assert back.p == pytest.approx(there.p, nan_ok=True)
    assert back.mean == near(-there.mean)
    assert (back.ci_low, back.ci_high) == pytest.approx((-there.ci_high, -there.ci_low), nan_ok=True, abs=1e-12)
    if np.isfinite(there.p) and abs(there.p - 0.05) > 1e-9 and there.ci_high > there.ci_low:
        assert (there.p < 0.05) == (there.ci_low > 0 or there.ci_high < 0)


def test_differences_that_do_not_vary_have_no_test_unless_nothing_differs() -> None:
    nothing = Sampling(0.0, 5.0)
    assert images_and_folds(np.zeros(5), nothing, 0.1).p == 1
    assert np.isnan(images_and_folds(np.full(5, 0.25), nothing, 0.1).p)
    assert np.isnan(images_and_folds(np.array([0.1, NAN]), Sampling(0.1, 5.0), 0.1).p)
    assert np.isnan(images_and_folds(np.array([0.1, 0.2]), UNKNOWN, 0.1).p)
    assert images_and_folds(np.full(5, 0.25), Sampling(0.01, 5.0), 0.1).p < 0.1  # the images vary, if the folds do not


def strata(units: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Contributions, folds, classes and units of 24 images in three folds and two classes."""
    numbers = np.arange(24)
    contributions = np.random.default_rng(3).normal(size=24)
    return contributions, numbers // 8, numbers % 2, np.array(units)


def test_sampling_variance_of_images_is_the_mean_over_folds_of_variances_by_class() -> None:
    values, folds, classes, units = strata(list(range(24)))
    by_stratum = [
        (values[(folds == fold) & (classes == number)] ** 2).sum() * 4 / 3 / 9 for fold in range(3) for number in (0, 1)
    ]
    found = sampling(values, folds, classes, units)
    assert found.variance == near(sum(by_stratum))
    assert found.freedom == near(sum(by_stratum) ** 2 / sum(part**2 / 3 for part in by_stratum))


def test_images_of_a_patient_are_summed_before_they_are_squared() -> None:
    values, folds, classes, units = strata([number // 8 * 10 + number % 4 for number in range(24)])  # two per stratum
    sums = [values[units == unit].sum() / 3 * np.sqrt(2) for unit in np.unique(units)]
    assert sampling(values, folds, classes, units).variance == near(sum(each**2 for each in sums))


def test_patient_in_several_folds_is_one_unit() -> None:
    values, folds, classes, units = strata([number % 8 for number in range(24)])
    sums = [values[units == unit].sum() / 3 * np.sqrt(4 / 3) for unit in range(8)]
    found = sampling(values, folds, classes, units)
    assert found.variance == near(sum(each**2 for each in sums))
    assert found.freedom <= 7


def test_class_with_one_patient_in_a_fold_says_nothing_about_others() -> None:
    values, folds, classes, units = strata([number // 8 * 10 + number % 2 for number in range(24)])
    assert np.isnan(sampling(values, folds, classes, units).variance)
    assert np.isnan(sampling(np.full(24, NAN), folds, classes, units).variance)


def test_fold_is_left_out_whole_or_not_at_all() -> None:
    values, folds, classes, units = strata(list(range(24)))
    without = sampling(np.where(folds == 1, NAN, values), folds, classes, units)
    rest = folds != 1
    assert without == sampling(values[rest], folds[rest], classes[rest], units[rest])
    partly = np.where(units == 3, NAN, values)
    assert np.isnan(sampling(partly, folds, classes, units).variance)
