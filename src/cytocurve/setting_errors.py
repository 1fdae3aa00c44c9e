"""Validation errors of settings in words: the key, what is needed, and what was written."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cytocurve.core.data.taxonomy import NAMED_TASKS
from cytocurve.text import did_you_mean


def describe(errors: Iterable[ErrorDetails], model: type[BaseModel], written: Any = None) -> list[str]:
    """Format each validation error of a model as key, rule and received value.

    ``written`` are the validated contents, with scalars as they were typed if that is known.
    """
    found = [(_location(error), error) for error in errors]
    inner = {where[:depth] for where, _ in found for depth in range(len(where))}
    lines = [
        _describe(error, where, model, written)
        for where, error in found
        if where not in inner or error["type"] not in ("string_type", "literal_error")  # the alternative not meant
    ]
    return list(dict.fromkeys(lines))


def _location(error: ErrorDetails) -> tuple[int | str, ...]:
    return tuple(part for part in error["loc"] if not _names_a_choice(part))


_RULES: Mapping[str, str] = {
    "string_pattern_mismatch": "a name consists of letters, digits, '_' and '.' and starts with a letter or digit",
    "string_too_long": "a name has at most {max_length} characters",
    "int_type": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "bool_type": "true or false is needed",
    "list_type": "a list is needed, for example [a, b]",
    "dict_type": "a mapping is needed, for example {{key: value}}",
    "model_type": "a mapping of settings is needed",
    "finite_number": "a finite number is needed",
    "too_short": "at least {min_length} is needed",
    "too_long": "at most {max_length} can be listed",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be greater than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
}
"""What each type of validation error says is needed."""


def _describe(error: ErrorDetails, location: tuple[int | str, ...], model: type[BaseModel], written: Any) -> str:
    key = ".".join(str(part) for part in location if part != "[key]")
    if error["type"] == "missing":
        return f"{key}: missing"
    if error["type"] == "extra_forbidden":
        inner = model.model_fields[str(location[0])].annotation if len(location) > 1 else model
        fields = getattr(inner, "model_fields", {})
        return f"{key}: unknown key{did_you_mean(str(location[-1]), list(fields))}"
    given = error["input"]
    if location == ("task",) and error["type"] in ("string_type", "dict_type"):
        rule = f"{', '.join(NAMED_TASKS)}, or {{positive: [labels], negative: [labels]}} is needed"
        return f"{key}: {rule}, got {given!r}"
    if error["type"] == "string_type":
        if isinstance(given, list | dict):
            return f"{key}: a name is needed, got {given!r}"
        typed = str(location[-2]) if location[-1] == "[key]" else _typed(written, location, given)
        return f"{key}: a name is needed, and YAML reads {typed} as {_kind(given)}; write it in quotes: '{typed}'"
    rule = _RULES.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{key}: {rule.format(**error.get('ctx', {}))}, got {given!r}"


def _typed(written: Any, location: Sequence[int | str], given: Any) -> str:
    """A value as it was typed, as far as that is known."""
    try:
        for part in location:
            written = written[part]
    except (KeyError, IndexError, TypeError):
        written = given
    return written if isinstance(written, str) else "null" if written is None else str(written)


def _kind(value: Any) -> str:
    """What YAML takes an unquoted value for."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "a date"


def _names_a_choice(part: int | str) -> bool:
    """Whether pydantic inserted this part to name an alternative of a union."""
    return isinstance(part, str) and (part == "str" or part.startswith(("literal[", "dict[")))
