"""The plan of an arm, from its runs."""

from typing import Any

import pandas as pd

from cytocurve.core.planner import Plan, plan
from cytocurve.evaluation.arm_answers import curve_of


def forecast_of(runs: pd.DataFrame, metric: str) -> Plan:
    """What an arm's runs say about larger training sets, by a metric; every metric of ``METRICS`` is 1 at most."""
    curve = curve_of(runs, metric)
    return plan(curve.sizes, curve.scores)


def figures_of(found: Plan, metric: str) -> dict[str, Any]:
    """A plan as plain values."""
    return {"metric": metric, **found.figures}
