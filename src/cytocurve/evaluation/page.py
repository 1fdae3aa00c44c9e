"""The page of a study: its answers in the context of this computer."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Answers
from cytocurve.evaluation.page_context import page_context
from cytocurve.report.page import render


def page_of(
    project: ProjectPaths, answers: Answers, drawn: Mapping[str, str] | None = None, refresh: int | None = None
) -> str:
    """The page for these answers; ``drawn`` are its figures, if the caller has already drawn them.

    A browser reloads it every ``refresh`` seconds, if given.
    """
    return render(answers, replace(page_context(project, answers), refresh=refresh), drawn)


def page_file(project: ProjectPaths) -> Path:
    """The file of the page."""
    return project.reports / "report.html"
