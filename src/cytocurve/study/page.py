"""The page of a study: what was computed, and what only this machine knows of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytocurve.config import Project
from cytocurve.report.page import render
from cytocurve.study.facts import facts


def page_of(project: Project, answers: Mapping[str, Any], drawn: Mapping[str, str] | None = None) -> str:
    """The page of these answers; ``drawn`` are its figures, where the caller has them already."""
    return render(answers, facts(project, answers), drawn)


def page_file(project: Project) -> Path:
    """Where the page stands."""
    return project.reports / "report.html"
