"""Cells that a spreadsheet would evaluate are escaped, and read back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.core.data.spreadsheets import escaped, unescaped

CELLS = st.text() | st.text(st.sampled_from("'=+-@\t\r\n.0123eE x"), max_size=8)


@given(CELLS)
def test_spreadsheet_cell_is_read_back_as_written(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(CELLS)
def test_written_cell_is_never_a_formula(text: str) -> None:
    written = escaped(text)
    assert not written.startswith(("=", "@", "\t", "\r", "\n"))
    if written.startswith(("+", "-")):
        assert all(float(part) == float(part) for part in written.split(" "))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_number_stays_a_number(number: float) -> None:
    assert escaped(str(number)) == str(number)


@pytest.mark.parametrize("text", ["=1+1", "-", "+x", "@SUM(A1)", "-1+1", "'=1"])
def test_formula_gets_an_apostrophe(text: str) -> None:
    assert escaped(text) == f"'{text}"
