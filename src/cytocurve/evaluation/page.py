"""The page of a study: what was computed, and what only this machine knows of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.evaluation.facts import facts
from cytocurve.report.page import render


def page_of(project: ProjectPaths, answers: Mapping[str, Any], drawn: Mapping[str, str] | None = None) -> str:
    """The page of these answers; ``drawn`` are its figures, where the caller has them already."""
    return render(answers, facts(project, answers), drawn)


def page_file(project: ProjectPaths) -> Path:
    """Where the page stands."""
    return project.reports / "report.html"
