"""Stage ``evaluate``: compute answers, tables, figures and the page from the stored predictions.

The page is not an output of the stage, so DVC would leave that of an experiment when other results are checked out.
``reports/page.json`` therefore names the answers that the page shows. DVC compares this file but never restores it, so
the stage is stale until its page is that of the results.
"""

import json
from pathlib import Path
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Answers
from cytocurve.core.runs import digest
from cytocurve.evaluation.answers import Progress, answers
from cytocurve.evaluation.page import page_file, page_of
from cytocurve.files import write_text
from cytocurve.report.figures import drawings
from cytocurve.report.metrics import PLOTTED, metrics, plot, summary
from cytocurve.report.tables import tables
from cytocurve.stores.documents import json_text
from cytocurve.stores.tracking.connection import check_uri
from cytocurve.study.design import check_split

FIGURES = ("curves", "boxplot")
"""The figures in ``reports/figures/``."""


def evaluate(project: ProjectPaths, progress: Progress) -> Answers:
    """Write answers, metrics, tables, plots, figures and the page; returns the answers.

    Raises ``InputError`` listing all results that are missing or cannot be used.
    """
    params = project.params()
    check_uri(project.tracking_uri)  # the page links to it
    check_split(project, params)
    results = answers(project, params, progress)
    for file, text in _files(project, results):
        write_text(file, text)
    return results


def _files(project: ProjectPaths, results: Answers) -> list[tuple[Path, str]]:
    """All files and their contents, computed before any file is written, since drawing may fail."""
    reports, drawn = project.reports, drawings(results)
    page = page_of(project, results, drawn)
    computed = results.to_json()
    return [
        (project.answers, json_text(computed, indent=None)),
        (reports / "metrics.json", _json(metrics(results))),
        (reports / "summary.json", _json(summary(results))),
        *((reports / "plots" / f"{metric}.json", _json(plot(results, metric))) for metric in PLOTTED),
        *((reports / "tables" / f"{name}.csv", table) for name, table in tables(results).items()),
        *((reports / "figures" / f"{name}.svg", drawn[name]) for name in FIGURES if drawn.get(name)),
        (page_file(project), page),
        (reports / "page.json", _json({"answers": digest(computed)})),
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
