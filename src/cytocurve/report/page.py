"""The report: one self-contained HTML page that makes no network requests."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from math import log
from typing import Any

from markupsafe import Markup, escape

from cytocurve.core.answers import Answers, ArmPlan
from cytocurve.core.audit.finding import describe
from cytocurve.report import figures, formatting, palette, wording
from cytocurve.report.arm_names import short_names
from cytocurve.report.context import PageContext
from cytocurve.report.environment import environment
from cytocurve.report.first_screen import first_screen, loss_charts, training_scores
from cytocurve.report.headline import headline
from cytocurve.report.libraries import VERSIONS, library
from cytocurve.report.predictive import of_arm
from cytocurve.report.script_data import script_data, thinned
from cytocurve.report.validation import ENSEMBLE

OFFENDERS_SHOWN = 3
"""Offenders shown per audit finding; ``reports/audit.json`` lists the others."""

EMBEDDED_AT_MOST = 3_500_000
"""Maximum bytes of embedded answers; above it, only ROC and precision-recall curves at the largest size are kept."""

SCRIPTS = ("data", "chart", "tables", "legend", "curves", "planner", "comparison", "details", "main")
STYLES = ("page", "print")


def render(answers: Answers, context: PageContext, static: Mapping[str, str] | None = None) -> str:
    """The page for these answers; pass ``static = figures.drawings(answers)`` if the figures are already drawn."""
    names = short_names(answers.arms)
    drawn = figures.drawings(answers) if static is None else static
    embedded, left_out = _embedded(answers, names)
    scripts = [*map(library, VERSIONS), _script(embedded)]
    pages = environment()
    pages.filters |= {
        "describe": describe,
        "count": formatting.count,
        "p": formatting.p_value,
        "percent": formatting.percent,
        "share": formatting.share,
        "verdict": wording.comparison_verdict,
        "whole": _whole,
        "breakable": _breakable,
        "settling": wording.settling,
        "no_interval": wording.no_interval,
    }
    return pages.get_template("report/page.html").render(
        answers=answers,
        context=context,
        names=names,
        headline=headline(answers, names),
        limits=wording.limits(answers.limits),
        ensemble=ENSEMBLE,
        screen=first_screen(answers, context.pictures),
        losses=loss_charts(answers.best.losses),
        guessing=-log(1 / len(answers.classes)),
        overfitting=wording.overfitting(answers.best.losses),
        training_scores=training_scores(answers.best, answers.metric),
        unbalanced=wording.unbalanced(answers.audit),
        uneven={size for sizes in wording.unbalanced_sizes(answers.audit).values() for size in sizes},
        lacking=wording.lacking(answers.audit),
        largest=answers.sizes[-1],
        title=answers.title,
        saturation={arm: wording.saturation(answers, arm) for arm in names},
        labels={arm: _labels(answers, results.plan) for arm, results in answers.arms.items()},
        why={arm: wording.why(results.plan) for arm, results in answers.arms.items()},
        first={arm: _sentence(answers, results.plan) for arm, results in answers.arms.items()},
        static={name: _inline(svg, name) for name, svg in drawn.items()},
        offenders_shown=OFFENDERS_SHOWN,
        positive=wording.positive_name(answers),
        classes=wording.class_names(answers),
        predictive=[row for row in of_arm(answers, answers.best) if row.size == answers.sizes[-1]],
        unknown_seeds=wording.unknown_seeds(answers.comparisons),
        thinned=left_out,
        policy=_policy(scripts),
        styles=Markup(palette.css() + "".join(_asset(f"{name}.css") for name in STYLES)),  # noqa: S704 - our own files
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files, and base64
    )


def _whole(text: str) -> Markup:
    """The text with its percentages and metrics kept on one line."""
    escaped = escape(text.replace(" %", "\u00a0%"))
    return Markup(str(escaped).replace("ROC-AUC", '<span class="whole">ROC-AUC</span>'))  # noqa: S704 - escaped above


def _breakable(name: str) -> Markup:
    """A name that may be broken after an underscore, rather than within a word."""
    return Markup(str(escape(name)).replace("_", "_<wbr>"))  # noqa: S704 - escaped


def _embedded(answers: Answers, names: Mapping[str, str]) -> tuple[str, bool]:
    """The packed data for the scripts, and whether curves were left out."""
    data = script_data(answers, names)
    packed = _packed(data)
    if len(packed) <= EMBEDDED_AT_MOST:
        return packed, False
    return _packed(data | {"answers": thinned(data["answers"])}), True


def _packed(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _sentence(answers: Answers, plan: ArmPlan) -> str:
    if reason := wording.no_forecast(plan):
        return reason
    return wording.answer(plan.targets[wording.default_target(plan)], plan, answers.title)


def _labels(answers: Answers, plan: ArmPlan) -> str:
    if wording.no_forecast(plan):
        return ""
    return wording.labels(plan.targets[wording.default_target(plan)], wording.class_names(answers))


def _script(embedded: str) -> str:
    """Our scripts wrapped in one function, to keep their names out of the page's global scope."""
    code = "".join(_asset(f"{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\nconst PACKED = "{embedded}";\n{code}}})();\n'


def _policy(scripts: list[str]) -> str:
    """The content security policy: no requests, and no scripts other than these."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (files("cytocurve.report") / "assets" / name).read_text(encoding="utf-8")


def _inline(svg: str, name: str) -> Markup:
    """A figure as an inline element of the page."""
    return Markup(figures.inline(svg, name))  # noqa: S704 - drawn by figures, which escapes what it writes
