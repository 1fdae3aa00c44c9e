"""The charts of a study for papers, slides and pages without scripts, drawn by matplotlib."""

import logging

# Before it is imported: without a cache folder that it can write to, it takes a temporary one and warns.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

from cytocurve.report.figures.drawing import draw, drawings, inline  # noqa: E402

__all__ = ["draw", "drawings", "inline"]
