"""Predictive values follow from sensitivity, specificity and prevalence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.statistics.predictive_values import predictive_values

COUNTS = st.integers(0, 50)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_values_at_the_prevalence_of_the_study_are_its_precisions(
    hits: int, misses: int, alarms: int, left: int
) -> None:
    if not hits + misses or not alarms + left:
        return
    total = hits + misses + alarms + left
    positive, negative = predictive_values(hits / (hits + misses), left / (alarms + left), (hits + misses) / total)
    assert positive == (pytest.approx(hits / (hits + alarms)) if hits + alarms else None)
    assert negative == (pytest.approx(left / (left + misses)) if left + misses else None)


def test_rare_positives_give_mostly_false_alarms() -> None:
    positive, negative = predictive_values(0.9, 0.9, 0.01)
    assert positive == pytest.approx(0.0833, abs=1e-4)
    assert negative == pytest.approx(0.9989, abs=1e-4)
