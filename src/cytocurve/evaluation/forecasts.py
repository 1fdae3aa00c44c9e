"""Learning curves and forecasts, from the runs of an arm."""

import pandas as pd

from cytocurve.core.answers import (
    ArmPlan,
    Backtest,
    Caution,
    FamilyWeight,
    ForecastPoint,
    Labels,
    NextImages,
    ObservedMean,
    PlannedArm,
    Target,
    build,
)
from cytocurve.core.planner import Plan, plan, records, required, start
from cytocurve.core.planner.labels import LabelNeeds
from cytocurve.core.statistics.curves import Curve
from cytocurve.text import rounded


def curve_of(runs: pd.DataFrame, metric: str) -> Curve:
    """The learning curve of an arm's runs by a metric."""
    fold, seed, size, scores = (runs[column].tolist() for column in ("fold", "seed", "size", metric))
    return Curve.of(fold, seed, size, scores)


def arm_plan(runs: pd.DataFrame, metric: str, needs: LabelNeeds) -> ArmPlan:
    """The forecast from an arm's runs by a metric; ``needs`` are the labels that training sizes take."""
    return _record(_forecast(runs, metric), metric, needs)


def planned_arm(runs: pd.DataFrame, metric: str, target: float | None, needs: LabelNeeds) -> PlannedArm:
    """The forecast from an arm's runs by a metric, and what this target needs, or else the one it starts with."""
    forecast = _forecast(runs, metric)
    record = _record(forecast, metric, needs)
    wanted = record.start.target if target is None and record.start is not None else target
    return PlannedArm(record, None if wanted is None else _target(required(forecast, wanted), needs))


def _forecast(runs: pd.DataFrame, metric: str) -> Plan:
    curve = curve_of(runs, metric)
    return plan(curve.sizes, curve.scores)  # every metric of METRICS is at most 1


def _target(needed: records.Target, needs: LabelNeeds) -> Target:
    size = needed.high if needed.high is not None else needed.size
    counts = None if size is None else needs.at(rounded(size))
    labels = None if counts is None else build(Labels, **vars(counts), total=counts.total)
    return build(Target, **vars(needed), labels=labels)


def _record(forecast: Plan, metric: str, needs: LabelNeeds) -> ArmPlan:
    return ArmPlan(
        metric=metric,
        refusal=forecast.refusal,
        largest=forecast.largest,
        horizon=forecast.horizon,
        observed=tuple(build(ObservedMean, size=point.size, mean=point.mean) for point in forecast.observed),
        forecast=tuple(
            build(ForecastPoint, size=point.size, median=point.mean, low=point.low, high=point.high)
            for point in forecast.forecast
        ),
        next=tuple(build(NextImages, **vars(gain)) for gain in forecast.next),
        targets=tuple(_target(target, needs) for target in forecast.targets),
        start=start(forecast),
        cautions=tuple(build(Caution, **vars(caution)) for caution in forecast.cautions),
        families=tuple(
            build(FamilyWeight, name=name, weight=weight, formula=formula)
            for name, weight, formula in forecast.families
        ),
        backtest=tuple(build(Backtest, **vars(trial), covered=trial.covered) for trial in forecast.backtest),
    )
