"""What makes a forecast doubtful, and what follows from it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytocurve.core.planner import Trial, cautions, plan
from cytocurve.core.planner.evidence import Evidence
from tests.core.planner.test_planner import FEW, SIZES, Values, power, scores_of


def evidence_of(scores: Values, sizes: NDArray[np.int64] = SIZES) -> Evidence:
    return Evidence.of(sizes, scores, 0.0, 1.0)


def late(n: Values) -> Values:
    """A curve that hardly rises up to 60 images, and steeply after that."""
    return np.asarray(0.6 + 0.02 * np.log2(n / 10) + 0.1 * np.log2(np.maximum(n / 60, 1)))


TRIAL = Trial(100, 200, 0.9, 0.85, 0.95, 0.93)


def test_significant_fall_is_a_dip_with_its_sizes() -> None:
    scores = scores_of(power, noise=0.01)
    scores[:, :, 8:12] -= 0.08
    found = cautions.dip(evidence_of(scores))
    assert found is not None
    assert (found.first, found.second) in {(70, 90), (80, 90)}
    assert found.before - found.after > 0.05


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_rising_curve_has_no_dip_and_does_not_rise_late(seed: int) -> None:
    """A power law with noise; the test of dips is corrected for all pairs of sizes."""
    evidence = evidence_of(scores_of(power, noise=0.02, seed=seed))
    found = cautions.dip(evidence)
    assert found is None or found.before - found.after < 0.05
    assert not cautions.rises_late(evidence)


def test_gains_that_grow_with_each_doubling_are_a_late_rise() -> None:
    evidence = evidence_of(scores_of(late, noise=0.01))
    (caution,) = cautions.found(evidence, [])
    assert (caution.kind, caution.widens) == ("late_riser", 1)
    assert "fewer images are needed" in caution.sentence


@pytest.mark.parametrize(("truth", "missed"), [(0.93, 0.6), (0.95, 1), (1.0, 2), (0.75, 3), (0.9, 0)])
def test_miss_is_measured_in_half_widths_of_its_side(truth: float, missed: float) -> None:
    trial = replace(TRIAL, truth=truth)
    assert trial.missed == pytest.approx(missed)
    assert trial.covered == (truth in {0.93, 0.95, 0.9})


def test_failed_back_test_widens_so_that_it_would_have_held() -> None:
    evidence = evidence_of(scores_of(power))
    failed = replace(TRIAL, truth=0.98)
    (caution,) = cautions.found(evidence, [TRIAL, failed])
    assert caution.kind == "backtest"
    assert caution.widens == pytest.approx(1.6)
    assert "1.6 times as wide" in caution.sentence
    assert cautions.found(evidence, [TRIAL]) == []
    assert cautions.hopeless([failed]) is None


def test_back_test_that_misses_by_far_leaves_no_forecast() -> None:
    reason = cautions.hopeless([TRIAL, replace(TRIAL, truth=0.7)])
    assert reason is not None
    assert "0.900 (0.850 to 0.950) was predicted at 200 images, but 0.700 was observed" in reason


def test_plan_with_a_failed_back_test_is_wider_or_refused() -> None:
    """Scores that jump at the largest size: what the smaller sizes foretold did not come true."""
    for jump in (0.015, 0.2):
        scores = scores_of(lambda n: 0.8 - 0.2 * (n / 10) ** -0.6, FEW, noise=0.01)
        scores[:, :, -1] += jump
        result = plan(FEW, scores)
        if jump == 0.2:
            assert "Forecasts of this curve fail" in (result.refusal or "")
            continue
        assert result.refusal is None
        (failed,) = [caution for caution in result.cautions if caution.kind == "backtest"]
        assert failed.widens > 1
