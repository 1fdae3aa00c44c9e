"""The planner's least squares, families and bootstrap, checked against numpy, scipy and known properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from cytocurve.core.planner.evidence import REPLICATES, Evidence
from cytocurve.core.planner.families import FAMILIES, Family
from cytocurve.core.planner.fitting import fit

X = np.array([0.05, 0.1, 0.25, 0.5, 1.0])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_unconstrained_fit_equals_numpy(family: Family) -> None:
    """If no bound is active, a, b and the loss equal those of ``numpy.linalg.lstsq`` with the same weights."""
    rng = np.random.default_rng(0)
    weights, curve = rng.random(5) + 0.1, 0.9 - 0.2 * X**-0.3 + 0.01 * rng.normal(size=5)
    bases = family.bases(X)
    fits = fit(bases, weights, curve[None], upper=1e6)
    root = np.sqrt(weights / weights.sum())
    compared = 0
    for j, basis in enumerate(bases):
        design = np.stack([np.ones(5), -basis], axis=1)
        (a, b), *_ = np.linalg.lstsq(design * root[:, None], curve * root, rcond=None)
        if b <= 0 or np.ptp(basis) < 1e-6:
            continue
        loss = (root**2 * (curve - a + b * basis) ** 2).sum()
        assert (fits.a[0, j], fits.b[0, j], fits.loss[0, j]) == pytest.approx((a, b, loss), rel=1e-9, abs=1e-12)
        compared += 1
    assert compared > len(bases) / 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 1.0))
def test_bounded_fit_equals_scipy(seed: int, upper: float) -> None:
    """Subject to b >= 0 and a <= upper, ``scipy.optimize.lsq_linear`` finds no smaller loss."""
    rng = np.random.default_rng(seed)
    weights, curve = rng.random(5) + 0.1, upper * rng.random(5)
    basis = X ** -rng.uniform(0.1, 2)
    fits = fit(basis[None], weights, curve[None], upper)
    root = np.sqrt(weights / weights.sum())
    design = np.stack([np.ones(5), -basis], axis=1) * root[:, None]
    best = optimize.lsq_linear(design, curve * root, ([-np.inf, 0], [upper, np.inf]), method="bvls", tol=1e-14)
    assert fits.loss[0, 0] == pytest.approx(2 * best.cost, rel=1e-9, abs=1e-12)
    assert fits.b[0, 0] >= 0
    assert fits.a[0, 0] <= upper


def test_curve_of_a_family_is_fitted_exactly() -> None:
    """Each shape recovers a = 0.9 and b = 0.2 from its own curve."""
    for family in FAMILIES:
        bases = family.bases(X)
        fits = fit(bases, np.ones(5), 0.9 - 0.2 * bases, upper=1.0)
        own = np.arange(len(bases))
        kept = np.ptp(bases, axis=1) > 1e-6
        assert fits.a[own, own][kept] == pytest.approx(0.9, abs=1e-9)
        assert (0.2 * bases.T)[:, kept] == pytest.approx((fits.b[own, own] * bases.T)[:, kept], abs=1e-9)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_bases_decrease_toward_zero(family: Family) -> None:
    """g is positive and decreases with size, so curves with b >= 0 increase and stay below a."""
    bases = family.bases(np.geomspace(0.01, 10, 50))
    assert (bases >= 0).all()
    assert (np.diff(bases, axis=1) <= 0).all()


def test_vanishing_basis_is_fitted_as_a_constant() -> None:
    """Where g is 0 at all sizes, the fit is the weighted mean."""
    fits = fit(np.zeros((1, 5)), np.ones(5), np.array([[0.1, 0.2, 0.3, 0.4, 0.5]]), upper=1.0)
    assert (fits.a[0, 0], fits.b[0, 0]) == pytest.approx((0.3, 0))


def test_replicates_have_the_standard_error_of_a_t_interval() -> None:
    """Their spread is the standard error of the mean times t / z, and the first is the observed curve."""
    scores = np.random.default_rng(0).normal(0.8, 0.02, (8, 1, 5))
    result = Evidence.of(np.arange(1, 6) * 10, scores, 0.0, 1.0).replicates()
    assert result.shape == (REPLICATES + 1, 5)
    assert result[0] == pytest.approx(scores.mean(axis=(0, 1)))
    expected = scores.std(axis=0, ddof=1)[0] / np.sqrt(8) * 1.8946 / 1.6449
    assert result[1:].std(axis=0) == pytest.approx(expected, rel=0.2)


def test_replicates_of_identical_folds_are_identical() -> None:
    """No spread over folds, no spread over replicates; a fold's offset moves all sizes together."""
    curve = 0.9 - 0.2 * X**-0.3
    same = Evidence.of(np.arange(1, 6) * 10, np.tile(curve, (5, 1, 1)), 0.0, 1.0).replicates()
    assert same == pytest.approx(np.tile(curve, (REPLICATES + 1, 1)))
    levels = np.linspace(-0.05, 0.05, 5)[:, None, None]
    moved = Evidence.of(np.arange(1, 6) * 10, curve + levels, 0.0, 1.0).replicates()
    assert np.ptp(moved - curve, axis=1) == pytest.approx(0, abs=1e-12)
