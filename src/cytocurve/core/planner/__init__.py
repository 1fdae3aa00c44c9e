"""How many labelled images a target score needs: forecasts of a learning curve beyond its largest training size."""

from cytocurve.core.planner.plan import Gain, Plan, Point, Target, Trial, buys, plan, required

__all__ = ["Gain", "Plan", "Point", "Target", "Trial", "buys", "plan", "required"]
