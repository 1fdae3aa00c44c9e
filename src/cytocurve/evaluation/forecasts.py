"""Learning curves and forecasts, from the runs of an arm."""

import pandas as pd

from cytocurve.core.answers import (
    ArmPlan,
    Backtest,
    FamilyWeight,
    ForecastPoint,
    NextImages,
    ObservedMean,
    PlannedArm,
    Target,
    build,
)
from cytocurve.core.planner import Plan, plan, required
from cytocurve.core.statistics.curves import Curve


def curve_of(runs: pd.DataFrame, metric: str) -> Curve:
    """The learning curve of an arm's runs by a metric."""
    fold, seed, size, scores = (runs[column].tolist() for column in ("fold", "seed", "size", metric))
    return Curve.of(fold, seed, size, scores)


def arm_plan(runs: pd.DataFrame, metric: str) -> ArmPlan:
    """The forecast from an arm's runs by a metric."""
    return _record(_forecast(runs, metric), metric)


def planned_arm(runs: pd.DataFrame, metric: str, target: float) -> PlannedArm:
    """The forecast from an arm's runs by a metric, and what this target needs."""
    forecast = _forecast(runs, metric)
    return PlannedArm(_record(forecast, metric), build(Target, **vars(required(forecast, target))))


def _forecast(runs: pd.DataFrame, metric: str) -> Plan:
    curve = curve_of(runs, metric)
    return plan(curve.sizes, curve.scores)  # every metric of METRICS is at most 1


def _record(forecast: Plan, metric: str) -> ArmPlan:
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
        targets=tuple(build(Target, **vars(target)) for target in forecast.targets),
        families=tuple(
            build(FamilyWeight, name=name, weight=weight, formula=formula)
            for name, weight, formula in forecast.families
        ),
        backtest=tuple(build(Backtest, **vars(trial), covered=trial.covered) for trial in forecast.backtest),
    )
