"""``cytocurve report``: the page, from the answers that the stage ``evaluate`` computed."""

from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.evaluation.answers import read_answers
from cytocurve.evaluation.page import page_file, page_of
from cytocurve.files import write_text


def report(project: ProjectPaths) -> dict[str, Any]:
    """Write ``reports/report.html``; its path. Raises ``InputError`` before evaluate."""
    file = page_file(project)
    write_text(file, page_of(project, read_answers(project)))
    return {"page": str(file.relative_to(project.root))}
