"""Plans of curves whose true values are known, and when the planner refuses."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytocurve.core.planner import Plan, Start, Target, expected_gain, plan, planner, required, start

Values = NDArray[np.float64]

SIZES = np.arange(10, 201, 10)
FEW = np.array([10, 20, 50, 100, 200])


def power(n: Values) -> Values:
    """A curve that rises from 0.66 at 10 images to 0.91 at 200, toward 0.96."""
    return np.asarray(0.96 - 0.3 * (n / 10) ** -0.6)


def scores_of(
    curve: Callable[[Values], Values],
    sizes: NDArray[np.int64] = SIZES,
    folds: int = 10,
    noise: float = 0.02,
    seed: int = 0,
) -> Values:
    """Scores (folds, 1, sizes) around a curve: each fold has its own offset, and noise decreases with size."""
    rng = np.random.default_rng(seed)
    n = sizes.astype(np.float64)
    levels = 0.5 * noise * rng.normal(size=(folds, 1))
    scores = curve(n) + levels + noise * (n / n[0]) ** -0.3 * rng.normal(size=(folds, len(n)))
    return np.asarray(scores.clip(0, 1)[:, None])


def flat(n: Values) -> Values:
    """A curve that is saturated from the first size on."""
    return np.full(len(n), 0.95)


def planned(curve: Callable[[Values], Values] = power, **options: float) -> Plan:
    """The plan of such a curve."""
    sizes = SIZES
    return plan(sizes, scores_of(curve, sizes, **options))  # type: ignore[arg-type]


def ends(target: Target) -> list[float]:
    """The sizes at 10, 50 and 90 %, infinite where beyond the horizon; smaller for an easier target."""
    return [np.inf if size is None else size for size in (target.low, target.size, target.high)]


def test_forecast_of_a_power_law_covers_the_truth() -> None:
    """At 2, 4 and 10 times the largest size the true mean is in the interval, and the forecast is close to it."""
    result = {point.size: point for point in planned().forecast}
    for size in (200, 2000):
        truth = float(power(np.array([size]))[0])
        assert result[size].low <= truth <= result[size].high
        assert abs(result[size].mean - truth) < 0.02


def test_needed_images_of_a_power_law_cover_the_truth() -> None:
    """0.93 needs 10 (0.3 / 0.03)^(1 / 0.6) = 464 images."""
    target = required(planned(), 0.93)
    assert target.verdict == "forecast"
    assert target.size is not None
    assert target.low is not None
    assert 232 < target.size < 928
    assert target.low < 464 < (target.high or np.inf)


def test_gain_from_more_images_covers_the_truth() -> None:
    """Gains are given for 50, 100 and 500 more images, and the true gains are in their intervals."""
    gains = planned().next
    assert [(gain.images, gain.size) for gain in gains] == [(50, 250), (100, 300), (500, 700)]
    for gain in gains:
        truth = float(np.diff(power(np.array([200, gain.size])))[0])
        assert gain.low <= truth <= gain.high
        assert gain.low <= gain.gain <= gain.high


def test_gain_is_estimated_more_precisely_than_a_score() -> None:
    """The folds' offsets, the only uncertainty at the largest size, cancel out in a gain."""
    result = plan(SIZES, scores_of(power, noise=0.02) - 0.1 * np.linspace(-1, 1, 10)[:, None, None] * 0.5)
    point = result.forecast[-1]
    assert point.gain_high - point.gain_low < point.high - point.low
    assert expected_gain(result, 0).gain == expected_gain(result, 0).low == expected_gain(result, 0).high == 0


def test_plan_reports_observed_means() -> None:
    """They are means over folds and seeds; a target between two of them is reached between their sizes."""
    scores = scores_of(power, FEW, noise=0.005)
    result = plan(FEW, scores)
    means = scores.mean(axis=(0, 1))
    assert [point.mean for point in result.observed] == pytest.approx(means.tolist())
    target = required(result, float(means[2:4].mean()))
    assert target.verdict == "reached"
    assert target.low is not None
    assert target.size is not None
    assert target.high is not None
    assert 50 < target.low < target.size < target.high < 100


def test_drawn_curve_passes_through_the_observed_means() -> None:
    """At every trained size the curve is the observed mean, and the forecast starts at the last of them."""
    result = planned(noise=0.04)
    drawn = {point.size: point.mean for point in result.forecast}
    assert [drawn[point.size] for point in result.observed] == pytest.approx([p.mean for p in result.observed])
    ahead = [point.mean for point in result.forecast if point.size > result.largest]
    assert ahead[0] - result.observed[-1].mean == pytest.approx(0, abs=0.005)


def test_one_lucky_size_does_not_reach_a_target() -> None:
    """A target counts as reached only if all larger sizes reach it too."""
    scores = scores_of(power)
    scores[:, :, 3] = 0.9
    target = required(plan(SIZES, scores), 0.89)
    assert target.size is not None
    assert target.size > 100


def test_target_far_above_the_plateau_is_not_reachable() -> None:
    """A curve that has leveled off at 0.9 does not reach 0.97 within the horizon."""
    result = planned(lambda n: 0.9 - 0.3 * np.exp(-n / 20), noise=0.01)
    assert result.refusal is None
    beyond = required(result, 0.97)
    assert (beyond.verdict, beyond.low, beyond.size, beyond.high) == ("beyond", None, None, None)
    assert beyond.chances[-1] < 0.1
    assert required(result, 0.89).verdict == "reached"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 1.2), st.floats(0.005, 0.05))
def test_easier_target_never_needs_more(seed: int, exponent: float, noise: float) -> None:
    """Sizes do not decrease as targets rise, nor do chances increase; and low <= size <= high."""
    result = planned(lambda n: 0.96 - 0.3 * (n / 10) ** -exponent, noise=noise, seed=seed)
    for easy, hard in itertools.pairwise(result.targets):
        assert all(a <= b for a, b in zip(ends(easy), ends(hard), strict=True))
        assert all(a >= b for a, b in zip(easy.chances, hard.chances, strict=True))
    assert all(low <= size <= high for low, size, high in map(ends, result.targets))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.99), st.floats(0.005, 0.05))
def test_more_images_never_make_a_target_less_likely(seed: int, target: float, noise: float) -> None:
    """Probabilities lie in 0..1 and do not decrease with the size, through trained sizes and forecast."""
    result = planned(noise=noise, seed=seed)
    needed = required(result, target)
    assert len(needed.chances) == len(result.forecast)
    assert all(0 <= chance <= 1 for chance in needed.chances)
    assert all(few <= many for few, many in itertools.pairwise(needed.chances))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.6, 0.99))
def test_sizes_of_a_target_have_their_chances(seed: int, target: float) -> None:
    """Interpolated in log n, ``low``, ``size`` and ``high`` reach the target with 10, 50 and 90 %."""
    result = planned(seed=seed)
    needed = required(result, target)
    logs = np.log([point.size for point in result.forecast])
    for size, chance in ((needed.low, 0.1), (needed.size, 0.5), (needed.high, 0.9)):
        if size is None:
            assert needed.chances[-1] < chance
        elif size > SIZES[0]:
            there, before = (np.interp(np.log(n), logs, needed.chances) for n in (size, size - 1))
            assert before <= chance + 1e-9
            assert there >= chance - 1e-9


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_forecast_increases_and_lies_in_its_interval(seed: int) -> None:
    """From the largest size on, the forecast and both ends of its interval rise, within the metric's bounds."""
    result = planned(seed=seed)
    assert all(0 <= point.low <= point.mean <= point.high <= 1 for point in result.forecast)
    ahead = np.array([[p.low, p.mean, p.high] for p in result.forecast if p.size >= result.largest])
    assert (np.diff(ahead, axis=0) >= -1e-12).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.005, 0.05))
def test_more_images_are_never_expected_to_lose(seed: int, noise: float) -> None:
    """The intervals of gains start at 0 or above, however uncertain the score is, and grow with the images."""
    gains = planned(noise=noise, seed=seed).next
    assert all(0 <= gain.low <= gain.gain <= gain.high for gain in gains)
    assert all(few.gain <= more.gain for few, more in itertools.pairwise(gains))


def test_plan_starts_with_the_highest_target_that_it_can_answer() -> None:
    """Its range is within a factor of ten, and no higher target has such a range; the reason says so."""
    result = planned()
    begin = start(result)
    assert begin is not None
    assert f"factor of {planner.NARROW}" in begin.reason

    def narrow(row: Target) -> bool:
        return row.high is not None and row.low is not None and row.high <= planner.NARROW * row.low

    assert required(result, begin.target).decided
    assert [row.target for row in result.targets if narrow(row)][-1] == begin.target
    assert start(planned(flat)) is None


def test_start_without_a_narrow_range_is_another_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "NARROW", 0)
    result = planned()
    assert start(result) == Start(
        max(row.target for row in result.targets if row.high is not None),
        "the highest target for which the number of images has an upper end",
    )


def test_plan_does_not_depend_on_fold_order() -> None:
    """Permuting the folds gives exactly the same plan."""
    scores = scores_of(power)
    shuffled = scores[np.random.default_rng(1).permutation(len(scores))]
    assert plan(SIZES, scores) == plan(SIZES, shuffled)


def test_seeds_of_a_fold_are_averaged() -> None:
    """Two seeds above and below a score average to that score; an undefined one is excluded."""
    scores = scores_of(power, noise=0.01)
    pair = np.concatenate([scores - 0.005, scores + 0.005], axis=1)
    gap = np.concatenate([scores, np.full_like(scores, np.nan)], axis=1)
    expected = plan(SIZES, scores)
    for other in (pair, gap):
        result = plan(SIZES, other)
        assert [point.mean for point in result.forecast] == pytest.approx([point.mean for point in expected.forecast])


def test_sizes_in_other_units_give_the_same_scores() -> None:
    """With all sizes ten times as large, targets need about ten times as many."""
    scores = scores_of(power)
    here, there = required(plan(SIZES, scores), 0.93), required(plan(10 * SIZES, scores), 0.93)
    assert here.size is not None
    assert there.size == pytest.approx(10 * here.size, rel=0.02)


def test_interval_widens_with_noise_and_with_distance() -> None:
    """Noisier folds and larger sizes are less certain."""
    calm, wild = (planned(noise=noise).forecast for noise in (0.005, 0.04))
    width = [point.high - point.low for point in calm if point.size >= 200]
    assert width[-1] > width[0]
    assert all(b.high - b.low > a.high - a.low for a, b in zip(calm, wild, strict=True) if a.size >= 200)


def test_every_plan_has_a_backtest() -> None:
    """Forecasts from sizes up to 1/8, 1/4, 1/2 and all but the largest; with five sizes, from four."""
    trials = planned().backtest
    assert [(trial.shown, trial.size) for trial in trials] == [(50, 200), (100, 200), (190, 200)]
    assert all(trial.covered for trial in trials)
    assert [trial.shown for trial in plan(FEW, scores_of(power, FEW)).backtest] == [100]


def test_backtest_does_not_use_the_scores_it_forecasts() -> None:
    """Changing the score at the largest size changes the truth of each trial but no forecast."""
    scores = scores_of(power)
    other = scores.copy()
    other[:, :, -1] = 0.93
    for here, there in zip(plan(SIZES, scores).backtest, plan(SIZES, other).backtest, strict=True):
        assert (here.forecast, here.low, here.high) == (there.forecast, there.low, there.high)
        assert here.truth != there.truth


def test_plan_spans_all_sizes_up_to_the_horizon_with_weights_that_sum_to_1() -> None:
    result = planned()
    assert (result.refusal, result.largest, result.horizon) == (None, 200, 2000)
    assert (result.forecast[0].size, result.forecast[-1].size) == (10, 2000)
    assert sum(weight for _, weight, _ in result.families) == pytest.approx(1)
    assert {target.verdict for target in result.targets} == {"reached", "forecast", "open", "beyond"}


REFUSED = {
    "at least 5 training sizes; there are 4": (FEW[:4], scores_of(power, FEW[:4])),
    "at least 3 folds; there are 2": (SIZES, scores_of(power, folds=2)),
    "at least 3 folds; there are 0": (SIZES, np.full((10, 1, 20), np.nan)),
    "A rise is not shown": (SIZES, scores_of(flat)),
    "curve falls from": (SIZES, scores_of(lambda n: 1.5 - power(n))),
    "falls after 50 images": (
        SIZES,
        scores_of(lambda n: power(np.minimum(n, 50)) - 0.1 * np.maximum(n / 50 - 1, 0) / 3),
    ),
    "too uncertain": (FEW, scores_of(lambda n: 0.3 + 0.3 * n / 200, FEW, folds=3, noise=0.1)),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_plan_is_refused_with_a_reason(reason: str) -> None:
    """The reason is a sentence; there is no forecast, target or gain."""
    result = plan(*REFUSED[reason])
    assert result.refusal is not None
    assert reason in result.refusal
    assert [*result.forecast, *result.targets, *result.next, *result.backtest, *result.families] == []
    with pytest.raises(ValueError, match="no forecast for"):
        expected_gain(result, 50)


def test_scores_undefined_at_one_size_are_rejected() -> None:
    """Where fewer than three folds have a score at a size, the sentence names the size."""
    scores = scores_of(power)
    scores[1:, :, 2] = np.nan
    refusal = plan(SIZES, scores).refusal
    assert refusal is not None
    assert "undefined in all but 1 fold at 30 images" in refusal


def test_few_undefined_scores_do_not_prevent_a_plan() -> None:
    """Folds that lack scores at some sizes still count at the others."""
    scores = scores_of(power)
    scores[0, :, 2] = scores[3, :, 5] = np.nan
    result = plan(SIZES, scores)
    assert result.refusal is None
    assert result.observed[2].mean == pytest.approx(np.nanmean(scores[:, 0, 2]))


def test_flat_curve_still_reports_reached_targets() -> None:
    """Its level is reached at the first size; without a forecast, a higher target is open."""
    result = planned(flat)
    assert result.refusal is not None
    assert required(result, 0.9) == Target(0.9, "reached", 10, 10, 10)
    assert required(result, 0.99) == Target(0.99, "open")


def test_single_fold_reports_reached_targets_without_a_range() -> None:
    result = plan(SIZES, scores_of(power, folds=1, noise=0.001))
    needed = required(result, 0.85)
    assert (needed.verdict, needed.low, needed.high, needed.chances) == ("reached", None, None, ())
    assert needed.size in SIZES
    assert required(result, 0.99) == Target(0.99, "open")


@pytest.mark.parametrize(
    ("sizes", "scores", "message"),
    [
        ([10, 20], np.zeros((3, 20)), "scores must have the shape"),
        ([10, 20], np.zeros((3, 1, 3)), "2 sizes"),
        ([20, 10], np.zeros((3, 1, 2)), "increasing"),
        ([10, 20], np.full((3, 1, 2), 1.2), "lie in 0.0..1.0"),
    ],
)
def test_invalid_input_is_an_error(sizes: list[int], scores: Values, message: str) -> None:
    """Shapes, the order of sizes and the bounds of scores are checked."""
    with pytest.raises(ValueError, match=message):
        plan(sizes, scores)
