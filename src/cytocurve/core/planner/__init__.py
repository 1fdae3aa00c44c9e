"""How many labeled images a target score needs: forecasts of a learning curve beyond its largest training size."""

from cytocurve.core.planner.planner import Plan, expected_gain, plan, required, start
from cytocurve.core.planner.records import Caution, Gain, Observed, Point, Start, Target, Trial

__all__ = [
    "Caution",
    "Gain",
    "Observed",
    "Plan",
    "Point",
    "Start",
    "Target",
    "Trial",
    "expected_gain",
    "plan",
    "required",
    "start",
]
