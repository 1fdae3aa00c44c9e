"""The plan of an arm, from its runs."""

from typing import Any

import pandas as pd

from cytocurve.core.curves import Curve
from cytocurve.core.planner import Plan, plan


def plan_arm_images(runs: pd.DataFrame, metric: str) -> Plan:
    """What an arm's runs say about larger training sets, by a metric; every metric of ``METRICS`` is 1 at most."""
    curve = Curve.of(*(runs[column].tolist() for column in ("fold", "seed", "size", metric)))
    return plan(curve.sizes, curve.scores)


def plan_of(runs: pd.DataFrame, metric: str) -> dict[str, Any]:
    """The same as plain values."""
    return {"metric": metric, **plan_arm_images(runs, metric).figures}
