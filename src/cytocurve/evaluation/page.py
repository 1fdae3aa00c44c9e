"""The page of a study: its answers in the context of this computer."""

from collections.abc import Mapping
from pathlib import Path

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Answers
from cytocurve.evaluation.page_context import page_context
from cytocurve.report.page import render


def page_of(project: ProjectPaths, answers: Answers, drawn: Mapping[str, str] | None = None) -> str:
    """The page for these answers; ``drawn`` are its figures, if the caller has already drawn them."""
    return render(answers, page_context(project, answers), drawn)


def page_file(project: ProjectPaths) -> Path:
    """The file of the page."""
    return project.reports / "report.html"
