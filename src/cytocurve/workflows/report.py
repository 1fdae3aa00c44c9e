"""``cytocurve report``: rebuild the page from the answers that the stage ``evaluate`` computed."""

from cytocurve.config import ProjectPaths
from cytocurve.evaluation.answers import read_answers
from cytocurve.evaluation.page import page_file, page_of
from cytocurve.files import write_text


def report(project: ProjectPaths) -> str:
    """Write ``reports/report.html`` and return its path; raises ``InputError`` if the study has not been evaluated."""
    file = page_file(project)
    write_text(file, page_of(project, read_answers(project)))
    return str(file.relative_to(project.root))
