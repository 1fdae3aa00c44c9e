"""How many labeled images a target score needs: forecasts of a learning curve beyond its largest training size."""

from cytocurve.core.planner.planner import Plan, expected_gain, plan, required
from cytocurve.core.planner.records import Gain, Observed, Point, Target, Trial

__all__ = ["Gain", "Observed", "Plan", "Point", "Target", "Trial", "expected_gain", "plan", "required"]
