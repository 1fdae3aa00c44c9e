"""Records to JSON and back: one rule for every record of the answers.

Numbers are rounded to six places, p-values to six significant digits, so that a small one is not 0; NaN and infinity,
which JSON does not have, become None.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, TypeAdapter

DIGITS = 6

Record = TypeVar("Record")


def rounded(value: Any) -> Any:
    """A number rounded to ``DIGITS`` places, None if it is NaN or infinite; anything else unchanged."""
    if not isinstance(value, float):
        return value
    return round(float(value), DIGITS) if isfinite(value) else None


Number = Annotated[float | None, BeforeValidator(rounded), PlainSerializer(rounded)]
"""A number in the answers; None if it is undefined."""


def significant(value: Any) -> Any:
    """A number to ``DIGITS`` significant digits, None where it is NaN or infinite; anything else unchanged."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.{DIGITS}g}") if isfinite(value) else None


PValue = Annotated[float | None, BeforeValidator(significant), PlainSerializer(significant)]
"""A p-value; None where it is undefined."""

Vector = tuple[Number, ...]


def build(kind: type[Record], **values: Any) -> Record:
    """A record of these values: arrays become tuples, numbers are rounded, and every field is checked.

    Raises ``ValueError`` naming every field that is missing or has a value of another type.
    """
    return from_json(kind, _without_arrays(values))


def from_json(kind: type[Record], value: Any) -> Record:
    """The record that ``to_json`` wrote; raises ``ValueError`` naming every field that does not fit."""
    record: Record = _adapter(kind).validate_python(value, by_alias=True, by_name=True)
    return record


def to_json(record: Any) -> dict[str, Any]:
    """A record as JSON values: mappings, lists, strings, numbers and None."""
    value: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json", by_alias=True)
    return value


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """The adapter of a record type, cached because creating one takes milliseconds."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _without_arrays(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _without_arrays(inner) for key, inner in value.items()}
    return value
