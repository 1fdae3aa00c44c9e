"""When a learning curve counts as saturated."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocurve.core.statistics.curves import Curve
from cytocurve.core.statistics.saturation import saturation

SIZES = (10, 20, 50, 100)


def curve_of(scores: Sequence[Sequence[float]]) -> Curve:
    """A curve of one seed from scores with one row per fold and one column per size."""
    rows = [(i, 0, size, row[j]) for i, row in enumerate(scores) for j, size in enumerate(SIZES)]
    return Curve.of(*map(list, zip(*rows, strict=True)))


def level(mean: Callable[[int], float], folds: int = 10) -> Curve:
    """A curve with this mean in which folds differ only by an offset."""
    return curve_of([[mean(size) + 0.03 * math.sin(fold) for size in SIZES] for fold in range(folds)])


def noisy(mean: Sequence[float], sd: float, seed: int, folds: int = 10) -> Curve:
    """A curve with these means and independent noise in every run."""
    return curve_of((np.array(mean) + np.random.default_rng(seed).normal(0, sd, (folds, len(SIZES)))).tolist())


def test_flat_curve_is_saturated_at_its_first_size() -> None:
    """If nothing is gained, the smallest training set is enough."""
    result = saturation(level(lambda size: 0.9))
    assert result.size == result.gain_not_shown_beyond == 10
    assert result.gain is not None
    assert result.gain.mean == pytest.approx(0)


def test_steadily_rising_curve_is_not_saturated() -> None:
    """If the last step gains clearly more than the margin, no smaller size is enough."""
    result = saturation(level(lambda size: 0.5 + 0.2 * math.log10(size)))
    assert (result.size, result.gain_not_shown_beyond, result.gain) == (None, None, None)
    assert result.missed[50] == pytest.approx(0.2 * math.log10(2))


def test_curve_is_saturated_where_it_levels_off() -> None:
    """Gains up to 50 images and none after it: 50."""
    assert saturation(level(lambda size: 0.5 + min(size, 50) / 125)).size == 50


def test_gain_equal_to_the_margin_does_not_count() -> None:
    """A larger size has to be better by more than the margin."""
    rising = level(lambda size: 0.8 if size == 10 else 0.81)
    assert saturation(rising).size == 10
    assert saturation(rising, margin=0.009).size == 20


def test_gains_are_paired_by_fold() -> None:
    """A gain that is equal in all folds is detected, however different the scores of the folds are."""
    assert saturation(curve_of([[base, *[base + 0.05] * 3] for base in (0.1, 0.2, 0.4, 0.6, 0.8)])).size == 20


def test_noise_hides_a_gain_but_does_not_saturate_a_curve() -> None:
    """A rise hidden by noise is not shown, but the curve is not called saturated either."""
    result = saturation(noisy([0.86, 0.88, 0.90, 0.92], 0.1, seed=1))
    assert result.gain_not_shown_beyond is not None
    assert result.size is None


def test_size_is_not_saturated_if_a_larger_one_still_gains() -> None:
    """With a dip at 50 images, 100 images gain over 50, so no smaller size is called saturated."""
    result = saturation(level(lambda size: 0.8 if size == 50 else 0.9))
    assert result.missed[10] == pytest.approx(0)
    assert result.size is None


@pytest.mark.parametrize("folds", [3, 4, 10])
def test_about_one_study_in_twenty_at_most_is_wrongly_called_saturated(folds: int) -> None:
    """The last step gains just over the margin: at most 5 % of simulated studies, plus sampling error."""
    studies = 100 if folds == 10 else 400
    curves = (noisy([0.9, 0.9, 0.9, 0.91 + 1e-6], 0.01, seed, folds) for seed in range(studies))
    claims = [saturation(curve).size is not None for curve in curves]
    assert 0 < sum(claims) <= 0.05 * studies + 2 * math.sqrt(studies * 0.05 * 0.95)


def test_two_folds_with_a_score_are_too_few_for_a_claim() -> None:
    """Perfect scores in two folds, and none in the third, show neither saturation nor the lack of a gain."""
    result = saturation(curve_of([[1.0] * len(SIZES), [1.0] * len(SIZES), [math.nan] * len(SIZES)]))
    assert (result.size, result.gain_not_shown_beyond) == (None, None)
    assert all(math.isnan(bound) for bound in result.missed.values())


@pytest.mark.parametrize("folds", [3, 4])
def test_few_folds_that_agree_are_no_claim(folds: int) -> None:
    """Without any difference between three folds, nothing shows how large differences are."""
    assert saturation(curve_of([[1.0] * len(SIZES)] * folds)).size is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.2))
def test_missed_gain_is_the_smallest_margin_that_makes_a_size_saturated(seed: int, sd: float) -> None:
    """A margin equal to the largest missed gain from a size on makes it saturated; a smaller one does not."""
    curve = noisy([0.8, 0.85, 0.9, 0.9], sd, seed)
    missed = saturation(curve).missed
    assert list(missed) == [10, 20, 50]
    most = max(missed[20], missed[50])
    result = saturation(curve, margin=most).size
    assert result is not None
    assert result <= 20
    smaller = saturation(curve, margin=most - 1e-6).size
    assert smaller is None or smaller > 20


def test_one_size_and_undefined_scores_are_not_saturated() -> None:
    """Without a larger size or defined gains, no size is called saturated."""
    for curve in (Curve.of([0, 1], [0, 0], [10, 10], [0.9, 0.9]), curve_of([[math.nan] * len(SIZES)] * 3)):
        result = saturation(curve)
        assert (result.size, result.gain_not_shown_beyond) == (None, None)
