"""The page of a study: what was computed, and what only this machine knows of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytocurve.config import Project
from cytocurve.report.page import render
from cytocurve.stores.files import write_text
from cytocurve.study.facts import facts


def write_page(project: Project, answers: Mapping[str, Any], drawn: Mapping[str, str] | None = None) -> Path:
    """Write ``reports/report.html`` for these answers, and return its path; ``drawn`` are its figures, if there."""
    images = {row["image"] for arm in answers["arms"].values() for row in arm["examples"]}
    page = project.reports / "report.html"
    write_text(page, render(answers, facts(project, images), drawn))
    return page
