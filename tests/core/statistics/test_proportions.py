"""Intervals of proportions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from cytocurve.core.statistics.proportions import wilson


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_equals_scipy(hits_of: tuple[int, int]) -> None:
    hits, n = hits_of
    theirs = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
