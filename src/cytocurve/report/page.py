"""The report: one HTML page that opens without a network."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cytocurve.core.audit.finding import told
from cytocurve.core.curves import MARGIN, Gain, Summary
from cytocurve.core.relabelling import Relabelling
from cytocurve.report.charts import INK, MUTED, PAPER, RULE, WIDE_FROM
from cytocurve.report.environment import environment

OFFENDERS_SHOWN = 3
"""Of each finding of the audit; ``reports/audit.json`` has the others."""

_TITLES = {"roc_auc": "ROC-AUC", "f1": "F1 (macro)", "f1_weighted": "F1 (weighted)"}


@dataclass(frozen=True)
class Study:
    """What the page tells: ``curves[arm][metric][size]``, the first metric leading, and each arm's saturation size.

    ``chosen`` is the arm with the best validation scores; ``gain`` is that of its largest size over its saturation
    size, where it has one; ``notes`` are sentences on the data that a reader must know. ``audit`` is the contents of
    ``reports/audit.json``, None where these data were not audited; ``relabellings`` compare
    the label ``versions``.
    """

    dataset: str
    task: str
    curves: Mapping[str, Mapping[str, Mapping[int, Summary]]]
    saturation: Mapping[str, int | None]
    chosen: str
    gain: Gain | None
    notes: Sequence[str]
    provenance: Mapping[str, str]
    audit: Mapping[str, Any] | None = None
    relabellings: Sequence[Relabelling] = ()
    versions: Sequence[str] = ()


@dataclass(frozen=True)
class Table:
    """The scores by one metric: ``rows`` has a training size and, for every arm, its summary there, if it has one."""

    metric: str
    title: str
    rows: Sequence[tuple[int, Sequence[Summary | None]]]


@dataclass(frozen=True)
class Headline:
    """The chosen arm at its largest size, by the mean of the leading metric."""

    arm: str
    size: int
    point: Summary
    saturation: int | None


def title_of(metric: str) -> str:
    """A metric's name for people."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())


def render(study: Study, curves_svg: str, boxplot_svg: str) -> str:
    """The page, with these two figures of the leading metric in it."""
    pages, tables = environment(), _tables(study)
    pages.filters["told"] = told
    return pages.get_template("report.html").render(
        study=study,
        headline=headline(study),
        leading=tables[0],
        others=tables[1:],
        margin=MARGIN,
        offenders_shown=OFFENDERS_SHOWN,
        wide=len(study.curves) >= WIDE_FROM,
        curves=_inline(curves_svg, "curves"),
        boxplot=_inline(boxplot_svg, "boxplot"),
    )


def headline(study: Study) -> Headline | None:
    """What stands on top of the page; None where the chosen arm has no defined score at its largest size."""
    curve = next(iter(study.curves[study.chosen].values()))
    size = max(curve)
    return Headline(study.chosen, size, curve[size], study.saturation[study.chosen]) if curve[size].n else None


def _tables(study: Study) -> list[Table]:
    metrics = list(next(iter(study.curves.values())))
    sizes = sorted({size for by_metric in study.curves.values() for curve in by_metric.values() for size in curve})
    return [
        Table(
            metric,
            title_of(metric),
            [(size, [by_metric[metric].get(size) for by_metric in study.curves.values()]) for size in sizes],
        )
        for metric in metrics
    ]


def _inline(svg: str, name: str) -> Markup:
    """The figure as an element of the page: its ids made its own, its neutral colours left to the page's style."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", element)
    for colour, variable in ((INK, "ink"), (MUTED, "muted"), (RULE, "rule"), (PAPER, "paper")):
        element = element.replace(colour, f"var(--{variable})")
    return Markup(element)  # noqa: S704 - drawn by charts, which escapes what it writes
