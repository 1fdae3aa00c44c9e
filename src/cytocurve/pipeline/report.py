"""``cytocurve report``: the page, from the answers that the stage ``evaluate`` computed."""

from typing import Any

from cytocurve.config import Project
from cytocurve.study.answers import read_answers
from cytocurve.study.page import write_page


def report(project: Project) -> dict[str, Any]:
    """Write ``reports/report.html``; its path. Raises ``InputError`` before evaluate."""
    return {"page": str(write_page(project, read_answers(project)).relative_to(project.root))}
