"""Answers as records and as JSON: conversion loses nothing, and invalid fields are rejected by name."""

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytocurve.core.answers import (
    FORMAT,
    Answers,
    ComparisonAnswer,
    CurvePoint,
    Limits,
    Number,
    PairComparison,
    PlanAnswer,
    RocCurve,
    Target,
    Validation,
    build,
    from_json,
    to_json,
)

SCALARS: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=3),
    int: st.integers(0, 1000),
    float: st.floats(0, 1),
    Number: st.none() | st.floats(),
    bool: st.booleans(),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Small values of a type; tuples, lists and mappings have at most one entry."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in SCALARS:
        return SCALARS[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        build_one: Any = kind
        return st.builds(build_one, **{name: values(hint) for name, hint in hints.items()})
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=1).map(tuple)
    if origin is list:
        return st.lists(values(inner[0]), max_size=1)
    if origin is Mapping:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=1)
    if origin is Annotated:
        return values(inner[0])
    return st.one_of([values(one) for one in inner])


FEW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def through_json(record: Any) -> Any:
    """The record after a round trip through strict JSON."""
    if isinstance(record, Answers):
        return Answers.from_json(json.loads(json.dumps(record.to_json(), allow_nan=False)))
    return from_json(type(record), json.loads(json.dumps(to_json(record), allow_nan=False)))


@pytest.mark.parametrize("kind", [Answers, ComparisonAnswer, PlanAnswer, Validation])
@FEW
@given(st.data())
def test_record_survives_a_round_trip_through_json(kind: type[Any], data: st.DataObject) -> None:
    """Values are rounded to six decimals; converting them again changes nothing."""
    once = through_json(data.draw(values(kind)))
    assert through_json(once) == once


@given(st.floats(-1e6, 1e6))
def test_number_keeps_six_decimals(value: float) -> None:
    point = build(Target, target=0.5, verdict="beyond", size=None, low=None, high=None)
    assert through_json(point) == point
    limits = through_json(Limits("patient", value, None))
    assert limits.validation_images == round(value, 6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_undefined_number_becomes_none(value: float) -> None:
    assert to_json(Limits("patient", value, None))["validation_images"] is None
    assert build(Limits, split="patient", validation_images=value, title=None).validation_images is None


def test_arrays_become_tuples_and_their_numbers_are_rounded() -> None:
    numbers = np.array([0.12345678, np.nan])
    grid = dict.fromkeys(("grid", "mean", "low", "high"), numbers)
    scalars = dict.fromkeys(("auc_mean", "auc_sd", "prevalence"), np.float64(0.5))
    curve = build(RocCurve, size=np.int64(10), n=1, undefined=0, **grid, **scalars)
    assert curve.mean == (0.123457, None)
    assert curve.size == 10


def test_field_of_a_wrong_type_is_named() -> None:
    with pytest.raises(ValueError, match="verdict"):
        from_json(Target, {"target": 0.9, "verdict": "maybe", "size": None, "low": None, "high": None})
    with pytest.raises(ValueError, match="whisker_low"):
        from_json(CurvePoint, {"size": 10, "mean": 0.5})


@pytest.mark.parametrize("value", [[], {}, {"format": FORMAT + 1}, None, "text"])
def test_answers_of_another_format_are_rejected(value: Any) -> None:
    with pytest.raises(ValueError, match=f"expected answers of format {FORMAT}"):
        Answers.from_json(value)


PAIR = PairComparison(
    a="a", b="b", at="area", difference=-0.1, ci_low=-0.15, ci_high=-0.05, test="images_and_folds", n=5, folds=5,
    seeds=1, p=1e-9, p_holm=1e-9, p_t=0.01, p_t_holm=0.01, ci_t_low=-0.2, ci_t_high=0.0, p_wilcoxon=0.06,
    p_wilcoxon_holm=0.06, verdict="a_better", settling=None, metric="f1",
)  # fmt: skip


def test_published_comparisons_state_their_verdicts_in_words() -> None:
    """The names that ``reports/metrics.json`` and ``compare --json`` have always used."""
    assert PAIR.tracked()["verdict"] == "a is better"
    assert PAIR.published()["verdict"] == "a is better"
    assert replace(PAIR, verdict="b_better").published()["verdict"] == "b is better"
    assert replace(PAIR, verdict="not_shown").published()["verdict"] == "no difference shown"


def test_tracked_comparisons_keep_their_fields_and_their_sign() -> None:
    """``metrics.json`` is compared across commits: a minus b, with the interval of the corrected t-test."""
    assert list(PAIR.tracked()) == [
        "a", "b", "at", "difference", "ci_low", "ci_high", "n", "folds", "seeds", "p_t", "p_t_holm", "p_wilcoxon",
        "p_wilcoxon_holm", "verdict", "metric",
    ]  # fmt: skip
    tracked = PAIR.tracked()
    assert (tracked["difference"], tracked["ci_low"], tracked["ci_high"]) == (0.1, 0.0, 0.2)
    assert json.dumps(tracked["ci_low"]) == "0.0"


def test_small_p_value_is_not_rounded_to_zero() -> None:
    assert PAIR.published()["p"] == 1e-9
    assert build(PairComparison, **vars(replace(PAIR, p=1.23456789e-7))).p == 1.23457e-7


def test_comparison_in_json_has_the_rows_of_its_kind() -> None:
    paired = ComparisonAnswer("f1", (), False, (PAIR,), (), ())
    assert list(paired.to_json()) == ["metric", "arms", "comparisons", "not_comparable"]
    assert list(replace(paired, independent=True).to_json())[2] == "seed_comparisons"


@given(values(PlanAnswer))
@FEW
def test_plan_in_json_has_the_requirement_of_the_target_beside_each_forecast(plan: PlanAnswer) -> None:
    value = json.loads(json.dumps(plan.to_json(), allow_nan=False))
    assert list(value) == ["target", "metric", "validation_images", "arms"]
    for arm in value["arms"].values():
        assert list(arm) == [
            "metric", "refusal", "largest", "horizon", "observed", "forecast", "next", "targets", "start", "cautions",
            "families", "backtest", "required", "unbalanced",
        ]  # fmt: skip
