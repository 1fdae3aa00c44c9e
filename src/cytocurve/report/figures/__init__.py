"""The charts of a study for papers, slides and pages without scripts, drawn by matplotlib."""

from cytocurve.report.figures.drawing import draw, drawings, inline

__all__ = ["draw", "drawings", "inline"]
